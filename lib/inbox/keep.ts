import type { ChatSighting } from '#lib/chats/chat.ts';
import { namesIn, namesKept, otherIn, phoneIn, sightChat } from '#lib/chats/people.ts';
import type { Event, Message, OwnAccount, Person } from '#lib/domain/event.ts';
import { ownAccountOf } from '#lib/domain/parties.ts';
import { canBeWrittenTo } from '#lib/domain/person.ts';
import type { Clock, Log, Metrics } from '#lib/domain/ports.ts';
import { known } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import type { SendReports } from '#lib/sender/reports.ts';
import { headKey, quarantineCounter, stateKey, UNREADABLE } from '#lib/store/keys.ts';
import { add, type Store, StoreUnavailable, setIfAbsent, update } from '#lib/store/store.ts';
import { type AccountFinder, accountsOf } from '#lib/tenants/account.ts';
import { noteStatus } from './delivery-state.ts';
import type { EventRecord } from './event-item.ts';
import { type Stored, storeEvent } from './event-store.ts';
import { OUR_FAULT, type Reading } from './provider.ts';
import { chatAccount, type Receipt, recordsOf, toldElsewhere } from './records.ts';

/** What we cannot store as we read it is still what somebody sent. Answers the reading that was stored in the end. */
export async function storeOrQuarantine(
  reading: Reading,
  receipt: Receipt,
  ports: SettlePorts,
  stored: Stored[],
): Promise<Reading> {
  try {
    await storeReading(reading, receipt, ports, stored);
    return reading;
  } catch (error) {
    if (error instanceof StoreUnavailable || 'issues' in reading) throw error;
    ports.log.error('an event could not be stored as read; it is in quarantine', error, { provider: receipt.provider });
    const unread = { issues: [OUR_FAULT] };
    await storeReading(unread, receipt, ports, stored);
    return unread;
  }
}

/** Events of one delivery that are stored side by side. */
const AT_ONCE = 8;

/**
 * Stores all events of a reading and what follows from them; adds to `stored` as it goes, in their order. `now`, in
 * milliseconds, is later than the receipt where an old delivery is read again.
 */
export async function storeReading(
  reading: Reading,
  receipt: Receipt,
  ports: SettlePorts,
  stored: Stored[],
  now = receipt.receivedAt,
): Promise<void> {
  const addressed = await withAccounts(reading, receipt, ports);
  const records = recordsOf(reading, addressed);
  const seconds = Math.floor(now / 1000);
  const storeOne = async (told: EventRecord): Promise<Stored> => {
    const placed = await toldElsewhere(ports.store, await filed(ports.store, told, addressed), seconds);
    const { record, names } = await inItsChat(ports, placed.record, addressed, placed.beside);
    const result = await storeEvent(ports, record, seconds);
    await follow(ports, record, receipt, result, names);
    return result;
  };
  for (let start = 0; start < records.length; start += AT_ONCE) {
    // What tells one event several times is stored in its order: the last counts.
    const turns = new Map<string, Promise<unknown>>();
    const batch = records.slice(start, start + AT_ONCE).map((told) => {
      const turn = (turns.get(told.event.id) ?? Promise.resolve()).then(() => storeOne(told));
      turns.set(told.event.id, turn);
      return turn;
    });
    stored.push(...(await Promise.all(batch)));
  }
}

/** The receipt with the accounts of its workspace, where one is named or known: read anew, unless they are remembered. */
export async function withAccounts(
  reading: Reading,
  receipt: Receipt,
  { store, accounts = accountsOf }: Pick<SettlePorts, 'store' | 'accounts'>,
): Promise<Receipt> {
  if (!('drafts' in reading)) return receipt;
  const { accountId, workspace } = receipt.webhook;
  const bound = accountId === undefined ? [] : [{ instance: accountId }];
  const named = [...bound, ...reading.drafts.map(({ payload }) => ownAccountOf(payload)).filter(isNamed)];
  if (named.length === 0) return receipt;
  return { ...receipt, accounts: await accounts(store, workspace, receipt.provider, named) };
}

const isNamed = ({ instance, phone, device }: OwnAccount): boolean => (instance ?? phone ?? device) !== undefined;

/**
 * The chat is noted first: one write, which it costs anyway, tells whether it has been merged into another one, and the
 * event is stored there. `beside`: names of the other one that the event does not tell.
 */
export async function inItsChat(
  { store }: Pick<SettlePorts, 'store'>,
  record: EventRecord,
  receipt: Receipt,
  beside: readonly string[] = [],
): Promise<{ readonly record: EventRecord; readonly names: readonly string[] }> {
  const seen = chatSeen(record, receipt);
  if (!seen) return { record, names: [] };
  const chat = await sightChat(store, { ...seen, names: [...(seen.names ?? []), ...beside] });
  const names = namesKept(chat);
  if (record.event.kind !== 'message') return { record, names };
  // A chat is one account's: what stands in it is as well, though it may name none.
  const accountId = record.event.accountId ?? (typeof chat.accountId === 'string' ? chat.accountId : undefined);
  const event = { ...record.event, chatId: String(chat.chatId), ...known({ accountId }) };
  return { record: { ...record, event }, names };
}

/** The event is kept, whatever becomes of what follows from it: only a table that does not answer is worth another try. */
async function follow(
  ports: SettlePorts,
  record: EventRecord,
  receipt: Receipt,
  stored: Stored,
  names: readonly string[],
): Promise<void> {
  try {
    await settle(ports, record, receipt, stored, names);
  } catch (cause) {
    if (cause instanceof StoreUnavailable) throw cause;
    ports.log.error('an event was stored, but not all that follows from it', cause, { correlationId: stored.id });
  }
}

export interface SettlePorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Finds the accounts of a workspace; left out, they are read. */
  readonly accounts?: AccountFinder;
  /** Left out where nothing can be sent through the provider. */
  readonly sends?: SendReports;
}

/**
 * What a stored event changes elsewhere, as how far a message got. `names`: of its chat's other side. Safe to repeat,
 * and repeated on every redelivery, so that a crash after the event was stored leaves nothing out for good.
 */
export async function settle(
  { store, metrics, sends }: SettlePorts,
  record: EventRecord,
  receipt: Receipt,
  { status }: Stored,
  names: readonly string[],
): Promise<void> {
  const { event } = record;
  if (event.kind === 'unknown') {
    if (status === 'stored') await countQuarantined(store, metrics, receipt, event.type ?? UNREADABLE);
    return;
  }
  const key = record.stateKey === undefined ? undefined : headKey(record.stateKey);
  if (event.kind === 'status' && key) {
    const isTheirs = event.occurredAt !== event.receivedAt;
    const { orderedAt, expiresAt } = record;
    const state = await noteStatus(store, key, event.status, orderedAt, known({ isTheirs, expiresAt }));
    if (state) await sends?.status(record, key, state, accountNamed(event.status.account));
  }
  if (event.kind === 'message' && key)
    await sends?.outbound(record, event, key, accountNamed(event.message.account), names);
  if (event.kind === 'connection') {
    await sends?.connection(record, event.connection, accountNamed(event.connection.account));
  }
}

/**
 * With the item in which the delivery of its message is noted: that of the name by which the event calls the account,
 * unless the message is one that we sent while the hub called it otherwise. Only an account that has other names is looked at.
 */
export async function filed(store: Store, record: EventRecord, receipt: Receipt): Promise<EventRecord> {
  const { event, stateKey: pk } = record;
  const account = receipt.accounts?.find(({ id }) => id === event.accountId);
  const message = messageIn(event);
  if (pk === undefined || account === undefined || message === undefined) return record;
  const { workspace, provider } = event;
  const ours = [account.scope, ...(account.formerScopes ?? [])];
  const others = ours.map((scope) => stateKey({ workspace, provider, scope }, message)).filter((key) => key.pk !== pk);
  if (others.length === 0) return record;
  const keys = [headKey(pk), ...others];
  const states = await store.getMany(keys, { consistent: true });
  const linked = keys.find((key) => states.some((state) => state.pk === key.pk && state.send !== undefined));
  return linked ? { ...record, stateKey: linked.pk } : record;
}

const messageIn = (event: Event): string | undefined => {
  if (event.kind === 'status') return event.status.messageId;
  return event.kind === 'message' ? event.message.id : undefined;
};

/** Our own account as the provider names it. */
const accountNamed = (account: OwnAccount = {}): string | undefined => account.instance ?? account.phone;

function chatSeen({ event, orderedAt }: EventRecord, receipt: Receipt): ChatSighting | undefined {
  if (event.kind === 'chat')
    return { ...sighting(event, event.chat, event.chat.account ?? {}, receipt), at: orderedAt };
  if (event.kind !== 'message') return undefined;
  const { message } = event;
  return {
    ...sighting(event, message.chat, message.account, receipt, otherIn(message)),
    // What their list is called stands in for their name until that is told.
    ...(message.broadcastList !== undefined && { isInferred: true }),
    ...{ at: orderedAt, event: event.id, ...known({ reading: readingOf(message) }) },
  };
}

function sighting(
  { accountId }: Event,
  chat: Message['chat'] & { readonly aliases?: readonly string[] },
  account: OwnAccount,
  receipt: Receipt,
  other?: Person,
) {
  const { webhook, provider } = receipt;
  const { id, kind, title, phone, aliases } = chat;
  const names = namesIn(known({ id, kind, phone, aliases }), other);
  return {
    ...{ workspace: webhook.workspace, provider, providerChatId: id, kind, names },
    ...known({ accountId, title, aliases, phone: phoneIn(names, [phone, id, other?.phone]) }),
    accountKey: chatAccount(webhook, account, accountId),
    accountNames: [...namesOf(account), ...formerNames(accountId, receipt)],
  };
}

const namesOf = ({ instance, phone, device }: OwnAccount) =>
  [instance, phone, device].filter((name) => name !== undefined);

/** Under which a chat of the account may stand that came in before the account was connected, or its webhook bound to it. */
function formerNames(accountId: string | undefined, { accounts = [], webhook }: Receipt): readonly string[] {
  if (accountId === undefined) return [];
  const account = accounts.find(({ id }) => id === accountId);
  return [...(account ? namesOf(account) : []), ...(accountId === webhook.accountId ? [webhook.webhookId] : [])];
}

/** What tells of another message is nothing to be read, and neither is what somebody showed to all. */
const QUIET: readonly string[] = ['edit', 'delete', 'system'];

function readingOf({ direction, via, content, chat }: Message): ChatSighting['reading'] {
  if (direction === 'outbound') return via === 'phone' ? 'read' : undefined;
  return QUIET.includes(content.type) || !canBeWrittenTo(chat.kind) ? undefined : 'new';
}

/** Counts what is not understood by its type; the first of a type raises a metric of its own. */
async function countQuarantined(store: Store, metrics: Metrics, receipt: Receipt, type: string): Promise<void> {
  const { webhook, provider, receivedAt } = receipt;
  metrics.count('QuarantinedEvents', { provider });
  const key = quarantineCounter(webhook.workspace, provider, type);
  const at = toIso(receivedAt);
  const changes = [
    add('seen', 1),
    setIfAbsent('firstAt', at),
    setIfAbsent('type', type.toWellFormed()),
    setIfAbsent('provider', provider),
  ];
  const written = await store.write(update(key, changes), { returns: 'new' });
  if (written.item?.seen === 1) metrics.count('NewQuarantinedType', { provider });
}
