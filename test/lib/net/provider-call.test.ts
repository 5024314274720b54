import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#lib/aws/runtime.ts';
import { providerHttp } from '#lib/net/provider-call.ts';
import type { ProviderRequest } from '#lib/sender/provider.ts';
import { answer, type Behaviour, FakeHttp, page } from '#test/support/providers/fake-http.ts';
import { formOf } from '#test/support/providers/form.ts';

/** For a name: this machine's own resolver says so, and asks no other. */
const TOO_LONG = 'x'.repeat(64);

const LOCAL = { anyPort: true, privateHosts: true };
const DEPLOYED = { anyPort: false, privateHosts: false };

let behaviour: Behaviour;
let server: FakeHttp;
const http = providerHttp({ reach: LOCAL, clock: systemClock });
const within = (milliseconds: number) => systemClock.monotonic() + milliseconds;
const post = (over: Partial<ProviderRequest> = {}): ProviderRequest => ({
  method: 'POST',
  url: `${server.url}/path?token=hush-hush`,
  body: { kind: 'json', value: { text: 'good day ☀' } },
  ...over,
});

beforeEach(async () => {
  behaviour = answer(200, { ok: true });
  server = new FakeHttp(() => behaviour);
  await server.start();
});
afterEach(async () => {
  await server.stop();
});

describe('a call of a provider', () => {
  it('carries JSON in UTF-8 under our own name', async () => {
    const reply = await http.call(post(), within(2000));
    expect(reply).toMatchObject({ kind: 'answered', status: 200, text: '{"ok":true}' });
    const [{ headers, raw } = { headers: {}, raw: Buffer.alloc(0) }] = server.seen;
    expect(raw.toString('utf8')).toBe('{"text":"good day ☀"}');
    expect(headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(raw.length),
      'accept-encoding': 'identity',
      'user-agent': expect.stringMatching(/^Hookline\/\d+\.\d+\.\d+$/),
    });
    expect(headers['transfer-encoding']).toBeUndefined();
  });

  it('is made on a connection of its own, which goes with it', async () => {
    await http.call(post(), within(2000));
    await http.call(post(), within(2000));
    expect(server.connections).toBe(2);
  });

  it('follows no redirect', async () => {
    behaviour = answer(302, '', { location: `${server.url}/elsewhere` });
    expect(await http.call(post(), within(2000))).toMatchObject({ kind: 'answered', status: 302 });
    expect(server.seen).toHaveLength(1);
  });

  it('hands a page over as it is', async () => {
    behaviour = page(404);
    const reply = await http.call(post(), within(2000));
    expect(reply).toMatchObject({ kind: 'answered', status: 404, text: expect.stringContaining('<html>') });
  });

  it('reads no more than a megabyte of an answer', async () => {
    behaviour = answer(200, 'x'.repeat(3_000_000));
    const reply = await http.call(post(), within(2000));
    expect(reply.kind === 'answered' && reply.text.length).toBe(1_048_576);
  });

  it('does not listen to an answer without end', async () => {
    const endless = createHttpServer((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    });
    await new Promise<void>((resolve) => endless.listen(0, '127.0.0.1', resolve));
    const address = endless.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const reply = await http.call(post({ url: `http://127.0.0.1:${port}/` }), within(5000));
    expect(reply).toMatchObject({ kind: 'answered', status: 200 });
    endless.closeAllConnections();
    endless.close();
  });

  it('is over by the deadline, and then nobody knows what became of it', async () => {
    behaviour = { kind: 'hang' };
    const began = performance.now();
    expect(await http.call(post(), within(150))).toEqual({ kind: 'broken', breakdown: 'unanswered' });
    expect(performance.now() - began).toBeLessThan(400);
  });

  it.each([
    ['is refused it', async () => false],
    ['cannot find out', () => Promise.reject(new Error('nobody knows'))],
  ])('is over before its deadline where it asks whether it may go on, and %s', async (_what, mayGoOn) => {
    behaviour = { kind: 'hang' };
    const begun = systemClock.monotonic();
    const reply = await http.call(post(), within(20_000), { afterMs: 20, mayGoOn });
    expect(reply).toEqual({ kind: 'broken', breakdown: 'unanswered' });
    expect(systemClock.monotonic() - begun).toBeLessThan(10_000);
  });

  it('goes on where it may, and asks nothing where it was answered before', async () => {
    let asked = 0;
    const mayGoOn = async () => {
      asked += 1;
      return true;
    };
    await http.call(post(), within(20_000), { afterMs: 10_000, mayGoOn });
    expect(asked).toBe(0);
    behaviour = { kind: 'hang' };
    const reply = await http.call(post(), within(200), { afterMs: 10, mayGoOn });
    expect([reply, asked]).toEqual([{ kind: 'broken', breakdown: 'unanswered' }, 1]);
  });

  it('does not begin after the deadline', async () => {
    expect(await http.call(post(), within(-1))).toEqual({ kind: 'broken', breakdown: 'unwritten' });
    expect(server.connections).toBe(0);
  });
});

/** Answers once the head of a request has come, reads no more of it, and breaks the connection a little later. */
async function hasty(answer: string) {
  const early = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.pause();
      socket.write(answer, () => void sleep(100).then(() => socket.resetAndDestroy()));
    });
  });
  await new Promise<void>((resolve) => early.listen(0, '127.0.0.1', resolve));
  const address = early.address();
  const port = typeof address === 'object' ? address?.port : 0;
  return { url: `http://127.0.0.1:${port}/`, stop: () => early.close() };
}

describe('a process that stalls until its deadline is over', () => {
  let now = 0;
  const stalling = providerHttp({ reach: LOCAL, clock: { monotonic: () => now } });
  /** The call has begun, and no event of its connection has been heard yet. */
  async function stalled(request: ProviderRequest) {
    const reply = stalling.call(request, now + 1000);
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
    now += 2000;
    return reply;
  }

  it.each([
    ['POST', post],
    ['GET', () => ({ method: 'GET', url: server.url }) as const],
  ])('writes nothing of a %s on a connection that comes only then', async (_, request) => {
    expect(await stalled(request())).toEqual({ kind: 'broken', breakdown: 'unwritten' });
    await sleep(50);
    expect(server.seen).toEqual([]);
  });
});

describe('a call that breaks', () => {
  const file = {
    field: 'file',
    name: 'a.bin',
    mimeType: 'application/octet-stream',
    bytes: new Uint8Array(12_000_000),
  };

  it('was not sent if the connection went before the body was written', async () => {
    server.resetsBeforeBody = true;
    const body = { kind: 'multipart', fields: {}, file } as const;
    expect(await http.call(post({ body }), within(5000))).toEqual({ kind: 'broken', breakdown: 'unwritten' });
  });

  it.each([
    ['after its first bytes', 'HTTP/1.1 2'],
    ['after its head', 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n'],
    ['within its body', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"id":"7'],
  ])('may have been sent if an answer came before the body was read, and broke off %s', async (_, start) => {
    const early = await hasty(start);
    const body = { kind: 'multipart', fields: {}, file } as const;
    const reply = await http.call(post({ url: early.url, body }), within(5000));
    early.stop();
    expect(reply).toEqual({ kind: 'broken', breakdown: 'unanswered' });
  });

  it('was answered if the answer came whole before the body was read', async () => {
    const early = await hasty('HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}');
    const body = { kind: 'multipart', fields: {}, file } as const;
    const reply = await http.call(post({ url: early.url, body }), within(5000));
    early.stop();
    expect(reply).toMatchObject({ kind: 'answered', status: 413, text: '{}' });
  });

  it('may have been sent if the connection went after it', async () => {
    behaviour = { kind: 'reset' };
    expect(await http.call(post(), within(2000))).toEqual({ kind: 'broken', breakdown: 'unanswered' });
  });

  it('may have been sent if the answer breaks off', async () => {
    behaviour = { kind: 'half' };
    expect(await http.call(post(), within(2000))).toEqual({ kind: 'broken', breakdown: 'unanswered' });
  });

  it('was not sent if its headers make no request together', async () => {
    const reply = await http.call(post({ headers: { trailer: 'x-sum' } }), within(2000));
    expect([reply, server.seen]).toEqual([{ kind: 'broken', breakdown: 'unwritten' }, []]);
    expect(await http.call(post(), within(2000))).toMatchObject({ status: 200 });
  });

  it('was not sent if nobody listens', async () => {
    const url = server.url;
    await server.stop();
    expect(await http.call({ method: 'GET', url }, within(2000))).toEqual({ kind: 'broken', breakdown: 'refused' });
    await server.start();
  });

  it('was not sent if the other side does not speak TLS', async () => {
    const url = server.url.replace('http:', 'https:');
    expect(await http.call(post({ url }), within(2000))).toEqual({ kind: 'broken', breakdown: 'tls' });
  });

  it('was not sent if the TLS handshake never ends', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const reply = await http.call(post({ url: `https://127.0.0.1:${port}/` }), within(200));
    expect(reply).toEqual({ kind: 'broken', breakdown: 'tls' });
    silent.close();
  });

  it('was not sent if the name is not known', async () => {
    const lost = providerHttp({ reach: DEPLOYED, clock: systemClock });
    const reply = await lost.call(post({ url: `https://${TOO_LONG}.example/api` }), within(2000));
    expect(reply).toEqual({ kind: 'broken', breakdown: 'dns' });
  });

  it('was not sent if the name has no address', async () => {
    const lost = providerHttp({ reach: DEPLOYED, clock: systemClock, lookup: (_, done) => done(null, []) });
    const reply = await lost.call(post({ url: 'https://gw.example/api' }), within(2000));
    expect(reply).toEqual({ kind: 'broken', breakdown: 'dns' });
  });
});

describe('a call that cannot even begin', () => {
  it('was not sent if the name is being looked up until the deadline', async () => {
    const lost = providerHttp({ reach: DEPLOYED, clock: systemClock, lookup: () => undefined });
    const reply = await lost.call(post({ url: 'https://gw.example/api' }), within(100));
    expect(reply).toEqual({ kind: 'broken', breakdown: 'refused' });
  });
});

describe('the address of a provider', () => {
  const filtered = (address: string, family = 4) =>
    providerHttp({
      reach: DEPLOYED,
      clock: systemClock,
      lookup: (_, done) => done(null, [{ address, family }]),
    });

  it.each([
    'https://127.0.0.1/',
    'https://[::1]/',
    'https://169.254.169.254/latest',
    'https://10.0.0.1/',
    'https://[::ffff:127.0.0.1]/',
    'https://2130706433/',
    'https://localhost/',
    'https://user:word@gw.example/',
    'https://user@gw.example/',
    'https://gw.example:8080/',
    'http://gw.example/',
    'ftp://gw.example/',
    'no url',
  ])('%s is refused before a connection is made', async (url) => {
    const reply = await filtered('93.184.215.14').call(post({ url }), within(2000));
    expect(reply).toEqual({ kind: 'broken', breakdown: 'forbidden' });
  });

  it.each(['127.0.0.1', '10.1.2.3', '::1', 'fd00::1', '::ffff:10.0.0.1', '100.64.0.1'])(
    'a name that leads to %s is refused',
    async (address) => {
      const lookup = filtered(address, address.includes(':') ? 6 : 4);
      const reply = await lookup.call(post({ url: 'https://gw.example/' }), within(2000));
      expect(reply).toEqual({ kind: 'broken', breakdown: 'forbidden' });
    },
  );

  it('reaches no server on this machine unless that is allowed', async () => {
    await filtered('127.0.0.1').call(post(), within(2000));
    expect(server.connections).toBe(0);
  });
});

describe('a multipart body', () => {
  const file = {
    field: 'file',
    name: 'offer "ä".pdf',
    mimeType: 'application/pdf',
    bytes: Buffer.from([0, 13, 10, 255]),
  };

  it('carries fields and bytes as they are', async () => {
    const fields = { chatId: '12025550142@c.us', caption: 'one\ntwo\r\nthree ☀' };
    await http.call(post({ body: { kind: 'multipart', fields, file } }), within(2000));
    const [seen] = server.seen;
    const form = seen && formOf(seen);
    expect(form?.fields).toEqual(fields);
    expect(form?.files).toEqual([
      { field: 'file', name: 'offer %22ä%22.pdf', type: 'application/pdf', bytes: Buffer.from(file.bytes) },
    ]);
    expect(seen?.headers['content-length']).toBe(String(seen?.raw.length));
  });

  it('lets no name break out of its header', async () => {
    const name = 'a"\r\nX-Evil: 1\r\n\r\nb.pdf';
    await http.call(post({ body: { kind: 'multipart', fields: {}, file: { ...file, name } } }), within(2000));
    expect(server.seen[0]?.raw.toString('latin1')).toContain('filename="a%22%0D%0AX-Evil: 1%0D%0A%0D%0Ab.pdf"\r\n');
  });
});
