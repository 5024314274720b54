import * as v from 'valibot';
import type { Clock, Metrics } from '#lib/domain/ports.ts';
import { itemReader } from './items.ts';
import { fillKey } from './keys.ts';
import { type Item, put, type Store } from './store.ts';
import { At, type Stage, walk } from './walk.ts';

/**
 * Something that this release keeps beside what earlier ones stored: rows that have to be added once, for everything that
 * is there. The watchdog does it a step at a time; what is stored meanwhile brings its rows along.
 */
export interface Fill {
  readonly name: string;
  /** What is walked through in one workspace. Safe to repeat, and to break off anywhere. */
  readonly stages: (ports: FillPorts, workspace: string) => readonly Stage[];
}

export interface FillPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

const Progress = v.object({
  /** The workspaces before this one are done. */
  workspace: v.string(),
  at: v.exactOptional(At),
  done: v.boolean(),
});
const readProgress = itemReader(Progress);

const progressOf = (item: Item | undefined) => (item ? readProgress(item) : { workspace: '', done: false });

/** Whether everything is there that should be: until then, readers say that they do not show all. */
export async function isFilled(store: Store, { name }: Pick<Fill, 'name'>): Promise<boolean> {
  return progressOf(await store.get(fillKey(name))).done;
}

/** Goes on until `isTimeUp`. `workspaces`: the ids of all there are, in order; a new one has nothing to be filled in. */
export async function fillOn(
  ports: FillPorts,
  fill: Fill,
  workspaces: () => Promise<readonly string[]>,
  isTimeUp: () => boolean,
): Promise<void> {
  const { store } = ports;
  const save = (progress: v.InferOutput<typeof Progress>) => store.write(put({ ...fillKey(fill.name), ...progress }));
  const begun = progressOf(await store.get(fillKey(fill.name), { consistent: true }));
  if (begun.done) return;
  const left = (await workspaces()).filter((workspace) => workspace >= begun.workspace);
  for (const workspace of left) {
    const from = workspace === begun.workspace ? begun.at : undefined;
    const at = await walk(store, fill.stages(ports, workspace), from, isTimeUp);
    if (at) return void (await save({ workspace, at, done: false }));
  }
  await save({ workspace: '', done: true });
}
