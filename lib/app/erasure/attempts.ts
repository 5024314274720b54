import { attemptPartition } from '../attempts/attempt.ts';
import { wholeDirectory } from '../directory.ts';
import type { Partition, Stage } from '../lists/walk.ts';
import { del, type Store } from '../store.ts';
import type { Erasing } from './erasing.ts';

/** The logs of every webhook, also of those deleted since: a body that was refused stands nowhere else. */
export function attemptStage({ store, workspace, mentions, counts }: Erasing): Stage {
  return {
    name: '4-attempts',
    partitions: () => attemptPartitions(store, workspace),
    visit: async ({ pk, sk, attempt }) => {
      if (!mentions(String(attempt))) return true;
      await store.write(del({ pk, sk }));
      counts.attempts += 1;
      return true;
    },
  };
}

export async function attemptPartitions(store: Store, workspace: string): Promise<readonly Partition[]> {
  const present = await wholeDirectory(store, workspace, 'WEBHOOK');
  const former = await wholeDirectory(store, workspace, 'FORMER');
  const ids = [...present, ...former].map(({ sk }) => sk.slice(sk.indexOf('#') + 1));
  return ids.sort().map((id) => ({ name: id, query: { pk: attemptPartition(id), consistent: true } }));
}
