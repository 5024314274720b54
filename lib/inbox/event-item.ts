import { gunzipSync, gzipSync } from 'node:zlib';
import * as v from 'valibot';
import type { Event } from '#lib/domain/event.ts';
import { sha256, shardOf } from '#lib/domain/ids.ts';
import { known } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { itemReader, shownKey } from '#lib/store/items.ts';
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
import { type Item, type Key, type Put, put, type Store, type ValueMap } from '#lib/store/store.ts';

/** An item may hold 400 KB; keys, indexed attributes and the event's own share need room beside the bytes. */
const CHUNK_BYTES = 350 * 1024;

const Inline = v.object({ bytes: v.custom<Uint8Array>((bytes) => bytes instanceof Uint8Array), zipped: v.boolean() });
/** Bytes as an attribute tells of them: in place, or as numbered chunks beside the item. */
const Blob = v.union([Inline, v.object({ prefix: v.string(), count: v.number(), zipped: v.boolean() })]);
type Inline = v.InferOutput<typeof Inline>;
type Blob = v.InferOutput<typeof Blob>;

/** Compressed, where that makes it shorter. */
function pack(bytes: Uint8Array): Inline {
  const zipped = gzipSync(bytes);
  return zipped.length < bytes.length ? { bytes: zipped, zipped: true } : { bytes, zipped: false };
}

/** Gives the blobs of one item their places: in it where there is room, else in chunks that are written before it. */
function placer(pk: string, expiresAt: number | undefined) {
  const chunks: Put[] = [];
  let room = CHUNK_BYTES;
  const place = (name: string, { bytes, zipped }: Inline, isApart = false): ValueMap => {
    if (!isApart && bytes.length <= room) {
      room -= bytes.length;
      return { bytes, zipped };
    }
    // The keys hold the hash of the content: two deliveries that race for one event cannot mix their chunks.
    const prefix = `${name}#${sha256(bytes).slice(0, 16)}`;
    const count = Math.ceil(bytes.length / CHUNK_BYTES);
    for (let i = 0; i < count; i++) {
      const data = bytes.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES);
      chunks.push(put({ ...chunkKey(pk, prefix, i), data, ...known({ expiresAt }) }));
    }
    return { prefix, count, zipped };
  };
  return { chunks, place };
}

const chunkKeys = (pk: string, blob: Blob): Key[] =>
  'count' in blob ? Array.from({ length: blob.count }, (_, i) => chunkKey(pk, blob.prefix, i)) : [];

async function load(store: Store, pk: string, blob: Blob): Promise<Uint8Array> {
  const bytes = 'bytes' in blob ? blob.bytes : Buffer.concat(await chunksAt(store, chunkKeys(pk, blob)));
  return blob.zipped ? gunzipSync(bytes) : bytes;
}

async function chunksAt(store: Store, keys: readonly Key[]): Promise<readonly Uint8Array[]> {
  const items = new Map((await store.getMany(keys, { consistent: true })).map((item) => [item.sk, item.data]));
  return keys.map(({ pk, sk }) => {
    const data = items.get(sk);
    if (!(data instanceof Uint8Array)) throw new TypeError(`chunk ${sk} of ${pk} is missing`);
    return data;
  });
}

/** A later delivery of an event: its body, without a secret. Each body is kept once. */
export interface ToldAgain {
  readonly raw: Uint8Array;
  readonly contentType: string;
  /** Milliseconds. */
  readonly receivedAt: number;
}

const readTold = itemReader(v.object({ body: Blob, contentType: v.string(), receivedAt: v.number() }));

/** The items that keep a later delivery beside its event. */
export function toldItems(id: string, { raw, contentType, receivedAt }: ToldAgain, expiresAt?: number): readonly Put[] {
  const { pk } = eventKey(id);
  const { chunks, place } = placer(pk, expiresAt);
  const body = place('AGAIN', pack(raw));
  const key = toldKey(pk, sha256(raw).slice(0, 16));
  return [...chunks, put({ ...key, body, contentType, receivedAt, ...known({ expiresAt }) })];
}

/** What was told of an event after it was stored, in its order, by the part of its key that names it. */
export async function toldAgain(store: Store, id: string): Promise<ReadonlyMap<string, ToldAgain>> {
  const { pk } = eventKey(id);
  const items = await queryAll(store, { pk, prefix: TOLD_PREFIX, limit: 100, consistent: true });
  const told = await Promise.all(
    items.map(async (item) => {
      const { body, ...rest } = readTold(item);
      return [item.sk.slice(TOLD_PREFIX.length), { ...rest, raw: await load(store, pk, body) }] as const;
    }),
  );
  return new Map(told.sort(([, one], [, other]) => one.receivedAt - other.receivedAt));
}

/**
 * An event as stored: its JSON with a number in the place of each thumbnail, and the thumbnails apart. A list of
 * messages is read often and rarely needs the pictures, and one picture can be larger than an item may be.
 */
function encodeEvent(event: Event) {
  const thumbnails: string[] = [];
  const json = JSON.stringify(event, (key, value: unknown) =>
    key === 'thumbnail' && typeof value === 'string' ? thumbnails.push(value) - 1 : value,
  );
  return { json, thumbnails };
}

/** Undefined for what is no JSON: the parser's own error would quote it. */
function decodeEvent(json: Uint8Array, pictures: Uint8Array | undefined): Event | undefined {
  try {
    const thumbnails = pictures ? JSON.parse(text(pictures)) : [];
    return JSON.parse(text(json), (key, value: unknown) =>
      key === 'thumbnail' && typeof value === 'number' ? thumbnails[value] : value,
    );
  } catch {
    return undefined;
  }
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');

/** How the receipt of what a replay wrote begins. */
export const REPLAYED = 'replay_';

/** An event with what is kept beside it. */
export interface EventRecord {
  readonly event: Event;
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
  const { raw, contentType, contentHash, receipt, placeholder, stateKey, expiresAt, storedAt } = record;
  const key = eventKey(record.event.id);
  const { chunks, place } = placer(key.pk, expiresAt);
  const { json, thumbnails } = encodeEvent(record.event);
  const event = Buffer.from(json);
  const packed = (bytes: Uint8Array) =>
    event.length + raw.length > COMPRESS_FROM ? pack(bytes) : { bytes, zipped: false };
  const head = {
    ...key,
    ...indexAttributes(record.event, toIso(record.orderedAt)),
    event: place('EVENT', packed(event)),
    ...(thumbnails.length > 0 && {
      thumbnails: place('THUMBNAILS', pack(Buffer.from(JSON.stringify(thumbnails))), true),
    }),
    raw: place('RAW', packed(raw)),
    ...{ contentType, contentHash, receipt },
    ...(placeholder && { placeholder }),
    // Again under a name that the indexes hold: a list reads states together with events.
    ...known({ stateKey, state: stateKey, expiresAt }),
    ...(storedAt !== undefined && { storedAt: toIso(storedAt) }),
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

const Content = v.object({ event: Blob, thumbnails: v.exactOptional(Blob) });
const readContent = itemReader(Content);

const readHead = itemReader(
  v.object({
    ...Content.entries,
    raw: Blob,
    contentType: v.string(),
    contentHash: v.string(),
    receipt: v.string(),
    placeholder: v.optional(v.boolean(), false),
    orderedAt: v.string(),
    stateKey: v.exactOptional(v.string()),
    expiresAt: v.exactOptional(v.number()),
    storedAt: v.exactOptional(v.string()),
  }),
);

/** The chunk items that an event's head item refers to. */
export function chunkKeysOf(head: Item): Key[] {
  const { event, raw, thumbnails } = readHead(head);
  return [event, raw, thumbnails].flatMap((blob) => (blob ? chunkKeys(head.pk, blob) : []));
}

/** An event's record as it was stored, thumbnails included. */
export async function recordOf(store: Store, head: Item): Promise<EventRecord> {
  const { thumbnails: _, orderedAt, storedAt, ...kept } = readHead(head);
  const [event, raw] = await Promise.all([eventOf(store, head), load(store, head.pk, kept.raw)]);
  return {
    ...{ ...kept, event, raw, orderedAt: Date.parse(orderedAt) },
    ...(storedAt !== undefined && { storedAt: Date.parse(storedAt) }),
  };
}

/** The normalised event of a head item, with its thumbnails. */
export async function eventOf(store: Store, head: Item): Promise<Event> {
  const { event, thumbnails } = readContent(head);
  const [json, pictures] = await Promise.all([
    load(store, head.pk, event),
    thumbnails && load(store, head.pk, thumbnails),
  ]);
  const decoded = decodeEvent(json, pictures);
  if (!decoded) throw new TypeError(`a damaged item in the table: ${shownKey(head)}: its event is no JSON`);
  return decoded;
}
