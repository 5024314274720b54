import * as v from 'valibot';
import { known } from '#lib/domain/schema.ts';
import {
  type Attempt,
  addressesOf,
  fileTrace,
  isOfHidden,
  matching,
  type Said,
  type Sighting,
  tracesOf,
} from '#lib/domain/send/evidence.ts';
import { nextReconciliation } from '#lib/domain/send/outcome.ts';
import type { PartState } from '#lib/domain/send/part.ts';
import { itemReader } from '#lib/store/items.ts';
import {
  accountKey,
  dueListOf,
  dueSortKey,
  ECHO_PREFIX,
  echoKey,
  headKey,
  POINTER_PREFIX,
  pointerKey,
  sendKey,
  stateKey,
  tracePartition,
  unknownKey,
} from '#lib/store/keys.ts';
import { getAll, queryAll } from '#lib/store/query.ts';
import {
  type Change,
  type Condition,
  type Delete,
  del,
  type Item,
  isLive,
  type Put,
  put,
  type Store,
  set,
  type Update,
  update,
  type Write,
} from '#lib/store/store.ts';
import type { SendingConfig } from './config.ts';
import {
  changeParts,
  field,
  type Head,
  type Part,
  readPointer,
  readProviderMessage,
  readSend,
  type Send,
  scopeOfPart,
  stateOfPart,
} from './items.ts';
import { sendReport } from './sent-event.ts';

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
type UnknownMark = v.InferOutput<typeof UnknownMark>;

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
const soughtUntil = (now: number, { unknownLimitMs }: SendingConfig): number => now + unknownLimitMs + LONGER_MS;

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

/**
 * The part, its place in the queue, and the marks by which what a webhook tells of it is found. With an id of the
 * provider's, what is told of that is told of the part. The account is the caller's to write.
 */
export function becomesUnknown(
  { send, index }: Head,
  now: number,
  detail: string,
  config: SendingConfig,
  providerId?: string,
): readonly Write[] {
  const reconcileAt = now + nextReconciliation(0, config.unknownLimitMs);
  const named = providerId === undefined ? [] : namedBy(send, index, providerId);
  const also = [set(field(index, 'unknownAt'), now), set(field(index, 'reconcileAt'), reconcileAt), ...named];
  return [
    changeParts(send, [{ index, to: 'unknown', detail, also }], now, awaitEvidence(send, reconcileAt)),
    del(pointerKey(send.accountId, send.seq, index)),
    ...unknownMarks(send, index, soughtUntil(now, config)),
    ...(providerId === undefined ? [] : [mapped(send, index, providerId)]),
    ...sendReport(send, [index], 'unknown', now, detail),
  ];
}

/** Puts a send where the watchdog looks for unknown outcomes; the part that is due first decides when. */
function awaitEvidence(send: Send, at: number): Change[] {
  const others = send.parts.flatMap((part) => (part.state === 'unknown' ? [part.reconcileAt ?? at] : []));
  return [
    set('gsi3pk', dueListOf('unknown', send.accountId)),
    set('gsi3sk', dueSortKey(Math.min(at, ...others), send.messageId)),
  ];
}

/**
 * The part's id, and with it the name of the account under which it is filed: the send's moves with the account when
 * another part goes out, and a webhook may tell of each part under another name.
 */
export function namedBy(send: Send, index: number, providerId: string): Change[] {
  const scope = scopeOfPart(send, index);
  const mayDiffer = send.parts.length > 1 || scope !== send.scope;
  return [set(field(index, 'providerId'), providerId), ...(mayDiffer ? [set(field(index, 'scope'), scope)] : [])];
}

/** From now on, what the provider tells of its message is told of this part. */
export function mapped(send: Send, index: number, providerId: string, onlyIf?: Condition): Update {
  const { messageId, recipient } = send;
  const { phone, jid, chat_id: id, chat, provider_chat: providerChat } = recipient;
  // For whoever reads a status: in which chat the message stands, and to whom it went.
  const told = known({ chat, toPhone: phone, toId: phone === undefined ? (jid ?? id ?? providerChat) : undefined });
  const changes = Object.entries({ send: messageId, part: index, ...told }).map(([name, value]) => set(name, value));
  return update(stateOfPart(send, index, providerId), changes, onlyIf);
}

export function echoMarks(account: string, echo: Echo, now: number, config: SendingConfig): Put[] {
  const { providerId, traces, file, at, state } = echo;
  const expiresAt = Math.ceil(soughtUntil(now, config) / 1000);
  const mark = { providerId, traces, at, state, ...known({ file }), expiresAt };
  return traces.map((trace) => put({ ...echoKey(account, trace, providerId), ...mark }));
}

interface Marks {
  readonly unknown: readonly UnknownMark[];
  readonly echoes: readonly Echo[];
  /** Of people whose number is hidden so many got these words that nothing can be told by the words alone. */
  readonly isCrowded: boolean;
}

const MARKS_PAGE = 1_000;
/** A text that goes to everybody would be read whole for each. */
const MOST_HIDDEN = 50;

/** All that is marked under these traces, and under those of the echoes that are found there; or the echoes alone. */
export async function marksUnder(
  store: Store,
  account: string,
  traces: readonly string[],
  now: number,
  which: 'all' | 'echoes' = 'all',
): Promise<Marks> {
  const only = { ...(which === 'echoes' ? { prefix: ECHO_PREFIX } : {}), consistent: true };
  let isCrowded = false;
  const listUnder = async (trace: string) => {
    const pk = tracePartition(account, trace);
    if (!isOfHidden(trace)) return queryAll(store, { pk, ...only, limit: MARKS_PAGE });
    const { items } = await store.query({ pk, ...only, limit: MOST_HIDDEN + 1 });
    isCrowded ||= items.length > MOST_HIDDEN;
    return items.length > MOST_HIDDEN ? [] : items;
  };
  const listAll = async (wanted: readonly string[]) =>
    (await Promise.all(wanted.map(listUnder))).flat().filter((item) => isLive(item, now / 1000));
  const first = await listAll(traces);
  const told = new Set(first.filter(isEcho).flatMap((item) => readEchoMark(item).traces));
  const further = [...told].filter((trace) => !traces.includes(trace));
  const found = [...first, ...(await listAll(further))];
  const echoes = found.filter(isEcho).map(readEchoMark);
  return {
    unknown: found.filter((item) => !isEcho(item)).map(readUnknownMark),
    echoes: [...new Map(echoes.map((echo) => [echo.providerId, { ...echo, file: echo.file }])).values()],
    isCrowded,
  };
}

const isEcho = ({ sk }: Item): boolean => sk.startsWith(ECHO_PREFIX);

/** An attempt of ours, as it stands. */
interface OurAttempt extends Attempt, Head {}

interface Found {
  readonly attempt: OurAttempt;
  readonly sighting: Told;
}

/** `state`: as of an echo. */
type Told = Sighting & Pick<Partial<Echo>, 'state'>;

export interface Looked {
  readonly found: readonly Found[];
  /** When the look began. */
  readonly isQueueEmpty: boolean;
}

export interface Look extends Pick<Send, 'workspace' | 'provider'> {
  readonly account: string;
  /** The account's names at the provider under which a message may be known. */
  readonly scopes: readonly string[];
  /** What the part or the message in question is found by. */
  readonly traces: readonly string[];
  /** The part that is asked about, where it is one: it counts, whether or not it is marked. */
  readonly asking?: Place;
  /** Known before the look begins: whose they are was under way by then, or is over. */
  readonly sightings: readonly Told[];
}

/**
 * Which attempts these messages can only be. The queue is read first: what the messages belong to stands in it then, or
 * has left it, and with that its id or its mark is written. Five thousand other unknown sends are no read more.
 */
export async function lookFor(store: Store, look: Look, now: number, config: SendingConfig): Promise<Looked> {
  const { account, sightings } = look;
  const query = { pk: accountKey(account).pk, prefix: POINTER_PREFIX, limit: NEAR_THE_FRONT, consistent: true };
  const queue = (await store.query(query)).items.map(readPointer);
  const marks = await marksUnder(store, account, look.traces, now);
  const asking = look.asking ? [look.asking] : [];
  const isQueueEmpty = queue.length === 0;
  if (marks.unknown.length + asking.length === 0) return { found: [], isQueueEmpty };
  const { sends, isClaimed } = await knownSends(store, look, marks, [...queue, ...asking]);
  const attempts = sends.flatMap(attemptsOf).map((attempt) => (marks.isCrowded ? named(attempt) : attempt));
  const all = [...new Map([...marks.echoes, ...sightings].map((one) => [one.providerId, one])).values()];
  const free = all.filter((sighting) => !isClaimed(sighting));
  const asked = new Set(sightings.map(({ providerId }) => providerId));
  const matched = matching(attempts, free, config.unknownLimitMs);
  return { found: matched.filter(({ sighting }) => asked.has(sighting.providerId)), isQueueEmpty };
}

const named = (attempt: OurAttempt): OurAttempt => ({
  ...attempt,
  traces: attempt.traces.filter((trace) => !isOfHidden(trace)),
});

interface Place {
  readonly send: string;
  readonly part: number;
}
/**
 * What is being sent stands in the queue among so many. It need not be the first: those with lower numbers, accepted at
 * the same moment, may have come later.
 */
const NEAR_THE_FRONT = 50;

interface Known {
  readonly sends: readonly Send[];
  /** A message is one of ours that has its id, by whichever name of the account. */
  readonly isClaimed: (sighting: Told) => boolean;
}

async function knownSends(store: Store, look: Look, marks: Marks, places: readonly Place[]): Promise<Known> {
  const scopes = new Set([...look.scopes, ...marks.unknown.map(({ scope }) => scope)]);
  const statesOf = ({ providerId, state }: Told) => [
    ...(state === undefined ? [] : [state]),
    ...[...scopes].map((scope) => stateKey({ ...look, scope }, providerId).pk),
  ];
  const states = new Set([...look.sightings, ...marks.echoes].flatMap(statesOf));
  const ids = new Set([...marks.unknown, ...places].map(({ send }) => send));
  const keys = [...[...ids].map(sendKey), ...[...states].map(headKey)];
  const items = await getAll(store, keys, { consistent: true });
  const claimed = new Set(
    items.filter((item) => states.has(item.pk) && readProviderMessage(item).send !== undefined).map(({ pk }) => pk),
  );
  const sends = items.filter(({ pk }) => !states.has(pk)).map(readSend);
  return {
    sends: sends.filter((send) => send.workspace === look.workspace && send.accountId === look.account),
    isClaimed: (sighting) => statesOf(sighting).some((state) => claimed.has(state)),
  };
}

/**
 * What is being sent, and what has left the queue without an id of the provider's: it can be what a message is. What
 * failed without one certainly did not go out.
 */
function attemptsOf(send: Send): OurAttempt[] {
  return send.parts.flatMap((part, index) => {
    const { state, intentAt: since, providerId } = part;
    if (since === undefined || providerId !== undefined || !CAN_BE.includes(state)) return [];
    const traces = tracesOfPart(send, part);
    return [{ send, index, part, traces, file: fileOfPart(send, part), since, isOpen: state !== 'sending' }];
  });
}

const CAN_BE: readonly PartState[] = ['sending', 'unknown', 'expired'];
