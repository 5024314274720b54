import * as v from 'valibot';
import { addressesOf, fileTrace, isOfHidden, type Said, type Sighting, tracesOf } from '#lib/domain/send/evidence.ts';
import { itemReader } from '#lib/store/items.ts';
import { ECHO_PREFIX, echoKey, tracePartition, unknownKey } from '#lib/store/keys.ts';
import { queryAll } from '#lib/store/query.ts';
import { type Delete, del, type Item, type Put, put, type Store } from '#lib/store/store.ts';
import type { SendingConfig } from './config.ts';
import type { Part, Send } from './items.ts';

/**
 * Marks by which an attempt whose outcome is unknown and a message that a webhook tells of find each other, however many
 * others there are. Each side writes its marks first and reads the other's after, so that whoever comes second sees both.
 */
const UnknownMark = v.object({ send: v.string(), part: v.number(), scope: v.string() });
const EchoMark = v.object({
  providerId: v.string(),
  traces: v.array(v.string()),
  file: v.exactOptional(v.string()),
  at: v.number(),
  /** The provider's message that the webhook's account makes of it (lib/inbox/delivery-state.ts). */
  state: v.string(),
});
export type UnknownMark = v.InferOutput<typeof UnknownMark>;

const readUnknownMark = itemReader(UnknownMark);
const readEchoMark = itemReader(EchoMark);

/** A message that a webhook told of. */
export interface Echo extends Sighting {
  readonly at: number;
  /** The key of the provider's message, by the name under which the webhook came. */
  readonly state: string;
}

/** A look at the limit may come late, and so may the echo that it waits for. */
const LONGER_MS = 60 * 60_000;
export const soughtUntil = (now: number, { unknownLimitMs }: SendingConfig): number => now + unknownLimitMs + LONGER_MS;

const saidBy = ({ kind, text, name, caption }: Part): Said => ({ kind, text, name, caption });

/** What an attempt of this part is found by; nothing once the send is emptied. */
export const tracesOfPart = (send: Send, part: Part): string[] =>
  tracesOf(send.accountId, saidBy(part), addressesOf(send.recipient));

export const fileOfPart = (send: Send, part: Part): string | undefined => fileTrace(send.accountId, saidBy(part));

/**
 * They stay, milliseconds of our clock long, also when the part has failed or expired: what the provider tells of it then
 * must not be taken for another's. Only a part that has its id loses them.
 */
export function unknownMarks(send: Send, index: number, until: number): Put[] {
  const expiresAt = Math.ceil(until / 1000);
  const { messageId, scope } = send;
  return unknownKeys(send, index).map((key) => put({ ...key, send: messageId, part: index, scope, expiresAt }));
}

export function forgetUnknown(send: Send, index: number): Delete[] {
  return unknownKeys(send, index).map((key) => del(key));
}

export const forgetEcho = (send: Send, part: Part, providerId: string): Delete[] =>
  tracesOfPart(send, part).map((trace) => del(echoKey(send.accountId, trace, providerId)));

function unknownKeys(send: Send, index: number) {
  const part = send.parts[index];
  const traces = part ? tracesOfPart(send, part) : [];
  return traces.map((trace) => unknownKey(send.accountId, trace, send.messageId, index));
}

export function echoMarks(account: string, echo: Echo, now: number, config: SendingConfig): Put[] {
  const { providerId, traces, file, at, state } = echo;
  const mark = {
    providerId,
    traces,
    at,
    state,
    ...(file !== undefined && { file }),
    expiresAt: Math.ceil(soughtUntil(now, config) / 1000),
  };
  return traces.map((trace) => put({ ...echoKey(account, trace, providerId), ...mark }));
}

export interface Marks {
  readonly unknown: readonly UnknownMark[];
  readonly echoes: readonly Echo[];
  /** Of people whose number is hidden so many got these words that nothing can be told by the words alone. */
  readonly isCrowded: boolean;
}

const MARKS_PAGE = 1_000;
/** A text that goes to everybody would be read whole for each. */
const MOST_HIDDEN = 50;

/** All that is marked under these traces, and under those of what is found there; or the echoes alone. */
export async function marksUnder(
  store: Store,
  account: string,
  traces: readonly string[],
  now: number,
  which: 'all' | 'echoes' = 'all',
): Promise<Marks> {
  const only = which === 'echoes' ? { prefix: ECHO_PREFIX } : {};
  const under = (trace: string) =>
    queryAll(store, { pk: tracePartition(account, trace), ...only, limit: MARKS_PAGE, consistent: true });
  const asked = new Set<string>();
  const found: Item[] = [];
  let isCrowded = false;
  const listUnder = async (trace: string) => {
    if (!isOfHidden(trace)) return under(trace);
    const query = { pk: tracePartition(account, trace), ...only, consistent: true, limit: MOST_HIDDEN + 1 };
    const { items } = await store.query(query);
    isCrowded ||= items.length > MOST_HIDDEN;
    return items.length > MOST_HIDDEN ? [] : items;
  };
  for (let ask = new Set(traces); ask.size > 0; ) {
    const lists = await Promise.all([...ask].map(listUnder));
    for (const trace of ask) asked.add(trace);
    const live = lists.flat().filter(({ expiresAt }) => typeof expiresAt === 'number' && expiresAt > now / 1000);
    found.push(...live);
    const further = live.filter(isEcho).flatMap((item) => readEchoMark(item).traces);
    ask = new Set(further.filter((trace) => !asked.has(trace)));
  }
  const echoes = found
    .filter(isEcho)
    .map(readEchoMark)
    .map((mark) => ({ ...mark, file: mark.file }));
  return {
    unknown: found.filter((item) => !isEcho(item)).map(readUnknownMark),
    echoes: [...new Map(echoes.map((echo) => [echo.providerId, echo])).values()],
    isCrowded,
  };
}

const isEcho = ({ sk }: Item): boolean => sk.startsWith(ECHO_PREFIX);
