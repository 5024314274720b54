import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

const page = readFileSync('docs/architecture.md', 'utf8');

/** The files of a section, in their order. */
function filesIn(title: string): readonly string[] {
  const [, section = ''] = page.split(`\n## ${title}\n`);
  const [own = ''] = section.split('\n## ');
  return [...own.matchAll(/^\d+\. `([^`]+)`/gm)].map(([, file = '']) => file);
}

/** What a file imports at once, types too. */
function importsOf(file: string): readonly string[] {
  const specifiers = [...readFileSync(file, 'utf8').matchAll(/from '([^']+\.ts)'/g)].map(([, from = '']) => from);
  return specifiers.map((from) => (from.startsWith('#') ? from.slice(1) : normalize(join(dirname(file), from))));
}

// Lambda calls a handler, and the API finds its routes in a list.
const isEntrance = (file: string) => /^functions\/(?:[\w-]+\/handler|admin\/routes\/\w+)\.ts$/.test(file);

describe.each([
  ['Follow a webhook', 20],
  ['Follow a send', 30],
])('%s', (title, most) => {
  const files = filesIn(title);

  it('names a few files, all of which there are', () => {
    expect(files.length).toBeGreaterThan(10);
    expect(files.length).toBeLessThanOrEqual(most);
    expect(files.filter((file) => !existsSync(file))).toEqual([]);
    expect(new Set(files).size).toBe(files.length);
  });

  it('names none that is not reached from one above it', () => {
    const unreached = files.filter(
      (file, at) => !isEntrance(file) && !files.slice(0, at).some((above) => importsOf(above).includes(file)),
    );
    expect(unreached).toEqual([]);
  });
});
