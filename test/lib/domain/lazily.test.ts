import { expect, test } from 'vitest';
import { lazily } from '#lib/domain/lazily.ts';

test('makes it once, when it is asked for', () => {
  let made = 0;
  const get = lazily(() => ++made);
  expect(made).toBe(0);
  expect([get(), get()]).toEqual([1, 1]);
});

test('tries again after a failure, also of a promise', async () => {
  let tries = 0;
  const get = lazily(async () => {
    tries += 1;
    if (tries === 1) throw new Error('not there yet');
    return 'there';
  });
  await expect(get()).rejects.toThrow('not there yet');
  expect([await get(), await get()]).toEqual(['there', 'there']);
  expect(tries).toBe(2);
});
