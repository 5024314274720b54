import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MemoryStore } from '#test/support/memory-store.ts';
import { grantsOf, underRole } from '#test/support/under-role.ts';

const root = new URL('../../', import.meta.url);
const providers = readdirSync(new URL('functions/', root)).filter((name) =>
  readdirSync(new URL(`functions/${name}/`, root)).includes('provider.ts'),
);

/** One line for each thing that a role may do: `PutItem Table EVT#*`. */
function lines(role: string): string[] {
  return grantsOf(role).flatMap(({ actions, on, keys }) =>
    actions.flatMap((action) =>
      on.flatMap((where) => (keys.length > 0 ? keys : ['']).map((key) => `${action} ${where} ${key}`)),
    ),
  );
}

test.each(providers)('the fallback function may do all that %s does with what it takes in', (provider) => {
  const ofTheTable = lines(provider).filter((line) => /^\w+Item |^Query |TicksQueue/.test(line));
  expect(ofTheTable.length).toBeGreaterThan(3);
  expect(lines('fallback')).toEqual(expect.arrayContaining(ofTheTable));
});

test('a store under a role refuses what IAM would refuse', async () => {
  const store = underRole(new MemoryStore(), 'cooby');
  await expect(store.get({ pk: 'HOOK#1', sk: 'META' })).resolves.toBeUndefined();
  await expect(store.get({ pk: 'MSG#1', sk: 'META' })).rejects.toThrow('does not grant GetItem on Table for MSG#1');
  await expect(store.query({ index: 'gsi1', pk: 'WS#main#EVT#0', limit: 1 })).rejects.toThrow('Query on gsi1');
});
