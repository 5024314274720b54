import { toJsonSchema } from '@valibot/to-json-schema';
import { Event, type Payload } from '#lib/domain/event.ts';
import { ALL_NOTICE_TYPES, NOTICE_TYPES, type NoticeType } from '#lib/domain/reaction/notice.ts';

const AT = '2026-03-01T12:00:00.000Z';
const common = {
  id: 'evt_0f6c1d7e8a9b4c5d6e7f8091a2b3c4d5',
  workspace: 'main',
  provider: 'example',
  webhookId: 'wh_019ca8d5c0000f6c1d7e8a9b4c5d6e7f',
  accountId: 'acc_019ca8d5c0000a2b3c4d5e6f708192a3',
  occurredAt: AT,
  receivedAt: '2026-03-01T12:00:01.000Z',
};
const account = { phone: '+15550199', instance: '1101000001' };
const chat = { id: '15550100@c.us', kind: 'individual', title: 'Ana' } as const;
const sender = { id: '15550100@c.us', phone: '+15550100', name: 'Ana' };
const chatId = 'chat_7e8a9b4c5d6e7f8091a2b3c4d50f6c1d';

type MessagePayload = Extract<Payload, { kind: 'message' }>['message'];
const received: MessagePayload = {
  id: '3EB0C767D26A8D3F',
  ...{ chat, direction: 'inbound', via: 'phone', channel: 'whatsapp', sender, account },
  content: { type: 'text', text: 'What is the price?' },
};
const sent: MessagePayload = {
  ...received,
  ...{ direction: 'outbound', via: 'api', sender: { phone: '+15550199' }, recipient: { phone: '+15550100' } },
  content: { type: 'text', text: 'Here is our list' },
};
const message = (given: MessagePayload): Event => ({ ...common, kind: 'message', chatId, message: given });
const status = (state: 'delivered' | 'read' | 'failed'): Event => ({
  ...common,
  kind: 'status',
  status: { messageId: received.id, chatId: chat.id, state, account },
});
const reaction = (of: { readonly removed: boolean; readonly emoji?: string }): Event => ({
  ...common,
  kind: 'reaction',
  reaction: { messageId: received.id, chat, direction: 'inbound', sender, ...of, account },
});
const call = (state: Extract<Payload, { kind: 'call' }>['call']['state']): Event => ({
  ...common,
  kind: 'call',
  call: { direction: 'inbound', state, from: sender, chat, account },
});
const connection = (state: 'connected' | 'disconnected' | 'restricted'): Event => ({
  ...common,
  kind: 'connection',
  connection: { state, account },
});
const change = (of: Extract<Payload, { kind: 'chat' }>['chat']['change']): Event => ({
  ...common,
  kind: 'chat',
  chat: { id: chat.id, title: 'Ana', kind: 'individual', change: of, phone: '+15550100', account },
});
const send = (state: Extract<Payload, { kind: 'send' }>['send']['state'], reason?: string): Event => ({
  ...common,
  kind: 'send',
  send: {
    messageId: 'wa_backend:0F6C1D7E8A9B4C5D6E7F',
    ...{ state, part: 0, recipient: { kind: 'phone', address: '+15550100' } },
    ...(reason !== undefined && { reason }),
  },
});

const rule = (of: Extract<Payload, { kind: 'rule' }>['rule']): Event => ({ ...common, kind: 'rule', rule: of });
const ruleId = 'rule_019ca8d5c0000f6c1d7e8a9b4c5d6e7f';

/** Made up, and all of it invented: what a notice of each type looks like. */
const EXAMPLES: Readonly<Record<NoticeType, Event>> = {
  'message.received': message(received),
  'message.sent': message(sent),
  'message.edited': message({ ...received, content: { type: 'edit', of: received.id, text: 'What are the prices?' } }),
  'message.deleted': message({ ...received, content: { type: 'delete', of: received.id } }),
  'message.delivered': status('delivered'),
  'message.read': status('read'),
  'message.failed': status('failed'),
  'reaction.added': reaction({ removed: false, emoji: '👍' }),
  'reaction.removed': reaction({ removed: true }),
  'call.ringing': call('ringing'),
  'call.answered': call('answered'),
  'call.missed': call('missed'),
  'call.declined': call('declined'),
  'call.ended': call('ended'),
  'call.failed': call('failed'),
  'call.unknown': call('unknown'),
  'account.connected': connection('connected'),
  'account.disconnected': connection('disconnected'),
  'account.restricted': connection('restricted'),
  'account.held': { ...common, kind: 'account', account: { state: 'held', reason: 'the provider does not answer' } },
  'account.resumed': { ...common, kind: 'account', account: { state: 'resumed' } },
  'device.reported': { ...common, kind: 'device', device: { platform: 'android', batteryPercent: 62, account } },
  'chat.created': change('created'),
  'chat.assigned': change('assigned'),
  'chat.unassigned': change('unassigned'),
  'chat.blocked': change('blocked'),
  'chat.picture': change('picture'),
  'notification.received': {
    ...common,
    kind: 'notification',
    notification: {
      device: 'device-1',
      package: 'com.facebook.katana',
      title: 'Ana',
      content: 'commented on your post',
    },
  },
  'ussd.answered': {
    ...common,
    kind: 'ussd',
    ussd: { device: 'device-1', sim: 1, code: '*100#', response: 'Your balance is 7.00' },
  },
  'quota.reported': {
    ...common,
    kind: 'quota',
    quota: { method: 'sendMessage', used: 90, total: 100, state: 'allowed', account },
  },
  'send.failed': send('failed', 'the number has no WhatsApp'),
  'send.expired': send('expired'),
  'send.unknown': send('unknown'),
  'send.cancelled': send('cancelled'),
  'event.quarantined': {
    ...common,
    ...{ kind: 'unknown', quarantined: true, type: 'somethingNew' },
    issues: [{ path: 'typeWebhook', message: 'is not known here' }],
  },
  'endpoint.disabled': {
    ...common,
    kind: 'endpoint',
    endpoint: { id: 'ep_019ca8d5c0000f6c1d7e8a9b4c5d6e7f', state: 'disabled', reason: 'failing' },
  },
  'rule.muted': rule({ id: ruleId, state: 'muted', chatId, reason: 'a machine seems to answer there' }),
  'rule.paused': rule({ state: 'paused', reason: 'more than 60 automatic messages in a minute' }),
  'rule.refused': rule({ id: ruleId, state: 'refused', reason: 'there are no credits for it' }),
};

export const exampleOf = (type: NoticeType): Event => EXAMPLES[type];

/** Every type of notice, with the schema of its `data` and an example. */
export function noticeSchemas() {
  return ALL_NOTICE_TYPES.map((type) => {
    const example = exampleOf(type);
    const options = Event.options.filter((option) => option.entries.kind.literal === example.kind);
    const [schema] = options.map((option) => toJsonSchema(option, { errorMode: 'ignore' }));
    return { type, description: NOTICE_TYPES[type], schema: schema ?? {}, example };
  });
}
