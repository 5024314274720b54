import type { Stage } from '../lists/walk.ts';
import { quarantineCounters } from '../receiving/settle.ts';
import { LEDGER_PREFIX, quotaKindKey } from '../sending/keys.ts';
import { del, exists, set, update } from '../store.ts';
import type { Erasing } from './erasing.ts';

export const ERASED = 'erased';

/** The ledger is kept for its figures; only a provider's words on a refund may name somebody. */
export function ledgerStage({ store, workspace, mentions, counts }: Erasing): Stage {
  const { pk } = quotaKindKey(workspace);
  const end = `${LEDGER_PREFIX}~`;
  return {
    name: '5-ledger',
    partitions: async () => [{ name: '', query: { pk, from: LEDGER_PREFIX, before: end, consistent: true } }],
    visit: async ({ pk, sk, reason }) => {
      if (typeof reason !== 'string' || !mentions(reason)) return true;
      await store.write(update({ pk, sk }, [set('reason', ERASED)], exists()));
      counts.ledgerEntries += 1;
      return true;
    },
  };
}

/** A type of event is what a stranger called it. */
export function quarantineStage({ store, workspace, mentions, counts }: Erasing): Stage {
  return {
    name: '6-quarantine',
    partitions: async () => [{ name: '', query: { pk: quarantineCounters(workspace), consistent: true } }],
    visit: async ({ pk, sk, type }) => {
      if (![sk, String(type)].some(mentions)) return true;
      await store.write(del({ pk, sk }));
      counts.quarantinedTypes += 1;
      return true;
    },
  };
}
