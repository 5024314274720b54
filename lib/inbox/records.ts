import { chatId } from '#lib/chats/chat.ts';
import type { Event, OwnAccount } from '#lib/domain/event.ts';
import { contentHash, eventId, formerEventIds, quarantineId } from '#lib/domain/identity.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { ownAccountOf, withParties } from '#lib/domain/parties.ts';
import { expiryOf } from '#lib/domain/retention.ts';
import { type Issue, known } from '#lib/domain/schema.ts';
import { orderingTime, toIso } from '#lib/domain/time.ts';
import { stateKey } from '#lib/store/keys.ts';
import { accountMeant, type NamedAccount } from '#lib/tenants/own-accounts.ts';
import type { Webhook } from '#lib/tenants/webhook.ts';
import type { EventRecord } from './event-item.ts';
import type { Draft, Reading } from './provider.ts';

/** What an event takes over from the webhook that it came in through. */
export interface ReceivingWebhook extends Pick<Webhook, 'webhookId' | 'workspace'> {
  readonly accountId?: string;
  readonly retentionDays?: number;
}

/** What is the same for all events of one delivery. */
export interface Receipt {
  readonly webhook: ReceivingWebhook;
  readonly provider: string;
  readonly contentType: string;
  /** The body without a secret. */
  readonly raw: Uint8Array;
  /** SHA-256 of the body as it came, in hex. */
  readonly bodyHash: string;
  /** Milliseconds. */
  readonly receivedAt: number;
  readonly receipt: string;
  /** The workspace's accounts, once they are looked up: what an event follows from them, its id does not. */
  readonly accounts?: readonly NamedAccount[];
}

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
    formerIds: formerEventIds(from, draft.identity, hash),
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
