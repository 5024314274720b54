import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { systemClock } from '#lib/aws/runtime.ts';
import { attachmentFetcher, LIMITS } from '#lib/net/attachments.ts';
import { fetching, rawFetching } from '#test/support/fetching.ts';
import { fileHost } from '#test/support/file-host.ts';

test('a file has 12 s in all: 3 s to connect, 5 s to answer, and 1 KB/s from then on', () => {
  expect(LIMITS).toMatchObject({ connectMs: 3_000, firstByteMs: 5_000, totalMs: 12_000 });
  expect(LIMITS.windowBytes / LIMITS.windowMs).toBeCloseTo(1.024);
});

test('a name that nobody answers for is given up', async () => {
  const fetcher = attachmentFetcher({
    allowPrivateHosts: false,
    clock: systemClock,
    lookup: () => undefined,
    limits: { connectMs: 20 },
  });
  expect(await fetcher.fetch('https://files.example.com/', 'a', systemClock.monotonic() + 5_000)).toEqual({
    kind: 'unavailable',
    reason: "the file's host could not be reached in time",
  });
});

test('a host that takes the connection and says nothing is given up', async () => {
  const { fetched } = await rawFetching(() => undefined, { limits: { firstByteMs: 20 } });
  expect(fetched).toEqual({ kind: 'unavailable', reason: "the file's host did not answer in time" });
});

test('a host that speaks TLS to nobody is given up', async () => {
  const { fetched } = await rawFetching(() => undefined, {
    limits: { connectMs: 20, firstByteMs: 5_000 },
    scheme: 'https',
  });
  expect(fetched).toEqual({ kind: 'unavailable', reason: "the file's host could not be reached in time" });
});

test('headers that trickle in for ever are given up', async () => {
  const { fetched } = await rawFetching(
    (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const timer = setInterval(() => socket.write('X-More: yes\r\n'), 5);
      socket.on('close', () => clearInterval(timer));
    },
    { limits: { firstByteMs: 50 } },
  );
  expect(fetched).toEqual({ kind: 'unavailable', reason: "the file's host did not answer in time" });
});

test('a body that trickles in is given up', async () => {
  const { fetched } = await fetching(trickle, { limits: { windowMs: 50, windowBytes: 1_000 } });
  expect(fetched).toEqual({ kind: 'unavailable', reason: 'the file arrives too slowly' });
});

test('so is one that starts fast and then trickles in', async () => {
  const { fetched } = await fetching(
    (request, response) => {
      response.write('x'.repeat(10_000));
      trickle(request, response);
    },
    { limits: { windowMs: 50, windowBytes: 1_000 } },
  );
  expect(fetched).toEqual({ kind: 'unavailable', reason: 'the file arrives too slowly' });
});

test('a body that arrives steadily but takes too long in all is given up', async () => {
  const { fetched } = await fetching(trickle, { limits: { totalMs: 50, windowBytes: 0 } });
  expect(fetched).toEqual({ kind: 'unavailable', reason: 'the file took too long to arrive' });
});

test.each([
  { step: 'answer', listener: () => undefined },
  { step: 'body', listener: trickle },
])('the deadline of the caller ends the wait for the $step', async ({ listener }) => {
  const { fetched, milliseconds } = await fetching(listener, { deadline: 50 });
  expect(fetched.kind).toBe('unavailable');
  expect(milliseconds).toBeLessThan(1_000);
});

test('redirects do not add to the time', async () => {
  const { fetched, milliseconds } = await fetching(
    async (_request, response) => {
      await sleep(30);
      response.writeHead(302, { location: '/again' }).end();
    },
    { deadline: 50 },
  );
  expect(fetched.kind).toBe('unavailable');
  expect(milliseconds).toBeLessThan(1_000);
});

test('with no time left, nobody is asked', async () => {
  const { fetched, host } = await fetching((_request, response) => response.end('x'), { deadline: 0 });
  expect(fetched).toEqual({ kind: 'unavailable', reason: 'no time was left to fetch the file' });
  expect(host.connections()).toBe(0);
});

test('a fetch that is over leaves no timer behind', async () => {
  const started = [vi.spyOn(globalThis, 'setTimeout'), vi.spyOn(globalThis, 'setInterval')];
  const stopped = [vi.spyOn(globalThis, 'clearTimeout'), vi.spyOn(globalThis, 'clearInterval')];
  const { fetched } = await fetching((_request, response) => response.end('x'));
  const timers = started.flatMap((spy) => spy.mock.results.map(({ value }) => value));
  const cleared = new Set(stopped.flatMap((spy) => spy.mock.calls.map(([timer]) => timer)));
  vi.restoreAllMocks();
  expect(fetched.kind).toBe('ok');
  expect(timers.length).toBeGreaterThan(2);
  expect(timers.filter((timer) => !cleared.has(timer))).toEqual([]);
});

test.each([404, 302])('an answer of %i is hung up on', async (status) => {
  await using host = await fileHost((_request, response) => {
    response.writeHead(status, { location: 'http://[::1]:1/' }).write('x');
  });
  const fetcher = attachmentFetcher({ allowPrivateHosts: true, clock: systemClock });
  await fetcher.fetch(host.url, 'a', systemClock.monotonic() + 1_000);
  await vi.waitFor(() => expect(host.closed()).toBe(1));
});

function trickle(
  _request: unknown,
  response: { write(text: string): void; on(event: 'close', act: () => void): void },
) {
  response.write('x');
  const timer = setInterval(() => response.write('x'), 5);
  response.on('close', () => clearInterval(timer));
}
