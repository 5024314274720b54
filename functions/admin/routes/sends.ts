import * as v from 'valibot';
import { known, optional, strictObject } from '#lib/domain/schema.ts';
import type { SendState } from '#lib/domain/send/part.ts';
import { cancel, type Resent, resend } from '#lib/outbox/cancel.ts';
import { SendBody } from '#lib/outbox/request.ts';
import { listSends, SEND_STATES, ShownSend, showSend } from '#lib/outbox/shown.ts';
import { type SendVerdict, submitBody, UNAVAILABLE } from '#lib/outbox/submit.ts';
import { StoreUnavailable } from '#lib/store/store.ts';
import { found, invalid, json, missing, type ProblemReply, problem } from '../answers.ts';
import { type Context, routesOn } from '../route.ts';
import { accepted, decoded, Id, listOf, pageRequest, paging, Sought } from '../schemas.ts';

const NO_SEND = missing('send');
const route = routesOn({ tag: 'Sends', access: 'workspace', scopes: ['send'] });
const ids = { messageId: v.pipe(Id, v.description('As the send webhook answered it')) };

/** The words are those of the send webhook, so that one message can be handed in here and there. */
const NewSend = strictObject({
  ...SendBody.entries,
  action: v.optional(SendBody.entries.action, 'send'),
});
const Accepted = v.object({
  messageId: ids.messageId,
  credits: ShownSend.entries.credits,
  position: ShownSend.entries.position,
  etaAt: ShownSend.entries.etaAt,
});

/** What stands in the place of a webhook's id in all that is handed in by a key of the API. */
const BY_API = 'api';

function refusedAs({ answer: { status, headers }, message = '', issues }: SendVerdict): ProblemReply {
  if (issues) return invalid(issues);
  return problem(status === 200 ? 503 : status, message, headers);
}

function statesIn(text: string): readonly SendState[] | undefined {
  const named = text.split(',');
  const states = SEND_STATES.filter((state) => named.includes(state));
  return named.every((name) => states.some((state) => state === name)) ? states : undefined;
}

const Filter = strictObject({
  ...paging('sends'),
  state: v.exactOptional(
    decoded(
      statesIn,
      `Any of these, with commas between: \`${SEND_STATES.join('`, `')}\``,
      `must be one or more of these, with commas between: ${SEND_STATES.join(', ')}`,
    ),
  ),
  account: optional(Id, "An account's id"),
  chat: optional(Id, "The hub's id of a chat"),
  recipient: optional(Sought, "To whom: a number in any spelling, a JID, or the provider's id of a chat"),
  providerMessageId: optional(Sought, "The provider's id of the message, as statuses and echoes name it"),
  ...accepted,
});

const TOO_LATE = 'Too late to cancel: it is being sent, or has left the queue';

const CHANGED = problem(409, 'It changed in the same moment: look at it, then try again');

const NOT_RESENT: Readonly<Record<Exclude<Resent['kind'], 'accepted' | 'replayed' | 'resent already'>, ProblemReply>> =
  {
    'not found': NO_SEND,
    'nothing failed': problem(
      409,
      'Only what failed, is unknown or expired can be sent again, once nothing of the send waits',
    ),
    named: problem(409, 'The provider has it, under an id: to send it again would send it twice'),
    changed: CHANGED,
    mismatch: CHANGED,
    'account gone': problem(409, 'Its account was deleted: send it anew, by another account'),
    'no credit': problem(402, 'Not enough credits: have some granted first'),
    'queue full': problem(429, "The account's queue is full", { 'retry-after': '60' }),
  };

const shown = async ({ ports, workspace }: Context, messageId: string) =>
  found(await showSend(ports.store, workspace, messageId, ports.clock.now()), NO_SEND);

export const sendRoutes = [
  route('POST /api/sends', {
    summary: 'Hand a message in: a text, a file or both, for one recipient',
    description:
      'As a send webhook takes it, for programs that have a key. It is charged and queued at once, and goes out when its ' +
      'turn has come on its account. A repeat with the same `Idempotency-Key` is answered with the same message, and marked ' +
      '`Idempotent-Replayed: true`.',
    conflict: '`chat_name`, or an id of the provider as `chat_id`, fits several chats, whose ids are told',
    charges: true,
    idempotent: true,
    body: NewSend,
    example: { phone: '+15550100099', text: 'Hello from Hookline' },
    answers: { 201: { description: 'Charged and queued', schema: Accepted } },
    run: async ({ body }, { ports, workspace, idempotencyKey: key }) => {
      const verdict = await submitBody(ports, { workspace, webhookId: BY_API }, known(body), known({ key })).catch(
        (error: unknown) => {
          if (!(error instanceof StoreUnavailable)) throw error;
          ports.log.error('the table did not take a send', error, { workspace });
          return UNAVAILABLE;
        },
      );
      if (verdict.id === undefined) return refusedAs(verdict);
      const send = await showSend(ports.store, workspace, verdict.id, ports.clock.now());
      if (!send) return NO_SEND;
      const { messageId, credits, position, etaAt } = send;
      const replayed = verdict.answer.headers ?? {};
      return { ...json(201, { messageId, credits, ...known({ position, etaAt }) }), headers: replayed };
    },
  }),
  route('GET /api/sends', {
    summary: 'What was accepted for sending, newest first',
    description:
      'Each with what has become of it. `state=unknown` finds those of which nobody can say whether they went out. With a filter ' +
      'a page may hold fewer than `limit`; the last one has no `cursor`.',
    query: Filter,
    answers: { 200: { description: 'A page', schema: listOf(ShownSend) } },
    run: async ({ query: { limit, cursor, account, state, ...filter } }, { ports, workspace }) => {
      const wanted = { ...filter, ...known({ accountId: account, states: state }) };
      const page = pageRequest({ limit, cursor });
      return json(200, await listSends(ports.store, workspace, wanted, page, ports.clock.now()));
    },
  }),
  route('GET /api/sends/{messageId}', {
    summary: 'Show a send, with its place in the queue while it waits',
    description: 'With the state of each part, its credits and its history.',
    ids,
    answers: { 200: { description: 'The send', schema: ShownSend } },
    run: async ({ params }, context) => shown(context, params.messageId),
  }),
  route('POST /api/sends/{messageId}/cancel', {
    summary: 'Take what still waits out of the queue, with its credits back',
    description: 'What is being sent is not stopped, and what was sent stays charged.',
    conflict: TOO_LATE,
    ids,
    answers: { 200: { description: 'The send', schema: ShownSend } },
    run: async ({ params: { messageId } }, context) => {
      const { ports, workspace } = context;
      const outcome = await cancel(ports, workspace, messageId, ports.config);
      if (outcome === 'too late') return problem(409, TOO_LATE);
      return outcome === 'cancelled' ? shown(context, messageId) : NO_SEND;
    },
  }),
  route('POST /api/sends/{messageId}/resend', {
    summary: 'Send again what failed, or of which nobody knows whether it went out',
    description:
      'Makes a new send of those parts to the same recipient, and charges it: what went out is not repeated. What is unknown the recipient may get twice; ask them first, if you can.',
    conflict: 'Nothing of it failed or is unknown, something of it waits, or it was sent again already',
    charges: true,
    ids,
    answers: { 201: { description: 'The new send', schema: ShownSend } },
    run: async ({ params: { messageId } }, { ports, workspace }) => {
      const resent = await resend(ports, workspace, messageId, ports.config);
      if (resent.kind === 'resent already') return problem(409, `It was sent again already, as ${resent.messageId}`);
      if (resent.kind !== 'accepted' && resent.kind !== 'replayed') return NOT_RESENT[resent.kind];
      const send = await showSend(ports.store, workspace, resent.messageId, ports.clock.now());
      return send ? json(201, send) : NO_SEND;
    },
  }),
];
