import * as v from 'valibot';
import type { Log } from '#lib/domain/ports.ts';
import { namedSecrets, redacted, redactedBody } from '#lib/domain/redact.ts';
import { Instant, known, optional, Whole } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { itemReader } from '#lib/store/items.ts';
import { attemptKey, attemptPartition } from '#lib/store/keys.ts';
import { pagesOf } from '#lib/store/query.ts';
import type { StorePorts } from '#lib/store/retry.ts';
import { compare, type Item, isLive, put, type Store } from '#lib/store/store.ts';

// What a spreadsheet takes for the beginning of a formula, whatever it cannot see stands before it: blanks, control
// characters as NUL, marks of order and direction. Wide and small forms of the signs count as well.
const FORMULA =
  /^[\s\p{C}\p{Default_Ignorable_Code_Point}]*[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b]|^\p{Cc}/u;
const LINE_BREAK = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/g;

/**
 * A cell that is safe to open in a spreadsheet, in quotes. What looks like a formula becomes a text by a leading `'`;
 * line breaks are written as `\n`, so that a row is always one line.
 */
export function csvCell(value: string | number | undefined): string {
  const text = String(value ?? '');
  const harmless = FORMULA.test(text) ? `'${text}` : text;
  return `"${harmless.replace(LINE_BREAK, '\\n').replaceAll('"', '""')}"`;
}

/** Rows as RFC 4180 has them, a line each. */
function csv(rows: readonly (readonly (string | number | undefined)[])[]): string {
  return rows.map((row) => `${row.map(csvCell).join(',')}\r\n`).join('');
}

const Outcome = v.picklist([
  'stored',
  'duplicate',
  'quarantined',
  'accepted',
  'replayed',
  'unauthorized',
  'not_found',
  'too_large',
  'refused',
  'unavailable',
]);

/** One activation of a webhook, as its owner sees it: what came, and what we answered. */
export const Attempt = v.object({
  at: Instant,
  status: v.pipe(Whole, v.description('The HTTP status that was answered')),
  outcome: Outcome,
  durationMs: Whole,
  message: optional(v.string(), 'Why it was refused or put into quarantine'),
  id: optional(v.string(), 'The event or message that it became'),
  request: v.object({
    contentType: optional(v.string()),
    bytes: Whole,
    sourceIp: optional(v.string()),
    userAgent: optional(v.string()),
    body: optional(v.string(), 'Up to 4,000 characters without secrets, unless the event keeps the whole body'),
  }),
});
export type Attempt = v.InferOutput<typeof Attempt>;

const readAttempt = itemReader(v.object({ attempt: v.pipe(v.string(), v.parseJson(), Attempt) }));

export const SHOWN_ATTEMPTS = 100;
export const ATTEMPTS_KEPT_SECONDS = 90 * 24 * 3600;

function attemptItem({ webhookId, retentionDays }: LoggedWebhook, attempt: Attempt, unique: string): Item {
  return {
    ...attemptKey(webhookId, attempt.at, unique),
    attempt: JSON.stringify(attempt),
    expiresAt: attemptExpiry(Date.parse(attempt.at), retentionDays),
  };
}

interface LoggedWebhook {
  readonly webhookId: string;
  readonly retentionDays?: number | undefined;
}

/** In seconds; an attempt may hold a body, which must not outlive what the workspace keeps. */
export function attemptExpiry(at: number, retentionDays = Number.POSITIVE_INFINITY): number {
  return Math.floor(at / 1000) + Math.min(ATTEMPTS_KEPT_SECONDS, retentionDays * 86_400);
}

/** Of the newest attempt what tells at a glance whether a webhook works. */
export const LastCall = v.pipe(
  v.pick(Attempt, ['at', 'status', 'outcome', 'message', 'id']),
  v.description('The newest call, and what it was answered; left out where none came in 90 days'),
);
export type LastCall = v.InferOutput<typeof LastCall>;

/** What came in asks for no further write, so a list asks for one item of each log. Undefined: none came of late. */
export async function lastCallOf(store: Store, webhookId: string, now: number): Promise<LastCall | undefined> {
  const query = { pk: attemptPartition(webhookId), limit: 1, descending: true, consistent: true };
  const [item] = (await store.query(query)).items;
  if (!item || !isLive(item, now / 1000)) return undefined;
  const { request: _request, durationMs: _took, ...call } = readAttempt(item).attempt;
  return call;
}

/** The last 100 attempts of a webhook, newest first. The table ends a page at 1 MB, which a hundred bodies may exceed. */
export async function lastAttempts(store: Store, webhookId: string, now: number): Promise<readonly Attempt[]> {
  const items: Item[] = [];
  const pages = pagesOf(store, {
    pk: attemptPartition(webhookId),
    from: toIso(now - ATTEMPTS_KEPT_SECONDS * 1000),
    filter: compare('expiresAt', '>', Math.floor(now / 1000)),
    limit: SHOWN_ATTEMPTS,
    descending: true,
    consistent: true,
  });
  for await (const page of pages) {
    items.push(...page);
    if (items.length >= SHOWN_ATTEMPTS) break;
  }
  return items.slice(0, SHOWN_ATTEMPTS).map((item) => readAttempt(item).attempt);
}

export async function logAttempt(
  store: Store,
  webhook: LoggedWebhook,
  attempt: Attempt,
  unique: string,
): Promise<void> {
  await store.write(put(attemptItem(webhook, attempt, unique)));
}

const COLUMNS = {
  at: ({ at }) => at,
  status: ({ status }) => status,
  outcome: ({ outcome }) => outcome,
  durationMs: ({ durationMs }) => durationMs,
  message: ({ message }) => message,
  id: ({ id }) => id,
  contentType: ({ request }) => request.contentType,
  bytes: ({ request }) => request.bytes,
  sourceIp: ({ request }) => request.sourceIp,
  userAgent: ({ request }) => request.userAgent,
  body: ({ request }) => request.body,
} satisfies Record<string, (attempt: Attempt) => string | number | undefined>;

/** A head row, then one line an attempt. */
export function attemptsAsCsv(attempts: readonly Attempt[]): string {
  const columns = Object.values(COLUMNS);
  return csv([Object.keys(COLUMNS), ...attempts.map((attempt) => columns.map((cell) => cell(attempt)))]);
}

/** One JSON object a line: nothing is lost, and no spreadsheet takes it for its own. */
export function attemptsAsNdjson(attempts: readonly Attempt[]): string {
  return attempts.map((attempt) => `${JSON.stringify(attempt)}\n`).join('');
}

interface NotedCall {
  /** Of the URL that was called; left out where only its hash is known. */
  readonly token?: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  /** The body without the secret that its provider puts there; left out: the body is all of it. */
  readonly kept?: Uint8Array;
  readonly sourceIp?: string;
}

interface NotedOutcome {
  readonly status: number;
  readonly outcome: Attempt['outcome'];
  readonly id?: string;
  readonly message?: string;
  /** False where the body can be read elsewhere, by the id. */
  readonly withBody: boolean;
}

interface Ports extends StorePorts {
  readonly log: Log;
}

const LONGEST_MESSAGE = 500;

/**
 * Notes an activation of a webhook for its owner. That the note cannot be written is no reason to refuse what was done.
 * `since`: when the call came, in milliseconds.
 */
export async function noteAttempt(
  ports: Ports,
  webhook: LoggedWebhook,
  call: NotedCall,
  outcome: NotedOutcome,
  since: number,
): Promise<void> {
  try {
    const attempt = attemptOf(call, outcome, since, ports.clock.now());
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
