import { greenApi } from '#functions/green-api/provider.ts';
import { describeReading, type Row } from '#test/support/describe-reading.ts';
import { account, instanceData, quota, report, status } from './payloads.ts';

const { chatId: _, ...chatless } = status;

/** Status word of GREEN-API, then what we make of it. */
const words: readonly Row[] = (
  [
    ['pending', { state: 'pending' }],
    ['sent', { state: 'sent' }],
    ['read', { state: 'read' }],
    ['failed', { state: 'failed' }],
    ['fail', { state: 'failed', detail: 'fail' }],
    ['noAccount', { state: 'failed', detail: 'noAccount' }],
    ['notInGroup', { state: 'failed', detail: 'notInGroup' }],
    ['yellowCard', { state: 'failed', detail: 'yellowCard', restricted: true }],
    ['noActiveSession', { state: 'failed', detail: 'noActiveSession' }],
  ] as const
).map(([word, said]) => ({
  name: `the status ${word}`,
  payload: { ...status, status: word },
  exactly: {
    kind: 'status',
    status: {
      messageId: 'BAE5000000C0FFEE',
      chatId: '12025550142@c.us',
      viaApi: true,
      account,
      ...said,
    },
  },
}));

const states: readonly Row[] = [
  ['authorized', 'connected'],
  ['blocked', 'blocked'],
  ['starting', 'connecting'],
  ['sleepMode', 'sleeping'],
  ['yellowCard', 'restricted'],
  ['suspended', 'restricted'],
  ['dreaming', 'unknown'],
].map(([detail, state]) => ({
  name: `the state ${detail}`,
  payload: report('stateInstanceChanged', { stateInstance: detail }),
  exactly: { kind: 'connection', connection: { state, detail, account } },
}));

describeReading(greenApi, [
  {
    name: 'a delivery',
    payload: status,
    exactly: {
      kind: 'status',
      status: {
        messageId: 'BAE5000000C0FFEE',
        chatId: '12025550142@c.us',
        state: 'delivered',
        viaApi: true,
        account,
      },
    },
    occurredAt: 1795000033_000,
  },
  ...words,
  ...['read', 'delivered'].map((state) => ({
    name: `that a message which we received is ${state}`,
    payload: report('incomingMessageStatus', { chatId: '12025550142@c.us', idMessage: '3EB0X', status: state }),
    exactly: {
      kind: 'status',
      status: { messageId: '3EB0X', chatId: '12025550142@c.us', direction: 'inbound', state, account },
    },
  })),
  ...['played', 'Read'].map((word) => ({
    name: `that a message which we received is read, as ${word}`,
    payload: report('incomingMessageStatus', { chatId: '12025550142@c.us', idMessage: '3EB0X', status: word }),
    stored: { kind: 'status', status: { direction: 'inbound', state: 'read', detail: word } },
  })),
  {
    name: 'a status of a received message in a word that is not known into quarantine',
    payload: report('incomingMessageStatus', { chatId: '12025550142@c.us', idMessage: '3EB0X', status: 'archived' }),
    quarantined: ['status'],
  },
  {
    name: 'a failure to a chat with a device, with its explanation',
    payload: {
      ...status,
      chatId: '12025550199:3@c.us',
      status: 'failed',
      description: 'SWE004: made-up explanation text',
    },
    stored: {
      status: { chatId: '12025550199@c.us', state: 'failed', detail: 'SWE004: made-up explanation text' },
    },
  },
  {
    name: "a failure by the provider's own word, with its explanation",
    payload: { ...status, status: 'noAccount', description: 'no WhatsApp' },
    stored: { status: { state: 'failed', detail: 'noAccount: no WhatsApp' } },
  },
  {
    name: 'a failure that leaves out the chat',
    payload: { ...chatless, status: 'failed' },
    exactly: {
      kind: 'status',
      status: { messageId: 'BAE5000000C0FFEE', state: 'failed', viaApi: true, account },
    },
  },
  {
    name: 'a failure to a chat in another spelling',
    payload: { ...status, chatId: '12025550142@s.whatsapp.net', status: 'failed' },
    stored: { status: { chatId: '12025550142@c.us' } },
  },
  {
    name: 'the status of a message that was typed on the phone',
    payload: { ...status, sendByApi: false },
    stored: { status: { viaApi: false } },
  },
  { name: 'no status that is not known', payload: { ...status, status: 'pondered' }, quarantined: ['status'] },
  { name: 'no status of no message', payload: { ...status, idMessage: null }, quarantined: ['idMessage'] },

  ...states,
  {
    name: 'an account that has been unlinked, whose phone is not told',
    payload: report('stateInstanceChanged', {
      instanceData: { ...instanceData, wid: '' },
      stateInstance: 'notAuthorized',
    }),
    exactly: {
      kind: 'connection',
      connection: { state: 'disconnected', detail: 'notAuthorized', account: { instance: '7999000111' } },
    },
  },
  { name: 'no state that is missing', payload: report('stateInstanceChanged', {}), quarantined: ['stateInstance'] },
  ...[
    ['online', 'connected'],
    ['offline', 'disconnected'],
    ['away', 'unknown'],
  ].map(([detail, state]) => ({
    name: `a socket that is ${detail}`,
    payload: report('statusInstanceChanged', { statusInstance: detail }),
    exactly: { kind: 'connection', connection: { state, detail, account } },
  })),

  {
    name: 'the phone of the account',
    payload: report('deviceInfo', {
      deviceData: {
        platform: 'android',
        deviceManufacturer: 'Acme',
        deviceModel: 'Slab 3',
        osVersion: '15',
        waVersion: '2.26.1',
        battery: 61,
      },
    }),
    exactly: {
      kind: 'device',
      device: {
        platform: 'android',
        manufacturer: 'Acme',
        model: 'Slab 3',
        osVersion: '15',
        appVersion: '2.26.1',
        batteryPercent: 61,
        account,
      },
    },
  },
  {
    name: "somebody's new picture, which comes under the name of a device report",
    payload: report('deviceInfo', {
      avatarInfo: {
        chatId: '12025550142@c.us',
        urlAvatar: 'https://pictures.example.test/a.jpg',
        existsWhatsapp: true,
        reason: 'changed',
      },
    }),
    exactly: {
      kind: 'chat',
      chat: {
        id: '12025550142@c.us',
        kind: 'individual',
        change: 'picture',
        phone: '+12025550142',
        account,
        pictureUrl: 'https://pictures.example.test/a.jpg',
        onWhatsapp: true,
        detail: 'changed',
      },
    },
  },
  {
    name: 'no picture of nobody',
    payload: report('deviceInfo', { avatarInfo: { chatId: true } }),
    quarantined: ['avatarInfo.chatId'],
  },
  {
    name: 'no device report of nothing',
    payload: report('deviceInfo', { deviceData: {} }),
    quarantined: ['deviceData'],
  },
  ...['12025550142@c.us', '12025550142', 12025550142].map((chatId) => ({
    name: `that the account was blocked by ${JSON.stringify(chatId)}`,
    payload: report('incomingBlock', { chatId, chatState: 'blocked' }),
    exactly: {
      kind: 'chat',
      chat: { id: '12025550142@c.us', kind: 'individual', change: 'blocked', phone: '+12025550142', account },
    },
  })),
  {
    name: 'no other thing that a contact does',
    payload: report('incomingBlock', { chatId: '12025550142@c.us', chatState: 'unblocked' }),
    quarantined: ['chatState'],
  },

  {
    name: 'that the quota is used up',
    payload: quota,
    exactly: {
      kind: 'quota',
      quota: {
        method: 'correspondents',
        used: 3,
        total: 3,
        state: 'CORRESPONDENTS_QUOTA_EXCEEDED',
        detail: 'Monthly chat limit reached, allowed chats are 12025550142@c.us',
        account,
      },
    },
    occurredAt: 1795000033_000,
  },
  {
    name: 'a quota in digits, without a time, under the name of another event',
    payload: {
      typeWebhook: 'incomingBlock',
      instanceData,
      quotaData: { ...quota.quotaData, used: '3', total: '3', description: '' },
    },
    stored: { kind: 'quota', quota: { used: 3, total: 3 } },
  },
  {
    name: 'no quota without its numbers',
    payload: report('quotaExceeded', { quotaData: { ...quota.quotaData, used: 'three' } }),
    quarantined: ['quotaData.used'],
  },
  { name: 'no quota event without a quota', payload: report('quotaExceeded', {}), quarantined: ['quotaData'] },
  ...[
    ['noaccount', 'failed'],
    ['READ', 'read'],
    ['YELLOWCARD', 'failed'],
  ].map(([word, state]) => ({
    name: `the status ${word} in whatever case`,
    payload: { ...status, status: word },
    stored: { status: { state, detail: word } },
  })),
  {
    name: 'a state in whatever case',
    payload: report('stateInstanceChanged', { stateInstance: 'Authorized' }),
    stored: { connection: { state: 'connected', detail: 'Authorized' } },
  },
]);
