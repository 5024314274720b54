import { REPLAY_PREFIX } from '#lib/store/keys.ts';
import type { Key, Store } from '#lib/store/store.ts';
import { readDelivery, taskOf } from './delivery.ts';
import { type Callee, readCallee } from './health.ts';
import { dueStep } from './replay.ts';
import type { Task, Tasks } from './task.ts';

/* What the watchdog does for tasks that were lost: whatever is due in the table gets its task anew. */

interface WakePorts {
  readonly store: Store;
  readonly tasks: Tasks;
}

/** A delivery whose time has come. */
export async function wakeDelivery({ store, tasks }: WakePorts, key: Key): Promise<void> {
  const item = await store.get(key, { consistent: true });
  const row = item && readDelivery(item);
  if (row?.state === 'waiting') await tasks.send(taskOf(row));
}

/** An endpoint or a rule whose calls fail or are drained, or the replay of an endpoint: they are due in one list. */
export async function wakeEndpoint({ store, tasks }: WakePorts, key: Key): Promise<void> {
  const item = await store.get(key, { consistent: true });
  const task = item && (key.sk.startsWith(REPLAY_PREFIX) ? dueStep(item) : healthTask(readCallee(item)));
  if (task) await tasks.send(task);
}

function healthTask({ id, workspace, state, drainAt }: Callee): Task | undefined {
  if (state === 'failing') return { kind: 'probe', workspace, endpoint: id };
  return drainAt === undefined ? undefined : { kind: 'drain', workspace, endpoint: id, at: drainAt };
}
