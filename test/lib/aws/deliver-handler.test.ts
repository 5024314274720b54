import { expect, test } from 'vitest';
import { contextFor } from '#infra/local/lambda.ts';
import { deliverHandler } from '#lib/aws/deliver-handler.ts';
import type { Task } from '#lib/reactions/delivery.ts';
import type { Reply } from '#lib/sender/provider.ts';
import { endpointKey } from '#lib/store/keys.ts';
import { message } from '#test/functions/admin/admin-bench.ts';
import { ReactionBench } from '#test/support/reactions.ts';
import { recordsOf } from '#test/support/tasks.ts';

const context = contextFor({ name: 'deliver', timeoutMs: 45_000, memoryMb: 128 });

/** Ten notices for one endpoint, each call taking so long. */
async function run(callMs: number, status = 200) {
  const bench = new ReactionBench();
  const hook = (await bench.admin.webhook()).url;
  const { id } = await bench.endpoint();
  for (let n = 0; n < 10; n++) await bench.admin.post(hook, message(n));
  await bench.dispatchAll();
  const tasks = bench.takeTasks();
  let now = 0;
  let atOnce = 0;
  let most = 0;
  const called: string[] = [];
  const http = {
    call: async (request: { readonly headers?: Readonly<Record<string, string>> }): Promise<Reply> => {
      most = Math.max(most, ++atOnce);
      called.push(String(request.headers?.['webhook-id']));
      await new Promise((resolve) => setImmediate(resolve));
      now += callMs;
      atOnce -= 1;
      return { kind: 'answered', status, headers: {}, text: '' };
    },
  };
  const clock = { ...bench.delivering.clock, now: () => bench.now, monotonic: () => now };
  const Records = recordsOf(tasks);
  let read = 0;
  const get: typeof bench.delivering.store.get = (key, ...given) => {
    if (key.sk === endpointKey('main', id).sk) read += 1;
    return bench.delivering.store.get(key, ...given);
  };
  const store = { ...bench.delivering.store, get };
  const counted: unknown[] = [];
  const metrics = { count: (...what: unknown[]) => void counted.push(what) };
  const ports = { ...bench.delivering, store, http, clock, metrics };
  const { batchItemFailures } = await deliverHandler(ports)({ Records }, context);
  const order = tasks.map((task) => (task.kind === 'delivery' ? task.event : ''));
  return { bench, id, called, most, order, read, counted, failed: batchItemFailures.length };
}

test('a batch of one endpoint is called two at a time and in order', async () => {
  const { called, most, order, failed } = await run(10);
  expect([called, most, failed]).toEqual([order, 2, 0]);
});

test('what became of a batch is one line of metrics, and not one for each call', async () => {
  expect((await run(10)).counted).toEqual([['Deliveries', { result: 'delivered' }, 10]]);
});

test('what a slow endpoint leaves of a batch goes back as new messages, so that it is never taken for dead', async () => {
  const { bench, called, failed } = await run(1000);
  expect([called.length, failed]).toEqual([2, 0]);
  expect(bench.tasks).toHaveLength(8);
  expect(bench.tasks.every(({ inSeconds }) => inSeconds === 2)).toBe(true);
});

test('an endpoint that is well is read once for a batch', async () => {
  expect((await run(10)).read).toBe(1);
});

test('one that begins to fail within a batch is spared from there on', async () => {
  const { bench, id, called } = await run(10, 500);
  expect(await bench.show(id)).toMatchObject({ state: 'failing' });
  // Two are under way at any time.
  expect(called.length).toBeLessThanOrEqual(6);
});

test('of the replays of a workspace no more than two take a step in a batch', async () => {
  const bench = new ReactionBench();
  const tasks = Array.from({ length: 10 }, (_, n): Task => {
    return { kind: 'replay', workspace: n < 8 ? 'main' : `ws_${n}`, endpoint: `ep_${n}`, replay: `replay_${n}`, at: 0 };
  });
  let now = 0;
  const stepped: string[] = [];
  const get: typeof bench.store.get = async ({ sk }) => {
    const [replay] = /replay_\d/.exec(sk) ?? [];
    if (!replay) return undefined;
    stepped.push(replay);
    await new Promise((resolve) => setImmediate(resolve));
    now += 1000;
    return undefined;
  };
  const clock = { ...bench.delivering.clock, monotonic: () => now };
  const ports = { ...bench.delivering, store: { ...bench.delivering.store, get }, clock };
  expect(await deliverHandler(ports)({ Records: recordsOf(tasks) }, context)).toEqual({ batchItemFailures: [] });
  expect(stepped.toSorted()).toEqual(['replay_0', 'replay_1', 'replay_8', 'replay_9']);
  expect(bench.tasks.map(({ inSeconds }) => inSeconds)).toEqual([2, 2, 2, 2, 2, 2]);
});

test('of all mails no more than two are made at once, whichever rules they are of', async () => {
  const bench = new ReactionBench();
  const email = { action: 'email', to: ['ana@example.com'], subject: 'It came', text: '{{ text }}', attach: 'raw' };
  for (let n = 0; n < 5; n++)
    await bench.admin.done('POST', '/api/rules', {
      body: { name: `Rule ${n}`, on: ['message.received'], do: [email] },
    });
  const hook = (await bench.admin.webhook()).url;
  for (let n = 0; n < 2; n++) await bench.admin.post(hook, message(n));
  await bench.dispatchAll();
  const Records = recordsOf(bench.takeTasks());
  let [atOnce, most, sent] = [0, 0, 0];
  const mailer: typeof bench.delivering.mailer = {
    send: async () => {
      most = Math.max(most, ++atOnce);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce -= 1;
      sent += 1;
      return bench.mailed;
    },
  };
  expect(await deliverHandler({ ...bench.delivering, mailer })({ Records }, context)).toEqual({
    batchItemFailures: [],
  });
  expect([sent, most]).toEqual([10, 2]);
});
