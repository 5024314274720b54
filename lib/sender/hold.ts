import { known, shortly } from '#lib/domain/schema.ts';
import { type Silence, silentUntil } from '#lib/domain/send/outcome.ts';
import { ownEventWrites } from '#lib/inbox/event-store.ts';
import { accountKey, dueListOf, dueSortKey, dueTime, probeKey } from '#lib/store/keys.ts';
import { type StorePorts, withRetries } from '#lib/store/retry.ts';
import {
  all,
  any,
  type Change,
  del,
  equal,
  exists,
  type Item,
  type Key,
  type Put,
  put,
  remove,
  type Store,
  set,
  type Transacted,
  update,
} from '#lib/store/store.ts';
import type { SendingConfig } from './config.ts';
import { type Account, type Probe, readAccount, readProbe } from './items.ts';
import type { Prober, Ticks } from './provider.ts';
import { gatesOpenAt, setDue, tickAgain } from './schedule.ts';
import { transactTold } from './sent-event.ts';

/**
 * Two flags, so that neither side undoes the other: `paused` is the operator's, `held` the provider's. A call that is
 * under way finishes; the next intent is refused.
 */

type Changed = 'changed' | 'unchanged' | 'gone';

export interface ResumePorts extends StorePorts {
  readonly ticks: Ticks;
}

/** The operator's pause. Its reason is replaced if the account is paused already. */
export async function pause(
  given: StorePorts,
  account: string,
  reason: string,
  config: SendingConfig,
): Promise<Changed> {
  const { store } = withRetries(given, config);
  const changes = [set('paused', true), set('pauseReason', reason)];
  const written = await store.write(update(accountKey(account), changes, exists()));
  return written.done ? 'changed' : 'gone';
}

/** The provider's hold: an answer or a webhook says that the account cannot send. */
export async function hold(
  given: StorePorts,
  account: string,
  reason: string,
  config: SendingConfig,
): Promise<Changed> {
  const ports = withRetries(given, config);
  const found = await ports.store.get(accountKey(account), { consistent: true });
  if (!found) return 'gone';
  const { changes, writes } = holding(readAccount(found), reason, ports.clock.now(), config);
  const held = update(accountKey(account), changes, all(exists(), equal('held', false)));
  return changedBy(await transactTold(ports, [held, ...writes]));
}

/** The provider's all-clear, by a probe or a webhook. An operator's pause stays. */
export function clearHold(ports: ResumePorts, account: string, config: SendingConfig): Promise<Changed> {
  return endHold(ports, account, { by: 'provider' }, config);
}

/**
 * The operator's resume ends both. It forgets nothing but makes room for one message where an hour has had all that it
 * may have: of an account whose provider was silent that is tried, and only when it is accepted do the others follow.
 */
export function resume(ports: ResumePorts, account: string, config: SendingConfig): Promise<Changed> {
  return endHold(ports, account, { by: 'operator' }, config);
}

/**
 * Ends the hold and whatever else, and lets the chain run on with the generation that it has: only an accept that wakes
 * an IDLE account and the holder of the lease raise it, so that it never falls. The tick may be one too many; it finds
 * nothing to do then.
 */
async function endHold(
  given: ResumePorts,
  account: string,
  { by }: { readonly by: 'provider' | 'operator' },
  config: SendingConfig,
): Promise<Changed> {
  const ports = withRetries(given, config);
  const { store, clock } = ports;
  const found = await store.get(accountKey(account), { consistent: true });
  if (!found) return 'gone';
  const now = clock.now();
  const before = readAccount(found);
  const isSilent = silentUntil(silenceOf(before), now, config) > now;
  // A provider that says again and again that all is well, and does not answer, gets no more messages for it.
  if (by === 'provider' && isSilent) return 'unchanged';
  const blocked = by === 'operator' ? any(equal('paused', true), equal('held', true)) : equal('held', true);
  const besides: readonly Change[] =
    by === 'operator'
      ? [set('paused', false), remove('pauseReason'), ...(isSilent ? [remove(['unknownTimes', 0])] : [])]
      : [];
  const running = [set('chain', 'RUNNING'), setDue(Math.max(now, gatesOpenAt(before)), config)];
  const told = before.held ? accountReport(before, { state: 'resumed' }, now) : [];
  const freed = [set('held', false), remove('holdReason'), ...besides, ...running];
  const resumed = update(accountKey(account), freed, all(exists(), blocked));
  const changed = changedBy(await transactTold(ports, [resumed, endProbing(account), ...told]));
  if (changed === 'changed') await tickCurrent(ports, account, now);
  return changed;
}

/** Of a transaction whose first write is the account's. */
const changedBy = (transacted: Transacted): Changed => {
  if (transacted.done) return 'changed';
  return transacted.refused[0]?.item ? 'unchanged' : 'gone';
};

/** The generation may have moved since the account was read, so it is read again. */
async function tickCurrent({ store, ticks }: Pick<ResumePorts, 'store' | 'ticks'>, account: string, now: number) {
  const item = await store.get(accountKey(account), { consistent: true });
  if (item) await tickAgain(ticks, readAccount(item), now);
}

/** What an account has on its item of calls that were not answered. */
export const silenceOf = ({ unknownRunning = 0, unknownTimes = [] }: Account): Silence => ({
  running: unknownRunning,
  times: unknownTimes,
});

/**
 * The probe is written and deleted together with the flag, so that an account has it exactly while it is held. A
 * provider may answer its probes and refuse to send all the same: as long as nothing goes out between two holds, the
 * tries of the one count for the next: back-off keeps growing until a message goes out. `askAt`: when it can go on, where
 * that is known.
 */
export function holding(
  account: Account,
  reason: string,
  now: number,
  config: SendingConfig,
  silent = false,
  askAt?: number,
) {
  const { id, held, holdsRunning = 0 } = account;
  const changes = [set('held', true), set('holdReason', shortly(reason)), set('holdsRunning', holdsRunning + 1)];
  const probing = { account: id, tries: holdsRunning, silent };
  const probe = askAt === undefined ? nextProbe(probing, now, config) : probeAt(probing, askAt);
  // A webhook may have held it while the provider was called.
  const told = held ? [] : accountReport(account, { state: 'held', reason: shortly(reason) }, now);
  return { changes, writes: [probe, ...told] };
}

/** An event of the hub's own, in the transaction that holds the account or lets it go on. */
const accountReport = (
  { id, workspace }: Account,
  account: { readonly state: 'held' | 'resumed'; readonly reason?: string },
  now: number,
): readonly Put[] =>
  ownEventWrites(
    { workspace, accountId: id, payload: { kind: 'account', account }, identity: [id, account.state, String(now)] },
    now,
  );

type Probing = Pick<Probe, 'account' | 'tries' | 'silent'>;

function probeAt({ account, tries, silent = false }: Probing, at: number): Put {
  return put({
    ...probeKey(account),
    kind: 'probe',
    account,
    tries,
    ...(silent ? { silent } : {}),
    gsi3pk: dueListOf('probe', account),
    gsi3sk: dueSortKey(at, account),
  });
}

/** The account has got other credentials, which may clear it. Whether its provider is silent, they do not say. */
export async function probeNow(store: Store, account: string, now: number): Promise<Put> {
  const found = await store.get(probeKey(account), { consistent: true });
  return probeAt({ account, tries: 0, ...(found && known({ silent: readProbe(found).silent })) }, now);
}

export const endProbing = (account: string) => del(probeKey(account));

/** When to ask again after so many probes that did not clear the account: 1, then 5, then every 30 minutes. */
function nextProbe(probing: Probing, now: number, { probeAfterMs }: SendingConfig): Put {
  const wait = probeAfterMs[probing.tries] ?? probeAfterMs.at(-1) ?? probeAfterMs[0];
  return probeAt(probing, now + wait);
}

/** When the provider of a held account is asked again, in milliseconds. */
export async function probeDueOf(store: Store, account: string): Promise<number | undefined> {
  const item = await store.get(probeKey(account));
  return item && probeDue(item)[1];
}

/** Of which account, and when its provider is asked again. */
export function probeDue(item: Item): readonly [account: string, at: number] {
  const { account, gsi3sk } = readProbe(item);
  return [account, dueTime(gsi3sk)];
}

export interface ProbePorts extends ResumePorts {
  readonly prober: Prober;
}

/** Asks the provider whether a held account can send again, ever less often. */
export async function probe(ports: ProbePorts, item: Key, config: SendingConfig): Promise<void> {
  const { store, clock, prober } = ports;
  const found = await store.get(item, { consistent: true });
  if (!found) return;
  const { account: id, tries, silent = false, gsi3sk } = readProbe(found);
  const account = await store.get(accountKey(id), { consistent: true });
  if (!account) {
    await store.write(endProbing(id));
    return;
  }
  // The next one first: an account whose probe crashes is asked again later, not each minute.
  const postponed = nextProbe({ account: id, tries: tries + 1, silent }, clock.now(), config);
  // Only the one that was read: another may have been made due meanwhile, by new credentials.
  const written = await store.write({ ...postponed, if: equal('gsi3sk', gsi3sk) });
  // Our own write, repeated because its answer was lost, meets itself.
  if (!written.done && written.item?.gsi3sk !== postponed.item.gsi3sk) return;
  const result = await prober.probe(readAccount(account));
  // Whoever was silent and now answers anything may have one message, which tells the rest.
  const isBack = result.kind === 'ok' || (result.kind === 'unknown' && result.answers === true && silent);
  if (isBack) await clearHold(ports, id, config);
  if (result.kind !== 'held') return;
  await store.write(update(accountKey(id), [set('holdReason', result.reason)], equal('held', true)));
  if (silent) await store.write(update(probeKey(id), [remove('silent')], exists()));
}
