import { redactedBody } from '#lib/domain/redact.ts';
import { toIso } from '#lib/domain/time.ts';
import type { Clock, Log, Random } from '../ports.ts';
import type { Store } from '../store.ts';
import type { Webhook } from '../webhooks/webhook.ts';
import { type Attempt, logAttempt } from './attempt.ts';

export interface NotedCall {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  readonly sourceIp?: string;
}

export interface NotedOutcome {
  readonly status: number;
  readonly outcome: Attempt['outcome'];
  readonly id?: string;
  readonly message?: string;
  /** False where the body can be read elsewhere, by the id. */
  readonly withBody: boolean;
}

interface Ports {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * Notes an activation of a webhook for its owner. That the note cannot be written is no reason to refuse what was done.
 * `since`: when the call came, in milliseconds.
 */
export async function noteAttempt(
  ports: Ports,
  webhook: Pick<Webhook, 'webhookId' | 'retentionDays'>,
  call: NotedCall,
  outcome: NotedOutcome,
  since: number,
): Promise<void> {
  const attempt = attemptOf(call, outcome, since, ports.clock.now());
  try {
    await logAttempt(ports.store, webhook, attempt, Buffer.from(ports.random.bytes(6)).toString('base64url'));
  } catch (cause) {
    ports.log.error('an attempt could not be logged', cause, { webhook: webhook.webhookId });
  }
}

function attemptOf(call: NotedCall, { withBody, ...outcome }: NotedOutcome, since: number, now: number): Attempt {
  return {
    at: toIso(since),
    ...outcome,
    durationMs: now - since,
    request: {
      ...short('contentType', call.headers['content-type']),
      bytes: call.body.length,
      ...short('sourceIp', call.sourceIp),
      ...short('userAgent', call.headers['user-agent']),
      ...(withBody && { body: redactedBody(Buffer.from(call.body).toString('utf8')) }),
    },
  };
}

function short(name: string, value: string | undefined) {
  return value === undefined ? {} : { [name]: value.slice(0, 200) };
}
