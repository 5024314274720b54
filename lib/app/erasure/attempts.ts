import { attemptPartition } from '../attempts/attempt.ts';
import { wholeDirectory } from '../directory.ts';
import { del } from '../store.ts';
import type { Erasing } from './erasing.ts';
import type { Stage } from './walk.ts';

/** The logs of every webhook, also of those deleted since: a body that was refused stands nowhere else. */
export function attemptStage({ store, workspace, mentions, counts }: Erasing): Stage {
  return {
    name: '4-attempts',
    partitions: async () => {
      const entries = [
        ...(await wholeDirectory(store, workspace, 'WEBHOOK')),
        ...(await wholeDirectory(store, workspace, 'FORMER')),
      ];
      const ids = entries.map(({ sk }) => sk.slice(sk.indexOf('#') + 1)).sort();
      return ids.map((id) => ({ name: id, query: { pk: attemptPartition(id), consistent: true } }));
    },
    visit: async ({ pk, sk, attempt }) => {
      if (!mentions(String(attempt))) return true;
      await store.write(del({ pk, sk }));
      counts.attempts += 1;
      return true;
    },
  };
}
