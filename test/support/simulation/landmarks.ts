import type { Change, Condition } from '#lib/store/store.ts';
import type { Mutant, Write } from './faulty-store.ts';
import type { Accident, Point } from './scheduler.ts';
import type { World } from './world.ts';

/** The steps of the protocol, told by what they write. */
const changesOf = (write: Write): readonly Change[] => (write.kind === 'update' ? write.changes : []);
const nameOf = (path: Change['path']): string => (typeof path === 'string' ? path : path.join('.'));
const sets = (write: Write, name: string, value?: unknown): boolean =>
  changesOf(write).some(
    (change) =>
      change.kind === 'set' && nameOf(change.path).endsWith(name) && (value === undefined || change.value === value),
  );

export const isClaim = (write: Write): boolean => sets(write, 'leaseUntil') && sets(write, 'leaseId');
export const isWake = (write: Write): boolean => sets(write, 'startedBy');
export const isIdling = (write: Write): boolean => sets(write, 'chain', 'IDLE');
export const isIntentOfPart = (write: Write): boolean => sets(write, '.state', 'sending');
export const isIntentOfAccount = (write: Write): boolean => sets(write, 'nextSendAt') && !sets(write, 'gen');
export const isHandingOn = (write: Write): boolean => sets(write, 'gen');
export const isRefund = (write: Write): boolean => sets(write, 'creditState', 'refunded');
export const isCharge = (write: Write): boolean =>
  changesOf(write).some((change) => change.kind === 'add' && change.path === 'available' && change.by < 0);

export const isDeletion = (write: Write): boolean =>
  write.kind === 'delete' && write.key.pk.startsWith('ACC#') && write.key.sk === 'META';

export const isResending = (write: Write): boolean => sets(write, 'resentAs');

export const isOpening = (write: Write): boolean => write.kind === 'put' && write.item.kind === 'quota';
export const isRaised = (write: Write): boolean => sets(write, 'opening');
/** By an audit, and not as it is spent. */
export const isMarkedCounted = (write: Write): boolean => sets(write, '.counted') && !sets(write, '.state');
/** Late, without the account's lease. */
export const isCounting = (write: Write): boolean =>
  changesOf(write).some((change) => change.path === 'countings') && !sets(write, 'gen');

export const isQueueing = (write: Write): boolean =>
  changesOf(write).some((change) => change.kind === 'add' && change.path === 'pending' && change.by > 0);

const WRITES = ['transact', 'write', 'writeMany'];

const writesOf = (point: Point): readonly Write[] =>
  Array.isArray(point.detail) && WRITES.includes(point.call) ? point.detail : [];

/** At this write, before or after it is done. */
export const at =
  (isIt: (write: Write) => boolean, moment: Point['moment']) =>
  (point: Point): boolean =>
    point.moment === moment && writesOf(point).some(isIt);

export const atCall =
  (call: string, moment: Point['moment']) =>
  (point: Point): boolean =>
    point.call === call && point.moment === moment;

/** The first time that a process comes by, this happens to it. */
export function once(
  world: World,
  isThere: (point: Point) => boolean,
  accident: Accident,
  doing: () => void = () => undefined,
) {
  const earlier = world.scheduler.accident;
  let happened = false;
  world.scheduler.accident = (process, point) => {
    if (happened || !isThere(point)) return earlier(process, point);
    happened = true;
    doing();
    return accident;
  };
}

type Matches = (condition: Condition) => boolean;

export const on =
  (name: string): Matches =>
  (condition) =>
    'path' in condition && nameOf(condition.path).endsWith(name);

function strip(condition: Condition | undefined, matches: Matches): Condition | undefined {
  if (!condition || matches(condition)) return undefined;
  if (condition.kind !== 'all' && condition.kind !== 'any') return condition;
  // An alternative that always holds makes the whole hold.
  if (condition.kind === 'any' && condition.of.some(matches)) return undefined;
  return { kind: condition.kind, of: condition.of.flatMap((part) => strip(part, matches) ?? []) };
}

/** The protocol without a guard: the condition is taken out of the writes that have it. */
export function without(guard: Matches, where: (write: Write) => boolean): Mutant {
  return {
    writes: (writes) =>
      writes.map((write) => {
        if (write.kind === 'check' || !where(write)) return write;
        const { if: condition, ...rest } = write;
        const kept = strip(condition, guard);
        return kept ? { ...rest, if: kept } : rest;
      }),
  };
}

export function changing(where: (write: Write) => boolean, change: (write: Write) => Write): Mutant {
  return { writes: (writes) => writes.map((write) => (where(write) ? change(write) : write)) };
}

export function both(a: Mutant, b: Mutant): Mutant {
  return {
    writes: (writes) => b.writes?.(a.writes?.(writes) ?? writes) ?? a.writes?.(writes) ?? writes,
    sees: (item, by) => a.sees?.(item, by) !== false && b.sees?.(item, by) !== false,
  };
}
