import { known } from '#lib/domain/known.ts';
import { namedSecrets, redacted, redactedBody } from '#lib/domain/redact.ts';
import { toIso } from '#lib/domain/time.ts';
import type { Clock, Log, Random } from '../ports.ts';
import type { Store } from '../store.ts';
import type { Webhook } from '../webhooks/webhook.ts';
import { type Attempt, logAttempt } from './attempt.ts';

export interface NotedCall {
  /** Of the URL that was called; left out where only its hash is known. */
  readonly token?: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  /** The body without the secret that its provider puts there; left out: the body is all of it. */
  readonly kept?: Uint8Array;
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

const LONGEST_MESSAGE = 500;

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

function attemptOf(
  { token, headers, body, kept = body, sourceIp }: NotedCall,
  { withBody, message, ...outcome }: NotedOutcome,
  since: number,
  now: number,
): Attempt {
  const secrets = [
    ...(token === undefined ? [] : [token]),
    ...namedSecrets(headers),
    ...(withBody ? namedSecrets(textOf(body)) : []),
  ];
  const short = (value: string | undefined) => value && redacted(value, secrets).slice(0, 200);
  return {
    at: toIso(since),
    ...outcome,
    ...known({ message: message && redacted(message, secrets).slice(0, LONGEST_MESSAGE) }),
    durationMs: now - since,
    request: {
      bytes: body.length,
      ...known({
        contentType: short(headers['content-type']),
        sourceIp: short(sourceIp),
        userAgent: short(headers['user-agent']),
        body: withBody ? redactedBody(textOf(kept), secrets) : undefined,
      }),
    },
  };
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
