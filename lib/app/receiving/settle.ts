import { keyPart } from '#lib/domain/ids.ts';
import type { OwnAccount } from '#lib/domain/message.ts';
import { toIso } from '#lib/domain/time.ts';
import { type ChatSighting, sightChat } from '../chats/chat.ts';
import type { Log, Metrics } from '../ports.ts';
import type { SendReports } from '../sends/reports.ts';
import { add, type Key, type Store, setIfAbsent, update } from '../store.ts';
import { noteStatus } from './delivery-state.ts';
import { type EventRecord, lifeOf } from './event-item.ts';
import { chatAccount, type Receipt } from './records.ts';
import type { Stored } from './store-event.ts';

export interface SettlePorts {
  readonly store: Store;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Left out where nothing can be sent through the provider. */
  readonly sends?: SendReports;
}

/**
 * What a stored event changes elsewhere: the chat's title and last activity, how far a message got. Safe to repeat,
 * and repeated on every redelivery, so that a crash after the event was stored leaves nothing out for good.
 */
export async function settle(
  { store, metrics, sends }: SettlePorts,
  record: EventRecord,
  receipt: Receipt,
  { status }: Stored,
): Promise<void> {
  const { event } = record;
  if (event.kind === 'unknown') {
    if (status === 'stored') await countQuarantined(store, metrics, receipt, event.type ?? UNREADABLE);
    return;
  }
  const chat = chatSeen(record, receipt);
  if (chat) await sightChat(store, chat);
  const key = record.stateKey === undefined ? undefined : { pk: record.stateKey, sk: 'META' };
  if (event.kind === 'status' && key) {
    const told = { ...lifeOf(record), isTheirs: event.occurredAt !== event.receivedAt };
    const state = await noteStatus(store, key, event.status, record.orderedAt, told);
    if (state) await sends?.status(record, key, state, accountNamed(event.status.account));
  }
  if (event.kind === 'message' && key) await sends?.outbound(record, event, key, accountNamed(event.message.account));
  if (event.kind === 'connection') {
    await sends?.connection(record, event.connection, accountNamed(event.connection.account));
  }
}

/** Our own account as the provider names it. */
const accountNamed = (account: OwnAccount = {}): string | undefined => account.instance ?? account.phone;

function chatSeen({ event, orderedAt }: EventRecord, { webhook, provider }: Receipt): ChatSighting | undefined {
  if (event.kind !== 'message' && event.kind !== 'chat') return undefined;
  const account = event.kind === 'message' ? event.message.account : (event.chat.account ?? {});
  const chat = event.kind === 'message' ? event.message.chat : event.chat;
  const { aliases } = event.kind === 'chat' ? event.chat : {};
  return {
    workspace: webhook.workspace,
    provider,
    ...(webhook.accountId !== undefined && { accountId: webhook.accountId }),
    accountKey: chatAccount(webhook, account),
    providerChatId: chat.id,
    kind: chat.kind,
    ...(chat.title !== undefined && { title: chat.title }),
    ...(aliases && { aliases }),
    at: orderedAt,
  };
}

/** Stands for the type of a body in which no type can be found. */
export const UNREADABLE = 'unreadable';

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

/** One row for each type that was ever put into quarantine: how often, since when. */
export function quarantineCounters(workspace: string): string {
  return `QUAR#${workspace}`;
}

export function quarantineCounter(workspace: string, provider: string, type = UNREADABLE): Key {
  return { pk: quarantineCounters(workspace), sk: `${provider}#${keyPart(type)}` };
}
