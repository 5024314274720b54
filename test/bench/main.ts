/** `npm run bench`: all benchmarks, or those named, as a table and in `test/bench/results.json`. */
import { loadavg } from 'node:os';
import { accept } from './accept.ts';
import { bundles } from './bundles.ts';
import { console as consolePages } from './console.ts';
import { cpu } from './cpu.ts';
import type { Benchmark } from './figure.ts';
import { http } from './http.ts';
import { load } from './load.ts';
import { reactions } from './reactions.ts';
import { keep } from './results.ts';
import { sendCost } from './send-cost.ts';
import { spacing } from './spacing.ts';
import { start } from './start.ts';
import { table } from './table.ts';
import { writes } from './writes.ts';

const benchmarks: Readonly<Record<string, Benchmark>> = {
  cpu,
  writes,
  bundles,
  start,
  http,
  accept,
  spacing,
  'send-cost': sendCost,
  load,
  reactions,
  console: consolePages,
};

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !Object.hasOwn(benchmarks, name));
if (unknown) throw new Error(`there is no benchmark ${unknown}; there are ${Object.keys(benchmarks).join(', ')}`);
for (const [name, benchmark] of Object.entries(benchmarks)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const busy = (loadavg()[0] ?? 0).toFixed(1);
  const figures = await benchmark();
  keep(name, figures);
  console.log(`\n${name} (load average before: ${busy})\n\n${table(figures)}`);
}
