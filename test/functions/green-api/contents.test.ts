import { expect } from 'vitest';
import { greenApi } from '#functions/green-api/provider.ts';
import { describeReading, type Row } from '#test/support/describe-reading.ts';
import { documentedContents } from './documented.ts';
import { account, incoming } from './payloads.ts';

const envelope = {
  id: '3EB0C0FFEE00112233AA',
  chat: { id: '12025550142@c.us', kind: 'individual', title: 'Noor Example' },
  direction: 'inbound',
  via: 'unknown',
  channel: 'whatsapp',
  sender: { id: '12025550142@c.us', phone: '+12025550142', name: 'Noor' },
  account,
};
const fresh = { forwardingScore: 0, isForwarded: false };

/** A message of this content says this, and nothing else beside the envelope. */
const says = (name: string, messageData: object, content: object, rest: object = {}): Row => ({
  name,
  payload: incoming(messageData),
  exactly: { kind: 'message', message: { ...envelope, content, ...rest } },
});

const documentedContent = (type: string) => documentedContents.find(({ typeMessage }) => typeMessage === type) ?? {};
const product = {
  type: 'product',
  id: '7000000000000001',
  text: 'Blue mug\nHolds 300 ml',
  price: '12.50',
  currency: 'EUR',
  url: 'https://shop.example.test/blue-mug',
  file: {
    url: 'https://files.example.test/7999000111/mug.jpg',
    name: '44445555-6666-4777-8888-99990000aaaa.jpg',
    mimeType: 'image/jpeg',
  },
};

const note = { downloadUrl: 'https://files.example.test/n.mp4', caption: '', fileName: 'n.mp4', mimeType: 'video/mp4' };
const noted = {
  url: 'https://files.example.test/n.mp4',
  name: 'n.mp4',
  nameGenerated: true,
  mimeType: 'video/mp4',
};

describeReading(greenApi, [
  ...([true, 'true', 'True', 1, '1'] as const).map((videoNote) =>
    says(
      `a round video note, told by ${JSON.stringify(videoNote)}`,
      { typeMessage: 'videoMessage', fileMessageData: { ...note, videoNote } },
      { type: 'video', file: noted, videoNote: true },
    ),
  ),
  says(
    'a video that is no note',
    { typeMessage: 'videoMessage', fileMessageData: { ...note, videoNote: false } },
    { type: 'video', file: noted },
  ),
  says(
    'a plain text',
    { typeMessage: 'textMessage', textMessageData: { textMessage: ' Yes, two left', isTemplateMessage: true } },
    { type: 'text', text: ' Yes, two left', fromTemplate: true },
  ),
  says(
    'a text without a link in the extended form, with nothing to preview',
    {
      typeMessage: 'extendedTextMessage',
      extendedTextMessageData: {
        text: 'Your order is packed',
        description: '',
        title: '',
        previewType: 'None',
        jpegThumbnail: '',
        ...fresh,
      },
    },
    { type: 'text', text: 'Your order is packed' },
  ),
  says(
    'a preview of the first link, and how often a text was passed on',
    {
      typeMessage: 'extendedTextMessage',
      extendedTextMessageData: {
        text: 'See https://shop.example.test/blue or http://other.example.test',
        description: 'Two left',
        title: 'The blue one',
        previewType: 'Video',
        jpegThumbnail: '/9j/4A==',
        forwardingScore: 2,
        isForwarded: true,
      },
    },
    {
      type: 'text',
      text: 'See https://shop.example.test/blue or http://other.example.test',
      preview: {
        url: 'https://shop.example.test/blue',
        title: 'The blue one',
        description: 'Two left',
        thumbnail: '/9j/4A==',
        type: 'Video',
      },
    },
    { forwarded: { score: 2 } },
  ),
  says(
    'the advert from which somebody started to write',
    {
      typeMessage: 'extendedTextMessage',
      extendedTextMessageData: {
        text: 'Hello! Can I get more info?',
        containsAutoReply: false,
        mediaType: 1,
        showAdAttribution: true,
        sourceId: '120200000000000001',
        sourceType: 'ad',
        sourceUrl: 'https://ads.example.test/1',
        thumbnailUrl: 'https://ads.example.test/1.jpg',
        conversionSource: 'FB_Ads',
        entryPointConversionApp: 'instagram',
      },
    },
    {
      type: 'text',
      text: 'Hello! Can I get more info?',
      ad: {
        sourceId: '120200000000000001',
        sourceType: 'ad',
        sourceUrl: 'https://ads.example.test/1',
        mediaType: '1',
        thumbnailUrl: 'https://ads.example.test/1.jpg',
        showAttribution: true,
        autoReply: false,
        conversionSource: 'FB_Ads',
        entryPointApp: 'instagram',
      },
    },
  ),
  says(
    'no advert where all that is said is that there is none',
    {
      typeMessage: 'extendedTextMessage',
      extendedTextMessageData: { text: 'Hi', showAdAttribution: false, containsAutoReply: false },
    },
    { type: 'text', text: 'Hi' },
  ),
  says(
    'a text by the key that is there, not the one that the type names',
    { typeMessage: 'textMessage', extendedTextMessageData: { text: 'Plumber comes at nine' } },
    { type: 'text', text: 'Plumber comes at nine' },
  ),
  says(
    'a text without any type',
    { textMessageData: { textMessage: 'Plumber comes at nine' } },
    { type: 'text', text: 'Plumber comes at nine' },
  ),
  says(
    'a forwarding flag that some clients write as text, and a score in digits',
    {
      typeMessage: 'extendedTextMessage',
      extendedTextMessageData: { text: 'Hi', isForwarded: 'true', forwardingScore: '3' },
    },
    { type: 'text', text: 'Hi' },
    { forwarded: { score: 3 } },
  ),

  says(
    'an image with its caption',
    {
      typeMessage: 'imageMessage',
      fileMessageData: {
        downloadUrl: 'https://files.example.test/7999000111/0f0e0d0c.jpg',
        caption: 'This blue?',
        fileName: '0f0e0d0c-1111.jpg',
        jpegThumbnail: '/9j/4A==',
        mimeType: 'image/jpeg',
        isAnimated: false,
        ...fresh,
      },
    },
    {
      type: 'image',
      file: {
        url: 'https://files.example.test/7999000111/0f0e0d0c.jpg',
        name: '0f0e0d0c-1111.jpg',
        nameGenerated: true,
        mimeType: 'image/jpeg',
        thumbnail: '/9j/4A==',
      },
      caption: 'This blue?',
    },
  ),
  says(
    'a video that was too large to fetch, without a link but with the reason',
    {
      typeMessage: 'videoMessage',
      fileMessageData: {
        downloadUrl: '{{SWE002}}',
        caption: '',
        fileName: '11112222.mp4',
        jpegThumbnail: '',
        mimeType: 'video/mp4',
        forwardingScore: 1,
        isForwarded: true,
      },
    },
    { type: 'video', file: { name: '11112222.mp4', nameGenerated: true, mimeType: 'video/mp4' } },
    {
      forwarded: { score: 1 },
      error: { code: 'SWE002', message: 'The file is over the size limit and was not fetched' },
    },
  ),
  says(
    'a document under its true name, in answer to a text',
    {
      typeMessage: 'documentMessage',
      fileMessageData: {
        downloadUrl: 'https://files.example.test/7999000111/lease.pdf',
        caption: '',
        fileName: 'lease 2026.pdf',
        jpegThumbnail: '',
        mimeType: 'application/pdf',
        ...fresh,
      },
      quotedMessage: {
        stanzaId: 'BAE5000000C0FFEE',
        participant: '12025550100@c.us',
        typeMessage: 'textMessage',
        textMessage: 'Send the lease?',
      },
    },
    {
      type: 'document',
      file: {
        url: 'https://files.example.test/7999000111/lease.pdf',
        name: 'lease 2026.pdf',
        mimeType: 'application/pdf',
      },
    },
    {
      quoted: {
        id: 'BAE5000000C0FFEE',
        sender: { id: '12025550100@c.us', phone: '+12025550100' },
        content: { type: 'text', text: 'Send the lease?' },
      },
    },
  ),
  says(
    'an audio file in Ogg/Opus as a voice note',
    {
      typeMessage: 'audioMessage',
      fileMessageData: {
        downloadUrl: 'https://files.example.test/7999000111/voice.oga',
        caption: '',
        fileName: '22223333.oga',
        jpegThumbnail: '',
        mimeType: 'audio/ogg; codecs=opus',
        ...fresh,
      },
    },
    {
      type: 'voice',
      file: {
        url: 'https://files.example.test/7999000111/voice.oga',
        name: '22223333.oga',
        nameGenerated: true,
        mimeType: 'audio/ogg; codecs=opus',
      },
    },
  ),
  ...['audio/mpeg', 'audio/ogg', 'audio/ogg; codecs=vorbis', 'audio/mp4'].map((mimeType) =>
    says(
      `an audio file in ${mimeType} as audio`,
      { typeMessage: 'audioMessage', fileMessageData: { downloadUrl: 'https://files.example.test/a', mimeType } },
      { type: 'audio', file: { url: 'https://files.example.test/a', mimeType } },
    ),
  ),
  says(
    'an animated sticker',
    {
      typeMessage: 'stickerMessage',
      fileMessageData: {
        downloadUrl: 'https://files.example.test/7999000111/s.webp',
        caption: '',
        fileName: '33334444.webp',
        jpegThumbnail: '',
        mimeType: 'image/webp',
        isAnimated: true,
        ...fresh,
      },
    },
    {
      type: 'sticker',
      file: {
        url: 'https://files.example.test/7999000111/s.webp',
        name: '33334444.webp',
        nameGenerated: true,
        mimeType: 'image/webp',
        animated: true,
      },
    },
  ),
  says(
    'an image whose link is missing',
    { typeMessage: 'imageMessage', fileMessageData: { downloadUrl: '', caption: 'This blue?' } },
    { type: 'image', file: {}, caption: 'This blue?' },
  ),
  says(
    'a file of a type that is not known, with its caption',
    {
      typeMessage: 'hologramMessage',
      fileMessageData: { downloadUrl: 'https://files.example.test/h', caption: 'Look', fileName: 'h.holo', ...fresh },
    },
    {
      type: 'unsupported',
      providerType: 'hologramMessage',
      text: 'Look',
      file: { url: 'https://files.example.test/h', name: 'h.holo' },
    },
  ),

  says(
    'a location',
    {
      typeMessage: 'locationMessage',
      locationMessageData: {
        nameLocation: 'Corner Shop',
        address: '1 Sample Street',
        latitude: 52.0001,
        longitude: 4.0002,
        jpegThumbnail: '/9j/4A==',
        ...fresh,
      },
    },
    {
      type: 'location',
      latitude: 52.0001,
      longitude: 4.0002,
      name: 'Corner Shop',
      address: '1 Sample Street',
      thumbnail: '/9j/4A==',
    },
  ),
  says(
    'coordinates that are written as text',
    {
      typeMessage: 'locationMessage',
      locationMessageData: { nameLocation: '', address: '', latitude: '-33.5', longitude: '0', jpegThumbnail: '' },
    },
    { type: 'location', latitude: -33.5, longitude: 0 },
  ),
  says(
    'a location without coordinates as unsupported, with the name of the place',
    {
      typeMessage: 'locationMessage',
      locationMessageData: { nameLocation: 'Corner Shop', latitude: 'NaN', longitude: null },
    },
    { type: 'unsupported', providerType: 'locationMessage', text: 'Corner Shop' },
  ),

  says(
    'a poll',
    {
      typeMessage: 'pollMessage',
      pollMessageData: {
        name: 'Which day?',
        options: [{ optionName: 'Monday' }, { optionName: 'Tuesday' }],
        multipleAnswers: false,
      },
    },
    { type: 'poll', name: 'Which day?', options: ['Monday', 'Tuesday'], multipleAnswers: false },
  ),
  says(
    'a poll in the form of 2023',
    {
      typeMessage: 'pollCreationMessage',
      pollCreationMessage: { name: 'Which day?', options: [{ optionName: 'Monday' }], selectableOptionsCount: 2 },
    },
    { type: 'poll', name: 'Which day?', options: ['Monday'], multipleAnswers: true },
  ),
  says(
    'a poll without a question as unsupported',
    { typeMessage: 'pollMessage', pollMessageData: { options: [{ optionName: 'Monday' }] } },
    { type: 'unsupported', providerType: 'pollMessage' },
  ),
  says(
    'the tally of a poll, whichever way its voters are named',
    {
      typeMessage: 'pollUpdateMessage',
      pollMessageData: {
        stanzaId: 'BAE5000000C0FFF0',
        name: 'Which day?',
        votes: [
          { optionName: 'Monday', optionVoters: ['12025550142:3@c.us', { wid: '12025550177@c.us' }] },
          { optionName: 'Tuesday', optionVoters: [{ id: '120255501420001@lid' }, 5, null] },
          { optionName: 'Never', optionVoters: [] },
        ],
        multipleAnswers: false,
      },
    },
    {
      type: 'poll_vote',
      of: 'BAE5000000C0FFF0',
      name: 'Which day?',
      votes: [
        { option: 'Monday', voters: ['12025550142@c.us', '12025550177@c.us'] },
        { option: 'Tuesday', voters: ['120255501420001@lid'] },
        { option: 'Never', voters: [] },
      ],
      multipleAnswers: false,
    },
  ),
  says(
    'a tally that names no poll as unsupported, with the question',
    { typeMessage: 'pollUpdateMessage', pollMessageData: { name: 'Which day?', votes: [] } },
    { type: 'unsupported', providerType: 'pollUpdateMessage', text: 'Which day?' },
  ),

  says(
    'an edited text',
    {
      typeMessage: 'editedMessage',
      editedMessageData: { textMessage: 'Is the green one?', stanzaId: '3EB0C0FFEE0011223300' },
    },
    { type: 'edit', of: '3EB0C0FFEE0011223300', text: 'Is the green one?' },
  ),
  says(
    'an edited caption',
    {
      typeMessage: 'editedMessage',
      editedMessageData: { caption: 'This green?', stanzaId: '3EB0C0FFEE0011223300' },
    },
    { type: 'edit', of: '3EB0C0FFEE0011223300', text: 'This green?' },
  ),
  says(
    'a deletion',
    { typeMessage: 'deletedMessage', deletedMessageData: { stanzaId: '3EB0C0FFEE0011223300' } },
    { type: 'delete', of: '3EB0C0FFEE0011223300' },
  ),
  says(
    'a deletion of nobody knows what as unsupported',
    { typeMessage: 'deletedMessage', deletedMessageData: {} },
    { type: 'unsupported', providerType: 'deletedMessage' },
  ),

  ...[1795259200, '1795259200', { low: 1795259200, high: 0, unsigned: false }].map((inviteExpiration) =>
    says(
      `an invitation to a group that ends at ${JSON.stringify(inviteExpiration)}`,
      {
        typeMessage: 'groupInviteMessage',
        groupInviteMessageData: {
          groupJid: '120363000000000042@g.us',
          inviteCode: 'MadeUpCode00',
          inviteExpiration,
          groupName: 'Courtyard repairs',
          caption: 'Come and join',
          name: 'Pim',
          jpegThumbnail: '/9j/4A==',
        },
      },
      {
        type: 'invite',
        group: { id: '120363000000000042@g.us', name: 'Courtyard repairs' },
        code: 'MadeUpCode00',
        expiresAt: '2026-11-21T11:06:40.000Z',
        caption: 'Come and join',
        name: 'Pim',
        thumbnail: '/9j/4A==',
      },
    ),
  ),
  says(
    'an invitation to no group as unsupported',
    { typeMessage: 'groupInviteMessage', groupInviteMessageData: { caption: 'Come and join' } },
    { type: 'unsupported', providerType: 'groupInviteMessage', text: 'Come and join' },
  ),

  says('a product, with its picture and that it was forwarded', documentedContent('productMessage'), product, {
    forwarded: { score: 1 },
  }),
  says('an order, and not what opens it', documentedContent('orderMessage'), {
    type: 'order',
    id: '1290000000000001',
    text: 'By Friday, please',
    total: '250000',
    currency: 'EUR',
    itemCount: 2,
    seller: '12025550100@c.us',
  }),
  says(
    'an order without words, by the name of the shop',
    { typeMessage: 'orderMessage', orderMessage: { orderTitle: 'Corner Shop', message: '', jpegThumbnail: '/9j/' } },
    { type: 'order', text: 'Corner Shop', file: { thumbnail: '/9j/' } },
  ),
  says(
    'an edit, whatever stands beside it',
    {
      typeMessage: 'editedMessage',
      fileMessageData: { downloadUrl: 'https://files.example.test/a.jpg' },
      editedMessageData: { caption: 'This green?', stanzaId: 'F1' },
    },
    { type: 'edit', of: 'F1', text: 'This green?' },
  ),
  says(
    'a deletion, whatever stands beside it',
    {
      typeMessage: 'deletedMessage',
      deletedMessageData: { stanzaId: 'F1' },
      fileMessageData: { downloadUrl: 'https://files.example.test/a.jpg', caption: 'This blue?' },
    },
    { type: 'delete', of: 'F1' },
  ),
  ...['productMessage', 'orderMessage'].map((typeMessage) =>
    says(
      `a ${typeMessage} of which nothing is told as unsupported`,
      { typeMessage, [typeMessage]: { productId: '', token: 'bWFkZS11cA==' } },
      { type: 'unsupported', providerType: typeMessage },
    ),
  ),

  ...(
    [
      ['image/webp', 'image'],
      ['video/mp4', 'video'],
      ['audio/mpeg', 'audio'],
      ['audio/ogg; codecs=opus', 'voice'],
      ['application/pdf', 'document'],
      [undefined, 'document'],
    ] as const
  ).map(([mimeType, type]) => ({
    name: `a file without a type, by what it is: ${mimeType}`,
    payload: incoming({ fileMessageData: { downloadUrl: 'https://files.example.test/1', caption: 'Look', mimeType } }),
    stored: { message: { content: { type, caption: 'Look', file: { url: 'https://files.example.test/1' } } } },
  })),

  ...['text', 'contentText', 'caption', 'title', 'titleText', 'name', 'description'].map((field) =>
    says(
      `a type that is not known, with the words in its ${field}`,
      { typeMessage: 'eventMessage', eventMessageData: { startTime: 1795000000, [field]: 'Summer party' } },
      { type: 'unsupported', providerType: 'eventMessage', text: 'Summer party' },
    ),
  ),
  {
    name: 'no words of the message that one of a type that is not known answers',
    payload: incoming({
      typeMessage: 'eventMessage',
      eventMessageData: { name: '', title: '{{SWE003}}' },
      quotedMessage: { stanzaId: 'B1', typeMessage: 'textMessage', textMessage: 'When?', title: 'When?' },
    }),
    stored: { message: { content: expect.not.objectContaining({ text: expect.anything() }) } },
  },
  says(
    'a type that is not known, without anything',
    { typeMessage: 'moodMessage', moodMessageData: { mood: 'sunny' } },
    { type: 'unsupported', providerType: 'moodMessage' },
  ),
  says(
    'a type that is not known, with its text and that it was forwarded',
    { typeMessage: 'moodMessage', extendedTextMessageData: { text: 'Sunny' }, moodMessageData: { isForwarded: true } },
    { type: 'unsupported', providerType: 'moodMessage', text: 'Sunny' },
    { forwarded: {} },
  ),
  says(
    'a type called constructor',
    { typeMessage: 'constructor', constructor: { name: 'x' } },
    { type: 'unsupported', providerType: 'constructor' },
  ),
  says(
    'a text of a story with its colours as unsupported',
    {
      typeMessage: 'statusExtendedTextMessage',
      statusExtendedTextMessageData: {
        text: 'Open today',
        backgroundColor: '#fff',
        font: 'SANS_SERIF',
        participants: [],
      },
    },
    { type: 'unsupported', providerType: 'statusExtendedTextMessage', text: 'Open today' },
  ),
  says(
    'content under a key of its type that is no object as unsupported',
    { typeMessage: 'imageMessage', fileMessageData: 'https://files.example.test/a.jpg' },
    { type: 'unsupported', providerType: 'imageMessage' },
  ),
  {
    name: 'words that a relay has made a number',
    payload: incoming({ typeMessage: 'textMessage', textMessageData: { textMessage: 4711 } }),
    stored: { message: { content: { type: 'text', text: '4711' } } },
  },
  {
    name: 'a caption that a relay has made a number',
    payload: incoming({ typeMessage: 'imageMessage', fileMessageData: { caption: 4711, fileName: 12 } }),
    stored: { message: { content: { type: 'image', caption: '4711', file: { name: '12' } } } },
  },
  ...[
    [
      [{ optionName: 1 }, { optionName: 2 }],
      ['1', '2'],
    ],
    [[1, null, { optionName: 'two' }, {}], ['two']],
  ].map(([written, options]) => ({
    name: `the options of a poll as ${JSON.stringify(written)}`,
    payload: incoming({ typeMessage: 'pollMessage', pollMessageData: { name: 'Which?', options: written } }),
    stored: { message: { content: { type: 'poll', options } } },
  })),
  {
    name: 'a file by its MIME type in any case',
    payload: incoming({ fileMessageData: { downloadUrl: 'https://files.example.test/a', mimeType: 'Image/PNG' } }),
    stored: { message: { content: { type: 'image' } } },
  },
]);
