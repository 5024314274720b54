import { chatId, currentChat, foundRows, noLastEvent } from '#lib/chats/chat.ts';
import { lidsAmong, namesKept, namesOfPerson, rowsOf } from '#lib/chats/people.ts';
import { type Mentions, mentionsOf, mentionsOfLid } from '#lib/domain/content.ts';
import type { Event } from '#lib/domain/event.ts';
import { isSamePhone, type Phone, twinOf } from '#lib/domain/person.ts';
import type { Log } from '#lib/domain/ports.ts';
import { type EventRecord, recordOf, toldAgain } from '#lib/inbox/event-item.ts';
import { ownEventId } from '#lib/inbox/event-store.ts';
import { chatAccount } from '#lib/inbox/records.ts';
import { mutedIdentity, onceKey } from '#lib/reactions/auto.ts';
import { readSend } from '#lib/sender/items.ts';
import { unlessDamaged } from '#lib/store/items.ts';
import {
  chatListPartition,
  eventKey,
  eventPartition,
  idempotencyKey,
  LEDGER_PREFIX,
  personKey,
  personPartition,
  quarantineCounters,
  quotaKindKey,
  sendListKey,
} from '#lib/store/keys.ts';
import { queryAll } from '#lib/store/query.ts';
import { AGAIN, retrying, retryOnConflict, type StorePorts } from '#lib/store/retry.ts';
import { del, equal, exists, type Item, isLive, type Store, set, update } from '#lib/store/store.ts';
import { listed, onePlace, type Stage, type WalkState, walk } from '#lib/store/walk.ts';
import { accountsOf } from '#lib/tenants/account.ts';
import {
  attemptPartitions,
  type Counts,
  calledPartitions,
  ERASED,
  type Erasing,
  emptySend,
  eraseEvent,
  eraseThread,
  forgetChat,
  hasEvent,
  type Left,
  NONE,
} from './forget.ts';

interface Ports extends StorePorts {
  readonly log: Log;
}

interface Person {
  readonly workspace: string;
  readonly phone: Phone;
  /** Also groups whose id tells that the person founded them, with everything said in them. */
  readonly groups: boolean;
}

export type Erased =
  | {
      readonly kind: 'erased';
      /** Since the first call. */
      readonly erased: Counts;
      /** Met in this call. */
      readonly left: readonly Left[];
      /** There is more to do. */
      readonly next?: WalkState<Counts>;
    }
  /** Nearly everything in a workspace names its own accounts. */
  | { readonly kind: 'own number' };

/** API Gateway waits 30 s for an answer; one slow item may come on top of this. */
const LONGEST_MS = 20_000;
const TIMEOUT_MS = 5_000;

/**
 * Erases a person from a workspace, as far as the time of one call reaches. It reads everything that the workspace has:
 * an index of persons would know authors only, cost a write with every message, and be one more place that names them.
 * Safe to break off anywhere and to repeat. The number is never logged.
 */
export async function eraseContact(ports: Ports, person: Person, from?: WalkState<Counts>): Promise<Erased> {
  const { clock, random, log } = ports;
  const { workspace, phone } = person;
  const deadline = clock.monotonic() + LONGEST_MS;
  const store = retrying(ports.store, clock, random, deadline + TIMEOUT_MS);
  if (await isOwn(store, workspace, phone)) return { kind: 'own number' };
  const names = await namesOfPerson(store, workspace, phone);
  const erasing: Erasing = {
    store,
    random,
    log,
    workspace,
    names,
    mentions: mentionsOfAll(phone, names, { founder: person.groups }),
    mentionsOrFounded: mentionsOfAll(phone, names, { founder: true }),
    nowSeconds: Math.floor(clock.now() / 1000),
    isTimeUp: () => clock.monotonic() >= deadline,
    counts: { ...(from?.done ?? NONE) },
    left: [],
  };
  const at = await walk(
    store,
    STAGES.map((stage) => stage(erasing)),
    from?.at,
    erasing.isTimeUp,
  );
  const { counts: erased, left } = erasing;
  log.info('a contact is being erased', { workspace, complete: !at, left: left.length, ...erased });
  return { kind: 'erased', erased, left, ...(at && { next: { at, done: erased } }) };
}

/** By the number in either spelling, and by the ids that hide it, as far as they are known for this person's. */
function mentionsOfAll(phone: Phone, names: readonly string[], options: { readonly founder: boolean }): Mentions {
  const twin = twinOf(phone);
  const all = [
    mentionsOf(phone, options),
    ...(twin === undefined ? [] : [mentionsOf(twin, options)]),
    ...lidsAmong(names).map(mentionsOfLid),
  ];
  return (text) => all.some((mentions) => mentions(text));
}

async function isOwn(store: Store, workspace: string, phone: Phone): Promise<boolean> {
  return (await accountsOf(store, workspace)).some((account) => isSamePhone(account.phone, phone));
}

/** Sends come after what leads to them, and each stage finishes before the next, which may hold the only other trace. */
const STAGES: readonly ((erasing: Erasing) => Stage)[] = [
  // Everything received that names the person, whoever wrote it: also quotes, cards, lists of participants, raw bodies.
  (erasing) => ({
    name: '1-events',
    ...listed(erasing.store, (shard) => eventPartition(erasing.workspace, shard)),
    visit: (head) => visitEvent(erasing, head),
  }),
  // The registry of chats: a person's own chat with all that was said in it; of a group, what names the person.
  (erasing) => ({
    name: '2-chats',
    ...listed(erasing.store, (shard) => chatListPartition(erasing.workspace, shard)),
    visit: (chat) => visitChat(erasing, chat),
  }),
  // What was sent to the person, or about them.
  (erasing) => ({
    name: '3-sends',
    ...listed(erasing.store, (shard) => sendListKey(erasing.workspace, shard)),
    visit: async (item) => {
      if (erasing.mentions(JSON.stringify(item))) await emptySend(erasing, readSend(item).messageId);
    },
  }),
  // The logs of every webhook, also of those deleted since: a body that was refused stands nowhere else.
  ({ store, workspace, mentions, counts }) => ({
    name: '4-attempts',
    partitions: () => attemptPartitions(store, workspace),
    visit: async ({ pk, sk, attempt }) => {
      if (!mentions(String(attempt))) return;
      await store.write(del({ pk, sk }));
      counts.attempts += 1;
    },
  }),
  // What endpoints and rules were answered may repeat what they were told; of an event that is gone nothing is kept.
  (erasing) => ({
    name: '4-called',
    partitions: () => calledPartitions(erasing.store, erasing.workspace),
    visit: (row) => visitCalled(erasing, row),
  }),
  // The ledger is kept for its figures; only a provider's words on a refund may name somebody.
  ({ store, workspace, mentions, counts }) => ({
    name: '5-ledger',
    partitions: onePlace({ pk: quotaKindKey(workspace).pk, from: LEDGER_PREFIX, before: `${LEDGER_PREFIX}~` }),
    visit: async ({ pk, sk, reason }) => {
      if (typeof reason !== 'string' || !mentions(reason)) return;
      await store.write(update({ pk, sk }, [set('reason', ERASED)], exists()));
      counts.ledgerEntries += 1;
    },
  }),
  // A type of event is what a stranger called it.
  ({ store, workspace, mentions, counts }) => ({
    name: '6-quarantine',
    partitions: onePlace({ pk: quarantineCounters(workspace) }),
    visit: async ({ pk, sk, type }) => {
      if (![sk, String(type)].some(mentions)) return;
      await store.write(del({ pk, sk }));
      counts.quarantinedTypes += 1;
    },
  }),
  // The last: until then it tells under which other names to look. The row of the number goes after those of the others.
  ({ store, workspace, names: [number = ''] }) => ({
    name: '7-people',
    partitions: onePlace({ pk: personPartition(workspace, number) }),
    visit: async (row) => {
      const others = namesKept(row).filter((name) => name !== number);
      for (const name of others) await store.write(del(personKey(workspace, name, row.sk)));
      await store.write(del({ pk: row.pk, sk: row.sk }));
    },
  }),
];

/** What only this event leads to goes before it, so that the next call finds the way again after a crash. */
async function visitEvent(erasing: Erasing, head: Item): Promise<'unfinished' | undefined> {
  const record = await read(erasing, head);
  if (record === 'half erased') await eraseEvent(erasing, head, false);
  if (typeof record === 'string' || !(await namesPerson(erasing, head, record))) return undefined;
  const chat = ownChat(record.event, erasing);
  if (chat !== undefined) {
    if (!(await eraseThread(erasing, chat, head.pk))) return 'unfinished';
    await eraseChat(erasing, chat);
  }
  await eraseEvent(erasing, head, chat !== undefined);
  return undefined;
}

/** What cannot be read may be anybody's: somebody has to look. */
async function read(
  { store, log, left, nowSeconds }: Erasing,
  head: Item,
): Promise<EventRecord | 'half erased' | 'damaged'> {
  try {
    return await recordOf(store, head);
  } catch (cause) {
    // A chunk is missing.
    unlessDamaged(cause);
    const present = await store.get({ pk: head.pk, sk: head.sk }, { consistent: true });
    if (!present || !isLive(present, nowSeconds)) return 'half erased';
    const id = String(head.eventId);
    log.error('an event could not be searched for a person', cause, { correlationId: id });
    left.push({ kind: 'event', id, why: 'It is damaged and cannot be read' });
    return 'damaged';
  }
}

async function namesPerson({ store, mentions }: Erasing, head: Item, { event, raw }: EventRecord): Promise<boolean> {
  const isRenewed = event.kind !== 'unknown' && event.renewedAt !== undefined;
  const later = isRenewed ? [...(await toldAgain(store, event.id)).values()] : [];
  const bodies = [raw, ...later.map((told) => told.raw)].map((body) => Buffer.from(body).toString('utf8'));
  return [JSON.stringify(event), ...bodies, String(head.stateKey)].some(mentions);
}

/**
 * The person's own chat, of which every message is theirs, also one that has no number in it: some providers call a
 * chat by an id of their own.
 */
function ownChat(event: Event, { mentions }: Erasing): string | undefined {
  if (event.kind === 'message') {
    const { chat, direction, sender, recipient } = event.message;
    // Where the chat has a number, that counts and nothing else: a provider may call anybody its sender.
    const other = chat.phone === undefined && (direction === 'inbound' ? sender : recipient);
    return chat.kind === 'individual' && mentions(JSON.stringify([chat, other])) ? event.chatId : undefined;
  }
  if (event.kind !== 'chat' || event.chat.kind !== 'individual') return undefined;
  const { id, phone, aliases, account = {} } = event.chat;
  if (!mentions(JSON.stringify([id, phone, aliases]))) return undefined;
  const { workspace, provider } = event;
  return chatId({ workspace, provider, accountKey: chatAccount(event, account), providerChatId: id });
}

async function visitChat(erasing: Erasing, chat: Item): Promise<'unfinished' | undefined> {
  const { store, mentions, mentionsOrFounded, left } = erasing;
  const items = await queryAll(store, { pk: chat.pk, limit: 100, consistent: true });
  const text = JSON.stringify(items);
  const id = String(chat.chatId);
  if (mentions(text)) {
    if (chat.kind === 'individual' && !(await eraseThread(erasing, id))) return 'unfinished';
    await eraseChat(erasing, id);
  } else if (mentionsOrFounded(text)) {
    left.push({ kind: 'group', id, why: "The number in the group's id tells who founded it" });
  }
  await forgetLast(erasing, chat);
  return undefined;
}

/** A chat that stays names its last message by the id of an event, which may be gone by now. */
async function forgetLast({ store, nowSeconds }: Erasing, { pk, sk, lastEvent }: Item): Promise<void> {
  if (typeof lastEvent !== 'string' || (await hasEvent(store, { pk, sk, event: lastEvent }, nowSeconds))) return;
  await store.write(update({ pk, sk }, noLastEvent, equal('lastEvent', lastEvent)));
}

async function eraseChat({ store, random, workspace, counts }: Erasing, id: string): Promise<void> {
  return retryOnConflict(`the chat ${id}`, async () => {
    const chat = await currentChat(store, workspace, id);
    if (!chat) return;
    // What leads to the person stays to the end, since it tells whom to look for.
    const rows = [...foundRows(chat), ...(chat.kind === 'individual' ? [] : rowsOf(chat))];
    const isGone = await forgetChat({ store, random }, chat, rows);
    if (isGone) counts.chats += 1;
    return isGone ? undefined : AGAIN;
  });
}

async function visitCalled(erasing: Erasing, row: Item): Promise<undefined> {
  const { store, mentions, counts, nowSeconds } = erasing;
  const said = JSON.stringify([row.attempts, row.actions]);
  if (!mentions(said) && (await hasEvent(store, row, nowSeconds))) return;
  await forgetRun(erasing, row);
  await store.write(del({ pk: row.pk, sk: row.sk }));
  counts.attempts += 1;
}

/** What a rule left behind when it acted on an event: that it did so once, and that it took a chat for a machine's. */
async function forgetRun(erasing: Erasing, { rule, event, actions }: Item): Promise<void> {
  if (typeof rule !== 'string' || !Array.isArray(actions)) return;
  const { store, workspace } = erasing;
  for (const index of actions.keys()) {
    await store.write(del(idempotencyKey(workspace, rule, onceKey(rule, String(event), index))));
  }
  const told = ownEventId(workspace, 'rule', mutedIdentity(rule, String(event)));
  const head = await store.get(eventKey(told), { consistent: true });
  if (head) await eraseEvent(erasing, head, false);
}
