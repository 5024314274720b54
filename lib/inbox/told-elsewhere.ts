import { currentChat } from '#lib/chats/chat.ts';
import { contradict, lidsAmong, namesIn, namesKept, otherIn, phonesAmong } from '#lib/chats/people.ts';
import type { Message, MessageEvent, Person } from '#lib/domain/event.ts';
import { isSamePhone } from '#lib/domain/person.ts';
import { isSameMessage } from '#lib/domain/renewal.ts';
import { known } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { eventPartition, everyShard } from '#lib/store/keys.ts';
import { getAll } from '#lib/store/query.ts';
import { isLive, type Store } from '#lib/store/store.ts';
import { type EventRecord, eventOf } from './event-item.ts';

/** What comes for the first time mostly comes sooner than this. */
const AT_FIRST_MS = 10_000;

/** Whether an event may have been told before. */
export const isLate = ({ event: { receivedAt, occurredAt } }: EventRecord): boolean =>
  Date.parse(receivedAt) - Date.parse(occurredAt) > AT_FIRST_MS;

/** A record as it is to be stored, and names of whom its chat is with that it does not tell itself. */
export interface Placed {
  readonly record: EventRecord;
  readonly beside: readonly string[];
}

/** A time that is told anew may be a little later; there are not more messages so near to it in one shard, as a rule. */
const NEAR_MS = 5_000;
const MOST = 50;

/**
 * A provider may tell a message again under another id of its chat: first by the number, then by the id that hides it, or
 * the other way round. That is the message that is there, and both ids are the same person's. Message ids alone do not
 * tell, as they are unique within a chat at best; so the time and everything that the message says have to agree.
 *
 * Looked for where it may be so: a chat of which one of the two ids is known, and a message that comes late, or as the
 * first one from somebody who hides their number.
 */
export async function toldElsewhere(store: Store, record: EventRecord, nowSeconds: number): Promise<Placed> {
  const { event } = record;
  const asTold = { record, beside: [] };
  if (event.kind !== 'message' || event.message.chat.kind !== 'individual' || !event.message.chat.id.includes('@'))
    return asTold;
  const names = namesOf(event.message);
  const hides = lidsAmong(names).length > 0;
  if (hides === phonesAmong(names).length > 0 || !(hides || isLate(record))) return asTold;
  const chat = await currentChat(store, event.workspace, event.chatId);
  const known = chat ? namesKept(chat) : [];
  const isWhole = lidsAmong(known).length > 0 && phonesAmong(known).length > 0;
  if (isWhole || (chat && !isLate(record))) return asTold;
  const first = (await eventsAt(store, record, nowSeconds)).find((other) => isTheSame(other, event));
  if (!first) return asTold;
  const message = inWordsOf(first.message, event.message);
  return {
    record: { ...record, event: { ...event, id: first.id, chatId: first.chatId, message } },
    beside: names,
  };
}

const namesOf = (message: Message) => namesIn(message.chat, otherIn(message));

/** The messages of a workspace that came through a provider at the time of this one. */
async function eventsAt(
  store: Store,
  { event: { workspace, provider }, orderedAt }: EventRecord,
  nowSeconds: number,
): Promise<readonly MessageEvent[]> {
  const [from, before] = [toIso(orderedAt - NEAR_MS), toIso(orderedAt + NEAR_MS + 1)];
  const pages = await Promise.all(
    everyShard((shard) => eventPartition(workspace, shard)).map((pk) =>
      store.query({ index: 'gsi1', pk, from, before, limit: MOST }),
    ),
  );
  const entries = pages
    .flatMap(({ items }) => items)
    .filter((entry) => entry.kind === 'message' && entry.provider === provider);
  const heads = await getAll(
    store,
    entries.map(({ pk, sk }) => ({ pk, sk })),
    { consistent: true },
  );
  const events = await Promise.all(
    heads.filter((head) => isLive(head, nowSeconds)).map((head) => eventOf(store, head)),
  );
  return events.filter((event) => event.kind === 'message');
}

function isTheSame(one: MessageEvent, other: MessageEvent): boolean {
  const [mine, theirs] = [one.message, other.message];
  const { chat, id, account } = mine;
  return (
    id === theirs.id &&
    chat.id !== theirs.chat.id &&
    chat.kind === 'individual' &&
    one.accountId === other.accountId &&
    account.instance === theirs.account.instance &&
    (account.phone === theirs.account.phone || isSamePhone(account.phone, theirs.account.phone)) &&
    !contradict(namesOf(mine), namesOf(theirs)) &&
    isSameMessage(mine, theirs)
  );
}

/** With the ids under which the message is there, and what else this delivery tells. */
function inWordsOf(first: Message, told: Message): Message {
  const { recipient } = told;
  return {
    ...told,
    chat: { ...told.chat, id: first.chat.id, ...known({ phone: first.chat.phone ?? told.chat.phone }) },
    sender: person(first.sender, told.sender),
    ...(recipient && { recipient: person(first.recipient, recipient) }),
  };
}

const person = (first: Person = {}, told: Person): Person => ({
  ...told,
  ...known({ id: first.id ?? told.id, phone: first.phone ?? told.phone }),
});
