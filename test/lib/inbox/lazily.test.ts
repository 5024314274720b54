import { expect, test } from 'vitest';
import { lazily } from '#lib/inbox/provider.ts';

test('makes it once, when it is asked for', () => {
  let made = 0;
  const get = lazily(() => ++made);
  expect(made).toBe(0);
  expect([get(), get()]).toEqual([1, 1]);
});

test('tries again after a failure', () => {
  let tries = 0;
  const get = lazily(() => {
    tries += 1;
    if (tries === 1) throw new Error('not there yet');
    return 'there';
  });
  expect(get).toThrow('not there yet');
  expect([get(), get()]).toEqual(['there', 'there']);
  expect(tries).toBe(2);
});
