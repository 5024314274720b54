import type * as v from 'valibot';
import { type Draft, type EventReader, reader } from '#lib/app/receiving/provider.ts';
import type { Payload } from '#lib/domain/event.ts';
import type { Issue } from '#lib/domain/issue.ts';
import { anyKnown, known } from '#lib/domain/known.ts';
import { chatIdOf, toAccount, toChat, toPerson, whereabouts } from './parties.ts';
import { CallBody } from './schema.ts';
import { instantOf } from './timestamp.ts';

type Call = Extract<Payload, { kind: 'call' }>['call'];
type Named = Pick<Call, 'direction' | 'state'>;

// By their words, in lower case. "No answer" is what the caller's side says of a missed call.
const states: ReadonlyMap<string, Call['state']> = new Map([
  ['missed', 'missed'],
  ['no answer', 'missed'],
  ['answered', 'answered'],
  ['rejected', 'declined'],
  ['ended', 'ended'],
]);

/** Reads a call that is over. `named` is what the event's name says of it, for a body that says nothing. */
export function call(named: Named): EventReader {
  return reader(CallBody, (body, type) => toCall(body, type, named));
}

function toCall(body: v.InferOutput<typeof CallBody>, type: string, named: Named): Draft | Issue {
  const { chat = {}, call_details: details } = body;
  const chatId = chatIdOf(chat);
  if (chatId === undefined && details.message_uid === undefined) return { path: 'chat.chat_id', message: 'is missing' };
  const account = toAccount(body.whatsapp_account, chat);
  return {
    identity: { type, ...whereabouts(account, chatId), ...known({ id: details.message_uid }) },
    payload: {
      kind: 'call',
      call: {
        direction: directionOf(details.direction) ?? named.direction,
        state: details.status === undefined ? named.state : (states.get(details.status.toLowerCase()) ?? 'unknown'),
        ...known({
          from: details.caller && anyKnown(toPerson(details.caller)),
          to: details.recipient && anyKnown(toPerson(details.recipient)),
          chat: chatId === undefined ? undefined : toChat(chatId, chat),
          account: anyKnown(account),
          video: details.is_video,
          durationSeconds: details.duration,
          messageId: details.message_uid,
          detail: details.status,
        }),
      },
    },
    ...known({ occurredAt: instantOf(details.timestamp) }),
  };
}

function directionOf(word: string | undefined): Call['direction'] | undefined {
  if (word === 'incoming') return 'inbound';
  return word === 'outgoing' ? 'outbound' : undefined;
}
