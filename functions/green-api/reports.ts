import * as v from 'valibot';
import type { Call, Connection, DeliveryState } from '#lib/domain/event.ts';
import { chatKindOfJid, normaliseJid, phoneOfJid } from '#lib/domain/person.ts';
import { anyKnown, type Issue, ifValid, known } from '#lib/domain/schema.ts';
import { type Draft, type EventReader, reader } from '#lib/inbox/provider.ts';
import { accountOf, chatOf, type Envelope, envelope, personOf, toDraft } from './schema.ts';
import { flag, jid, list, neededJid, neededLabel, neededNumber, neededText, number, text, words } from './values.ts';

/** Their words are read in any case: older versions and clients differ in it. */
const inAnyCase = (word: string): string => word.trim().toLowerCase();

const CALL_STATES: ReadonlyMap<string, Call['state']> = new Map([
  ['offer', 'ringing'],
  ['pickup', 'answered'],
  ['hungup', 'ended'],
  ['declined', 'declined'],
  ['missed', 'missed'],
  ['invalid', 'failed'],
]);

const CallEvent = v.looseObject({
  ...envelope,
  from: neededJid,
  status: text,
  idMessage: text,
  isVideo: flag,
  duration: number,
  participants: list(v.looseObject({ id: jid, wid: jid, status: text })),
});
type CallEvent = v.InferOutput<typeof CallEvent>;

/** `from` names the chat of the call, whoever called: somebody else or, for an outgoing call, the one called. */
function toCall(event: CallEvent, type: string): Draft {
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
  const state = CALL_STATES.get(inAnyCase(status)) ?? 'unknown';
  return state === 'ended' && direction === 'inbound' ? 'missed' : state;
}

function participantsOf(participants: NonNullable<CallEvent['participants']>) {
  return participants.flatMap(({ id, wid, status: state }) => {
    const jid = id ?? wid;
    return jid === undefined ? [] : [known({ id: normaliseJid(jid), state })];
  });
}

const DELIVERY: ReadonlyMap<string, DeliveryState> = new Map([
  ['pending', 'pending'],
  ['sent', 'sent'],
  ['delivered', 'delivered'],
  ['read', 'read'],
  // Of a voice message.
  ['played', 'read'],
  ['failed', 'failed'],
  ['fail', 'failed'],
  ['noaccount', 'failed'],
  ['notingroup', 'failed'],
  ['yellowcard', 'failed'],
  ['noactivesession', 'failed'],
]);

const StatusEvent = v.looseObject({
  ...envelope,
  chatId: jid,
  idMessage: neededLabel,
  status: neededText,
  sendByApi: flag,
  description: words,
});
type StatusEvent = v.InferOutput<typeof StatusEvent>;

/** How far a message has got. Some failures leave out the chat; the message's id is all that these have. */
function toStatus(event: StatusEvent, type: string): Draft | Issue {
  const { idMessage: id, status: word, description, sendByApi: viaApi } = event;
  const state = DELIVERY.get(inAnyCase(word));
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

const STATES: ReadonlyMap<string, Connection['state']> = new Map([
  ['authorized', 'connected'],
  ['notauthorized', 'disconnected'],
  ['blocked', 'blocked'],
  ['starting', 'connecting'],
  ['sleepmode', 'sleeping'],
  ['yellowcard', 'restricted'],
  ['suspended', 'restricted'],
]);

const StateEvent = v.looseObject({ ...envelope, stateInstance: neededText });
type StateEvent = v.InferOutput<typeof StateEvent>;
const SocketEvent = v.looseObject({ ...envelope, statusInstance: neededText });
type SocketEvent = v.InferOutput<typeof SocketEvent>;

function toState(event: StateEvent, type: string): Draft {
  return connection(event, type, STATES.get(inAnyCase(event.stateInstance)), event.stateInstance);
}

const SOCKETS: ReadonlyMap<string, Connection['state']> = new Map([
  ['online', 'connected'],
  ['offline', 'disconnected'],
]);

function toSocketState(event: SocketEvent, type: string): Draft {
  return connection(event, type, SOCKETS.get(inAnyCase(event.statusInstance)), event.statusInstance);
}

function connection(event: Envelope, type: string, state: Connection['state'] = 'unknown', detail: string): Draft {
  return toDraft(event, type, { kind: 'connection', connection: { state, detail, account: accountOf(event) } });
}

const Device = v.looseObject({
  platform: text,
  deviceManufacturer: text,
  deviceModel: text,
  osVersion: text,
  waVersion: text,
  battery: number,
});
const AvatarInfo = v.looseObject({ chatId: neededText, urlAvatar: text, existsWhatsapp: flag, reason: text });
type AvatarInfo = v.InferOutput<typeof AvatarInfo>;
/** One name for two events: of the phone, and of a contact's picture. */
const DeviceEvent = v.looseObject({
  ...envelope,
  deviceData: ifValid(Device),
  avatarInfo: v.nullish(AvatarInfo),
});
type DeviceEvent = v.InferOutput<typeof DeviceEvent>;

/** The phone of the account or, under the same name, somebody's new picture. */
function toDevice(event: DeviceEvent, type: string): Draft | Issue {
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

const BlockEvent = v.looseObject({
  ...envelope,
  chatId: neededLabel,
  chatState: v.optional(v.literal('blocked'), 'blocked'),
});

/** Somebody has blocked the account. The docs call the chat an integer in one place: then it is the bare number. */
function toBlock(event: v.InferOutput<typeof BlockEvent>, type: string): Draft {
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

const QuotaEvent = v.looseObject({
  ...envelope,
  quotaData: v.looseObject({
    method: neededText,
    used: neededNumber,
    total: neededNumber,
    status: neededText,
    description: words,
  }),
});
type QuotaEvent = v.InferOutput<typeof QuotaEvent>;

/** The plan's monthly number of chats is used up. */
function toQuota(event: QuotaEvent, type: string): Draft {
  const { method, used, total, status: state, description: detail } = event.quotaData;
  const quota = known({ method, used, total, state, detail, account: accountOf(event) });
  return toDraft(event, type, { kind: 'quota', quota });
}

const call = reader(CallEvent, toCall);
const status = reader(StatusEvent, toStatus);
export const quota = reader(QuotaEvent, toQuota);

/** All that is told of other things than a message's content. */
export const reports: Readonly<Record<string, EventReader>> = {
  outgoingMessageStatus: status,
  incomingMessageStatus: status,
  stateInstanceChanged: reader(StateEvent, toState),
  incomingCall: call,
  outgoingCall: call,
  quotaExceeded: quota,
  // No longer sent, but met in old queues and copies.
  statusInstanceChanged: reader(SocketEvent, toSocketState),
  deviceInfo: reader(DeviceEvent, toDevice),
  incomingBlock: reader(BlockEvent, toBlock),
};
