import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');

const sources = readdirSync(new URL('lib/', root), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => read(`lib/${file}`))
  .join('\n');

/** `WS#${workspace}#EVT#${shard}` and `WS#<workspace>#EVT#<shard>` are both `WS# EVT#`. */
const shapeOf = (key: string) => [...key.matchAll(/(?<=^|#)[A-Z]+#/g)].join(' ');
const shapesIn = (texts: Iterable<RegExpExecArray>) => new Set([...texts].map(([, key = '']) => shapeOf(key)));

const used = shapesIn(sources.matchAll(/['`]([A-Z]+#[^'`\n]*)['`]/g));
const named = shapesIn(read('docs/data-model.md').matchAll(/`([A-Z]+#[^`\n]*)`/g));
/** The name of a part of something, put before its `#` elsewhere. */
const isPart = (shape: string) => sources.includes(`'${shape.slice(0, -1)}'`);

it('finds the keys in both', () => {
  for (const shapes of [used, named]) expect([...shapes]).toEqual(expect.arrayContaining(['EVT#', 'ACC#', 'WS#']));
});

it('the data model names every key of the table and its indexes', () => {
  expect([...used].filter((shape) => !named.has(shape))).toEqual([]);
});

it('the data model names no key that nothing uses', () => {
  expect([...named].filter((shape) => !used.has(shape) && !isPart(shape))).toEqual([]);
});
