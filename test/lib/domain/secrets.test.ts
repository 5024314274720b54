import { expect, it } from 'vitest';
import { matchesHash, sha256 } from '#lib/domain/ids.ts';

const hash = sha256('open sesame ✓');

it('accepts the secret that was hashed', () => {
  expect(matchesHash(sha256('open sesame ✓'), hash)).toBe(true);
  expect(matchesHash(sha256('open sesame ✓'), hash.toUpperCase())).toBe(true);
});

it.each(['', 'open sesame', 'open sesame ✓ ', 'Open sesame ✓', hash])('refuses %j', (presented) => {
  expect(matchesHash(sha256(presented), hash)).toBe(false);
});

it.each(['', 'abc', 'not hex at all', hash.slice(2), `${hash}00`])(
  'matches nothing, not even itself, against %j, which is no hash',
  (broken) => {
    expect(matchesHash(hash, broken)).toBe(false);
    expect(matchesHash(broken, hash)).toBe(false);
    expect(matchesHash(broken, broken)).toBe(false);
  },
);
