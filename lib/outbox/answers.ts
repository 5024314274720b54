import type { Issue } from '#lib/domain/schema.ts';
import type { Accepted } from '#lib/sender/accept.ts';
import type { Attempt } from '#lib/tenants/attempts.ts';
import type { Webhook } from '#lib/tenants/webhooks.ts';

export interface SendAnswer {
  readonly status: 200 | 400 | 402 | 404 | 409 | 413 | 422 | 429 | 503;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: object;
}

/** What is answered, and what the owner reads of it in the log of attempts. */
export interface SendVerdict {
  readonly answer: SendAnswer;
  readonly outcome: Attempt['outcome'];
  readonly id?: string;
  readonly message?: string;
  /** What is wrong with the request, field by field; of a replayed one, what would be by now. */
  readonly issues?: readonly Issue[];
}

/** `status` is a word on success and a number on failure, as in the format that this endpoint follows. */
export function accepted(kind: 'accepted' | 'replayed', messageId: string): SendVerdict {
  const body = { status: 'success', data: { message_id: messageId } };
  const headers = kind === 'replayed' ? { headers: { 'idempotent-replayed': 'true' } } : {};
  return { answer: { status: 200, ...headers, body }, outcome: kind, id: messageId };
}

export function refused(
  status: SendAnswer['status'],
  message: string,
  outcome: Attempt['outcome'] = 'refused',
  headers: Readonly<Record<string, string>> = {},
): SendVerdict {
  return { answer: { status, headers, body: { status, data: {}, message } }, outcome, message };
}

/** All faults at once, each with its field. */
export const invalid = (issues: readonly Issue[]): SendVerdict => ({
  ...refused(400, issues.map(({ path, message }) => (path === '' ? message : `${path} ${message}`)).join('; ')),
  issues,
});

/** One answer for all who may not know; the reason stands in the owner's log. */
export function notFound(webhook: Webhook | undefined): SendVerdict {
  return { ...refused(404, 'Webhook not found', 'not_found'), message: whyNotFound(webhook) };
}

function whyNotFound(webhook: Webhook | undefined): string {
  if (webhook?.rotated) return 'This URL was replaced by a newer one';
  if (webhook && !webhook.enabled) return 'The webhook is switched off';
  return 'The URL belongs to receiving';
}

/** An id of the provider's may be the chat's of each of two accounts; those of the hub are one each. */
export const several = (field: string, chats: readonly string[]): SendVerdict =>
  refused(409, `${field} matches several chats: give the hub's chat_id of one of them: ${chats.join(', ')}`);

export const NO_ACCOUNT = 'There is no account to send from: connect one first';

/** What the core said, to a request that needed so many credits. */
export function ofAccepted(result: Accepted, credits: number): SendVerdict {
  switch (result.kind) {
    case 'accepted':
    case 'replayed':
      return accepted(result.kind, result.messageId);
    case 'mismatch':
      return KEY_REUSED;
    case 'no credit':
      return refused(402, `Not enough credits: this message needs ${credits}, so have some granted first`);
    case 'account gone':
    case 'changed':
      return refused(404, NO_ACCOUNT);
    case 'queue full':
      return QUEUE_FULL;
  }
}

export const KEY_REUSED = refused(
  422,
  'The Idempotency-Key was used with another body: give each message a key of its own',
);
export const BAD_KEY = refused(400, 'Idempotency-Key must have 1 to 255 characters');
/** At two seconds a message there is room again soon, for one. */
const QUEUE_FULL = refused(429, "The account's queue is full: send it again when some of it has gone out", 'refused', {
  'retry-after': '60',
});
export const TOO_LARGE = refused(413, 'The body is larger than 256 KB: give a link to a file as file_url', 'too_large');
/** An answer of the table may be lost after it has done what was asked: only a key makes a repeat safe for certain. */
export const UNAVAILABLE = refused(
  503,
  'The message could not be queued now; send it again, with an Idempotency-Key so that it cannot go out twice',
  'unavailable',
  { 'retry-after': '5' },
);
