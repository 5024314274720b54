import { greenApi } from '#functions/green-api/provider.ts';
import { describeReading, type Row } from '#test/support/describe-reading.ts';
import { incoming } from './payloads.ts';

const says = (name: string, messageData: object, content: object): Row => ({
  name,
  payload: incoming(messageData),
  stored: { message: { content } },
});

describeReading(greenApi, [
  says(
    'buttons',
    {
      typeMessage: 'buttonsMessage',
      buttonsMessage: {
        contentText: 'Keep it for you?',
        footer: 'Corner Shop',
        buttons: [{ buttonId: 'keep', buttonText: 'Yes' }, { buttonId: 2, buttonText: 'No' }, {}, null],
        forwardingScore: 0,
        isForwarded: false,
      },
    },
    {
      type: 'buttons',
      text: 'Keep it for you?',
      footer: 'Corner Shop',
      buttons: [
        { kind: 'reply', id: 'keep', text: 'Yes' },
        { kind: 'reply', id: '2', text: 'No' },
      ],
    },
  ),
  says(
    'interactive buttons of each kind',
    {
      typeMessage: 'interactiveButtons',
      interactiveButtons: {
        titleText: 'Offer',
        contentText: 'Ten per cent off',
        footerText: 'Corner Shop',
        buttons: [
          { type: 'copy', buttonId: '1', buttonText: 'Copy code', copyCode: 'BLUE10' },
          { type: 'call', buttonId: '2', buttonText: 'Call', phoneNumber: '12025550100' },
          { type: 'url', buttonId: '3', buttonText: 'Open', url: 'https://shop.example.test/blue' },
          { type: 'reply', buttonId: '4', buttonText: 'Later' },
        ],
      },
    },
    {
      type: 'buttons',
      title: 'Offer',
      text: 'Ten per cent off',
      footer: 'Corner Shop',
      buttons: [
        { kind: 'copy', id: '1', text: 'Copy code', code: 'BLUE10' },
        { kind: 'call', id: '2', text: 'Call', phone: '+12025550100' },
        { kind: 'url', id: '3', text: 'Open', url: 'https://shop.example.test/blue' },
        { kind: 'reply', id: '4', text: 'Later' },
      ],
    },
  ),
  ...['interactiveButtonsReply', 'interactiveButtonReply', 'interactiveButtons'].map((key) =>
    says(
      `a message with reply buttons under ${key}, which is no tap`,
      {
        typeMessage: 'interactiveButtonsReply',
        [key]: {
          titleText: '',
          contentText: 'Shall we deliver?',
          footerText: '',
          buttons: [{ type: 'reply', buttonId: 'y', buttonText: 'Yes' }],
        },
      },
      { type: 'buttons', text: 'Shall we deliver?', buttons: [{ kind: 'reply', id: 'y', text: 'Yes' }] },
    ),
  ),
  says(
    'the other names of title, text and footer',
    {
      typeMessage: 'interactiveButtonsReply',
      interactiveButtonsReply: { header: 'Offer', body: 'Shall we deliver?', footer: 'Corner Shop', buttons: [] },
    },
    { type: 'buttons', title: 'Offer', text: 'Shall we deliver?', footer: 'Corner Shop', buttons: [] },
  ),
  says(
    'buttons without a text as unsupported',
    { typeMessage: 'buttonsMessage', buttonsMessage: { buttons: [{ buttonId: 'keep', buttonText: 'Yes' }] } },
    { type: 'unsupported', providerType: 'buttonsMessage' },
  ),

  says(
    'a list',
    {
      typeMessage: 'listMessage',
      listMessage: {
        contentText: 'Pick a size',
        title: 'Sizes',
        footer: '',
        buttonText: 'Open',
        sections: [
          { title: 'Adults', rows: [{ title: 'M', rowId: 'size-m', description: 'Medium' }] },
          { title: '', rows: [{ title: 'S', rowId: 7 }] },
        ],
      },
    },
    {
      type: 'list',
      title: 'Sizes',
      text: 'Pick a size',
      buttonText: 'Open',
      sections: [
        { title: 'Adults', rows: [{ id: 'size-m', title: 'M', description: 'Medium' }] },
        { rows: [{ id: '7', title: 'S' }] },
      ],
    },
  ),
  says(
    'a template with each kind of button',
    {
      typeMessage: 'templateMessage',
      templateMessage: {
        namespace: 'shop',
        elementName: 'tracking',
        contentText: 'Track your parcel',
        footer: 'Corner Shop',
        buttons: [
          { index: 1, urlButton: { displayText: 'Track', url: 'https://shop.example.test/t/1' } },
          { index: 2, callButton: { displayText: 'Call us', phoneNumber: '8 800 555' } },
          { index: 3, quickReplyButton: { displayText: 'Stop', id: 'stop' } },
        ],
      },
    },
    {
      type: 'template',
      namespace: 'shop',
      name: 'tracking',
      text: 'Track your parcel',
      footer: 'Corner Shop',
      buttons: [
        { kind: 'url', index: 1, text: 'Track', url: 'https://shop.example.test/t/1' },
        { kind: 'call', index: 2, text: 'Call us', phone: '8 800 555' },
        { kind: 'reply', index: 3, text: 'Stop', id: 'stop' },
      ],
    },
  ),
  says(
    "a template in the web client's form",
    {
      typeMessage: 'templateMessage',
      templateMessage: {
        titleText: 'Parcel',
        contentText: 'Track it',
        footerText: 'Corner Shop',
        mediaUrl: 'https://files.example.test/parcel.jpg',
        isForwarded: true,
        forwardingScore: 1,
      },
    },
    {
      type: 'template',
      title: 'Parcel',
      text: 'Track it',
      footer: 'Corner Shop',
      mediaUrl: 'https://files.example.test/parcel.jpg',
      buttons: [],
    },
  ),

  says(
    'a tap on a button',
    {
      typeMessage: 'buttonsResponseMessage',
      buttonsResponseMessage: { stanzaId: 'BAE5000000C0FFF1', selectedButtonId: 'keep', selectedButtonText: 'Yes' },
    },
    { type: 'reply', source: 'button', of: 'BAE5000000C0FFF1', id: 'keep', text: 'Yes' },
  ),
  ...[1, '1'].map((listType) =>
    says(
      `a choice from a list, its type as ${JSON.stringify(listType)}`,
      {
        typeMessage: 'listResponseMessage',
        listResponseMessage: { stanzaId: 'BAE5000000C0FFF2', title: 'M', listType, singleSelectReply: 'size-m' },
      },
      { type: 'reply', source: 'list', of: 'BAE5000000C0FFF2', id: 'size-m', text: 'M', listType: 1 },
    ),
  ),
  ...[
    ['templateButtonsReplyMessage', 'templateButtonReplyMessage'],
    ['templateButtonReplyMessage', 'templateButtonReplyMessage'],
    ['templateButtonsReplyMessage', 'templateButtonsReplyMessage'],
    ['interactiveButtonsReply', 'templateButtonReplyMessage'],
  ].map(([typeMessage, key = '']) =>
    says(
      `a tap on a reply button, typed ${typeMessage}, under ${key}`,
      {
        typeMessage,
        [key]: { stanzaId: 'BAE5000000C0FFF3', selectedIndex: '0', selectedId: 'keep', selectedDisplayText: 'Yes' },
      },
      { type: 'reply', source: 'template', of: 'BAE5000000C0FFF3', id: 'keep', text: 'Yes', index: 0 },
    ),
  ),
  says(
    'a tap on nothing as unsupported',
    { typeMessage: 'buttonsResponseMessage', buttonsResponseMessage: { stanzaId: 'BAE5000000C0FFF1' } },
    { type: 'unsupported', providerType: 'buttonsResponseMessage' },
  ),

  ...['interactiveButtonsResponse', 'interactiveButtonResponse', 'interactiveButtonsResponseMessage'].flatMap((key) => [
    says(
      `a tap on an interactive button under ${key}`,
      {
        typeMessage: 'interactiveButtonsResponse',
        [key]: {
          stanzaId: 'BAE5MENU0000001',
          selectedIndex: 1,
          selectedId: 'yes',
          selectedDisplayText: 'Yes, please',
        },
      },
      { type: 'reply', source: 'button', of: 'BAE5MENU0000001', id: 'yes', text: 'Yes, please', index: 1 },
    ),
    says(
      `a tap on an interactive button under ${key}, by the other names of its fields`,
      {
        typeMessage: 'interactiveButtonsResponse',
        [key]: { stanzaId: 'BAE5MENU0000001', selectedButtonId: 2, selectedButtonText: 'No' },
      },
      { type: 'reply', source: 'button', of: 'BAE5MENU0000001', id: '2', text: 'No' },
    ),
  ]),
  ...['interactiveButtonsReply', 'interactiveButtonReply'].map((key) =>
    says(
      `a tap under ${key}, where a choice stands in it`,
      { typeMessage: key, [key]: { stanzaId: 'BAE5MENU0000001', selectedId: 'yes', selectedIndex: '0' } },
      { type: 'reply', source: 'button', of: 'BAE5MENU0000001', id: 'yes', index: 0 },
    ),
  ),
  says(
    'a tap on a plain button by the names that the other taps have',
    {
      typeMessage: 'buttonsResponseMessage',
      buttonsResponseMessage: { stanzaId: 'BAE5MENU0000001', selectedId: 'keep', selectedDisplayText: 'Keep' },
    },
    { type: 'reply', source: 'button', of: 'BAE5MENU0000001', id: 'keep', text: 'Keep' },
  ),
  says(
    'a tap on a button of a template by the names that plain buttons have',
    {
      typeMessage: 'templateButtonsReplyMessage',
      templateButtonReplyMessage: { selectedButtonId: 'keep', selectedButtonText: 'Keep' },
    },
    { type: 'reply', source: 'template', id: 'keep', text: 'Keep' },
  ),
  says(
    'a tap of which nothing is told as unsupported',
    { typeMessage: 'interactiveButtonsResponse', interactiveButtonsResponse: { stanzaId: 'BAE5MENU0000001' } },
    { type: 'unsupported', providerType: 'interactiveButtonsResponse' },
  ),

  ...[
    { stanzaId: 'B1', selectedId: 'yes', selectedDisplayText: 'Yes', selectedIndex: 2 },
    { stanzaId: 'B1', selectedButtonId: 'yes', selectedButtonText: 'Yes', selectedIndex: '2' },
  ].flatMap((tap) =>
    ['interactiveButtonsResponse', 'buttonsResponseMessage', 'templateButtonsReplyMessage'].map((typeMessage) =>
      says(
        `a tap of ${typeMessage} beside its type, by ${Object.keys(tap)[1]}`,
        { typeMessage, ...tap },
        {
          type: 'reply',
          source: typeMessage.startsWith('template') ? 'template' : 'button',
          of: 'B1',
          id: 'yes',
          text: 'Yes',
          index: 2,
        },
      ),
    ),
  ),
  {
    name: 'a tap whose buttons are quoted alone',
    payload: incoming({
      typeMessage: 'interactiveButtonsResponse',
      interactiveButtonsResponse: { selectedId: 'yes', selectedDisplayText: 'Yes' },
      quotedMessage: {
        stanzaId: 'BAE5MENU0000001',
        participant: '12025550100@c.us',
        typeMessage: 'interactiveButtons',
      },
    }),
    stored: {
      kind: 'message',
      message: {
        content: { type: 'reply', of: 'BAE5MENU0000001', id: 'yes', text: 'Yes' },
        quoted: { id: 'BAE5MENU0000001' },
      },
    },
  },
]);
