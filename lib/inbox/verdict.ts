import type { Parsed } from '#lib/domain/json.ts';
import type { Log } from '#lib/domain/ports.ts';
import type { Issue } from '#lib/domain/schema.ts';
import type { Attempt } from '#lib/tenants/attempts.ts';
import type { Webhook } from '#lib/tenants/webhook.ts';
import type { Stored } from './event-store.ts';
import type { Draft, Reading, ReceivingProvider } from './provider.ts';

export interface Answer {
  readonly status: 200 | 401 | 404 | 413 | 503;
  readonly body: object;
}

/** What is answered, and what the owner reads of it in the log of attempts. */
export interface Verdict {
  readonly answer: Answer;
  readonly outcome: Attempt['outcome'];
  readonly id?: string;
  readonly message?: string;
}

export function verdictOf(reading: Reading, results: readonly Stored[]): Verdict {
  const fresh = results.find((result) => result.status === 'stored');
  const first = fresh ?? results[0];
  const id = first?.id ?? '';
  if (!fresh) return { answer: { status: 200, body: { status: 'duplicate', id } }, outcome: 'duplicate', id };
  const more = results.length > 1 ? { ids: results.map((result) => result.id) } : {};
  if (!('issues' in reading)) {
    const message = reading.unread && sentences(reading.unread.issues);
    const answer: Answer = { status: 200, body: { status: 'stored', id, ...more } };
    return { answer, outcome: 'stored', id, ...(message !== undefined && { message }) };
  }
  const { issues } = reading;
  return {
    answer: { status: 200, body: { status: 'quarantined', id, issues } },
    outcome: 'quarantined',
    id,
    message: sentences(issues),
  };
}

const sentences = (issues: readonly Issue[]) => issues.map(sentence).join('; ');

const sentence = (issue: Issue) => (issue.path === '' ? issue.message : `${issue.path}: ${issue.message}`);

const refusal = (status: 401 | 404 | 413 | 503, outcome: Attempt['outcome'], message: string): Verdict => ({
  answer: { status, body: { status, data: {}, message } },
  outcome,
  message,
});

/** One answer for all who may not know; the reason stands in the owner's log. */
export function notFound(webhook: Webhook | undefined): Verdict {
  return { ...refusal(404, 'not_found', 'Webhook not found'), message: whyNotFound(webhook) };
}

function whyNotFound(webhook: Webhook | undefined): string {
  if (webhook?.rotated) return 'This URL was replaced by a newer one';
  if (webhook && !webhook.enabled) return 'The webhook is switched off';
  return 'The URL belongs to another provider, or to sending';
}

/** `fault`: why no secret could be looked for in the body. */
export const unauthorized = (fault: string | undefined): Verdict =>
  refusal(
    401,
    'unauthorized',
    fault === undefined
      ? "The provider's secret or account does not match this webhook"
      : `The body could not be read, and no secret of this webhook was found: ${fault}`,
  );
export const TOO_LARGE = refusal(
  413,
  'too_large',
  'The body is larger than this hub takes (1 MB unless set otherwise)',
);
export const UNAVAILABLE = refusal(503, 'unavailable', 'Not stored; please send it again');

/** Said instead of what went wrong inside. */
export const OUR_FAULT = { path: '', message: 'could not be processed; the fault is ours and the event is kept' };

/** A body up to this size is shown by any answer of the API, whatever its characters: JSON writes one as six at most. */
const ALWAYS_SHOWN = 600 * 1024;
const LONGEST_SHOWN = 4 * 1024 * 1024;
const TOO_LONG = { path: '', message: 'is too long to be shown, with its control characters spelled out; read it raw' };

/**
 * What a delivery is read as, whichever way it came: a delivery that takes another way must be read alike, or the id
 * that was answered never exists. `raw`: the body as it is kept, without a secret.
 */
export function readBody(provider: ReceivingProvider, parsed: Parsed<unknown>, raw: Uint8Array, log: Log): Reading {
  return bounded(readWhole(provider, parsed, raw, log), raw);
}

/** Without a bound on the number of events: for whoever asks for this one body to be read again, and waits for it. */
export function readWhole(provider: ReceivingProvider, parsed: Parsed<unknown>, raw: Uint8Array, log: Log): Reading {
  if (!parsed.ok) return { issues: [parsed.issue] };
  try {
    const reading = provider.read(parsed.value);
    return 'drafts' in reading && raw.length > ALWAYS_SHOWN && reading.drafts.some(isTooLong)
      ? { issues: [TOO_LONG] }
      : reading;
  } catch (cause) {
    // A reader that throws is a fault of ours: the body waits in quarantine for the release that mends it.
    log.error('a reader failed; the event is in quarantine', cause, { provider: provider.name });
    return { issues: [OUR_FAULT] };
  }
}

const isTooLong = ({ payload }: Draft): boolean => Buffer.byteLength(JSON.stringify(payload)) > LONGEST_SHOWN;

/** Each event of a delivery keeps the whole body, so that it can be read again by itself. */
const MOST_EVENTS = 200;
const MOST_BYTES_KEPT = 16 * 1024 * 1024;

function bounded(reading: Reading, raw: Uint8Array): Reading {
  if ('issues' in reading) return reading;
  const count = reading.drafts.length;
  if (count <= MOST_EVENTS && (count === 1 || count * raw.length <= MOST_BYTES_KEPT)) return reading;
  return { issues: [{ path: '', message: `holds ${count} events, more than can be stored at once; replay it` }] };
}
