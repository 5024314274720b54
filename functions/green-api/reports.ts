import type { Call, Connection, DeliveryState } from '#lib/domain/event.ts';
import { chatKindOfJid, normaliseJid, phoneOfJid } from '#lib/domain/person.ts';
import { anyKnown, type Issue, known } from '#lib/domain/schema.ts';
import type { Draft } from '#lib/inbox/provider.ts';
import { accountOf, chatOf, personOf, toDraft } from './messages.ts';
import type {
  AvatarInfo,
  BlockEvent,
  CallEvent,
  DeviceEvent,
  Envelope,
  QuotaEvent,
  SocketEvent,
  StateEvent,
  StatusEvent,
} from './schema.ts';

/** Their words are read in any case: older versions and clients differ in it. */
function meaning<Ours>(words: ReadonlyMap<string, Ours>, word: string): Ours | undefined {
  return words.get(word.trim().toLowerCase());
}

const inAnyCase = <Ours>(words: readonly (readonly [string, Ours])[]): ReadonlyMap<string, Ours> =>
  new Map(words.map(([word, ours]) => [word.toLowerCase(), ours]));

const CALL_STATES = inAnyCase<Call['state']>([
  ['offer', 'ringing'],
  ['pickUp', 'answered'],
  ['hungUp', 'ended'],
  ['declined', 'declined'],
  ['missed', 'missed'],
  ['invalid', 'failed'],
]);

/** `from` names the chat of the call, whoever called: somebody else or, for an outgoing call, the one called. */
export function toCall(event: CallEvent, type: string): Draft {
  const { idMessage: id, isVideo, duration, participants } = event;
  const direction: Call['direction'] = type === 'incomingCall' ? 'inbound' : 'outbound';
  const status = /^hangup$/i.test(event.status ?? '') ? 'hungUp' : event.status; // two spellings of one word
  const chat = chatOf(event.from);
  const other = chat.kind === 'group' ? undefined : personOf(event.from);
  const wid = event.instanceData.wid;
  const own = wid === undefined ? undefined : personOf(wid);
  const call = known({
    direction,
    state: stateOf(status, direction),
    from: direction === 'inbound' ? other : own,
    to: direction === 'inbound' ? own : other,
    chat,
    account: accountOf(event),
    video: isVideo,
    durationSeconds: duration,
    messageId: id,
    participants: participants && participants.length > 0 ? participantsOf(participants) : undefined,
    detail: event.status,
  });
  return toDraft(event, type, { kind: 'call', call }, known({ chat: chat.id, id, status }));
}

/** Nobody took a call that its caller ended; of our own calls it says no more than that they are over. */
function stateOf(status = '', direction: Call['direction']): Call['state'] {
  const state = meaning(CALL_STATES, status) ?? 'unknown';
  return state === 'ended' && direction === 'inbound' ? 'missed' : state;
}

function participantsOf(participants: NonNullable<CallEvent['participants']>) {
  return participants.flatMap(({ id, wid, status: state }) => {
    const jid = id ?? wid;
    return jid === undefined ? [] : [known({ id: normaliseJid(jid), state })];
  });
}

const DELIVERY = inAnyCase<DeliveryState>([
  ['pending', 'pending'],
  ['sent', 'sent'],
  ['delivered', 'delivered'],
  ['read', 'read'],
  // Of a voice message.
  ['played', 'read'],
  ['failed', 'failed'],
  ['fail', 'failed'],
  ['noAccount', 'failed'],
  ['notInGroup', 'failed'],
  ['yellowCard', 'failed'],
  ['noActiveSession', 'failed'],
]);

/** How far a message has got. Some failures leave out the chat; the message's id is all that these have. */
export function toStatus(event: StatusEvent, type: string): Draft | Issue {
  const { idMessage: id, status: word, description, sendByApi: viaApi } = event;
  const state = meaning(DELIVERY, word);
  if (!state) return { path: 'status', message: 'a status that is not known' };
  const chat = event.chatId && normaliseJid(event.chatId);
  const detail = [word === state ? undefined : word, description].filter((part) => part !== undefined).join(': ');
  const status = known({
    messageId: id,
    chatId: chat,
    direction: type === 'incomingMessageStatus' ? ('inbound' as const) : undefined,
    state,
    detail: detail || undefined,
    viaApi,
    restricted: /^yellowCard$/i.test(word) || undefined,
    account: accountOf(event),
  });
  return toDraft(event, type, { kind: 'status', status }, known({ chat, id, status: word }));
}

const STATES = inAnyCase<Connection['state']>([
  ['authorized', 'connected'],
  ['notAuthorized', 'disconnected'],
  ['blocked', 'blocked'],
  ['starting', 'connecting'],
  ['sleepMode', 'sleeping'],
  ['yellowCard', 'restricted'],
  ['suspended', 'restricted'],
]);

export function toState(event: StateEvent, type: string): Draft {
  return connection(event, type, meaning(STATES, event.stateInstance), event.stateInstance);
}

const SOCKETS = inAnyCase<Connection['state']>([
  ['online', 'connected'],
  ['offline', 'disconnected'],
]);

export function toSocketState(event: SocketEvent, type: string): Draft {
  return connection(event, type, meaning(SOCKETS, event.statusInstance), event.statusInstance);
}

function connection(event: Envelope, type: string, state: Connection['state'] = 'unknown', detail: string): Draft {
  return toDraft(event, type, { kind: 'connection', connection: { state, detail, account: accountOf(event) } });
}

/** The phone of the account or, under the same name, somebody's new picture. */
export function toDevice(event: DeviceEvent, type: string): Draft | Issue {
  if (event.avatarInfo) return pictureOf(event, type, event.avatarInfo);
  const { platform, deviceManufacturer, deviceModel, osVersion, waVersion, battery } = event.deviceData ?? {};
  const device = anyKnown({
    platform,
    manufacturer: deviceManufacturer,
    model: deviceModel,
    osVersion,
    appVersion: waVersion,
    batteryPercent: battery,
  });
  if (!device) return { path: 'deviceData', message: 'is missing' };
  return toDraft(event, type, { kind: 'device', device: { ...device, account: accountOf(event) } });
}

function pictureOf(event: DeviceEvent, type: string, { chatId, urlAvatar, existsWhatsapp, reason }: AvatarInfo): Draft {
  const chat = known({
    ...chatFacts(event, chatId),
    change: 'picture' as const,
    pictureUrl: urlAvatar,
    onWhatsapp: existsWhatsapp,
    detail: reason,
  });
  return toDraft(event, type, { kind: 'chat', chat });
}

/** Somebody has blocked the account. The docs call the chat an integer in one place: then it is the bare number. */
export function toBlock(event: BlockEvent, type: string): Draft {
  const jid = /^\d+$/.test(event.chatId) ? `${event.chatId}@c.us` : event.chatId;
  return toDraft(event, type, { kind: 'chat', chat: { ...chatFacts(event, jid), change: 'blocked' } });
}

function chatFacts(event: Envelope, jid: string) {
  return known({
    id: normaliseJid(jid),
    kind: chatKindOfJid(jid),
    phone: phoneOfJid(jid),
    account: accountOf(event),
  });
}

/** The plan's monthly number of chats is used up. */
export function toQuota(event: QuotaEvent, type: string): Draft {
  const { method, used, total, status: state, description: detail } = event.quotaData;
  const quota = known({ method, used, total, state, detail, account: accountOf(event) });
  return toDraft(event, type, { kind: 'quota', quota });
}
