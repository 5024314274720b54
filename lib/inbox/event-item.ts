import { gunzipSync, gzipSync } from 'node:zlib';
import type { Event } from '#lib/domain/event.ts';
import { sha256, shardOf } from '#lib/domain/ids.ts';
import { toIso } from '#lib/domain/time.ts';
import { shownKey } from '#lib/store/items.ts';
import {
  chatMessagesPartition,
  chunkKey,
  dismissedPartition,
  eventKey,
  eventPartition,
  quarantinePartition,
  TOLD_PREFIX,
  toldKey,
} from '#lib/store/keys.ts';
import { queryAll } from '#lib/store/query.ts';
import { type Item, type Put, put, type Store, type Value, type ValueMap } from '#lib/store/store.ts';

/** An item may hold 400 KB; keys, indexed attributes and the event's own share need room beside the bytes. */
const CHUNK_BYTES = 350 * 1024;

/** Bytes as an item keeps them: in place, or as numbered chunks beside it. */
interface Packed {
  readonly bytes: Uint8Array;
  readonly zipped: boolean;
}

/** To set up the compressor for all sizes costs more than to compress an ordinary body. These make it no longer. */
const SMALL_BYTES = 4096;
const FOR_SMALL = { windowBits: 12, memLevel: 3, chunkSize: 2048 };

/** Compressed, where that makes it shorter. */
function pack(bytes: Uint8Array): Packed {
  const zipped = gzipSync(bytes, bytes.length <= SMALL_BYTES ? FOR_SMALL : {});
  return zipped.length < bytes.length ? { bytes: zipped, zipped: true } : { bytes, zipped: false };
}

function unpack({ bytes, zipped }: Packed): Uint8Array {
  return zipped ? gunzipSync(bytes) : bytes;
}

/** A blob in place, as an attribute. */
function inline(packed: Packed): ValueMap {
  return { bytes: packed.bytes, zipped: packed.zipped };
}

/**
 * The chunk items of a blob and the attribute that refers to them. Their keys hold the hash of the content: two
 * deliveries that race for one event cannot mix their chunks.
 */
function chunked(pk: string, name: string, packed: Packed, expiresAt: number | undefined) {
  const prefix = `${name}#${sha256(packed.bytes).slice(0, 16)}`;
  const chunks: Put[] = [];
  for (let start = 0; start < packed.bytes.length; start += CHUNK_BYTES) {
    const data = packed.bytes.subarray(start, start + CHUNK_BYTES);
    chunks.push(put({ ...chunkKey(pk, prefix, chunks.length), data, ...(expiresAt && { expiresAt }) }));
  }
  return { chunks, attribute: { prefix, count: chunks.length, zipped: packed.zipped } };
}

/** A later delivery of an event: its body, without a secret. Each body is kept once. */
export interface ToldAgain {
  readonly raw: Uint8Array;
  readonly contentType: string;
  /** Milliseconds. */
  readonly receivedAt: number;
}

/** The items that keep a later delivery beside its event. */
export function toldItems(id: string, { raw, contentType, receivedAt }: ToldAgain, expiresAt?: number): readonly Put[] {
  const { pk } = eventKey(id);
  const hash = sha256(raw).slice(0, 16);
  const packed = pack(raw);
  const isWhole = packed.bytes.length <= CHUNK_BYTES;
  const { chunks, attribute } = isWhole
    ? { chunks: [], attribute: inline(packed) }
    : chunked(pk, 'AGAIN', packed, expiresAt);
  const item = {
    ...toldKey(pk, hash),
    body: attribute,
    contentType,
    receivedAt,
    ...(expiresAt && { expiresAt }),
  };
  return [...chunks, put(item)];
}

/** What was told of an event after it was stored, in its order, by the part of its key that names it. */
export async function toldAgain(store: Store, id: string): Promise<ReadonlyMap<string, ToldAgain>> {
  const { pk } = eventKey(id);
  const items = await queryAll(store, { pk, prefix: TOLD_PREFIX, limit: 100, consistent: true });
  const told = await Promise.all(
    items.map(async (item) => [item.sk.slice(TOLD_PREFIX.length), await toldIn(store, item)] as const),
  );
  return new Map(told.sort(([, one], [, other]) => one.receivedAt - other.receivedAt));
}

async function toldIn(store: Store, item: Item): Promise<ToldAgain> {
  const raw = await load(store, item, 'body');
  if (raw === undefined || typeof item.receivedAt !== 'number') throw new TypeError(`${shownKey(item)} has no body`);
  return { raw, contentType: textIn(item, 'contentType'), receivedAt: item.receivedAt };
}

type BlobReference =
  | ({ readonly kind: 'inline' } & Packed)
  | { readonly kind: 'chunks'; readonly prefix: string; readonly count: number; readonly zipped: boolean };

/** What an item's attribute says about a blob; undefined where it has none. Throws on an attribute that is no blob. */
export function blobOf(attribute: Value | undefined): BlobReference | undefined {
  if (attribute === undefined) return undefined;
  if (!isMap(attribute) || typeof attribute.zipped !== 'boolean') throw new TypeError('not a blob');
  const { zipped, bytes, prefix, count } = attribute;
  if (bytes instanceof Uint8Array) return { kind: 'inline', bytes, zipped };
  if (typeof prefix === 'string' && typeof count === 'number') return { kind: 'chunks', prefix, count, zipped };
  throw new TypeError('not a blob');
}

function isMap(value: Value): value is ValueMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

/**
 * An event as stored: its JSON with a number in the place of each thumbnail, and the thumbnails apart. A list of
 * messages is read often and rarely needs the pictures, and one picture can be larger than an item may be.
 */
interface EncodedEvent {
  readonly json: string;
  readonly thumbnails: readonly string[];
}

function encodeEvent(event: Event): EncodedEvent {
  const thumbnails: string[] = [];
  const json = JSON.stringify(event, (key, value: unknown) =>
    key === 'thumbnail' && typeof value === 'string' ? thumbnails.push(value) - 1 : value,
  );
  return { json, thumbnails };
}

function decodeEvent({ json, thumbnails }: EncodedEvent): Event {
  return JSON.parse(json, (key, value: unknown) =>
    key === 'thumbnail' && typeof value === 'number' ? thumbnails[value] : value,
  );
}

/** How the receipt of what a replay wrote begins. */
export const REPLAYED = 'replay_';

/** An event with what is kept beside it. */
export interface EventRecord {
  readonly event: Event;
  /** The id that it would have in the same chat under another id of that; of what was just read alone. */
  readonly idIn?: (chat: string) => string;
  /** The body as the gateway handed it over, without a secret. */
  readonly raw: Uint8Array;
  readonly contentType: string;
  /** Hash of what the event says (lib/domain/identity.ts). */
  readonly contentHash: string;
  readonly placeholder: boolean;
  /** Orders the event in every list, milliseconds. */
  readonly orderedAt: number;
  /** Which delivery wrote it: tells our own repeated write from somebody else's. */
  readonly receipt: string;
  /** The provider's state item of the message that the event is (lib/inbox/delivery-state.ts). */
  readonly stateKey?: string;
  readonly expiresAt?: number;
  /** Its place in the feed (lib/inbox/event-store.ts), milliseconds; absent where an earlier release stored it. */
  readonly storedAt?: number;
}

/**
 * A write is charged by the kilobyte, and an item of a message has some 600 bytes beside event and body: up to here it
 * takes two units whether these are compressed or not, and compressing takes processor time.
 */
const COMPRESS_FROM = 1400;

/**
 * The head item of an event and the chunks to be written before it. Raw and normalised stand in the head wherever they
 * fit, so that an ordinary event is one write.
 */
export function eventItems(record: EventRecord): { readonly head: Item; readonly chunks: readonly Put[] } {
  const { pk, sk } = eventKey(record.event.id);
  const chunks: Put[] = [];
  let room = CHUNK_BYTES;
  const { json, thumbnails } = encodeEvent(record.event);
  const event = Buffer.from(json);
  const isLong = event.length + record.raw.length > COMPRESS_FROM;
  const place = (name: string, bytes: Uint8Array, apart: boolean): ValueMap => {
    const packed = apart || isLong ? pack(bytes) : { bytes, zipped: false };
    if (!apart && packed.bytes.length <= room) {
      room -= packed.bytes.length;
      return inline(packed);
    }
    const parts = chunked(pk, name, packed, record.expiresAt);
    chunks.push(...parts.chunks);
    return parts.attribute;
  };
  const head = {
    pk,
    sk,
    ...indexAttributes(record.event, toIso(record.orderedAt)),
    event: place('EVENT', event, false),
    ...(thumbnails.length > 0 && { thumbnails: place('THUMBNAILS', Buffer.from(JSON.stringify(thumbnails)), true) }),
    raw: place('RAW', record.raw, false),
    contentType: record.contentType,
    contentHash: record.contentHash,
    receipt: record.receipt,
    ...(record.placeholder && { placeholder: true }),
    // Again under a name that the indexes hold: a list reads states together with events.
    ...(record.stateKey !== undefined && { stateKey: record.stateKey, state: record.stateKey }),
    ...(record.expiresAt !== undefined && { expiresAt: record.expiresAt }),
    ...(record.storedAt !== undefined && { storedAt: toIso(record.storedAt) }),
  };
  return { head, chunks };
}

/** Newest first over the workspace (gsi1); what happened in a chat, or what is or was in quarantine (gsi2). */
function indexAttributes(event: Event, orderedAt: string): ValueMap {
  const shard = shardOf(event.id);
  const sk = `${orderedAt}#${event.id}`;
  const common = {
    eventId: event.id,
    workspace: event.workspace,
    kind: event.kind,
    provider: event.provider,
    accountId: event.accountId,
    orderedAt,
    gsi1pk: eventPartition(event.workspace, shard),
    gsi1sk: sk,
  };
  if (event.kind === 'message') {
    const { direction, content } = event.message;
    return { ...common, direction, type: content.type, gsi2pk: chatMessagesPartition(event.chatId), gsi2sk: sk };
  }
  if ((event.kind === 'reaction' || event.kind === 'call') && event.chatId !== undefined) {
    return { ...common, gsi2pk: chatMessagesPartition(event.chatId), gsi2sk: sk };
  }
  if (event.kind === 'unknown' && event.quarantined) {
    const gsi2pk = quarantinePartition(event.workspace, shard);
    return { ...common, quarantined: true, type: event.type, gsi2pk, gsi2sk: sk };
  }
  if (event.kind === 'unknown' && event.dismissedAt !== undefined) {
    const gsi2pk = dismissedPartition(event.workspace, shard);
    return { ...common, dismissed: true, type: event.type, gsi2pk, gsi2sk: sk };
  }
  return common;
}

/** An event's record as it was stored, thumbnails included. */
export async function recordOf(store: Store, head: Item): Promise<EventRecord> {
  const [event, raw] = await Promise.all([eventOf(store, head), rawOf(store, head)]);
  return {
    event,
    raw,
    contentType: textIn(head, 'contentType'),
    contentHash: textIn(head, 'contentHash'),
    receipt: textIn(head, 'receipt'),
    placeholder: head.placeholder === true,
    orderedAt: Date.parse(textIn(head, 'orderedAt')),
    ...(typeof head.stateKey === 'string' && { stateKey: head.stateKey }),
    ...(typeof head.expiresAt === 'number' && { expiresAt: head.expiresAt }),
    ...(typeof head.storedAt === 'string' && { storedAt: Date.parse(head.storedAt) }),
  };
}

/** The normalised event of a head item, with its thumbnails. */
export async function eventOf(store: Store, head: Item): Promise<Event> {
  const [json, thumbnails] = await Promise.all([load(store, head, 'event'), load(store, head, 'thumbnails')]);
  if (json === undefined) throw new TypeError(`event ${head.pk} has no content`);
  const event = decoded(json, thumbnails);
  if (!event) throw new TypeError(`a damaged item in the table: ${shownKey(head)}: its event is no JSON`);
  return event;
}

/** Undefined for what is no JSON: the parser's own error would quote it. */
function decoded(json: Uint8Array, thumbnails: Uint8Array | undefined): Event | undefined {
  try {
    return decodeEvent({ json: text(json), thumbnails: thumbnails === undefined ? [] : JSON.parse(text(thumbnails)) });
  } catch {
    return undefined;
  }
}

async function rawOf(store: Store, head: Item): Promise<Uint8Array> {
  const raw = await load(store, head, 'raw');
  if (raw === undefined) throw new TypeError(`event ${head.pk} has no raw body`);
  return raw;
}

async function load(store: Store, head: Item, name: string): Promise<Uint8Array | undefined> {
  const reference = blobOf(head[name]);
  if (reference === undefined) return undefined;
  return unpack({ zipped: reference.zipped, bytes: await bytesOf(store, head.pk, reference) });
}

async function bytesOf(store: Store, pk: string, reference: BlobReference): Promise<Uint8Array> {
  if (reference.kind === 'inline') return reference.bytes;
  const keys = Array.from({ length: reference.count }, (_, i) => chunkKey(pk, reference.prefix, i));
  const items = new Map((await store.getMany(keys, { consistent: true })).map((item) => [item.sk, item.data]));
  const parts = keys.map(({ sk }) => {
    const data = items.get(sk);
    if (!(data instanceof Uint8Array)) throw new TypeError(`chunk ${sk} of ${pk} is missing`);
    return data;
  });
  return Buffer.concat(parts);
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');

function textIn(item: Item, name: string): string {
  const value = item[name];
  if (typeof value !== 'string') throw new TypeError(`${name} of ${item.pk} is missing`);
  return value;
}
