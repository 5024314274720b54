import { percentile } from './statistics.ts';

export interface Pace {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

export interface Bounds {
  readonly calls: number;
  readonly milliseconds: number;
}

/** Makes calls, so many at once and each as soon as one before it is done, until there were enough or time is up. */
export async function closedLoop(
  bounds: Bounds,
  atOnce: number,
  call: (number: number) => Promise<void>,
): Promise<Pace> {
  const took: number[] = [];
  let next = 0;
  const begun = performance.now();
  const work = async () => {
    while (next < bounds.calls && performance.now() - begun < bounds.milliseconds) {
      const number = next;
      next += 1;
      const since = performance.now();
      await call(number);
      took.push(performance.now() - since);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  const seconds = (performance.now() - begun) / 1000;
  return { perSecond: took.length / seconds, p50: percentile(took, 50), p99: percentile(took, 99) };
}
