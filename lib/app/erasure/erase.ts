import { mentionsOf } from '#lib/domain/mention.ts';
import type { Phone } from '#lib/domain/phone.ts';
import { readManagedAccount } from '../accounts/account.ts';
import { wholeDirectory } from '../directory.ts';
import { getAll } from '../get-all.ts';
import { walk } from '../lists/walk.ts';
import type { WalkState } from '../lists/walk-cursor.ts';
import type { Clock, Log, Random } from '../ports.ts';
import { retrying } from '../retrying-store.ts';
import { accountKey } from '../sending/keys.ts';
import type { Store } from '../store.ts';
import { attemptStage } from './attempts.ts';
import { chatStage } from './chats.ts';
import { type Counts, type Erasing, type Left, NONE } from './erasing.ts';
import { eventStage } from './events.ts';
import { sendStage } from './sends.ts';
import { ledgerStage, quarantineStage } from './small-stages.ts';

interface Ports {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface Person {
  readonly workspace: string;
  readonly phone: Phone;
  /** Also groups whose id tells that the person founded them, with everything said in them. */
  readonly groups: boolean;
}

export type Erased =
  | {
      readonly kind: 'erased';
      /** Since the first call. */
      readonly erased: Counts;
      /** Met in this call. */
      readonly left: readonly Left[];
      /** There is more to do. */
      readonly next?: WalkState<Counts>;
    }
  /** Nearly everything in a workspace names its own accounts. */
  | { readonly kind: 'own number' };

/** API Gateway waits 30 s for an answer; one slow item may come on top of this. */
const LONGEST_MS = 20_000;
const PATIENCE_MS = 5_000;

/**
 * Erases a person from a workspace, as far as the time of one call reaches. It reads everything that the workspace has:
 * an index of persons would know authors only, cost a write with every message, and be one more place that names them.
 * Safe to break off anywhere and to repeat. The number is never logged.
 */
export async function eraseContact(ports: Ports, person: Person, from?: WalkState<Counts>): Promise<Erased> {
  const { clock, random, log } = ports;
  const { workspace, phone } = person;
  const deadline = clock.monotonic() + LONGEST_MS;
  const store = retrying(ports.store, clock, random, deadline + PATIENCE_MS);
  if (await isOwn(store, workspace, phone)) return { kind: 'own number' };
  const erasing: Erasing = {
    store,
    log,
    workspace,
    mentions: mentionsOf(phone, { founder: person.groups }),
    mentionsOrFounded: mentionsOf(phone, { founder: true }),
    nowSeconds: Math.floor(clock.now() / 1000),
    isTimeUp: () => clock.monotonic() >= deadline,
    counts: { ...(from?.done ?? NONE) },
    left: [],
  };
  const at = await walk(store, stagesOf(erasing), from?.at, erasing.isTimeUp);
  const { counts: erased, left } = erasing;
  log.info('a contact is being erased', { workspace, complete: !at, left: left.length, ...erased });
  return { kind: 'erased', erased, left, ...(at && { next: { at, done: erased } }) };
}

/** Sends come after what leads to them, and each stage finishes before the next, which may hold the only other trace. */
const stagesOf = (erasing: Erasing) => [
  eventStage(erasing),
  chatStage(erasing),
  sendStage(erasing),
  attemptStage(erasing),
  ledgerStage(erasing),
  quarantineStage(erasing),
];

async function isOwn(store: Store, workspace: string, phone: Phone): Promise<boolean> {
  const entries = await wholeDirectory(store, workspace, 'ACCOUNT');
  const keys = entries.map(({ sk }) => accountKey(sk.slice('ACCOUNT#'.length)));
  const accounts = await getAll(store, keys, { consistent: true });
  return accounts.map(readManagedAccount).some((account) => account.phone === phone);
}
