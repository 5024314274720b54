import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Figure, isReached, ratioOf } from './figure.ts';

const file = fileURLToPath(new URL('results.json', import.meta.url));

/** Puts the figures of one benchmark into the file of results, beside those of the others. */
export function keep(benchmark: string, figures: readonly Figure[]): void {
  const before: unknown = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const result = {
    measuredAt: new Date().toISOString(),
    node: process.version,
    cpu: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
    figures: figures.map((figure) => ({ ...figure, ratio: ratioOf(figure), reached: isReached(figure) })),
  };
  writeFileSync(file, `${JSON.stringify(Object.assign({}, before, { [benchmark]: result }), null, 2)}\n`);
}
