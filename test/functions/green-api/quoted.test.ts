import { greenApi } from '#functions/green-api/provider.ts';
import { describeReading, type Row } from '#test/support/describe-reading.ts';
import { answering, incoming } from './payloads.ts';

const named = { id: 'BAE5000000C0FFEE', sender: { id: '12025550100@c.us', phone: '+12025550100' } };
const message = {
  id: '3EB0C0FFEE00112233AA',
  chat: { id: '12025550142@c.us', kind: 'individual', title: 'Noor Example' },
  direction: 'inbound',
  via: 'unknown',
  channel: 'whatsapp',
  sender: { id: '12025550142@c.us', phone: '+12025550142', name: 'Noor' },
  account: { instance: '7999000111', phone: '+12025550100' },
  content: { type: 'text', text: 'That one, please' },
};

/** An answer to a message of this kind quotes this, and nothing else. */
const quotes = (name: string, quoted: object, content?: object): Row => ({
  name: `an answer to ${name}`,
  payload: answering(quoted),
  exactly: { kind: 'message', message: { ...message, quoted: { ...named, ...(content && { content }) } } },
});
const nothing = { downloadUrl: '', caption: '', jpegThumbnail: '' };

describeReading(greenApi, [
  ...['12025550100', '+1 202-555-0100', '12025550100:3@s.whatsapp.net'].map((participant) => ({
    name: `an answer to ${participant}`,
    payload: incoming({
      typeMessage: 'extendedTextMessage',
      extendedTextMessageData: { text: 'Yes', stanzaId: 'BAE5AA', participant },
      quotedMessage: { stanzaId: 'BAE5AA', participant, typeMessage: 'textMessage', textMessage: 'Blue?' },
    }),
    stored: { message: { quoted: { sender: { id: '12025550100@c.us', phone: '+12025550100' } } } },
  })),
  quotes(
    'a text',
    { typeMessage: 'textMessage', textMessage: 'Yes, two left' },
    { type: 'text', text: 'Yes, two left' },
  ),
  quotes(
    'a text with a preview',
    {
      typeMessage: 'extendedTextMessage',
      textMessage: 'See https://shop.example.test/blue',
      extendedTextMessage: {
        description: 'Two left',
        title: 'The blue one',
        previewType: 'None',
        jpegThumbnail: null,
      },
    },
    {
      type: 'text',
      text: 'See https://shop.example.test/blue',
      preview: { title: 'The blue one', description: 'Two left', url: 'https://shop.example.test/blue' },
    },
  ),
  ...['imageMessage', 'fileMessageData'].map((key) =>
    quotes(
      `a picture that stands whole under ${key}`,
      {
        typeMessage: 'imageMessage',
        [key]: { downloadUrl: 'https://files.example.test/blue.jpg', caption: 'The blue one', mimeType: 'image/jpeg' },
      },
      {
        type: 'image',
        file: { url: 'https://files.example.test/blue.jpg', mimeType: 'image/jpeg' },
        caption: 'The blue one',
      },
    ),
  ),
  quotes(
    'a text that stands beside its preview',
    { typeMessage: 'extendedTextMessage', extendedTextMessage: { text: 'Yes, two left', title: '' } },
    { type: 'text', text: 'Yes, two left' },
  ),
  quotes(
    'an answer, of which the text is told',
    { typeMessage: 'quotedMessage', textMessage: 'The green one' },
    { type: 'text', text: 'The green one' },
  ),
  quotes('a text without its type', { textMessage: 'Yes, two left' }, { type: 'text', text: 'Yes, two left' }),
  quotes(
    'an image',
    {
      typeMessage: 'imageMessage',
      downloadUrl: 'https://files.example.test/a.jpg',
      caption: 'This blue?',
      jpegThumbnail: '/9j/4A==',
    },
    {
      type: 'image',
      file: { url: 'https://files.example.test/a.jpg', thumbnail: '/9j/4A==' },
      caption: 'This blue?',
    },
  ),
  quotes('a video', { typeMessage: 'videoMessage', ...nothing }, { type: 'video', file: {} }),
  quotes(
    'a video note',
    { typeMessage: 'videoMessage', ...nothing, videoNote: true },
    { type: 'video', file: {}, videoNote: true },
  ),
  quotes(
    'a tap on an interactive button',
    {
      typeMessage: 'interactiveButtonsResponse',
      selectedIndex: 1,
      selectedId: 'yes',
      selectedDisplayText: 'Yes, please',
    },
    { type: 'reply', source: 'button', id: 'yes', text: 'Yes, please', index: 1 },
  ),
  quotes(
    'a tap on an interactive button by the other names of its fields',
    { typeMessage: 'interactiveButtonsResponse', selectedButtonId: 'yes', selectedButtonText: 'Yes, please' },
    { type: 'reply', source: 'button', id: 'yes', text: 'Yes, please' },
  ),
  quotes(
    'a tap that is told in an object of its own',
    {
      typeMessage: 'interactiveButtonsResponse',
      interactiveButtonsResponse: {
        stanzaId: 'BAE5MENU0000001',
        selectedIndex: 1,
        selectedId: 'yes',
        selectedDisplayText: 'Yes',
      },
    },
    { type: 'reply', source: 'button', of: 'BAE5MENU0000001', id: 'yes', text: 'Yes', index: 1 },
  ),
  ...['templateButtonReplyMessage', 'templateButtonsReplyMessage'].map((key) =>
    quotes(
      `a tap on a template's button that is told in ${key}`,
      {
        typeMessage: 'templateButtonsReplyMessage',
        [key]: { stanzaId: 'B3', selectedId: 'a', selectedDisplayText: 'A' },
      },
      { type: 'reply', source: 'template', of: 'B3', id: 'a', text: 'A' },
    ),
  ),
  quotes('a document', { typeMessage: 'documentMessage', ...nothing }, { type: 'document', file: {} }),
  quotes('an audio file', { typeMessage: 'audioMessage', ...nothing }, { type: 'audio', file: {} }),
  quotes(
    'a sticker',
    { typeMessage: 'stickerMessage', ...nothing, isAnimated: true },
    { type: 'sticker', file: { animated: true } },
  ),
  quotes(
    'a video that was too large to fetch',
    { typeMessage: 'videoMessage', ...nothing, downloadUrl: '{{SWE002}}' },
    { type: 'video', file: {} },
  ),
  quotes(
    'a location',
    {
      typeMessage: 'locationMessage',
      location: { nameLocation: 'Corner Shop', address: '', jpegThumbnail: '', latitude: 52.0001, longitude: 4.0002 },
    },
    { type: 'location', latitude: 52.0001, longitude: 4.0002, name: 'Corner Shop' },
  ),
  quotes(
    'a contact',
    { typeMessage: 'contactMessage', contact: { displayName: 'Ada Sample', vcard: 'TEL;waid=12025550123' } },
    {
      type: 'contacts',
      contacts: [{ name: 'Ada Sample', phones: ['+12025550123'], vcard: 'TEL;waid=12025550123' }],
    },
  ),
  quotes(
    'several contacts',
    { typeMessage: 'contactsArrayMessage', contacts: [{ displayName: 'Ada Sample' }, { displayName: 'Bo Sample' }] },
    {
      type: 'contacts',
      contacts: [
        { name: 'Ada Sample', phones: [] },
        { name: 'Bo Sample', phones: [] },
      ],
    },
  ),
  quotes(
    'buttons',
    {
      typeMessage: 'buttonsMessage',
      contentText: 'Keep it for you?',
      footer: 'Corner Shop',
      buttons: [{ buttonId: 'keep', buttonText: 'Yes' }],
    },
    {
      type: 'buttons',
      text: 'Keep it for you?',
      footer: 'Corner Shop',
      buttons: [{ kind: 'reply', id: 'keep', text: 'Yes' }],
    },
  ),
  quotes(
    'a list',
    {
      typeMessage: 'listMessage',
      contentText: 'Pick a size',
      title: 'Sizes',
      sections: [{ title: 'Adults', rows: [{ title: 'M', rowId: 'size-m' }] }],
    },
    {
      type: 'list',
      title: 'Sizes',
      text: 'Pick a size',
      sections: [{ title: 'Adults', rows: [{ id: 'size-m', title: 'M' }] }],
    },
  ),
  quotes(
    'a template',
    {
      typeMessage: 'templateMessage',
      contentText: 'Track your parcel',
      buttons: [{ index: 3, quickReplyButton: { displayText: 'Stop', id: 'stop' } }],
    },
    {
      type: 'template',
      text: 'Track your parcel',
      buttons: [{ kind: 'reply', id: 'stop', index: 3, text: 'Stop' }],
    },
  ),
  ...['interactiveButtons', 'interactiveButtonsReply'].map((typeMessage) =>
    quotes(
      `a message of type ${typeMessage}`,
      { typeMessage, titleText: '', contentText: 'Deliver?', buttons: [{ type: 'reply', buttonId: 'y' }] },
      { type: 'buttons', text: 'Deliver?', buttons: [{ kind: 'reply', id: 'y' }] },
    ),
  ),
  quotes(
    'buttons that are not flat',
    { typeMessage: 'buttonsMessage', buttonsMessage: { contentText: 'Keep it for you?' } },
    { type: 'buttons', text: 'Keep it for you?', buttons: [] },
  ),
  quotes(
    'a tap, whose own id is not that of the buttons',
    { typeMessage: 'templateButtonsReplyMessage', selectedDisplayText: 'Yes', selectedId: 'keep' },
    { type: 'reply', source: 'template', id: 'keep', text: 'Yes' },
  ),
  quotes(
    'an invitation to a group',
    {
      typeMessage: 'groupInviteMessage',
      groupInviteMessageData: { groupJid: '120363000000000042@g.us', inviteCode: 'MadeUpCode00' },
    },
    { type: 'invite', group: { id: '120363000000000042@g.us' }, code: 'MadeUpCode00' },
  ),
  quotes(
    'a poll',
    {
      typeMessage: 'pollMessage',
      pollMessageData: { name: 'Which day?', options: [{ optionName: 'Monday' }], multipleAnswers: true },
    },
    { type: 'poll', name: 'Which day?', options: ['Monday'], multipleAnswers: true },
  ),
  quotes(
    'a type that is not known, with its text',
    { typeMessage: 'moodMessage', textMessage: 'Sunny' },
    { type: 'unsupported', providerType: 'moodMessage', text: 'Sunny' },
  ),
  quotes(
    'a text that GREEN-API could not read',
    { typeMessage: 'textMessage', textMessage: '{{SWE001}}' },
    { type: 'unsupported', providerType: 'textMessage' },
  ),
  ...[{ productMessage: { productId: '7', title: 'Blue mug' } }, { productId: '7', title: 'Blue mug' }].map((flat) =>
    quotes(
      `a product: ${JSON.stringify(flat)}`,
      { typeMessage: 'productMessage', ...flat },
      {
        type: 'product',
        id: '7',
        text: 'Blue mug',
      },
    ),
  ),
  ...[{ orderMessage: { orderId: '9', message: 'Two' } }, { orderId: '9', message: 'Two' }].map((flat) =>
    quotes(
      `an order: ${JSON.stringify(flat)}`,
      { typeMessage: 'orderMessage', ...flat },
      {
        type: 'order',
        id: '9',
        text: 'Two',
      },
    ),
  ),
  quotes('a message that is only named', {}),
  quotes('a message whose type is no text', { typeMessage: 5 }),

  {
    name: 'the quoted object before the pair beside the text, which is kept as stated',
    payload: incoming({
      typeMessage: 'quotedMessage',
      extendedTextMessageData: { text: 'That one', stanzaId: 'BAE5000000C0FF00', participant: '12025550177@c.us' },
      quotedMessage: { stanzaId: 'BAE5000000C0FFEE', participant: '12025550100:2@c.us' },
    }),
    stored: {
      message: {
        quoted: { ...named, stated: { id: 'BAE5000000C0FF00', sender: { phone: '+12025550177' } } },
      },
    },
  },
  {
    name: 'the pair beside the text where there is no quoted object',
    payload: incoming({
      typeMessage: 'quotedMessage',
      extendedTextMessageData: { text: 'That one', stanzaId: 'BAE5000000C0FFEE', participant: '12025550100@c.us' },
    }),
    exactly: {
      kind: 'message',
      message: { ...message, content: { type: 'text', text: 'That one' }, quoted: named },
    },
  },
  {
    name: 'the content of a quoted object that only the pair beside the text names',
    payload: incoming({
      typeMessage: 'quotedMessage',
      extendedTextMessageData: { text: 'That one', stanzaId: 'BAE5000000C0FFEE', participant: '12025550100@c.us' },
      quotedMessage: { typeMessage: 'textMessage', textMessage: 'Yes, two left' },
    }),
    stored: { message: { quoted: { ...named, content: { type: 'text', text: 'Yes, two left' } } } },
  },
  {
    name: 'a location that answers a message',
    payload: incoming({
      typeMessage: 'locationMessage',
      locationMessageData: { latitude: 52, longitude: 4 },
      quotedMessage: { stanzaId: 'BAE5000000C0FFEE', typeMessage: 'textMessage', textMessage: 'Where?' },
    }),
    stored: {
      message: { content: { type: 'location' }, quoted: { id: 'BAE5000000C0FFEE', content: { text: 'Where?' } } },
    },
  },
  {
    name: 'no quote where no message is named, and no forwarding that is of the quoted one',
    payload: incoming({
      typeMessage: 'textMessage',
      textMessageData: { textMessage: 'That one, please' },
      quotedMessage: { textMessage: 'Yes, two left', isForwarded: true },
    }),
    exactly: { kind: 'message', message },
  },
]);
