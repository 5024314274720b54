import type { Event, Payload } from '#lib/domain/event.ts';
import { conflictId, contentHash, isSameEvent, payloadOf, renewed, substanceHash } from '#lib/domain/identity.ts';
import { derivedId, sha256 } from '#lib/domain/ids.ts';
import { canonicalJson } from '#lib/domain/json.ts';
import type { Clock } from '#lib/domain/ports.ts';
import { known } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { chatIdIn, feedKey } from '#lib/store/keys.ts';
import { AGAIN, COMMIT_MS, retryOnConflict } from '#lib/store/retry.ts';
import {
  absent,
  absentOrExpired,
  all,
  type Condition,
  del,
  equal,
  type Item,
  type Key,
  type Put,
  put,
  type Store,
  StoreUnavailable,
  unchanged,
  type Written,
} from '#lib/store/store.ts';
import { chunkKeysOf, type EventRecord, eventItems, recordOf, toldItems } from './event-item.ts';

/**
 * Removes the chunks of `loser` to which `winner` does not refer: the same body has the same chunks. There may be no
 * winner: the event was deleted, and whoever did that must find no part of it back.
 */
async function dropUnused(store: Store, loser: Item, winner: Item | undefined): Promise<void> {
  const kept = new Set(winner && chunkKeysOf(winner).map(({ sk }) => sk));
  const unused = chunkKeysOf(loser).filter(({ sk }) => !kept.has(sk));
  if (unused.length > 0) await store.writeMany(unused.map((key) => del(key)));
}

/**
 * Puts an event in the place of what stands there, of which `before` is the head. `beside` is written first. A write that
 * is repeated because its answer was lost meets itself, by its receipt. Refused: with what it met.
 */
export async function replaceEvent(
  store: Store,
  before: Item,
  after: EventRecord,
  onlyIf: Condition,
  beside: readonly Put[] = [],
): Promise<Written> {
  const { head, chunks } = eventItems(after);
  const first = [...beside, ...chunks];
  if (first.length > 0) await store.writeMany(first);
  const written = await store.write(put(head, onlyIf));
  const done = written.done || written.item?.receipt === after.receipt;
  await (done ? dropUnused(store, before, head) : dropUnused(store, head, written.item));
  return done ? { done } : written;
}

export interface Stored {
  readonly status: 'stored' | 'duplicate';
  /** What was stored, or what had been stored before. */
  readonly id: string;
}

interface EventPorts {
  readonly store: Store;
  readonly clock: Clock;
}

/**
 * Stores an event exactly once, however often and however concurrently it is delivered. Two writes in the ordinary case,
 * its row in the feed and itself: the refusal of a second put brings along what it met.
 *
 *   same identity, same content ─▶ duplicate
 *   the same event with newer data, as a link or a time ─▶ duplicate, and what was stored is renewed
 *   same identity, other content ─▶ an event of its own, `conflict: true`
 *   a placeholder, then the real content ─▶ the real one takes its place
 */
export async function storeEvent(ports: EventPorts, record: EventRecord, nowSeconds: number): Promise<Stored> {
  const first = await putOnce(ports, record, nowSeconds);
  if (first !== 'conflict') return first;
  const id = conflictId(record.event.id, substanceHash(record.event, record.contentHash));
  const event: Event = { ...record.event, id, conflict: true };
  const second = await putOnce(ports, { ...record, event, placeholder: false }, nowSeconds);
  if (second === 'conflict') throw new Error(`event ${id} holds content that its id excludes`);
  return second;
}

// Two placeholders that race with two real messages settle in this many rounds at most.
const ROUNDS = 4;

async function putOnce(
  { store, clock }: EventPorts,
  record: EventRecord,
  nowSeconds: number,
): Promise<Stored | 'conflict'> {
  const { head: item, chunks } = eventItems(record);
  const id = record.event.id;
  if (chunks.length > 0) await store.writeMany(chunks);
  let condition = absentOrExpired(nowSeconds);
  let replaced: Item | undefined;
  return retryOnConflict(
    `event ${id}`,
    async () => {
      const head = await placed(store, clock, item);
      const written = await store.write(put(head, condition));
      if (written.done) {
        await placedInTime(store, clock, head);
        if (replaced) {
          await dropUnused(store, replaced, head);
          await unplaced(store, clock, replaced);
        }
        return { status: 'stored', id };
      }
      // What is stored may be ours, in this place: a repeat of a write whose first answer was lost.
      if (written.item?.storedAt !== head.storedAt) await unplaced(store, clock, head);
      // Gone between the write and its refusal: there is room now.
      if (!written.item) return AGAIN;
      const verdict = judge(record, written.item);
      if (verdict === 'ours') {
        await placedInTime(store, clock, written.item);
        return { status: 'stored', id };
      }
      if (verdict !== 'replaceable') {
        await dropUnused(store, head, written.item);
        return (await isKnown(store, written.item, record, verdict)) ? { status: 'duplicate', id } : 'conflict';
      }
      replaced = written.item;
      condition = equal('contentHash', replaced.contentHash ?? null);
      return AGAIN;
    },
    ROUNDS,
  );
}

function judge(record: EventRecord, met: Item): 'ours' | 'same' | 'replaceable' | 'other' {
  const isSame = met.contentHash === record.contentHash;
  // The store may repeat a write whose first answer was lost. One delivery may hold one id with two contents.
  if (isSame && met.receipt === record.receipt) return 'ours';
  // A placeholder says nothing that the message, which is there, does not say better.
  if (isSame || record.placeholder) return 'same';
  return met.placeholder === true ? 'replaceable' : 'other';
}

/** Whether what was met is the event that came, which is brought up to date. */
async function isKnown(store: Store, met: Item, record: EventRecord, verdict: 'same' | 'other'): Promise<boolean> {
  const { placeholder, event } = record;
  // The hash of a message leaves out how its link is signed.
  const hasNews = !placeholder && met.kind === event.kind && (event.kind === 'message' || verdict === 'other');
  const isRenewed = hasNews && (await renew(store, met, record)) === 'same';
  // What the provider tells in the same words is one event, though the hub may know our number only since then.
  return isRenewed || verdict === 'same';
}

/** As the event is with what `told` adds; undefined where that is nothing. */
export function renewedRecord(before: EventRecord, told: EventRecord): EventRecord | undefined {
  const event = renewed(before.event, told.event);
  if (!event) return undefined;
  const isMoved = event.occurredAt !== before.event.occurredAt;
  const orderedAt = isMoved ? told.orderedAt : before.orderedAt;
  return { ...before, event, orderedAt, contentHash: hashOf(event) };
}

/** By the time of the arrival where the provider gave none, as a delivery's own hash is. */
function hashOf(event: Event): string {
  const { occurredAt, receivedAt } = event;
  return contentHash(payloadOf(event), occurredAt === receivedAt ? undefined : Date.parse(occurredAt));
}

// As many deliveries of one event may race.
const RENEWALS = 8;

/**
 * Brings an event that is there up to date with another delivery of it, whose body is kept beside the first. Answers
 * whether it is the same event at all.
 */
async function renew(store: Store, met: Item, told: EventRecord): Promise<'same' | 'other'> {
  let head = met;
  return retryOnConflict(
    `event ${told.event.id}`,
    async () => {
      const before = await recordOf(store, head);
      if (!isSameEvent(before.event, told.event)) return 'other';
      const after = renewedRecord(before, told);
      if (!after) return 'same';
      const { id, receivedAt } = told.event;
      const kept = { raw: told.raw, contentType: told.contentType, receivedAt: Date.parse(receivedAt) };
      // Its place in the feed may just be moved, and stays where it is.
      const asRead = unchanged({ receipt: head.receipt, contentHash: head.contentHash, storedAt: head.storedAt });
      const now = { ...after, receipt: told.receipt };
      // The body first: what the event says must be found in one.
      const { item } = await replaceEvent(store, head, now, asRead, toldItems(id, kept, before.expiresAt));
      // Done, or deleted in the meantime: there is nothing to renew.
      if (!item) return 'same';
      head = item;
      return AGAIN;
    },
    RENEWALS,
  );
}

/**
 * An event's place in the feed is the time of the write that stores it. Its row is written first, then the event, which
 * names its row by the same time; a row that its event does not name counts for nothing, and is given an end. So an event
 * is in the feed from the moment at which it is stored, and once, whatever crashed, was repeated or refused before that.
 *
 *   row t1 ─▶ event t1, refused or late            a reader passes t1 when no event can name it any more (feed.ts)
 *   row t2 ─▶ event t2                             the place of the event is t2
 */

/** The row to which a head item with a `storedAt` leads. It holds no word of the provider's: it may outlive its event. */
export function feedRow(head: Item): Put {
  const { kind, provider, accountId, direction, gsi2pk, expiresAt } = head;
  const isInChat = typeof gsi2pk === 'string' && kind !== 'unknown';
  const chat = isInChat ? { chat: chatIdIn(gsi2pk) } : {};
  return put({ ...rowKey(head), kind, provider, accountId, direction, ...chat, expiresAt });
}

export const rowKey = ({ workspace, storedAt, eventId }: Item): Key =>
  feedKey(String(workspace), String(storedAt), String(eventId));

/** What a row may use up of its event's time: the rest is for the event and its repeats. */
const ROW_MS = 1_000;
const TRIES = 3;
/** So many deliveries of one event may come in one millisecond. */
const MOST_TAKEN = 100;

/** The head with a place of its own, whose row is there, and is nobody else's. Write it at once. */
async function placed(store: Store, clock: Clock, head: Item): Promise<Item> {
  let taken = 0;
  for (let tries = 0; tries < TRIES && taken < MOST_TAKEN; ) {
    const now = clock.now();
    const stamped = { ...head, storedAt: toIso(now + taken) };
    const row = feedRow(stamped);
    const { done, item } = await store.write({ ...row, item: { ...row.item, receipt: head.receipt }, if: absent() });
    if (!done && !isOurs(item, head)) {
      taken += 1;
      continue;
    }
    if (clock.now() - now <= ROW_MS) return stamped;
    await unplaced(store, clock, stamped);
    tries += 1;
  }
  throw new StoreUnavailable('unreachable');
}

/** A repeat of a write whose first answer was lost meets itself; a row that was given up has another end, or no receipt. */
const isOurs = (row: Item | undefined, { receipt, expiresAt }: Item): boolean =>
  receipt !== undefined && row?.receipt === receipt && row.expiresAt === expiresAt;

/** Longer than any reader looks back for what it did not see in time. */
const UNUSED_SECONDS = 86_400;

/** Nothing was stored under the place of this head, nor will be: its row ends, where it would have stayed for ever. */
async function unplaced(store: Store, clock: Clock, head: Item): Promise<void> {
  if (head.expiresAt !== undefined || head.storedAt === undefined) return;
  await store.write(feedRow({ ...head, expiresAt: Math.floor(clock.now() / 1000) + UNUSED_SECONDS }));
}

/**
 * After an event was stored: where that took so long that a reader may have gone past its place, as in a process that
 * was suspended, it gets a new one. Should a reader have seen it in the old one all the same, it sees it again.
 */
export async function placedInTime(store: Store, clock: Clock, head: Item): Promise<void> {
  const isLate = (storedAt: unknown) => clock.now() - Date.parse(String(storedAt)) > COMMIT_MS;
  for (let place = head; isLate(place.storedAt); ) {
    const next = await placed(store, clock, place);
    const asStored = all(equal('storedAt', String(place.storedAt)), equal('receipt', String(place.receipt)));
    const { done, item } = await store.write(put(next, asStored));
    // Refused, it may be ours all the same: a repeat of a write whose first answer was lost.
    const isMoved = done || item?.storedAt === next.storedAt;
    await unplaced(store, clock, isMoved ? place : next);
    if (!isMoved) return;
    place = next;
  }
}

/** In the place of the provider's name and of the webhook's id. */
export const HUB = 'hookline';

/**
 * Something that the hub itself has to tell: an event like every other, so that one list, one feed and one kind of
 * subscriber serve all.
 */
export interface OwnEvent {
  readonly workspace: string;
  readonly accountId?: string;
  readonly payload: Extract<Payload, { kind: 'send' | 'account' | 'endpoint' | 'rule' }>;
  /** What makes it this one among those of its kind. */
  readonly identity: readonly string[];
}

export const ownEventId = (workspace: string, kind: OwnEvent['payload']['kind'], identity: readonly string[]): string =>
  derivedId('evt', [HUB, workspace, kind, ...identity]);

function recordOfOwn({ workspace, accountId, payload, identity }: OwnEvent, now: number): EventRecord {
  const id = ownEventId(workspace, payload.kind, identity);
  const at = toIso(now);
  const origin = { id, workspace, provider: HUB, webhookId: HUB, ...known({ accountId }) };
  const json = canonicalJson({ ...payload });
  return {
    event: { ...origin, occurredAt: at, receivedAt: at, ...payload },
    raw: Buffer.from(json),
    contentType: 'application/json',
    contentHash: sha256(json),
    ...{ placeholder: false, orderedAt: now, receipt: id },
  };
}

/** Told twice, it is stored once. */
export async function tellEvent(ports: EventPorts, own: OwnEvent): Promise<void> {
  const now = ports.clock.now();
  await storeEvent(ports, recordOfOwn(own, now), Math.floor(now / 1000));
}

/**
 * The same for a transaction that changes what is told, so that there is neither without the other. No condition: it can
 * not be the reason for which the change is refused. `placedAsTold` belongs after it.
 */
export function ownEventWrites(own: OwnEvent, now: number): readonly Put[] {
  const { head, chunks } = eventItems({ ...recordOfOwn(own, now), storedAt: now });
  return [put(head), feedRow(head), ...chunks];
}
