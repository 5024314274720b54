import { createServer, type RequestListener, type Server } from 'node:http';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '#lib/aws/runtime.ts';
import { providerHttp } from '#lib/net/provider-call.ts';
import { runTask } from '#lib/reactions/deliver.ts';
import { endpointKey } from '#lib/store/keys.ts';
import { set, update } from '#lib/store/store.ts';
import { itemsOf, message } from '#test/functions/admin/admin-bench.ts';
import { ReactionBench } from '#test/support/reactions.ts';

/* What an endpoint may do to whoever calls it, over a real connection. */

const METADATA = '169.254.169.254';
let bench: ReactionBench;
let server: Server;
let answer: RequestListener;
let requests: number;
/** Where the name of the endpoint leads, look-up by look-up; the last one stays. One may lead to several places. */
let addresses: string[];

beforeEach(async () => {
  bench = new ReactionBench();
  requests = 0;
  addresses = ['127.0.0.1'];
  server = createServer((request, response) => {
    requests += 1;
    request.resume();
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** An endpoint that is told of `count` events, one after the other, as a hub on one's own machine calls. */
async function told(count = 1, timeoutMs = 1000) {
  const hook = (await bench.admin.webhook()).url;
  const { id } = await bench.endpoint({ timeoutMs });
  const { port } = Object(server.address());
  await bench.store.write(update(endpointKey('main', id), [set('url', `http://crm.example:${port}/in`)]));
  const http = providerHttp({
    reach: { anyPort: true, privateHosts: false, ownMachine: true },
    clock: systemClock,
    lookup: (_name, found) => {
      const led = (addresses.length > 1 ? addresses.shift() : addresses[0]) ?? '';
      found(
        null,
        led.split(' ').map((address) => ({ address, family: 4 })),
      );
    },
  });
  const clock = { ...bench.delivering.clock, monotonic: systemClock.monotonic };
  for (let n = 0; n < count; n++) {
    await bench.admin.post(hook, message(n));
    await bench.dispatchAll();
    for (const task of bench.takeTasks()) {
      await runTask({ ...bench.delivering, http, clock }, task);
      bench.loseTasks();
    }
    server.closeIdleConnections();
  }
  return itemsOf(await bench.admin.done('GET', `/api/endpoints/${id}/deliveries`)).toReversed();
}

it('a redirect to the metadata of the machine is a failure, and nobody follows it', async () => {
  answer = (_request, response) =>
    response.writeHead(302, { location: `http://${METADATA}/latest/meta-data/` }).end('moved');
  expect(await told()).toMatchObject([{ state: 'waiting', attempts: [{ status: 302, answer: 'moved' }] }]);
  expect(requests).toBe(1);
});

it('of an answer of twenty megabytes the beginning is kept, and the rest is not even read', async () => {
  let written = 0;
  answer = (_request, response) => {
    const more = () => {
      while (written < 20_000_000 && !response.destroyed && response.write('word '.repeat(13_000))) written += 65_000;
      if (written >= 20_000_000) response.end();
    };
    response.on('drain', more);
    more();
  };
  const [delivery] = await told();
  expect(delivery).toMatchObject({ state: 'delivered', attempts: [{ status: 200, answer: 'word '.repeat(200) }] });
  expect(JSON.stringify(delivery).length).toBeLessThan(2000);
  expect(written).toBeLessThan(20_000_000);
});

it('an endpoint that hangs is given up at its time-out, and not called again for a minute', async () => {
  answer = () => undefined;
  const [delivery] = await told(1, 1000);
  expect(delivery).toMatchObject({ state: 'waiting', attempts: [{ failure: 'timeout' }] });
  expect(Date.parse(String(delivery?.nextAt)) - bench.now).toBeGreaterThanOrEqual(60_000);
});

it('a name that leads elsewhere between the look-up and the connection is called where it was looked up', async () => {
  answer = (_request, response) => response.writeHead(200, { connection: 'close' }).end();
  addresses = ['127.0.0.1', METADATA, METADATA];
  expect(await told()).toMatchObject([{ state: 'delivered' }]);
  expect([requests, addresses]).toEqual([1, [METADATA, METADATA]]);
});

it('a name that leads to a public place and to the metadata of the machine at once is called nowhere', async () => {
  addresses = [`127.0.0.1 ${METADATA}`];
  expect(await told()).toMatchObject([{ state: 'waiting', attempts: [{ failure: 'refused' }] }]);
  expect(requests).toBe(0);
});

it('a name that led to a public place and then to the metadata of the machine is called there alone', async () => {
  answer = (_request, response) => response.writeHead(200, { connection: 'close' }).end();
  addresses = ['127.0.0.1', METADATA];
  expect(await told(2)).toMatchObject([
    { state: 'delivered', attempts: [{ status: 200 }] },
    { state: 'waiting', attempts: [{ failure: 'refused' }] },
  ]);
  expect(requests).toBe(1);
});
