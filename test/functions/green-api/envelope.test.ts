import { expect } from 'vitest';
import { greenApi } from '#functions/green-api/provider.ts';
import { describeReading } from '#test/support/describe-reading.ts';
import { account, incoming, instanceData, senderData, textData } from './payloads.ts';

const from = (sender: object) => incoming(textData, { senderData: { ...senderData, ...sender } });
const without = (...keys: string[]) =>
  Object.fromEntries(Object.entries(incoming()).filter(([key]) => !keys.includes(key)));
const { sender: _, ...senderless } = senderData;

describeReading(greenApi, [
  {
    name: 'a message that somebody wrote to the account',
    payload: incoming(),
    exactly: {
      kind: 'message',
      message: {
        id: '3EB0C0FFEE00112233AA',
        chat: { id: '12025550142@c.us', kind: 'individual', title: 'Noor Example' },
        direction: 'inbound',
        via: 'unknown',
        channel: 'whatsapp',
        sender: { id: '12025550142@c.us', phone: '+12025550142', name: 'Noor' },
        account,
        content: { type: 'text', text: 'Is the blue one on offer?' },
      },
    },
    occurredAt: 1795000001_000,
  },
  {
    name: 'a message typed on the phone, sent by the account to the chat',
    payload: incoming(textData, {
      typeWebhook: 'outgoingMessageReceived',
      senderData: { ...senderData, sender: '12025550100@c.us', senderName: 'Corner Shop' },
    }),
    stored: {
      message: {
        direction: 'outbound',
        via: 'phone',
        chat: { id: '12025550142@c.us' },
        sender: { id: '12025550100@c.us', phone: '+12025550100', name: 'Corner Shop' },
      },
    },
  },
  {
    name: 'the echo of a message that was sent through the API',
    payload: incoming(textData, { typeWebhook: 'outgoingAPIMessageReceived' }),
    stored: { message: { direction: 'outbound', via: 'api' } },
  },
  {
    name: "a group's message, without the mark of an unsaved name",
    payload: from({
      chatId: '120363000000000042@g.us',
      sender: '12025550177@c.us',
      chatName: 'Courtyard repairs',
      senderName: '~Pim',
    }),
    stored: {
      message: {
        chat: { id: '120363000000000042@g.us', kind: 'group', title: 'Courtyard repairs' },
        sender: { id: '12025550177@c.us', phone: '+12025550177', name: 'Pim' },
      },
    },
  },
  {
    name: "the address book's name beside the person's own",
    payload: from({ senderContactName: 'Noor (shop)' }),
    stored: { message: { sender: { name: 'Noor', contactName: 'Noor (shop)' } } },
  },
  {
    name: 'a story as a message of the status chat',
    payload: from({ chatId: 'status@broadcast' }),
    stored: { message: { chat: { id: 'status@broadcast', kind: 'status' }, sender: { phone: '+12025550142' } } },
  },
  {
    name: 'the other one of a chat of two as the sender where none is named',
    payload: incoming(textData, { senderData: { chatId: '12025550142@c.us' } }),
    stored: {
      message: {
        chat: { id: '12025550142@c.us', kind: 'individual' },
        sender: { id: '12025550142@c.us', phone: '+12025550142' },
      },
    },
  },
  {
    name: 'the account as the sender of an outgoing message where none is named',
    payload: incoming(textData, { typeWebhook: 'outgoingMessageReceived', senderData: senderless }),
    stored: { message: { sender: { id: '12025550100@c.us', phone: '+12025550100' } } },
  },
  {
    name: 'nobody as the sender in a group where none is named',
    payload: incoming(textData, { senderData: { chatId: '120363000000000042@g.us' } }),
    stored: { message: { chat: { kind: 'group' }, sender: {} } },
  },
  ...['120363000000000042@g.us', '120363000000000042@newsletter'].map((chatId) => ({
    name: `nobody as the sender of what ${chatId} itself says`,
    payload: incoming(textData, { senderData: { chatId, sender: chatId.toUpperCase() } }),
    stored: { message: { chat: { id: chatId }, sender: expect.not.objectContaining({ id: expect.anything() }) } },
  })),
  {
    name: 'ids without their device, in one spelling',
    payload: from({ chatId: '12025550142:3@c.us', sender: '12025550142:3@s.whatsapp.net' }),
    stored: {
      message: { chat: { id: '12025550142@c.us' }, sender: { id: '12025550142@c.us', phone: '+12025550142' } },
    },
  },
  {
    name: 'a hidden number as an id, never as a phone',
    payload: from({ chatId: '120255501420001@lid', sender: '120255501420001@lid', senderName: '' }),
    exactly: {
      kind: 'message',
      message: {
        id: '3EB0C0FFEE00112233AA',
        chat: { id: '120255501420001@lid', kind: 'individual', title: 'Noor Example' },
        direction: 'inbound',
        via: 'unknown',
        channel: 'whatsapp',
        sender: { id: '120255501420001@lid' },
        account,
        content: { type: 'text', text: 'Is the blue one on offer?' },
      },
    },
  },
  {
    name: "WhatsApp's own messages, which come from no phone",
    payload: from({ chatId: '0@c.us', sender: '0@c.us', senderName: 'WhatsApp' }),
    stored: { message: { chat: { id: '0@c.us' }, sender: { id: '0@c.us', name: 'WhatsApp' } } },
  },
  {
    name: 'an instance number as text, with twelve digits, and no account phone while not authorised',
    payload: incoming(textData, { instanceData: { idInstance: '799900011122', wid: '' } }),
    stored: { message: { account: { instance: '799900011122' } } },
  },
  {
    name: 'integers as the two halves in which a serialiser left them',
    payload: incoming(textData, {
      instanceData: { ...instanceData, idInstance: { low: -590934481, high: 1, unsigned: false } },
      timestamp: { low: 1795000001, high: 0, unsigned: false },
    }),
    stored: { message: { account: { instance: '7999000111' } } },
    occurredAt: 1795000001_000,
  },
  {
    name: 'a message without a time',
    payload: without('timestamp'),
    stored: { message: { id: '3EB0C0FFEE00112233AA' } },
  },
  {
    name: 'an event wrapped for polling as the bare one',
    payload: { receiptId: 17, body: incoming() },
    stored: { kind: 'message', message: { id: '3EB0C0FFEE00112233AA' } },
    occurredAt: 1795000001_000,
  },
  {
    name: 'a bare event as such, whatever else it holds',
    payload: incoming(textData, { receiptId: 17, body: { typeWebhook: 'moodChanged' } }),
    stored: { kind: 'message' },
  },
  {
    name: 'a message whose optional fields are not what they should be',
    payload: incoming(textData, {
      instanceData: { idInstance: 7999000111, wid: 5, typeInstance: null },
      timestamp: 'yesterday',
      senderData: {
        chatId: '12025550142@c.us',
        sender: 5,
        chatName: null,
        senderName: ['Noor'],
        senderContactName: {},
      },
    }),
    exactly: {
      kind: 'message',
      message: {
        id: '3EB0C0FFEE00112233AA',
        chat: { id: '12025550142@c.us', kind: 'individual' },
        direction: 'inbound',
        via: 'unknown',
        channel: 'whatsapp',
        sender: { id: '12025550142@c.us', phone: '+12025550142' },
        account: { instance: '7999000111' },
        content: { type: 'text', text: 'Is the blue one on offer?' },
      },
    },
  },
  { name: 'fields that nobody has documented yet', payload: incoming(textData, { additions: { a: [1] } }), stored: {} },

  {
    name: 'no event that is not known',
    payload: incoming(textData, { typeWebhook: 'moodChanged' }),
    quarantined: ['typeWebhook'],
  },
  {
    name: 'no event called constructor',
    payload: incoming(textData, { typeWebhook: 'constructor' }),
    quarantined: ['typeWebhook'],
  },
  { name: 'no event without a name', payload: without('typeWebhook'), quarantined: ['typeWebhook'] },
  { name: 'nothing from an empty list', payload: [], quarantined: [''] },
  { name: 'no body that is no JSON', payload: '{"typeWebhook": ', quarantined: [''] },
  { name: 'no message without an id', payload: without('idMessage'), quarantined: ['idMessage'] },
  { name: 'no message without a chat', payload: from({ chatId: '' }), quarantined: ['senderData.chatId'] },
  { name: 'no message without a sender and chat', payload: without('senderData'), quarantined: ['senderData'] },
  { name: 'no message without content', payload: without('messageData'), quarantined: ['messageData'] },
  {
    name: 'no message whose content has neither a type nor a known key',
    payload: incoming({ quotedMessage: { stanzaId: 'BAE5000000C0FFEE' } }),
    quarantined: ['messageData.typeMessage'],
  },
  {
    name: 'no event that names no instance',
    payload: incoming(textData, { instanceData: { wid: '12025550100@c.us', typeInstance: 'whatsapp' } }),
    quarantined: ['instanceData.idInstance'],
  },
  { name: 'no event without instance data', payload: without('instanceData'), quarantined: ['instanceData'] },
  ...['WhatsApp', ' whatsapp', '', null].map((typeInstance) => ({
    name: `an event of the messenger ${JSON.stringify(typeInstance)}`,
    payload: incoming(textData, { instanceData: { ...instanceData, typeInstance } }),
    stored: { message: { account } },
  })),
  {
    name: 'no event of a sister product for another messenger',
    payload: incoming(textData, { instanceData: { ...instanceData, typeInstance: 'v3' } }),
    quarantined: ['instanceData.typeInstance'],
  },
  {
    name: 'no broken event in a wrapper, whose paths start at the wrapper',
    payload: { receiptId: 17, body: without('idMessage') },
    quarantined: ['body.idMessage'],
  },
  ...[
    '12025550142',
    '+12025550142',
    '+12025550142@c.us',
    '12025550142_1:12@s.whatsapp.net',
    '12025550142.0:3@c.us',
  ].map((jid) => ({
    name: `a person by the id ${jid}`,
    payload: incoming(undefined, { senderData: { ...senderData, chatId: jid, sender: jid } }),
    stored: {
      message: { chat: { id: '12025550142@c.us' }, sender: { id: '12025550142@c.us', phone: '+12025550142' } },
    },
  })),
  {
    name: 'digits that are no number as the id that they are',
    payload: incoming(undefined, { senderData: { chatId: '4711', sender: '4711' } }),
    stored: { message: { chat: { id: '4711' }, sender: { id: '4711' } } },
  },
  {
    name: 'the number of a message, which is its id all the same',
    payload: incoming(undefined, { idMessage: 123456 }),
    stored: { message: { id: '123456' } },
  },
]);
