import { chatId, currentChat } from '#lib/chats/chat.ts';
import { contradict, lidsAmong, namesIn, otherIn, phonesAmong } from '#lib/chats/people.ts';
import type { Event, Message, MessageEvent, OwnAccount, Person } from '#lib/domain/event.ts';
import { contentHash, eventId, isSameMessage, quarantineId } from '#lib/domain/identity.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { ownAccountOf, withParties } from '#lib/domain/parties.ts';
import { isSamePhone } from '#lib/domain/person.ts';
import type { Random } from '#lib/domain/ports.ts';
import { type Issue, known } from '#lib/domain/schema.ts';
import { expiryOf, orderingTime, toIso } from '#lib/domain/time.ts';
import { eventPartition, everyShard, stateKey } from '#lib/store/keys.ts';
import { getAll } from '#lib/store/query.ts';
import { isLive, type Store } from '#lib/store/store.ts';
import { accountMeant, type NamedAccount } from '#lib/tenants/account.ts';
import type { Webhook } from '#lib/tenants/webhooks.ts';
import { type EventRecord, eventOf } from './event-item.ts';
import type { Draft, Reading } from './provider.ts';

/** What an event takes over from the webhook that it came in through. */
export interface ReceivingWebhook extends Pick<Webhook, 'webhookId' | 'workspace'> {
  readonly accountId?: string;
  readonly retentionDays?: number;
}

/** What is kept of a delivery, whichever way it takes. */
export interface Taken {
  readonly provider: string;
  readonly contentType: string;
  /** The body without a secret. */
  readonly raw: Uint8Array;
  /** SHA-256 of the body as it came, in hex: what cannot be read is told apart by it. */
  readonly bodyHash: string;
  /** Milliseconds. */
  readonly receivedAt: number;
}

/** What is the same for all events of one delivery. */
export interface Receipt extends Taken {
  readonly webhook: ReceivingWebhook;
  readonly receipt: string;
  /** The workspace's accounts, once they are looked up: what an event follows from them, its id does not. */
  readonly accounts?: readonly NamedAccount[];
}

/** In the place of a webhook while the table cannot be read and this process has never met the URL. */
interface Unjudged {
  readonly tokenHash: string;
  /** SHA-256 of the secret that came with it, which is taken out of the body. */
  readonly secretHash?: string;
  /** Of what may be the secret as well: a relay's wrapper holds several. */
  readonly otherHashes?: readonly string[];
}

/**
 * A delivery that the table did not take, on its way through a queue. The one place outside the table where a body is
 * ever kept: for a provider that never asks again, an error answered is a message lost. Unless it is unjudged, it was
 * authenticated before it was put here.
 */
export interface Envelope extends Taken {
  /** The webhook, which may be deleted meanwhile; or the account for which the hub itself reports. */
  readonly webhook: ReceivingWebhook | { readonly ownAccount: string } | Unjudged;
  /** As it was answered, for the log: the first event's. The hub's own reports are answered to nobody, the unjudged without. */
  readonly eventId?: string;
}

export interface FallbackQueue {
  /**
   * False where it does not fit. Throws QueueUnavailable where the queue did not take it, or may have without our hearing
   * of it: sent twice, it is the same envelope.
   */
  send(envelope: Envelope): Promise<boolean>;
}

export class QueueUnavailable extends Error {
  override readonly name = 'QueueUnavailable';
}

/** Names a delivery or whatever else writes an event: a write that is repeated meets itself. */
export const newReceipt = (random: Random): string => Buffer.from(random.bytes(9)).toString('base64url');

/**
 * The records of what a body was read as: its events, and the one quarantined event that keeps for a later release what
 * was not understood of it.
 */
export function recordsOf(reading: Reading, receipt: Receipt): readonly [EventRecord, ...EventRecord[]] {
  if ('issues' in reading) return [quarantined(reading.issues, reading.type, receipt)];
  const { drafts, unread } = reading;
  const [first, ...others] = drafts;
  const left = unread ? [quarantined(unread.issues, unread.type, receipt)] : [];
  return [understood(first, receipt), ...others.map((draft) => understood(draft, receipt)), ...left];
}

function understood(read: Draft, receipt: Receipt): EventRecord {
  const { webhook, provider } = receipt;
  const hash = contentHash(withParties(read.payload), read.occurredAt);
  const { accountId } = shared(receipt, ownAccountOf(read.payload));
  const ownPhone = receipt.accounts?.find(({ id }) => id === accountId)?.phone;
  const draft = { ...read, payload: withParties(read.payload, ownPhone) };
  const from = { ...origin(receipt), ...known({ accountId: webhook.accountId }) };
  const id = eventId(from, draft.identity, hash);
  const scope = draft.identity.instance ?? webhook.accountId ?? '';
  const state = stateOf(draft, { workspace: webhook.workspace, provider, scope });
  return {
    ...kept(receipt),
    event: eventFrom(draft, id, receipt),
    contentHash: hash,
    placeholder: draft.placeholder ?? false,
    orderedAt: orderingTime(draft.occurredAt, receipt.receivedAt),
    ...(state && { stateKey: state.pk }),
  };
}

function eventFrom(draft: Draft, id: string, receipt: Receipt): Event {
  const common = {
    id,
    ...shared(receipt, ownAccountOf(draft.payload)),
    occurredAt: toIso(draft.occurredAt ?? receipt.receivedAt),
  };
  const { payload } = draft;
  const idOf = (chat: { readonly id: string }, account: OwnAccount = {}) =>
    chatId({
      ...origin(receipt),
      accountKey: chatAccount(receipt.webhook, account, common.accountId),
      providerChatId: chat.id,
    });
  switch (payload.kind) {
    case 'message':
      return { ...common, ...payload, chatId: idOf(payload.message.chat, payload.message.account) };
    case 'reaction':
      return { ...common, ...payload, chatId: idOf(payload.reaction.chat, payload.reaction.account) };
    case 'call': {
      const { chat, account } = payload.call;
      return { ...common, ...payload, ...(chat && { chatId: idOf(chat, account) }) };
    }
    default:
      return { ...common, ...payload };
  }
}

function stateOf(draft: Draft, scope: Parameters<typeof stateKey>[0]) {
  const { payload } = draft;
  // What we received has no delivery to report.
  if (payload.kind === 'status' && payload.status.direction !== 'inbound')
    return stateKey(scope, payload.status.messageId);
  if (payload.kind === 'message' && payload.message.direction === 'outbound')
    return stateKey(scope, payload.message.id);
  return undefined;
}

function quarantined(issues: readonly Issue[], type: string | undefined, receipt: Receipt): EventRecord {
  return {
    ...kept(receipt),
    event: {
      id: quarantineId(origin(receipt), receipt.bodyHash),
      ...shared(receipt),
      occurredAt: toIso(receipt.receivedAt),
      kind: 'unknown',
      quarantined: true,
      ...(type !== undefined && { type: type.slice(0, 200).toWellFormed() }),
      issues: [...issues],
    },
    contentHash: sha256(receipt.raw),
    placeholder: false,
    orderedAt: receipt.receivedAt,
  };
}

/** Our own account, as one part of the identity of a chat: the hub's account where it is known. */
export function chatAccount(webhook: ReceivingWebhook, account: OwnAccount, accountId?: string): string {
  return accountId ?? account.instance ?? account.phone ?? account.user ?? account.device ?? webhook.webhookId;
}

function origin({ webhook, provider }: Receipt) {
  return { workspace: webhook.workspace, provider, webhookId: webhook.webhookId };
}

/** The account that the event itself names, if it is one of the workspace's; else the one that its webhook is for. */
function shared(receipt: Receipt, own: OwnAccount = {}) {
  const accountId = accountMeant(receipt.accounts ?? [], receipt.provider, own) ?? receipt.webhook.accountId;
  return { ...origin(receipt), receivedAt: toIso(receipt.receivedAt), ...(accountId !== undefined && { accountId }) };
}

function kept({ webhook, raw, contentType, receivedAt, receipt }: Receipt) {
  const expiresAt = expiryOf(receivedAt, webhook.retentionDays);
  return { raw, contentType, receipt, ...(expiresAt !== undefined && { expiresAt }) };
}

/** What comes for the first time mostly comes sooner than this. */
const AT_FIRST_MS = 10_000;

/** Whether an event may have been told before. */
const isLate = ({ event: { receivedAt, occurredAt } }: EventRecord): boolean =>
  Date.parse(receivedAt) - Date.parse(occurredAt) > AT_FIRST_MS;

/** A time that is told anew may be a little later; there are not more messages so near to it in one shard, as a rule. */
const NEAR_MS = 5_000;
const MOST = 50;

/**
 * A provider may tell a message again under another id of its chat: first by the number, then by the id that hides it, or
 * the other way round. That is the message that is there, and both ids are the same person's. Message ids alone do not
 * tell, as they are unique within a chat at best; so the time and everything that the message says have to agree.
 *
 * Looked for where it may be so: where a message comes late, or as the first one from somebody who hides their number.
 * Answers the record as it is to be stored; `beside`: names of whom its chat is with that it does not tell itself.
 */
export async function toldElsewhere(store: Store, record: EventRecord, nowSeconds: number) {
  const { event } = record;
  const asTold = { record, beside: [] };
  if (event.kind !== 'message' || event.message.chat.kind !== 'individual' || !event.message.chat.id.includes('@'))
    return asTold;
  const names = namesOf(event.message);
  const hides = lidsAmong(names).length > 0;
  if (hides === phonesAmong(names).length > 0 || !(hides || isLate(record))) return asTold;
  if (!isLate(record) && (await currentChat(store, event.workspace, event.chatId))) return asTold;
  const first = (await messagesAt(store, record, nowSeconds)).find((other) => isTheSame(other, event));
  if (!first) return asTold;
  // Under the ids by which the message is there.
  const { chat: there, sender, recipient } = first.message;
  const { chat, sender: from, recipient: to } = event.message;
  const message = {
    ...event.message,
    chat: { ...chat, ...known({ id: there.id, phone: there.phone ?? phonesAmong(names)[0] }) },
    sender: { ...from, ...idsOf(sender) },
    ...(to && { recipient: { ...to, ...idsOf(recipient) } }),
  };
  return { record: { ...record, event: { ...event, id: first.id, chatId: first.chatId, message } }, beside: names };
}

const idsOf = ({ id, phone }: Person = {}) => known({ id, phone });

const namesOf = (message: Message) => namesIn(message.chat, otherIn(message));

/** The messages of a workspace that came through a provider at the time of this one. */
async function messagesAt(
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
  const heads = (await getAll(store, entries, { consistent: true })).filter((head) => isLive(head, nowSeconds));
  const events = await Promise.all(heads.map((head) => eventOf(store, head)));
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
