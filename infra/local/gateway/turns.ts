/** Runs work side by side, but no more than so many at once; the rest waits for its turn, first come, first served. */
export type Turns = <Result>(work: () => Promise<Result>) => Promise<Result>;

export function turns(atOnce: number): Turns {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
