import { longestGap } from '#lib/domain/sending/pace.ts';
import {
  absent,
  all,
  any,
  type Change,
  type Condition,
  compare,
  equal,
  exists,
  type Store,
  set,
  type Update,
  update,
} from '../store.ts';
import type { SendingConfig } from './config.ts';
import { gatesOpenAt } from './due.ts';
import { type Account, readAccount } from './items.ts';
import { accountKey } from './keys.ts';
import type { Tick } from './ports.ts';

export type Claim =
  /** `takenOver`: from a run that never let go of it. */
  | { readonly kind: 'claimed'; readonly account: Account; readonly takenOver: boolean }
  | { readonly kind: 'dropped'; readonly why: 'gone' | 'stale' | 'idle' }
  | { readonly kind: 'leased' | 'early'; readonly account: Account };

/**
 * Free for a tick: of the current generation, on a running chain, leased to nobody else, both gates open.
 *
 *   leaseId = me: the repeat of a claim that had succeeded is a success
 *   whether the account is blocked is asked at the intent: a crashed attempt is cleared even on a blocked account
 */
function isFree(gen: number, now: number, lease: readonly Condition[]): Condition {
  return all(
    exists(),
    equal('gen', gen),
    equal('chain', 'RUNNING'),
    any(...lease),
    compare('nextSendAt', '<=', now),
    compare('backoffUntil', '<=', now),
  );
}

/** `now` is the time that has certainly come; `leaseUntil` is reckoned from the time that may have. */
export async function claim(store: Store, tick: Tick, me: string, now: number, leaseUntil: number): Promise<Claim> {
  const free = [equal('leaseId', me), absent('leaseId')];
  const first = await tryClaim(store, tick, me, now, leaseUntil, free);
  if (first.kind !== 'early' || gatesOpenAt(first.account) > now || first.account.leaseId === undefined) return first;
  // A lease that has run out was left behind by a run that died, which is worth knowing: hence the second write.
  const second = await tryClaim(store, tick, me, now, leaseUntil, [...free, compare('leaseUntil', '<=', now)]);
  return second.kind === 'claimed' ? { ...second, takenOver: true } : second;
}

async function tryClaim(
  store: Store,
  { account: id, gen }: Tick,
  me: string,
  now: number,
  leaseUntil: number,
  lease: readonly Condition[],
): Promise<Claim> {
  const written = await store.write(
    update(accountKey(id), [set('leaseId', me), set('leaseUntil', leaseUntil)], isFree(gen, now, lease)),
    { returns: 'new' },
  );
  if (!written.item) return { kind: 'dropped', why: 'gone' };
  const account = readAccount(written.item);
  if (written.done) return { kind: 'claimed', account, takenOver: false };
  if (account.gen !== gen) return { kind: 'dropped', why: 'stale' };
  if (account.chain === 'IDLE') return { kind: 'dropped', why: 'idle' };
  if (account.leaseId !== undefined && account.leaseId !== me && (account.leaseUntil ?? 0) > now) {
    return { kind: 'leased', account };
  }
  return { kind: 'early', account };
}

/**
 * A host whose clock runs ahead may have written times that no honest host writes. They are brought back to the
 * furthest that one would, so that a bad clock delays an account and never freezes it. Undefined: nothing to correct.
 */
export function clampTimes(account: Account, now: number, config: SendingConfig): Update | undefined {
  const furthest = {
    nextSendAt: now + Math.max(config.callMs, config.uploadCallMs) + longestGap(account.pacing),
    backoffUntil: now + config.backoff.longestMs,
    leaseUntil: now + config.leaseMs,
  };
  const changes: Change[] = [];
  const asRead: Condition[] = [];
  for (const name of ['nextSendAt', 'backoffUntil', 'leaseUntil'] as const) {
    const read = account[name];
    if (read === undefined || read <= furthest[name]) continue;
    changes.push(set(name, furthest[name]));
    asRead.push(equal(name, read));
  }
  return changes.length === 0 ? undefined : update(accountKey(account.id), changes, all(exists(), ...asRead));
}
