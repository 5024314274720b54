import type { Tasks } from '#lib/reactions/delivery.ts';
import type { Store } from '#lib/store/store.ts';
import { tasksBy } from './tasks.ts';

/** A function that dies after so many steps: what it asked of the table or the queue is done, and it never hears of it. */
export class Mortal {
  #left = Number.POSITIVE_INFINITY;

  store = (store: Store): Store => ({
    get: (...given) => this.step(() => store.get(...given)),
    getMany: (...given) => this.step(() => store.getMany(...given)),
    query: (...given) => this.step(() => store.query(...given)),
    write: (...given) => this.step(() => store.write(...given)),
    transact: (...given) => this.step(() => store.transact(...given)),
    writeMany: (...given) => this.step(() => store.writeMany(...given)),
  });

  tasks = (send: Tasks['send']): Tasks => tasksBy((...given) => this.step(() => send(...given)));

  async step<Result>(effect: () => Promise<Result>): Promise<Result> {
    if (this.#left <= 0) throw new Error('dead');
    this.#left -= 1;
    const isLast = this.#left === 0;
    const result = await effect();
    if (isLast) throw new Error('died');
    return result;
  }

  /** Whether `work` outlived that many steps. */
  async lives(steps: number, work: () => Promise<unknown>): Promise<boolean> {
    this.#left = steps;
    try {
      await work();
      return true;
    } catch (cause) {
      if (this.#left > 0) throw cause;
      return false;
    } finally {
      this.#left = Number.POSITIVE_INFINITY;
    }
  }
}

/** Lets `trial` die at its first step, its second and so on, until it lives; answers how many deaths that took. */
export async function diesAtEachStep(trial: (dyingAt: number) => Promise<boolean>, most = 100): Promise<number> {
  for (let dyingAt = 1; dyingAt <= most; dyingAt++) if (await trial(dyingAt)) return dyingAt - 1;
  throw new Error(`it did not live after ${most} steps`);
}
