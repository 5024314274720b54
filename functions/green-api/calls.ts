import type { Draft } from '#lib/app/receiving/provider.ts';
import type { Call } from '#lib/domain/event.ts';
import { normaliseJid } from '#lib/domain/jid.ts';
import { known } from '#lib/domain/known.ts';
import { toDraft } from './draft.ts';
import { accountOf, chatOf, personOf } from './people.ts';
import type { CallEvent } from './schema.ts';

const CALL_STATES: ReadonlyMap<string | undefined, Call['state']> = new Map([
  ['offer', 'ringing'],
  ['pickUp', 'answered'],
  ['declined', 'declined'],
  ['missed', 'missed'],
  ['invalid', 'failed'],
]);

/** `from` names the chat of the call, whoever called: somebody else or, for an outgoing call, the one called. */
export function toCall(event: CallEvent, type: string): Draft {
  const { idMessage: id, isVideo, duration, participants } = event;
  const direction: Call['direction'] = type === 'incomingCall' ? 'inbound' : 'outbound';
  const status = event.status === 'hangUp' ? 'hungUp' : event.status; // two spellings of one word
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
function stateOf(status: string | undefined, direction: Call['direction']): Call['state'] {
  if (status === 'hungUp') return direction === 'inbound' ? 'missed' : 'ended';
  return CALL_STATES.get(status) ?? 'unknown';
}

function participantsOf(participants: NonNullable<CallEvent['participants']>) {
  return participants.flatMap(({ id, wid, status: state }) => {
    const jid = id ?? wid;
    return jid === undefined ? [] : [known({ id: normaliseJid(jid), state })];
  });
}
