import http from 'node:http';
import https from 'node:https';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '#lib/aws/runtime.ts';
import { attachmentFetcher, LIMITS, visit } from '#lib/net/attachments.ts';
import { guardedAgents } from '#lib/net/provider-call.ts';
import { names, pretendInternet } from '#test/support/pretend-internet.ts';
import { eachWithPublicHost, fetchFrom, PUBLIC_ADDRESS } from '#test/support/public-host.ts';
import { notPublic } from './not-public.ts';

const refused = { kind: 'refused', reason: 'file_url leads to an address that is not on the public internet' };
const current = eachWithPublicHost();

describe('on an internet where every connection succeeds', () => {
  beforeEach(() => pretendInternet(current().host.port));

  test('fetches from a public host', async () => {
    expect(await fetchFrom('http://files.example.com/file')).toMatchObject({ kind: 'ok', mimeType: 'text/plain' });
    expect(await fetchFrom(`http://${PUBLIC_ADDRESS}/file`)).toMatchObject({ kind: 'ok' });
    expect(await fetchFrom('https://files.example.com/file')).toMatchObject({ kind: 'ok' });
    expect(current().visits).toEqual(['files.example.com/file', `${PUBLIC_ADDRESS}/file`, 'files.example.com/file']);
  });

  test.each(notPublic)('sends not a byte to $address, $family, given as it is', async ({ address }) => {
    const written = address.includes(':') ? `[${address}]` : address;
    expect(await fetchFrom(`http://${written}/file`)).toEqual(refused);
    expect(await fetchFrom(`https://${written}/file`)).toEqual(refused);
    expect(current().host.connections()).toBe(0);
  });

  test.each(notPublic)('sends not a byte to a name that leads to $address, $family', async ({ address }) => {
    expect(await fetchFrom('http://inner.example.com/file', names({ 'inner.example.com': [[address]] }))).toEqual(
      refused,
    );
    expect(await fetchFrom('https://inner.example.com/file', names({ 'inner.example.com': [[address]] }))).toEqual(
      refused,
    );
    expect(current().host.connections()).toBe(0);
  });

  test.each([
    '127.1',
    '0x7f.1',
    '0x7f000001',
    '2130706433',
    '017700000001',
    '0177.0.0.1',
    '127。0。0。1',
    '[::ffff:169.254.169.254]',
  ])('sees through the spelling %s', async (spelling) => {
    expect(await fetchFrom(`http://${spelling}/file`)).toEqual(refused);
    expect(current().host.connections()).toBe(0);
  });

  test('a private address beside a public one condemns the name', async () => {
    const both = names({ 'files.example.com': [[PUBLIC_ADDRESS, '10.0.0.1']] });
    expect(await fetchFrom('http://files.example.com/file', both)).toEqual(refused);
    expect(current().host.connections()).toBe(0);
  });

  test('a name that is public when checked and private afterwards is asked once, and its first answer used', async () => {
    const rebinding = names({ 'files.example.com': [[PUBLIC_ADDRESS], ['169.254.169.254']] });
    expect(await fetchFrom('http://files.example.com/file', rebinding)).toMatchObject({ kind: 'ok' });
    expect(rebinding.asked).toEqual(['files.example.com']);
  });

  test('a name that is not found may be tried again', async () => {
    expect(await fetchFrom('http://unknown.example.com/file')).toEqual({
      kind: 'unavailable',
      reason: "the file's host was not found",
    });
    expect((await fetchFrom('http://empty.example.com/', names({ 'empty.example.com': [[]] }))).kind).toBe(
      'unavailable',
    );
  });

  test.each(notPublic.filter(({ family }) => !/IPv4 compatible|unassigned|newer/.test(family)))(
    'the agents refuse $address, $family, even when our own check lets it pass',
    async ({ address }) => {
      const { lookup } = names({ 'inner.example.com': [[address]] });
      const agents = guardedAgents({ isAllowed: () => true, privateHosts: false, lookup });
      await expect(status(http.get('http://inner.example.com/', { agent: agents['http:'] }))).rejects.toThrow(
        'not allowed',
      );
      await expect(status(https.get('https://inner.example.com/', { agent: agents['https:'] }))).rejects.toThrow(
        'not allowed',
      );
      expect(current().host.connections()).toBe(0);
    },
  );
});

test.each(['http', 'https'])(
  'a connection that ends at another address than it should carries no byte of %s',
  async (scheme) => {
    const agents = { 'http:': new http.Agent(), 'https:': new https.Agent() };
    const route = { agents, isAllowed: (address: string) => address !== '127.0.0.1', limits: LIMITS };
    const visited = await visit(new URL(`${scheme}://localhost:${current().host.port}/file`), route, () => 2_000);
    expect(visited).toEqual(refused);
    await vi.waitFor(() => expect(current().host.closed()).toBe(1));
    expect(current().host.bytesReceived()).toBe(0);
  },
);

test('what the resolver of this machine does not know is not found', async () => {
  const fetcher = attachmentFetcher({ allowPrivateHosts: false, clock: systemClock });
  const fetched = await fetcher.fetch(
    `http://${'x'.repeat(64)}.example/a.txt`,
    'a.txt',
    systemClock.monotonic() + 2_000,
  );
  expect(fetched).toEqual({ kind: 'unavailable', reason: "the file's host was not found" });
});

test('where private hosts are allowed, addresses and ports are free and the other rules stay', async () => {
  const fetcher = attachmentFetcher({ allowPrivateHosts: true, clock: systemClock });
  const fetched = (url: string) => fetcher.fetch(url, 'a.txt', systemClock.monotonic() + 2_000);
  expect(await fetched(`http://127.0.0.1:${current().host.port}/file`)).toMatchObject({ kind: 'ok' });
  expect(await fetched(`http://localhost:${current().host.port}/file`)).toMatchObject({ kind: 'ok' });
  expect((await fetched(`http://a:b@127.0.0.1:${current().host.port}/file`)).kind).toBe('refused');
  expect((await fetched('ftp://127.0.0.1/file')).kind).toBe('refused');
});

function status(request: http.ClientRequest): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request.on('response', (response) => resolve(response.statusCode));
    request.on('error', reject);
  });
}
