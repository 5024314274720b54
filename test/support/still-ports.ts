import { sha256 } from '#lib/domain/ids.ts';

interface Still {
  now: number;
  readonly logged: string[];
  readonly counted: string[];
}

/** Ports of a bench at which time stands still but for waits, and nothing is left to chance; all that is said is kept. */
export function stillPorts(bench: Still) {
  let unique = 0;
  const line = (...parts: unknown[]) => {
    bench.logged.push(parts.map((part) => (part instanceof Error ? part.stack : JSON.stringify(part))).join(' '));
  };
  return {
    clock: {
      now: () => bench.now,
      monotonic: () => bench.now,
      sleep: async (milliseconds: number) => {
        bench.now += Math.ceil(milliseconds);
      },
    },
    random: {
      next: () => 0.5,
      bytes: (count: number) => new Uint8Array(Buffer.from(sha256(String(unique++)))).slice(0, count),
    },
    log: { info: line, warn: line, error: line },
    metrics: { count: (name: string) => void bench.counted.push(name) },
  };
}
