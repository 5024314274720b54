import * as v from 'valibot';
import type { Event } from '#lib/domain/event.ts';
import { conflictId, substanceHash } from '#lib/domain/identity.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { canonicalJson } from '#lib/domain/json.ts';
import type { Clock, Log, Random } from '#lib/domain/ports.ts';
import { Instant, Issue, known, optional, shortly, Whole } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { itemReader } from '#lib/store/items.ts';
import { eventIdIn, quarantineCounter, quarantineCounters, UNREADABLE } from '#lib/store/keys.ts';
import { encodeCursor, type ListPage, newestFirst, pageOf, queryAll, type Slice } from '#lib/store/query.ts';
import { AGAIN, retryOnConflict, type StorePorts } from '#lib/store/retry.ts';
import {
  add,
  all,
  type Change,
  equal,
  exists,
  type Item,
  type Store,
  StoreUnavailable,
  update,
} from '#lib/store/store.ts';
import { type EventRecord, REPLAYED, recordOf, toldAgain } from './event-item.ts';
import { HUB, renewedRecord, replaceEvent, type Stored } from './event-store.ts';
import { liveHead, partitionOf } from './events.ts';
import { filed, inItsChat, type SettlePorts, settle, storeReading, withAccounts } from './keep.ts';
import { OUR_FAULT, type Reading, type ReceivingProvider, readWhole, type Unread } from './provider.ts';
import { newReceipt, type Receipt, recordsOf } from './records.ts';

interface DismissPorts extends StorePorts {
  readonly log: Log;
}

/** `not quarantined`: it is understood, was never in quarantine, or is dismissed already. */
type Dismissed = 'dismissed' | 'not quarantined' | 'not found';

/** Takes an event out of quarantine that needs no hand. It stays as it came, under its id, and a replay may still read it. */
export async function dismissEvent(ports: DismissPorts, workspace: string, id: string): Promise<Dismissed> {
  const { store, clock, random } = ports;
  return retryOnConflict(`event ${id}`, async () => {
    const head = await liveHead(store, workspace, id, Math.floor(clock.now() / 1000));
    if (!head) return 'not found';
    const record = await recordOf(store, head);
    const { event } = record;
    if (event.kind !== 'unknown' || !event.quarantined) return 'not quarantined';
    const receipt = `dismissal_${newReceipt(random)}`;
    const dismissed = { ...record, receipt, event: { ...event, quarantined: false, dismissedAt: toIso(clock.now()) } };
    const isWaiting = all(exists(), equal('quarantined', true), equal('receipt', record.receipt));
    const { done } = await replaceEvent(store, head, dismissed, isWaiting);
    if (done) await countAs(store, event, [add('dismissed', 1)]);
    return done ? 'dismissed' : AGAIN;
  });
}

/** Of what left quarantine. Its counter may be gone: a type can hold the name of a person who was erased. */
async function countAs(
  store: Store,
  { workspace, provider, type }: Extract<Event, { kind: 'unknown' }>,
  counted: readonly Change[],
): Promise<void> {
  await store.write(update(quarantineCounter(workspace, provider, type), counted, exists()));
}

/** How often a type of event was not understood. */
export const QuarantinedType = v.object({
  provider: v.string(),
  type: v.pipe(v.string(), v.description("The provider's name of the event; `unreadable` where none can be found")),
  seen: Whole,
  replayed: v.optional(v.pipe(Whole, v.description('Understood since')), 0),
  dismissed: v.optional(v.pipe(Whole, v.description('Dismissed, as they need no hand')), 0),
  firstAt: Instant,
});
export type QuarantinedType = v.InferOutput<typeof QuarantinedType>;
const readQuarantinedType = itemReader(QuarantinedType);

/** What was ever put into quarantine, by type, the most frequent first. */
export async function countQuarantined(store: Store, workspace: string): Promise<readonly QuarantinedType[]> {
  const items = await queryAll(store, { pk: quarantineCounters(workspace), limit: 1000 });
  return items.map(readQuarantinedType).sort((a, b) => b.seen - a.seen);
}

/** What waits in quarantine: `unreadable` is the type of bodies in which none is found. What is left out does not matter. */
interface Waiting {
  readonly type?: string;
  readonly provider?: string;
  /** Where the call before ended. */
  readonly from?: string;
}

const PAGE = 100;

/** The newest of what waits, a page of it. */
function waitingIn(store: Store, workspace: string, { type, provider, from }: Waiting): Promise<Slice> {
  const accepts = (entry: Item) =>
    (type === undefined || (entry.type ?? UNREADABLE) === type) &&
    (provider === undefined || entry.provider === provider);
  return newestFirst(store, partitionOf(workspace, { quarantined: true }), {
    limit: PAGE,
    ...((type ?? provider) !== undefined && { accepts }),
    ...known({ before: from }),
  });
}

/** API Gateway waits 30 s for an answer. */
const LONGEST_MS = 15_000;
const AT_ONCE = 8;

/** Dismisses what is in quarantine of a type, newest first, as far as time reaches; the cursor leads to the rest. */
export async function dismissType(
  ports: DismissPorts,
  workspace: string,
  wanted: Waiting & { readonly type: string },
): Promise<{ readonly dismissed: number; readonly cursor?: string }> {
  const { results, position } = await forWaiting(ports, workspace, wanted, (id) => dismissEvent(ports, workspace, id));
  const dismissed = results.filter((result) => result === 'dismissed').length;
  ports.log.info('quarantined events were dismissed', { workspace, dismissed, complete: position === undefined });
  return { dismissed, ...(position !== undefined && { cursor: encodeCursor('quarantine', position) }) };
}

/** Acts on what waits, newest first, as far as time reaches, on `most` at most; `position`: where the rest begins. */
async function forWaiting<Result>(
  { store, clock }: Pick<StorePorts, 'store' | 'clock'>,
  workspace: string,
  { from, ...wanted }: Waiting,
  act: (id: string) => Promise<Result>,
  most = Number.POSITIVE_INFINITY,
) {
  const deadline = clock.monotonic() + LONGEST_MS;
  const results: Result[] = [];
  let position = from;
  do {
    const { entries, position: end } = await waitingIn(store, workspace, { ...wanted, ...known({ from: position }) });
    const ids = entries.map(({ pk }) => eventIdIn({ pk }));
    const done = await inTime(clock, ids, act, deadline);
    results.push(...done);
    const last = done.length < ids.length ? entries[done.length - 1] : undefined;
    position = last ? String(last.gsi2sk) : end;
  } while (position !== undefined && results.length < most && clock.monotonic() < deadline);
  return { results, position };
}

/** A few at once, until the deadline, and the first ones whatever it is. */
async function inTime<Result>(
  { monotonic }: Pick<Clock, 'monotonic'>,
  ids: readonly string[],
  act: (id: string) => Promise<Result>,
  deadline: number,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  do results.push(...(await Promise.all(ids.slice(results.length, results.length + AT_ONCE).map(act))));
  while (results.length < ids.length && monotonic() < deadline);
  return results;
}

/** What became of an event that was read again. */
export const Replayed = v.object({
  id: v.string(),
  result: v.pipe(
    v.picklist(['replayed', 'updated', 'unchanged', 'quarantined', 'unreadable', 'changed', 'not_found']),
    v.description(
      '`replayed`: understood at last, and out of quarantine. `updated`: read differently than before, in place. ' +
        '`quarantined`: still not understood. `unreadable`: not understood any more, and left as it was. ' +
        '`changed`: somebody else changed it in the same moment; replay it again.',
    ),
  ),
  events: optional(v.array(v.string()), 'What a quarantined event has become, as far as it is understood'),
  issues: optional(v.array(Issue), 'Why it is not understood'),
});
export type Replayed = v.InferOutput<typeof Replayed>;

/**
 * An event that was understood before, as this release reads it: updated in place, under the id that others may hold.
 * It is never stored beside itself, however much the reading has changed.
 */
async function reread(
  ports: ReplayPorts,
  head: Item,
  before: EventRecord,
  reading: Reading,
  receipt: Receipt,
): Promise<Replayed> {
  const { store } = ports;
  const { id } = before.event;
  if ('issues' in reading) return { id, result: 'unreadable', issues: [...reading.issues] };
  const addressed = await withAccounts(reading, receipt, ports);
  const records = recordsOf(reading, addressed);
  const read = await asTold(ports, before, counterpart(before, records));
  const located = read && (await inItsChat(ports, await filed(store, read, addressed), addressed));
  if (!located || isSame(before, located.record)) return { id, result: 'unchanged' };
  const { record: after, names } = located;
  const asRead = all(equal('receipt', before.receipt), equal('contentHash', before.contentHash));
  const { done } = await replaceEvent(store, head, after, asRead);
  if (!done) return { id, result: 'changed' };
  await settle(ports, after, receipt, { status: 'stored', id }, names);
  return { id, result: 'updated' };
}

/** With what later deliveries have told of it, which are read again as well. */
async function asTold(ports: ReplayPorts, before: EventRecord, first: EventRecord | undefined) {
  if (before.event.kind === 'unknown' || before.event.renewedAt === undefined || !first) return first;
  let after = first;
  for (const told of (await toldAgain(ports.store, before.event.id)).values()) {
    const { raw, contentType, receivedAt } = told;
    const record = { ...before, raw, contentType, event: { ...before.event, receivedAt: toIso(receivedAt) } };
    const reading = readAgain(ports, record);
    const again = 'issues' in reading ? undefined : counterpart(before, recordsOf(reading, receiptOf(ports, record)));
    after = (again && renewedRecord(after, again)) ?? after;
  }
  return after;
}

/** What the event is now: of a body that holds several, the one of the same identity. */
function counterpart(before: EventRecord, records: readonly EventRecord[]): EventRecord | undefined {
  const { id, conflict } = before.event;
  const substance = substanceHash(before.event, before.contentHash);
  const same = records.find(({ event }) => event.id === id || conflictId(event.id, substance) === id);
  const match = same ?? (records.length === 1 ? records[0] : undefined);
  if (!match) return undefined;
  // What is read differently stays where it stands in the feed: whoever reads along has had it.
  const place = before.storedAt === undefined ? {} : { storedAt: before.storedAt };
  return { ...match, ...place, event: { ...match.event, id, ...(conflict !== undefined && { conflict }) } };
}

function isSame(before: EventRecord, after: EventRecord): boolean {
  return (
    before.contentHash === after.contentHash &&
    before.placeholder === after.placeholder &&
    before.stateKey === after.stateKey &&
    canonicalJson(before.event) === canonicalJson(after.event)
  );
}

interface ReplayPorts extends SettlePorts {
  readonly random: Random;
  /** By provider. */
  readonly readers: ReadonlyMap<string, ReceivingProvider>;
}

/** Reads an event's raw body again, with the readers of this release. Safe to repeat, and safe to break off anywhere. */
export async function replayEvent(ports: ReplayPorts, workspace: string, id: string): Promise<Replayed> {
  const head = await liveHead(ports.store, workspace, id, Math.floor(ports.clock.now() / 1000));
  if (!head) return { id, result: 'not_found' };
  const record = await recordOf(ports.store, head);
  const reading = readAgain(ports, record);
  const { event } = record;
  // What we sent, or tell ourselves, came in through no provider's webhook: there is nothing to read again.
  const isOurs = event.provider === HUB || (event.kind === 'message' && event.sendId !== undefined);
  if (isOurs) return { id, result: 'unchanged' };
  if (event.kind !== 'unknown') return reread(ports, head, record, reading, receiptOf(ports, record));
  if (!event.quarantined && event.dismissedAt === undefined)
    return { id, result: 'unchanged', ...(event.replayedAs && { events: event.replayedAs }) };
  if ('issues' in reading) return { id, result: 'quarantined', issues: [...reading.issues] };
  try {
    return await release(ports, head, record, event, reading);
  } catch (cause) {
    if (cause instanceof StoreUnavailable) throw cause;
    // One event that cannot be stored as read must not keep all others in quarantine.
    ports.log.error('a quarantined event could not be stored as read', cause, { correlationId: id });
    return { id, result: 'quarantined', issues: [OUR_FAULT] };
  }
}

function readAgain({ readers, log }: ReplayPorts, { event, raw, contentType }: EventRecord): Reading {
  const provider = readers.get(event.provider);
  if (!provider) return { issues: [{ path: '', message: 'this hub does not have its provider any more' }] };
  return readWhole(provider, provider.parse(raw, contentType), raw, log);
}

/** The delivery as it was when it came, for what derives from it must come out the same; the mark alone is of now. */
function receiptOf({ random }: ReplayPorts, { event, raw, contentType, expiresAt }: EventRecord): Receipt {
  const receivedAt = Date.parse(event.receivedAt);
  const { webhookId, workspace, accountId } = event;
  const webhook = {
    webhookId,
    workspace,
    ...(accountId !== undefined && { accountId }),
    ...(expiresAt !== undefined && { retentionDays: Math.round((expiresAt - receivedAt / 1000) / 86_400) }),
  };
  const receipt = `${REPLAYED}${newReceipt(random)}`;
  return { webhook, provider: event.provider, contentType, raw, bodyHash: sha256(raw), receivedAt, receipt };
}

/**
 * Stores what a quarantined event turned out to be, and only then takes it out of quarantine: after a crash in between
 * the next replay finds the events stored, under the ids that follow from what they are. It stays there for what of it is
 * still not understood.
 */
async function release(
  ports: ReplayPorts,
  head: Item,
  record: EventRecord,
  event: Extract<Event, { kind: 'unknown' }>,
  reading: Exclude<Reading, Unread>,
): Promise<Replayed> {
  const { store, clock } = ports;
  const { id, dismissedAt, ...kept } = event;
  const stored: Stored[] = [];
  const receipt = receiptOf(ports, record);
  await storeReading(reading, receipt, ports, stored, clock.now());
  const events = [...new Set(stored.map((one) => one.id))].filter((one) => one !== id);
  if (reading.unread) return { id, result: 'quarantined', events, issues: [...reading.unread.issues] };
  const understood = { ...kept, id, quarantined: false, replayedAs: events };
  const isWaiting = all(exists(), equal(dismissedAt === undefined ? 'quarantined' : 'dismissed', true));
  const counted = [add('replayed', 1), ...(dismissedAt === undefined ? [] : [add('dismissed', -1)])];
  const { done } = await replaceEvent(
    store,
    head,
    { ...record, receipt: receipt.receipt, event: understood },
    isWaiting,
  );
  // Else somebody has replayed it in the same moment, with the same events.
  if (done) await countAs(store, event, counted);
  return { id, result: 'replayed', events };
}

/** A Lambda answers with 6 MB at most, so one call takes two pages, and of each event the first issues are shown. */
const MOST_REPLAYED = 2 * PAGE;
const FIRST_ISSUES = 5;

/** Replays what is in quarantine, newest first, as far as time reaches; the cursor leads to the rest. */
export async function replayQuarantined(
  ports: ReplayPorts,
  workspace: string,
  wanted: Waiting,
): Promise<ListPage<Replayed>> {
  const replay = (id: string) => replayEvent(ports, workspace, id);
  const { results, position } = await forWaiting(ports, workspace, wanted, replay, MOST_REPLAYED);
  return pageOf('quarantine', results.map(brief), position);
}

/** Replays the named events, in their order, as far as time reaches. `left`: how many of the last ones were not reached. */
export async function replayEvents(ports: ReplayPorts, workspace: string, ids: readonly string[]) {
  const { clock } = ports;
  const replay = (id: string) => replayEvent(ports, workspace, id);
  const items = (await inTime(clock, ids, replay, clock.monotonic() + LONGEST_MS)).map(brief);
  return items.length < ids.length ? { items, left: ids.length - items.length } : { items };
}

/** One of many. Replayed alone, it shows all issues. */
function brief({ issues, ...replayed }: Replayed): Replayed {
  const first = issues?.slice(0, FIRST_ISSUES).map(({ path, message }) => ({ path: shortly(path), message }));
  return { ...replayed, ...known({ issues: first }) };
}
