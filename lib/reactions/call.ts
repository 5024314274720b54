import { Webhook as Signer } from 'standardwebhooks';
import * as v from 'valibot';
import type { Clock, Random, Secrets } from '#lib/domain/ports.ts';
import { type CallResult, keptAnswer, SLOW_AFTER_MS } from '#lib/domain/reaction/delivery.ts';
import { checked, type Issue, known } from '#lib/domain/schema.ts';
import { retryAfter } from '#lib/domain/time.ts';
import type { ProviderHttp, ProviderRequest, Reply } from '#lib/sender/provider.ts';
import type { Endpoint } from './endpoint.ts';

const SECRET_BYTES = 24;

const Stored = v.object({
  /** The newest comes first; an older one signs too until then, in milliseconds. */
  secrets: v.array(v.object({ secret: v.string(), until: v.exactOptional(v.number()) })),
  headers: v.exactOptional(v.record(v.string(), v.string())),
  /** Of a rule, the headers of each of its calls, by its place in the rule. */
  calls: v.exactOptional(v.record(v.string(), v.record(v.string(), v.string()))),
});
/** What stands in the parameter store for an endpoint, or for a rule that calls. */
export type SigningSecret = v.InferOutput<typeof Stored>;
const Written = v.pipe(v.string(), v.parseJson(), Stored);

/** A parameter takes 4,096 bytes: this leaves room for what signs. */
const MOST_HEADER_BYTES = 3500;

/** What is kept as a secret with an endpoint or a rule, where it is too much together: as an issue at `path`. */
export function faultsOfSize(headers: object, path: string): readonly Issue[] {
  if (Buffer.byteLength(JSON.stringify(headers)) <= MOST_HEADER_BYTES) return [];
  return [{ path, message: `must have at most ${MOST_HEADER_BYTES} bytes of headers together: shorten them` }];
}

export const endpointSecret = (id: string): string => `endpoints/${id}`;
export const ruleSecret = (id: string): string => `rules/${id}`;

/** As Standard Webhooks writes one. */
export function newSecret(random: Random): string {
  return `whsec_${Buffer.from(random.bytes(SECRET_BYTES)).toString('base64')}`;
}

/** Throws where it is not there, or is not what it should be: never with what it holds. */
export async function readSecret(secrets: Secrets, name: string, version: number | undefined): Promise<SigningSecret> {
  const kept = await secrets.get(name, version);
  if (kept === undefined) throw new Error(`the secret ${name} is not in the parameter store`);
  return checked(Written, kept, () => `the secret ${name} is damaged`);
}

interface CallPorts {
  readonly http: ProviderHttp;
  readonly clock: Clock;
}

interface Call {
  /** The same on each attempt. */
  readonly id: string;
  readonly body: string;
  readonly contentType?: string;
  readonly attempt: number;
  /** Asked of a call that is slow. Not given, it may take all its time. */
  readonly mayGoOn?: (() => Promise<boolean>) | undefined;
}

export interface Called {
  readonly result: CallResult;
  /** The beginning of it. */
  readonly answer: string;
  readonly ms: number;
  /** It was broken off for others, and says nothing of whoever was called. */
  readonly isPutOff?: boolean;
}

/** One signed POST. Never throws for what the endpoint or the network did. */
export async function call(
  { http, clock }: CallPorts,
  {
    url,
    timeoutMs,
    method = 'POST',
  }: Pick<Endpoint, 'url' | 'timeoutMs'> & { readonly method?: ProviderRequest['method'] },
  { secrets, headers }: SigningSecret,
  { id, body, contentType = 'application/json', attempt, mayGoOn }: Call,
): Promise<Called> {
  const at = clock.now();
  const valid = secrets.filter(({ until }, i) => i === 0 || (until !== undefined && until > at));
  const startedAt = clock.monotonic();
  const asked = { mayGoOn: true };
  const ask = async () => {
    // Should the table be away, nobody knows who else calls.
    asked.mayGoOn = (await mayGoOn?.().catch(() => false)) ?? true;
    return asked.mayGoOn;
  };
  const reply = await http.call(
    {
      method,
      url,
      headers: {
        ...headers,
        accept: '*/*',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(at / 1000)),
        'webhook-signature': valid.map(({ secret }) => new Signer(secret).sign(id, new Date(at), body)).join(' '),
        'hookline-attempt': String(attempt),
      },
      body: { kind: 'raw', contentType, text: body },
    },
    startedAt + timeoutMs,
    mayGoOn && { afterMs: SLOW_AFTER_MS, mayGoOn: ask },
  );
  const ms = Math.round(clock.monotonic() - startedAt);
  const answer = reply.kind === 'answered' ? keptAnswer(reply.text, valuesOf(headers)) : '';
  const isPutOff = !asked.mayGoOn && reply.kind === 'broken';
  return { result: resultOf(reply, at), answer, ms, ...(isPutOff && { isPutOff }) };
}

function resultOf(reply: Reply, now: number): CallResult {
  if (reply.kind === 'answered') {
    const retryAfterMs = retryAfter(reply.headers['retry-after'], now);
    return { kind: 'answered', status: reply.status, ...known({ retryAfterMs }) };
  }
  if (reply.breakdown === 'unanswered') return { kind: 'failed', reason: 'timeout' };
  return { kind: 'failed', reason: reply.breakdown === 'forbidden' ? 'refused' : 'connection' };
}

/** Whoever is called may answer with what it got: each header, and of `Bearer abc` the second word. */
const valuesOf = (headers: SigningSecret['headers'] = {}): readonly string[] =>
  Object.values(headers).flatMap((value) => [value, ...value.split(' ').slice(1)]);
