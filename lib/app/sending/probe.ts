import { equal, exists, remove, set, update } from '../store.ts';
import type { SendingConfig } from './config.ts';
import type { DueItem } from './errands.ts';
import { clearHold, nextProbe, type ResumePorts } from './hold.ts';
import { readAccount, readProbe } from './items.ts';
import { accountKey, probeKey } from './keys.ts';
import type { Prober } from './ports.ts';

export interface ProbePorts extends ResumePorts {
  readonly prober: Prober;
}

/** Asks the provider whether a held account can send again, ever less often. */
export async function probe(ports: ProbePorts, item: DueItem, config: SendingConfig): Promise<void> {
  const { store, clock, prober } = ports;
  const found = await store.get(item, { consistent: true });
  if (!found) return;
  const { account: id, tries, silent = false, gsi3sk } = readProbe(found);
  const account = await store.get(accountKey(id), { consistent: true });
  if (!account) {
    await store.write({ kind: 'delete', key: probeKey(id) });
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
  await store.write(update(accountKey(id), [set('holdReason', result.reason)], isHeld));
  if (silent) await store.write(update(probeKey(id), [remove('silent')], exists()));
}

const isHeld = { kind: 'compare', path: 'held', op: '=', value: true } as const;
