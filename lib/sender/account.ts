import { known, shortly } from '#lib/domain/schema.ts';
import { type Silence, silentUntil } from '#lib/domain/send/outcome.ts';
import { ownEventWrites } from '#lib/inbox/event-store.ts';
import { accountKey, dueListOf, dueSortKey, dueTime, probeKey } from '#lib/store/keys.ts';
import { type StorePorts, withRetries } from '#lib/store/retry.ts';
import {
  add,
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
  setIfAbsent,
  type Transacted,
  unchanged,
  update,
} from '#lib/store/store.ts';
import type { SendingConfig } from './config.ts';
import { type Account, type Probe, readAccount, readProbe } from './items.ts';
import type { Prober, Tick, Ticks } from './provider.ts';
import { transactTold } from './sent-event.ts';

// When an account's turn comes.

/**
 * When an account needs a tick: `dueAt` of the protocol. It is the sort key of the watchdog's index (whose partition
 * key every account has for life), so an account stands in that index exactly while it has one.
 */
export const setDue = (at: number, config: SendingConfig): Change => set('gsi3sk', dueKey(at, config));
export const setDueIfNone = (at: number, config: SendingConfig): Change => setIfAbsent('gsi3sk', dueKey(at, config));
export const clearDue: Change = remove('gsi3sk');

/**
 * To the quarter of the grace, and never earlier than it is: an entry of the index that moves costs two writes, and that
 * of an account which sends would move with each message. A tick that is lost is missed later by that at most.
 */
function dueKey(at: number, { graceMs }: SendingConfig): string {
  const step = Math.max(1, Math.floor(graceMs / 4));
  return dueSortKey(Math.ceil(at / step) * step);
}

export const dueOf = (item: { readonly gsi3sk?: string }): number | undefined =>
  item.gsi3sk === undefined ? undefined : dueTime(item.gsi3sk);

/** The time at which the account's gates are open. */
export const gatesOpenAt = (account: { readonly nextSendAt: number; readonly backoffUntil: number }): number =>
  Math.max(account.nextSendAt, account.backoffUntil);

/** The longest that the queue can hold a message back. */
const LONGEST_DELAY_S = 900;

/** Rounded down: the tick waits for the rest of a second itself, and its gates stay shut until it is over. */
export async function scheduleTick(ticks: Ticks, tick: Tick, now: number): Promise<void> {
  const seconds = Math.floor(Math.max(0, tick.at - now) / 1000);
  await ticks.send(tick, Math.min(LONGEST_DELAY_S, seconds));
}

export const isOverdue = (account: Account, now: number, config: SendingConfig): boolean => {
  const due = dueOf(account);
  return due !== undefined && due < now - config.graceMs;
};

/** Sets a resting account going; `me` tells the repeat of this very write from another's. */
export const waking = (account: Account, me: string, now: number, config: SendingConfig): readonly Change[] => [
  add('gen', 1),
  set('startedBy', me),
  ...running(account, now, config),
];

const running = (account: Account, now: number, config: SendingConfig): readonly Change[] => [
  set('chain', 'RUNNING'),
  setDue(Math.max(now, gatesOpenAt(account)), config),
];

/**
 * The same by itself, and its tick. Only from IDLE: a second chain beside a running one would be stopped by the gates, but
 * it would cost requests for ever. `account` as just read.
 */
export async function wake(
  store: Store,
  ticks: Ticks,
  account: Account,
  me: string,
  now: number,
  config: SendingConfig,
): Promise<void> {
  const isAtRest = all(exists(), equal('chain', 'IDLE'));
  const written = await store.write(update(accountKey(account.id), waking(account, me, now, config), isAtRest), {
    returns: 'new',
  });
  if (!written.item) return;
  const current = readAccount(written.item);
  if (written.done) return tickAgain(ticks, current, now);
  if (current.startedBy === me || isOverdue(current, now, config)) await tickAgain(ticks, current, now);
}

/** Another tick of the generation that is there: harmless if the first one is still on its way. */
export async function tickAgain(ticks: Ticks, account: Account, now: number): Promise<void> {
  await scheduleTick(ticks, { account: account.id, gen: account.gen, at: gatesOpenAt(account) }, now);
}

// What keeps it from sending: two flags, so that neither side undoes the other. `paused` is the operator's, `held` the
// provider's. A call that is under way finishes; the next intent is refused.

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
  return endHold(ports, account, 'provider', config);
}

/**
 * The operator's resume ends both. It forgets nothing but makes room for one message where an hour has had all that it
 * may have: of an account whose provider was silent that is tried, and only when it is accepted do the others follow.
 */
export function resume(ports: ResumePorts, account: string, config: SendingConfig): Promise<Changed> {
  return endHold(ports, account, 'operator', config);
}

/**
 * Ends the hold and whatever else, and lets the chain run on with the generation that it has: only an accept that wakes
 * an IDLE account and the holder of the lease raise it, so that it never falls. The tick may be one too many; it finds
 * nothing to do then.
 */
async function endHold(
  given: ResumePorts,
  account: string,
  by: 'provider' | 'operator',
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
  const told = before.held ? accountReport(before, { state: 'resumed' }, now) : [];
  const freed = [set('held', false), remove('holdReason'), ...besides, ...running(before, now, config)];
  // The message that went unanswered meanwhile may be one too many for the hour.
  const asSilent = by === 'operator' ? [] : [unchanged({ unknownTimes: before.unknownTimes })];
  const resumed = update(accountKey(account), freed, all(exists(), blocked, ...asSilent));
  const changed = changedBy(await transactTold(ports, [resumed, endProbing(account), ...told]));
  // The generation may have moved since the account was read.
  const item = changed === 'changed' ? await store.get(accountKey(account), { consistent: true }) : undefined;
  if (item) await tickAgain(ports.ticks, readAccount(item), now);
  return changed;
}

/** Of a transaction whose first write is the account's. */
const changedBy = (transacted: Transacted): Changed => {
  if (transacted.done) return 'changed';
  return transacted.refused[0]?.item ? 'unchanged' : 'gone';
};

/** What an account has on its item of calls that were not answered. */
export const silenceOf = ({ unknownRunning = 0, unknownTimes = [] }: Account): Silence => ({
  running: unknownRunning,
  times: unknownTimes,
});

/**
 * The probe is written and deleted together with the flag, so that an account has it exactly while it is held. A
 * provider may answer its probes and refuse to send all the same: as long as nothing goes out between two holds, the
 * tries of the one count for the next: back-off keeps growing until a message goes out.
 */
export function holding(account: Account, reason: string, now: number, config: SendingConfig, silent = false) {
  const { id, held, holdsRunning = 0 } = account;
  const changes = [set('held', true), set('holdReason', shortly(reason)), set('holdsRunning', holdsRunning + 1)];
  const probe = nextProbe({ account: id, tries: holdsRunning, silent }, now, config);
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
