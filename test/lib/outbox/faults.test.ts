import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Store, StoreUnavailable } from '#lib/store/store.ts';
import { SendBench } from '#test/support/send-bench.ts';

const body = { action: 'send', phone: '+14151231234', text: 'hello' };
const NOT_NOW =
  'The message could not be queued now; send it again, with an Idempotency-Key so that it cannot go out twice';

async function prepared(wrap?: (store: Store) => Store): Promise<SendBench> {
  const bench = new SendBench(wrap);
  await bench.addWebhook();
  await bench.addAccount('acc_1');
  await bench.addCredits(1_000);
  return bench;
}

const refuse = (): never => {
  throw new StoreUnavailable('unreachable');
};

it('a table that cannot be read is told to the caller, and nothing is charged', async () => {
  const bench = await prepared((store) => ({ ...bound(store), get: async () => refuse() }));
  expect(await bench.post(body)).toEqual({
    status: 503,
    headers: { 'retry-after': '5' },
    body: { status: 503, data: {}, message: NOT_NOW },
  });
  expect(await bench.credits()).toMatchObject({ available: 1_000 });
});

it('a table that takes no transaction is told to the caller and noted for the owner, and nothing is charged', async () => {
  const bench = await prepared((store) => ({ ...bound(store), transact: async () => refuse() }));
  expect(await bench.post(body)).toMatchObject({ status: 503 });
  expect(await bench.credits()).toMatchObject({ available: 1_000 });
  expect(await bench.attempts()).toMatchObject([{ status: 503, outcome: 'unavailable' }]);
});

it('an answer of the table that is lost once is one message and one charge', async () => {
  let losses = 1;
  const bench = await prepared((store) => ({
    ...bound(store),
    transact: async (writes, token) => {
      const transacted = await store.transact(writes, token);
      return losses-- > 0 ? refuse() : transacted;
    },
  }));
  const answer = await bench.post(body);
  expect(answer.status).toBe(200);
  expect(bench.sends().map(({ messageId }) => messageId)).toEqual([answer.body.data.message_id]);
  expect(await bench.credits()).toMatchObject({ available: 999, reserved: 1 });
});

it('an attempt with secrets of thousands of characters is noted as any other', async () => {
  const bench = await prepared((store) => store);
  const named = { token: `${'x'.repeat(4000)}Y`, other: `\n&%\u200b${'x'.repeat(4100)}` };
  const answer = await bench.post({ ...body, text: '', ...named });
  expect(answer.status).toBe(400);
  expect(bench.logged.join()).not.toContain('an attempt could not be logged');
});

it('an attempt that cannot be noted does not undo what was accepted', async () => {
  const bench = await prepared((store) => ({
    ...bound(store),
    write: async (write, options) => (write.kind === 'put' ? refuse() : store.write(write, options)),
  }));
  expect(await bench.post(body)).toMatchObject({ status: 200 });
  expect(bench.logged.join()).toContain('an attempt could not be logged');
});

it('no body makes it fail, or charge without accepting', async () => {
  const bench = await prepared();
  const field = fc.constantFrom(
    'action',
    'text',
    'phone',
    'jid',
    'chat_id',
    'chat_name',
    'file_url',
    'file_name',
    'account_id',
    'whatsapp_account_phone',
    '__proto__',
    'constructor',
  );
  const value = fc.oneof(
    fc.constantFrom<unknown>('send', '+14151231234', '1@c.us', 'https://files.example/a', 'a.pdf', null),
    fc.string({ unit: 'binary' }),
    fc.jsonValue(),
  );
  const mangled = fc
    .array(fc.tuple(field, value), { maxLength: 6 })
    .map((entries) => JSON.stringify({ ...body, ...Object.fromEntries(entries) }));
  const anything = fc.oneof(mangled, fc.json(), fc.string(), fc.uint8Array());
  await fc.assert(
    fc.asyncProperty(anything, async (sent) => {
      const before = bench.available();
      const answer = await bench.post(sent);
      const available = bench.available();
      if (answer.status === 200) {
        expect(before - available).toBe(bench.send(answer.body.data.message_id).parts.length);
      } else {
        expect([400, 402, 404, 409]).toContain(answer.status);
        expect(answer.body).toEqual({ status: answer.status, data: {}, message: expect.any(String) });
        expect(available).toBe(before);
      }
    }),
    { numRuns: 200 },
  );
});

/** The methods of a store that is a class, as a plain object. */
function bound(store: Store): Store {
  return {
    get: (key, options) => store.get(key, options),
    getMany: (keys, options) => store.getMany(keys, options),
    query: (query) => store.query(query),
    write: (write, options) => store.write(write, options),
    transact: (writes, token) => store.transact(writes, token),
    writeMany: (writes) => store.writeMany(writes),
  };
}
