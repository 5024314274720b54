import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { METRICS } from '#lib/domain/ports.ts';

const root = new URL('../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');

/** The names with which the code counts. A name chosen by a condition stands in the same call. */
function counted(): Set<string> {
  const files = ['lib', 'functions'].flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, root), { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`),
  );
  const calls = files
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [...read(file).matchAll(/metrics\.count\(([^,)]+)/g)].map(([, name = '']) => name));
  return new Set(calls.flatMap((call) => [...call.matchAll(/'(\w+)'/g)].map(([, name = '']) => name)));
}

test('the code counts every metric that has a name, and no other', () => {
  expect([...counted()].sort()).toEqual(Object.keys(METRICS).sort());
});

test('docs/operations.md explains each metric', () => {
  const explained = [...read('docs/operations.md').matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  expect(explained.sort()).toEqual(Object.keys(METRICS).sort());
});

test('docs/operations.md says what to do about each alarm', () => {
  const alarms = [...read('infra/alarms.yml').matchAll(/AlarmName: .*\}-([\w-]+)$/gm)].map(([, name]) => name);
  const [, section = ''] = read('docs/operations.md').split('\n## What to do for each alarm\n');
  const [text = ''] = section.split('\n## ');
  const explained = [...text.matchAll(/^### `([\w-]+)`\n\n.{40}/gm)].map(([, name]) => name);
  expect(alarms.length).toBeGreaterThan(10);
  expect(explained.sort()).toEqual(alarms.sort());
});

test.each(['Write', 'Read'])('the alarm on %sThrottleEvents looks at the table and at each of its indexes', (kind) => {
  const indexes = [...read('infra/table.yml').matchAll(/IndexName: (\w+)/g)].map(([, name]) => name);
  const watched = read('infra/alarms.yml').split(`MetricName: ${kind}ThrottleEvents\n`).slice(1);
  const dimensions = watched.map(
    (part) => /GlobalSecondaryIndexName, Value: (\w+)/.exec(part.split('Stat:')[0] ?? '')?.[1],
  );
  expect(indexes.length).toBeGreaterThan(0);
  expect(dimensions).toEqual([undefined, ...indexes]);
});
