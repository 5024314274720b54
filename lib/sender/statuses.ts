import { meetsNothing, NOTHING, onAccount, onQuota } from '#lib/credits/credits.ts';
import { afterNews, comesTo, type News } from '#lib/domain/send/part.ts';
import { keepLinked, reportsIn } from '#lib/inbox/delivery-state.ts';
import { accountKey, dueListOf, dueSortKey, headKey, sendKey } from '#lib/store/keys.ts';
import { AGAIN, retryOnConflict, withRetries } from '#lib/store/retry.ts';
import {
  absent,
  add,
  all,
  type Change,
  type Condition,
  equal,
  exists,
  type Key,
  remove,
  type Store,
  set,
  type Update,
  unchanged,
  update,
  type Write,
} from '#lib/store/store.ts';
import { changeParts, creditsOf, field, isAfterAll, mapped, namedBy, refund, stateOfPart } from './change-parts.ts';
import type { SendingConfig } from './config.ts';
import {
  type Head,
  type Part,
  type ProviderMessage,
  readPart,
  readProviderMessage,
  readSend,
  type Send,
} from './items.ts';
import { sendReport, transactTold } from './sent-event.ts';
import {
  type AsRead,
  becomesUnknown,
  cancelResends,
  countSettled,
  type Ending,
  idIn,
  type Place,
  type SettlingPorts,
  settlePart,
} from './settle.ts';

/**
 * After a status was written to the provider's message: moves the part on, if it is known which part that is. A status
 * may come before our own outcome is written. Both sides write first and read after, so that whoever comes second sees
 * both; should that one die in between, the watchdog finds the status waiting.
 *
 * `item` is the provider's message as the update of the status returned it.
 */
export async function onStatus(
  given: SettlingPorts,
  key: Key,
  item: ProviderMessage,
  config: SendingConfig,
): Promise<void> {
  const ports = withRetries(given, config);
  if (item.send !== undefined) return applyStatuses(ports, item);
  // By then whoever is sending it has written its name, or has died.
  const due = ports.clock.now() + config.leaseMs + config.graceMs;
  const written = await ports.store.write(
    update(
      key,
      [set('gsi3pk', dueListOf('status', key.pk)), set('gsi3sk', dueSortKey(due, key.pk))],
      all(exists(), absent('send')),
    ),
  );
  if (!written.done && written.item) await applyStatuses(ports, readProviderMessage(written.item));
}

/** The other side: after an outcome has named the message, whatever was told of it before. */
export async function readStatuses(ports: SettlingPorts, send: Send, index: number, providerId: string): Promise<void> {
  const item = await keepLinked(ports.store, stateOfPart(send, index, providerId), ports.clock.now() / 1000);
  if (item) await applyStatuses(ports, readProviderMessage(item));
}

/** Idempotent, and indifferent to order: it looks at all that is known of the message, not at one event. */
async function applyStatuses(ports: SettlingPorts, message: ProviderMessage): Promise<void> {
  const { send: messageId, part: index } = message;
  const news = comesTo(reportsIn(message));
  if (messageId === undefined || index === undefined || news === undefined) return;
  return retryOnConflict(`part ${index} of ${messageId}`, async () => {
    const item = await ports.store.get(sendKey(messageId), { consistent: true });
    if (!item || (await raise(ports, readSend(item), index, news, message))) return applied(ports.store, message);
    return AGAIN;
  });
}

/** False if somebody else changed the part meanwhile. */
async function raise(ports: SettlingPorts, send: Send, index: number, news: News, message: ProviderMessage) {
  const part = send.parts[index];
  if (!part) throw new Error(`a provider's message names a part that does not exist: ${send.messageId} ${index}`);
  if (isOpen(part)) return settleBy(ports, send, index, part, news, message);
  const after = afterNews(part, news);
  if (after.state === part.state) return true;
  const now = ports.clock.now();
  const refunds = part.creditState === 'spent' && after.creditState === 'refunded';
  const change = {
    index,
    to: after.state,
    ...(refunds ? { credit: 'refunded' as const, also: [remove(field(index, 'counted'))] } : {}),
    ...(after.state === 'failed' ? { detail: failureIn(message) } : {}),
  };
  const raised = changeParts(send, [change], now);
  const done = refunds
    ? await refundSpent(ports, send, index, raised, now, change.detail ?? 'failed')
    : (await ports.store.write(raised)).done;
  if (!done) return false;
  countSettled(ports, { state: after.state, parts: 1, refunded: refunds ? creditsOf(send, [index]) : 0 });
  if (isAfterAll(part, after.state)) await cancelResends(ports, send, part.kind);
  return true;
}

/** The provider gave it an id when it could not say what would become of it. */
const isOpen = ({ state }: Part): boolean => state === 'unknown' || state === 'expired';

/** What is told of it settles it first. True: there is no more to be done. */
async function settleBy(
  ports: SettlingPorts,
  send: Send,
  index: number,
  { providerId, intentAt = 0 }: Part,
  news: News,
  message: ProviderMessage,
): Promise<boolean> {
  if (send.erased || providerId === undefined) return true;
  const failed = { kind: 'failed', reason: failureIn(message), providerId } as const;
  await settlePart(ports, { send, index }, intentAt, news === 'failed' ? failed : { kind: 'sent', providerId });
  return false;
}

const failureIn = (message: ProviderMessage): string => message.detail_failed ?? 'the provider could not deliver it';

/** With its part, back to the quota and out of what counts as spent, wherever that is counted. */
async function refundSpent(
  ports: SettlingPorts,
  send: Send,
  index: number,
  raised: Update,
  now: number,
  reason: string,
): Promise<boolean> {
  const spending = send.parts[index]?.counted ? { spent: 0, unspent: creditsOf(send, [index]) } : NOTHING;
  const counts = onAccount(send.epoch, spending);
  const account = counts.length === 0 ? [] : [update(accountKey(send.accountId), counts, exists())];
  const told = sendReport(send, [index], 'failed', now, reason);
  const back = (also?: readonly Change[]) => refund(send, [index], now, reason, also);
  const transacted = await transactTold(ports, [...account, raised, ...back(), ...told]);
  if (transacted.done) return true;
  if (account.length === 0 || !meetsNothing(transacted.refused[0])) return false;
  return (await transactTold(ports, [raised, ...back(onQuota(spending)), ...told])).done;
}

/** The provider's words stand in the send by now, and end with it. Newer ones stay until they are applied, too. */
async function applied(store: Store, message: ProviderMessage): Promise<void> {
  await noLongerDue(store, message);
  const { pk, detail_failed: words } = message;
  if (words === undefined) return;
  await store.write(update(headKey(pk), [remove('detail_failed')], equal('detail_failed', words)));
}

/** Takes a message off the watchdog's list. A newer status that was put there meanwhile stays. */
async function noLongerDue(store: Store, { pk, gsi3sk }: ProviderMessage, onlyIf?: Condition): Promise<void> {
  if (gsi3sk === undefined) return;
  const isAsRead = equal('gsi3sk', gsi3sk);
  const changes = [remove('gsi3pk'), remove('gsi3sk')];
  await store.write(update(headKey(pk), changes, onlyIf ? all(isAsRead, onlyIf) : isAsRead));
}

/**
 * The watchdog's part: statuses whose message had no name yet when they came. By now it has one, and whoever gave it
 * may have died before he looked at the statuses; or it is none of ours, as is everything that people write by hand.
 */
export async function revisitStatuses(ports: SettlingPorts, item: Key): Promise<void> {
  const found = await keepLinked(ports.store, item, ports.clock.now() / 1000);
  if (!found) return;
  const message = readProviderMessage(found);
  if (message.send !== undefined) return applyStatuses(ports, message);
  await noLongerDue(ports.store, message, absent('send'));
}

/**
 * Settles an attempt late, and with an id, by all that was told of that before. Answers the send as it was; undefined:
 * there was nothing to settle.
 */
export async function settleLate(
  ports: SettlingPorts,
  place: Place,
  intentAt: number,
  ending: Ending,
  asRead?: AsRead,
): Promise<Send | undefined> {
  const settled = await settlePart(ports, place, intentAt, ending, asRead);
  const part = settled?.send.parts[place.index];
  if (!settled || !part) return undefined;
  const { send, mayBeTold } = settled;
  const providerId = idIn(ending);
  if (providerId !== undefined && mayBeTold) await readStatuses(ports, send, place.index, providerId);
  if (ending.kind === 'sent') await cancelResends(ports, send, part.kind);
  return send;
}

/**
 * The id under which the provider has a message of which nobody knows whether it went out: what is told of it settles
 * the part, and it is not sent again. Only where nothing has named or settled the attempt since.
 */
export async function nameUnknown(
  ports: SettlingPorts,
  { send: { messageId }, index }: Place,
  intentAt: number,
  providerId: string,
  config: SendingConfig,
): Promise<void> {
  const { store, clock } = ports;
  return retryOnConflict(`part ${index} of ${messageId}`, async () => {
    const head = await readPart(store, messageId, index);
    const { send, part } = head;
    if (part.intentAt !== intentAt || part.providerId !== undefined || send.erased) return;
    const writes = naming(head, providerId, clock.now(), config);
    if (writes.length === 0) return;
    if (!(await transactTold(ports, writes)).done) return AGAIN;
    await readStatuses(ports, send, index, providerId);
    // What has an id is not sent again, whatever becomes of it.
    return cancelResends(ports, send, part.kind);
  });
}

function naming(head: Head, providerId: string, now: number, config: SendingConfig): readonly Write[] {
  const { send, index, part } = head;
  if (part.state === 'sending') {
    return [
      update(accountKey(send.accountId), [add('pending', -1)], exists()),
      ...becomesUnknown(head, now, 'its run ended before the outcome was written', config, providerId),
    ];
  }
  if (part.state !== 'unknown' && part.state !== 'expired') return [];
  const also = namedBy(send, index, providerId);
  const notResent = [unchanged({ resentAs: send.resentAs })];
  return [
    changeParts(send, [{ index, to: part.state, silent: true, also }], now, [], notResent),
    mapped(send, index, providerId),
  ];
}
