import { comesTo, type Status } from '#lib/domain/send/part.ts';
import { keepLinked, reportsIn } from '#lib/inbox/delivery-state.ts';
import { dueListOf, dueSortKey, headKey } from '#lib/store/keys.ts';
import { withRetries } from '#lib/store/retry.ts';
import {
  absent,
  all,
  type Condition,
  equal,
  exists,
  type Key,
  remove,
  type Store,
  set,
  update,
} from '#lib/store/store.ts';
import type { SendingConfig } from './config.ts';
import { type Head, type ProviderMessage, readProviderMessage, type Send, stateOfPart } from './items.ts';
import { type AsRead, type Ending, idIn, type Place, type SettlingPorts, settlePart } from './settle.ts';

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
  const status = comesTo(reportsIn(message));
  if (messageId === undefined || index === undefined || status === undefined) return;
  const reason = message.detail_failed ?? 'the provider could not deliver it';
  const place = { send: { messageId }, index };
  await settlePart(ports, place, (head) => (isOpen(head) ? firstEnding(head, status, reason) : undefined));
  await settlePart(ports, place, (head) => (isOpen(head) ? undefined : { kind: 'told', status, reason }));
  await applied(ports.store, message);
}

/** The provider gave it an id when it could not say what would become of it: what is told of that settles it first. */
const isOpen = ({ part: { state } }: Head): boolean => state === 'unknown' || state === 'expired';

function firstEnding({ send, part }: Head, status: Status, reason: string): Ending | undefined {
  const { providerId } = part;
  if (send.erased || providerId === undefined) return undefined;
  return status === 'failed' ? { kind: 'failed', reason, providerId } : { kind: 'sent', providerId };
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
 * Writes down what is certain about an attempt whose lease is gone, or whose answer never came: only if the attempt is
 * still the part's last, whatever was taken for its end meanwhile. With an id, all that was told of that before counts, too.
 * Answers the send as it was; undefined: there was nothing to settle.
 */
export async function settleLate(
  ports: SettlingPorts,
  place: Place,
  intentAt: number,
  ending: Ending,
  asRead?: AsRead,
): Promise<Send | undefined> {
  // What was erased keeps no name: nothing would lead to it.
  const ofAttempt = ({ send, part }: Head) => (part.intentAt === intentAt && !send.erased ? ending : undefined);
  const settled = await settlePart(ports, place, ofAttempt, asRead);
  const providerId = idIn(ending);
  if (settled?.mayBeTold && providerId !== undefined) await readStatuses(ports, settled.send, place.index, providerId);
  return settled?.send;
}
