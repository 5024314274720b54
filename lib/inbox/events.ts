import * as v from 'valibot';
import { currentChat, historiesOf } from '#lib/chats/chat.ts';
import { ListedChat } from '#lib/chats/list.ts';
import { chatsOf } from '#lib/chats/people.ts';
import { beginningOf } from '#lib/domain/content.ts';
import type { Event, EventKind, MessageEvent } from '#lib/domain/event.ts';
import { Instant, known, optional, text, Whole } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { unlessDamaged } from '#lib/store/items.ts';
import {
  chatMessagesPartition,
  dismissedPartition,
  eventKey,
  eventPartition,
  everyShard,
  quarantinePartition,
} from '#lib/store/keys.ts';
import {
  getAll,
  type ListPage,
  newestFirst,
  type PageRequest,
  type Partition,
  pageOf,
  roundsFor,
  type Slice,
} from '#lib/store/query.ts';
import { type Item, isLive, type Store } from '#lib/store/store.ts';
import { isTwin, messageOf, type States, statesAt, withDelivery } from './delivery-state.ts';
import { eventOf, REPLAYED, recordOf, toldAgain } from './event-item.ts';

/**
 * Events as readers see them: whole, with thumbnails, and how far each message of ours has got by now. `once`: of a
 * message that we sent and whose echo came in, the echo alone.
 */
export async function shownEvents(
  store: Store,
  heads: readonly Item[],
  nowSeconds: number,
  once = false,
  read: States = new Map(),
): Promise<readonly Event[]> {
  const missing = heads.flatMap((head) => (hasState(head) && !read.has(head.stateKey) ? [head.stateKey] : []));
  const [events, states] = await Promise.all([
    Promise.all(heads.map((head) => eventOf(store, head))),
    statesAt(store, missing),
  ]);
  const isKnown = (state: Item | undefined) => state?.send !== undefined || (state && isLive(state, nowSeconds));
  const stateAt = new Map([...read, ...states].filter(([, state]) => isKnown(state)));
  return events.flatMap((event, i) => {
    const state = stateAt.get(String(heads[i]?.stateKey));
    if (event.kind === 'status') return [{ ...event, ...(state && messageOf(state)) }];
    return once && isTwin(event, state) ? [] : [withDelivery(event, state)];
  });
}

/** A message and what is told of it name the same state item. */
const hasState = (head: Item): head is Item & { readonly stateKey: string } => typeof head.stateKey === 'string';

/** The head item of an event of this workspace; another workspace's event is as good as none. */
export async function liveHead(
  store: Store,
  workspace: string,
  id: string,
  nowSeconds: number,
): Promise<Item | undefined> {
  const head = await store.get(eventKey(id), { consistent: true });
  return head && head.workspace === workspace && isLive(head, nowSeconds) ? head : undefined;
}

export async function findEvent(
  store: Store,
  workspace: string,
  id: string,
  nowSeconds: number,
): Promise<Event | undefined> {
  const head = await liveHead(store, workspace, id, nowSeconds);
  return head && (await shownEvents(store, [head], nowSeconds))[0];
}

/** Whether it was a replay that wrote the event as it is now. */
export async function isReplayed(store: Store, workspace: string, id: string, nowSeconds: number): Promise<boolean> {
  const head = await liveHead(store, workspace, id, nowSeconds);
  return String(head?.receipt).startsWith(REPLAYED);
}

export async function findMessage(
  store: Store,
  workspace: string,
  id: string,
  nowSeconds: number,
): Promise<MessageEvent | undefined> {
  const event = await findEvent(store, workspace, id, nowSeconds);
  return event?.kind === 'message' ? event : undefined;
}

export const EventDelivery = v.object({
  id: v.pipe(v.string(), v.description('For `delivery` of `/raw`')),
  receivedAt: Instant,
  contentType: v.string(),
  bytes: Whole,
});

/** The body of an event as the gateway handed it over, without a secret: of the first delivery, or of a later one. */
export async function rawOfEvent(
  store: Store,
  workspace: string,
  id: string,
  nowSeconds: number,
  delivery: string = FIRST,
) {
  const head = await liveHead(store, workspace, id, nowSeconds);
  if (!head) return undefined;
  // Who calls endpoints may read the first one alone.
  const told = delivery === FIRST ? await recordOf(store, head) : (await toldAgain(store, id)).get(delivery);
  return told && { bytes: told.raw, contentType: told.contentType };
}

const FIRST = 'first';

/** The deliveries of an event whose bodies are kept, the first one first; undefined where there is no such event. */
export async function deliveriesOf(store: Store, workspace: string, id: string, nowSeconds: number) {
  const head = await liveHead(store, workspace, id, nowSeconds);
  if (!head) return undefined;
  const [{ event, raw, contentType }, later] = await Promise.all([recordOf(store, head), toldAgain(store, id)]);
  const again = [...later].map(([name, told]) => ({
    id: name,
    receivedAt: toIso(told.receivedAt),
    contentType: told.contentType,
    bytes: told.raw.length,
  }));
  return [{ id: FIRST, receivedAt: event.receivedAt, contentType, bytes: raw.length }, ...again];
}

export interface EventFilter {
  readonly kind?: EventKind;
  readonly provider?: string;
  readonly accountId?: string;
  readonly direction?: 'inbound' | 'outbound';
  readonly type?: string;
  readonly quarantined?: boolean;
  /** What was dismissed out of quarantine, alone. */
  readonly dismissed?: true;
  /** The hub's id of a chat. */
  readonly chat?: string;
  /** Of the person with whom the chat is. */
  readonly phone?: string;
  /** Strictly after, strictly before; milliseconds. */
  readonly after?: number;
  readonly before?: number;
}

/** A Lambda answers with 6 MB at most; an event may be over 1 MB, and one page must always get out. */
export const LARGEST_PAGE = 4 * 1024 * 1024;
const LOADED_AT_ONCE = 20;

/** Events of a workspace, newest first. A page may be shorter than asked for and still have a next one. */
export async function listEvents(
  store: Store,
  workspace: string,
  filter: EventFilter,
  page: PageRequest,
  nowSeconds: number,
): Promise<ListPage<Event>> {
  if (filter.chat !== undefined || filter.phone !== undefined)
    return listHistory(store, workspace, filter, page, nowSeconds);
  const slice = await newestFirst(store, partitionOf(workspace, filter), wantedOf(filter, page));
  return load(store, slice, workspace, nowSeconds, filter.kind === 'message');
}

/** The ids under which messages of the chats that are asked for may stand, each with its chat; undefined: all are wanted. */
export async function chatsWanted(
  store: Store,
  workspace: string,
  { chat: id, phone }: Pick<EventFilter, 'chat' | 'phone'>,
): Promise<ReadonlyMap<string, string> | undefined> {
  if (id === undefined && phone === undefined) return undefined;
  const [named, ofPerson] = await Promise.all([
    id === undefined ? undefined : currentChat(store, workspace, id),
    phone === undefined ? undefined : chatsOf(store, workspace, phone),
  ]);
  const chats = ofPerson ?? (named ? [named] : []);
  const wanted = chats.filter((chat) => id === undefined || chat.pk === named?.pk);
  return new Map(wanted.flatMap((chat) => historiesOf(chat).map((history) => [history, String(chat.chatId)] as const)));
}

/** What happened in a chat that was merged into another is that one's. */
export function inChat(event: Event, chats: ReadonlyMap<string, string>): Event {
  if (event.kind !== 'message' && event.kind !== 'reaction' && event.kind !== 'call') return event;
  const chatId = chats.get(event.chatId ?? '');
  return chatId === undefined ? event : { ...event, chatId };
}

/** A chat that was never merged, as nearly all, holds all that happened in it: it is read while that is still being looked up. */
async function listHistory(
  store: Store,
  workspace: string,
  filter: EventFilter,
  page: PageRequest,
  nowSeconds: number,
): Promise<ListPage<Event>> {
  const wanted = wantedOf(filter, page);
  const read = (ids: readonly string[]) =>
    newestFirst(store, { index: 'gsi2', partitions: ids.map(chatMessagesPartition) }, wanted);
  const [chats, own] = await Promise.all([
    chatsWanted(store, workspace, filter),
    filter.chat === undefined ? undefined : read([filter.chat]),
  ]);
  const ids = [...(chats?.keys() ?? [])];
  if (!chats || ids.length === 0) return { items: [] };
  const slice = own && ids.length === 1 && ids[0] === filter.chat ? own : await read(ids);
  const { items, ...rest } = await load(store, slice, workspace, nowSeconds, true);
  return { ...rest, items: items.map((event) => inChat(event, chats)) };
}

/** Further on in a chat, nothing that belongs to a message is looked for. */
const LOOKED_THROUGH = 300;

/** What happened to a message in its chat afterwards: reactions, edits, deletions and answers to it, oldest first. */
export async function relatedTo(
  store: Store,
  workspace: string,
  message: MessageEvent,
  nowSeconds: number,
): Promise<readonly Event[]> {
  const chats = await chatsWanted(store, workspace, { chat: message.chatId });
  const pages = [...(chats?.keys() ?? [])].map((id) =>
    store.query({
      index: 'gsi2',
      pk: chatMessagesPartition(id),
      // A clock that differs may put what belongs to it a moment before it.
      from: toIso(Date.parse(message.occurredAt) - 60_000),
      limit: LOOKED_THROUGH,
    }),
  );
  const entries = (await Promise.all(pages)).flatMap(({ items }) => items);
  const sorted = entries.sort((a, b) => (String(a.gsi2sk) < String(b.gsi2sk) ? -1 : 1)).slice(0, LOOKED_THROUGH);
  const { items } = await load(store, { entries: sorted }, workspace, nowSeconds, true);
  return items.filter((event) => isAbout(event, message.message.id)).map((event) => inChat(event, chats ?? new Map()));
}

function isAbout(event: Event, id: string): boolean {
  if (event.kind === 'reaction') return event.reaction.messageId === id;
  if (event.kind !== 'message') return false;
  const { content, quoted } = event.message;
  return quoted?.id === id || ((content.type === 'edit' || content.type === 'delete') && content.of === id);
}

export function partitionOf(
  workspace: string,
  { quarantined, dismissed }: Pick<EventFilter, 'quarantined' | 'dismissed'>,
): Partition {
  if (dismissed) return { index: 'gsi2', partitions: everyShard((shard) => dismissedPartition(workspace, shard)) };
  if (quarantined) return { index: 'gsi2', partitions: everyShard((shard) => quarantinePartition(workspace, shard)) };
  return { index: 'gsi1', partitions: everyShard((shard) => eventPartition(workspace, shard)) };
}

function wantedOf(filter: EventFilter, page: PageRequest) {
  const { kind, provider, accountId, direction, type, quarantined } = filter;
  const named = known({ kind, provider, accountId, direction, type, ...(quarantined === false && { quarantined }) });
  const bounds = [page.from, filter.before === undefined ? undefined : toIso(filter.before)];
  const before = bounds.filter((bound) => bound !== undefined).sort()[0];
  return {
    ...{ limit: page.limit, rounds: roundsFor(page) },
    ...(filter.after !== undefined && { from: toIso(filter.after + 1) }),
    ...(before !== undefined && { before }),
    ...(Object.keys(named).length > 0 && { accepts: (entry: Item) => accepts(named, entry) }),
  };
}

/** By what an entry of a list holds. */
export function accepts({ quarantined, ...wanted }: Pick<EventFilter, Filtered>, entry: Item): boolean {
  const isWanted = Object.entries(wanted).every(([name, value]) => value === undefined || entry[name] === value);
  return isWanted && (quarantined === undefined || quarantined === (entry.quarantined === true));
}
type Filtered = 'kind' | 'provider' | 'accountId' | 'direction' | 'type' | 'quarantined' | 'chat';

/** Two round trips with that of the list: what an entry says of a message's state is read together with the events. */
async function load(
  store: Store,
  slice: Slice,
  workspace: string,
  nowSeconds: number,
  once: boolean,
): Promise<ListPage<Event>> {
  const named = slice.entries.flatMap(({ state }) => (typeof state === 'string' ? [state] : []));
  const [found, states] = await Promise.all([getAll(store, slice.entries), statesAt(store, named)]);
  const heads = found.filter((head) => head.workspace === workspace && isLive(head, nowSeconds));
  const items: Event[] = [];
  let size = 0;
  // What does not fit into one item is read a few at a time.
  for (let start = 0; start < heads.length; start += LOADED_AT_ONCE) {
    const some = heads.slice(start, start + LOADED_AT_ONCE);
    for (const event of await shownEvents(store, some, nowSeconds, once, states)) {
      size += Buffer.byteLength(JSON.stringify(event));
      const last = items.at(-1);
      if (last && size > LARGEST_PAGE) return pageOf('events', items, positionOf(slice, last.id));
      items.push(event);
    }
  }
  return pageOf('events', items, slice.position);
}

function positionOf(slice: Slice, id: string): string | undefined {
  const entry = slice.entries.find(({ pk }) => pk === eventKey(id).pk);
  return entry && String(entry.gsi1sk ?? entry.gsi2sk);
}

const { lastEvent: _, ...listed } = ListedChat.entries;

/** A chat as readers see it. */
export const ShownChat = v.object({
  ...listed,
  lastMessage: optional(
    v.object({
      id: text("The provider's id of the message"),
      at: v.pipe(Instant, v.description('When it was written')),
      direction: v.picklist(['inbound', 'outbound']),
      type: text('Of its content'),
      text: optional(v.string(), 'How its words begin, in one line'),
    }),
    'Left out where its event is gone, and where none has come since an earlier release; with `q` and `titlePrefix` also ' +
      'of chats that are not among the 200 that were active last: `GET /api/chats/{id}` tells it',
  ),
});
export type ShownChat = v.InferOutput<typeof ShownChat>;

/** With the last message of each chat. `read`: events that were read already; `mayRead`: others may be. */
export async function withLastMessages(
  store: Store,
  chats: readonly ListedChat[],
  nowSeconds: number,
  read: readonly Item[] = [],
  mayRead = true,
): Promise<readonly ShownChat[]> {
  const heads = new Map(read.map((head) => [head.pk, head]));
  const keys = chats.flatMap(({ lastEvent }) => (lastEvent === undefined ? [] : [eventKey(lastEvent)]));
  const missing = mayRead
    ? await getAll(
        store,
        keys.filter(({ pk }) => !heads.has(pk)),
      )
    : [];
  for (const head of missing) heads.set(head.pk, head);
  return Promise.all(
    chats.map(async ({ lastEvent, ...chat }) => {
      const head = lastEvent === undefined ? undefined : heads.get(eventKey(lastEvent).pk);
      if (head?.workspace !== chat.workspace || !isLive(head, nowSeconds)) return chat;
      // An event that is damaged tells nothing, and the chat is still there.
      return { ...chat, ...known({ lastMessage: messageIn(await eventOf(store, head).catch(unlessDamaged)) }) };
    }),
  );
}

function messageIn(event: Event | undefined): ShownChat['lastMessage'] {
  if (event?.kind !== 'message') return undefined;
  const { id, direction, content } = event.message;
  return { id, at: event.occurredAt, direction, type: content.type, ...known({ text: beginningOf(content) }) };
}
