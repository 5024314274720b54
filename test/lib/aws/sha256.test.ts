import { createHash, createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { Sha256 } from '#lib/aws/clients.ts';

/** Around the length of a block, where the padding of a key changes. */
const lengths = [0, 1, 63, 64, 65, 200];
const bytes = (length: number) => Buffer.from(Array.from({ length }, (_, i) => (i * 7) % 256));

async function digestOf(parts: readonly (string | Uint8Array)[], key?: string | Uint8Array) {
  const made = new Sha256(key);
  for (const part of parts) made.update(part);
  return Buffer.from(await made.digest()).toString('hex');
}

test.each(lengths)('%i bytes have the hash that Node gives them, in one piece or several', async (length) => {
  const expected = createHash('sha256').update(bytes(length)).digest('hex');
  expect(await digestOf([bytes(length)])).toBe(expected);
  expect(await digestOf([bytes(length).subarray(0, 3), bytes(length).subarray(3)])).toBe(expected);
});

test.each(lengths)('a key of %i bytes signs as it does in Node', async (length) => {
  const expected = createHmac('sha256', bytes(length)).update('what is signed').digest('hex');
  expect(await digestOf(['what is ', 'signed'], bytes(length))).toBe(expected);
});

test('a key may be a text, or a part of a larger buffer', async () => {
  const expected = (key: string | Uint8Array) => createHmac('sha256', key).update('é').digest('hex');
  expect(await digestOf(['é'], 'Schlüssel')).toBe(expected('Schlüssel'));
  expect(await digestOf(['é'], new Uint8Array(bytes(40).buffer, 5, 9))).toBe(
    expected(new Uint8Array(bytes(40).buffer, 5, 9)),
  );
});

test('it gives the same digest twice, and begins anew when it is reset', async () => {
  const made = new Sha256('key');
  made.update(bytes(10));
  expect(await made.digest()).toEqual(await made.digest());
  made.reset();
  made.update(bytes(4));
  expect(Buffer.from(await made.digest())).toEqual(createHmac('sha256', 'key').update(bytes(4)).digest());
});
