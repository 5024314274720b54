import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { RECIPES } from '#lib/reactions/recipes.ts';

const page = readFileSync(new URL('../../docs/recipes.md', import.meta.url), 'utf8');
const [, ...sections] = page.split(/^## /m);
const inOneLine = (text: string) => text.replace(/\s+/g, ' ');

it('the page has a section for each recipe, and for nothing else', () => {
  expect(sections.map((section) => section.split('\n')[0])).toEqual(RECIPES.map(({ title }) => title));
});

it.each(RECIPES)('the page tells of $id as it is', ({ title, text, rule, fill }) => {
  const section = sections.find((one) => one.startsWith(`${title}\n`)) ?? '';
  expect(inOneLine(section)).toContain(inOneLine(text));
  const [, json = ''] = /```json\n(.*?)```/s.exec(section) ?? [];
  expect(JSON.parse(json)).toEqual(rule);
  const rows = [...section.matchAll(/^\| `(\S+)` \| (.*?) \| `(.*)` \|$/gm)].map(([, ...cells]) => cells);
  expect(rows).toEqual(
    fill.map(({ path, label, example, optional }) => [
      path,
      optional ? `${label} (may be left out)` : label,
      // A bar would end the cell.
      typeof example === 'string' ? example.replaceAll('|', '\\|') : JSON.stringify(example),
    ]),
  );
});
