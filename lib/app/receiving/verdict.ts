import type { Issue } from '#lib/domain/issue.ts';
import type { Attempt } from '../attempts/attempt.ts';
import type { Webhook } from '../webhooks/webhook.ts';
import type { Reading } from './provider.ts';
import type { Stored } from './store-event.ts';

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
    return { answer: { status: 200, body: { status: 'stored', id, ...more } }, outcome: 'stored', id };
  }
  const { issues } = reading;
  return {
    answer: { status: 200, body: { status: 'quarantined', id, issues } },
    outcome: 'quarantined',
    id,
    message: issues.map(sentence).join('; '),
  };
}

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

export const UNAUTHORIZED = refusal(
  401,
  'unauthorized',
  "The provider's secret or account does not match this webhook",
);
export const TOO_LARGE = refusal(
  413,
  'too_large',
  'The body is larger than this hub takes (1 MB unless set otherwise)',
);
export const UNAVAILABLE = refusal(503, 'unavailable', 'Not stored; please send it again');
