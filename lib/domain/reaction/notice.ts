import type { Event } from '../event.ts';

/** Every type of notice that there can be, and when it is given. */
export const NOTICE_TYPES = {
  'message.received': 'A message came in',
  'message.sent': 'A message of ours went out, through the hub or from the phone',
  'message.edited': 'Somebody changed a message',
  'message.deleted': 'Somebody took a message back',
  'message.delivered': 'A message of ours reached its recipient',
  'message.read': 'A message of ours was read',
  'message.failed': 'The provider says that a message of ours did not arrive',
  'reaction.added': 'Somebody reacted to a message',
  'reaction.removed': 'Somebody took a reaction back',
  'call.ringing': 'A call rings',
  'call.answered': 'A call was answered',
  'call.missed': 'A call was missed',
  'call.declined': 'A call was declined',
  'call.ended': 'A call ended',
  'call.failed': 'A call failed',
  'call.unknown': 'A call, in a state that the provider does not say clearly',
  'account.connected': 'The provider says that an account is connected',
  'account.disconnected': 'The provider says that an account is no longer connected',
  'account.restricted': 'The provider or the network restricts an account',
  'account.held': 'The hub holds an account: nothing is sent on it until its provider is well again',
  'account.resumed': 'The hub sends on an account again',
  'device.reported': 'A phone tells its state',
  'chat.created': 'A chat was begun',
  'chat.assigned': 'A chat was given to a member of the team',
  'chat.unassigned': 'A chat was taken from a member of the team',
  'chat.blocked': 'A chat was blocked',
  'chat.picture': 'A chat has another picture',
  'notification.received': 'An app on a phone showed a notification',
  'ussd.answered': 'A USSD code was answered',
  'quota.reported': 'A provider tells how much of its quota is used',
  'send.failed': 'A send failed; its credits are back',
  'send.expired': 'A send was not sent in time, or never known to be; its credits are back',
  'send.unknown': 'Nobody knows whether a send went out; the hub looks for it',
  'send.cancelled': 'A send was cancelled before it left',
  'event.quarantined': 'Something came in that the hub does not understand',
  'endpoint.disabled': 'An endpoint was switched off, because it said so or failed for long',
  'rule.muted': 'A chat is muted: a machine seems to answer there',
  'rule.paused': 'Rules do not send for now, or a rule was switched off',
  'rule.refused': 'A rule could not send, since there are no credits for it; told once an hour',
} as const;
export type NoticeType = keyof typeof NOTICE_TYPES;

const isNoticeType = (name: string): name is NoticeType => name in NOTICE_TYPES;
export const ALL_NOTICE_TYPES: readonly NoticeType[] = Object.keys(NOTICE_TYPES).filter(isNoticeType);

/** `message.*` stands for every type that begins with `message.`, `*` for all. Whether there is anything that it stands for. */
export function isNoticePattern(pattern: string): boolean {
  return ALL_NOTICE_TYPES.some((type) => isOfType(type, pattern));
}

/** Whether a type is one of these, or one that they stand for. An empty list stands for none. */
export function isAmong(type: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => isOfType(type, pattern));
}

function isOfType(type: string, pattern: string): boolean {
  if (pattern === '*') return true;
  return pattern.endsWith('.*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern;
}

/** What an event is called towards subscribers; undefined where it is nobody's business, as a status that tells nothing new. */
export function typeOf(event: Event): NoticeType | undefined {
  switch (event.kind) {
    case 'message':
      return typeOfMessage(event.message);
    case 'status':
      return ofState[event.status.state];
    case 'reaction':
      return event.reaction.removed ? 'reaction.removed' : 'reaction.added';
    case 'call':
      return `call.${event.call.state}`;
    case 'connection':
      return ofConnection[event.connection.state];
    case 'device':
      return 'device.reported';
    case 'chat':
      return `chat.${event.chat.change}`;
    case 'notification':
      return 'notification.received';
    case 'ussd':
      return 'ussd.answered';
    case 'quota':
      return 'quota.reported';
    case 'send':
      return `send.${event.send.state}`;
    case 'account':
      return `account.${event.account.state}`;
    case 'endpoint':
      return 'endpoint.disabled';
    case 'rule':
      return `rule.${event.rule.state}`;
    case 'unknown':
      return event.quarantined === false ? undefined : 'event.quarantined';
  }
}

function typeOfMessage({ direction, content }: Extract<Event, { kind: 'message' }>['message']): NoticeType {
  if (content.type === 'edit') return 'message.edited';
  if (content.type === 'delete') return 'message.deleted';
  return direction === 'inbound' ? 'message.received' : 'message.sent';
}

/** That a message was sent is told by the message itself. */
const ofState = {
  pending: undefined,
  sent: undefined,
  delivered: 'message.delivered',
  read: 'message.read',
  failed: 'message.failed',
} as const;

/** On its way to being connected is neither. */
const ofConnection = {
  connected: 'account.connected',
  disconnected: 'account.disconnected',
  sleeping: 'account.disconnected',
  restricted: 'account.restricted',
  blocked: 'account.restricted',
  connecting: undefined,
  unknown: undefined,
} as const;
