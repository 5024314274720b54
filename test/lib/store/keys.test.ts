import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

// Made anywhere else, a key would be missing where the table is searched, emptied or counted by its kinds.
const MADE = /(?:\bpk|\bsk|gsi\dpk)['"]?\s*:\s*[`'"]|`[A-Z]{2,}#|'[A-Z]{2,}[#$]|\bsk: 'META'/;

it('are made in one file alone', () => {
  const files = globSync('{lib,functions}/**/*.ts');
  expect(files.length).toBeGreaterThan(100);
  const making = files.filter((file) => MADE.test(readFileSync(file, 'utf8')));
  expect(making).toEqual(['lib/store/keys.ts']);
});
