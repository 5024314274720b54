import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { AGAIN, retryOnConflict } from '#lib/store/retry.ts';
import { StoreUnavailable } from '#lib/store/store.ts';

it('attempts until a write is taken, and answers what that attempt answers', async () => {
  const rounds: number[] = [];
  const attempt = async (round: number) => {
    rounds.push(round);
    return round < 2 ? AGAIN : 'written';
  };
  expect(await retryOnConflict('x', attempt)).toBe('written');
  expect(rounds).toEqual([0, 1, 2]);
});

it('takes an answer that is nothing for an answer', async () => {
  let attempts = 0;
  await retryOnConflict<void>('x', async () => {
    attempts += 1;
  });
  expect(attempts).toBe(1);
});

it('gives up as on a conflict in the table, and says over what', async () => {
  const failed = retryOnConflict('the webhook wh_1', async () => AGAIN, 3);
  await expect(failed).rejects.toBeInstanceOf(StoreUnavailable);
  await expect(failed).rejects.toMatchObject({
    reason: 'conflict',
    cause: { message: /^the webhook wh_1 .* 3 rounds/ },
  });
});

// Of these, each does without a refusal's usual answer: it goes on with what it knows, or it waits.
const OTHER_LOOPS = ['lib/inbox/event-store.ts', 'lib/reactions/breaker.ts', 'lib/reactions/delivery.ts'];

it('is the one loop of its kind', () => {
  const isLoop = (text: string) =>
    /for \(let (?:tries|round|looks) = \d; .*\{\n(?:(?!\n {2}\}\n)[\s\S])*?store\.(?:write|transact)\(/.test(text);
  const looping = globSync('lib/**/*.ts').filter((file) => isLoop(readFileSync(file, 'utf8')));
  expect(looping.sort()).toEqual(OTHER_LOOPS);
});
