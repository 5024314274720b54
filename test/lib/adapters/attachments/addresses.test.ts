import http, { type RequestListener } from 'node:http';
import https from 'node:https';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { filteringAgents } from '#lib/adapters/attachments/agents.ts';
import { attachmentFetcher } from '#lib/adapters/attachments/fetcher.ts';
import { systemClock } from '#lib/adapters/system.ts';
import { type FileHost, fileHost } from '#test/support/file-host.ts';
import { names, pretendInternet } from '#test/support/pretend-internet.ts';
import { notPublic } from './not-public.ts';

const PUBLIC = '93.184.215.14';
const refused = { kind: 'refused', reason: 'file_url leads to an address that is not on the public internet' };

const answers: Readonly<Record<string, RequestListener>> = {
  '/file': (_request, response) => response.end('hello'),
};
let host: FileHost;
let paths: string[];
let redirects: Record<string, string>;

beforeEach(async () => {
  paths = [];
  redirects = {};
  host = await fileHost((request, response) => {
    const path = request.url ?? '';
    paths.push(`${request.headers.host}${path}`);
    const location = redirects[path];
    if (location !== undefined) response.writeHead(302, { location }).end();
    else (answers[path] ?? answers['/file'])?.(request, response);
  });
});

afterEach(async () => {
  vi.restoreAllMocks();
  await host[Symbol.asyncDispose]();
});

function fetchFrom(url: string, { lookup } = names({ 'files.example.com': [[PUBLIC]] })) {
  const fetcher = attachmentFetcher({ allowPrivateHosts: false, clock: systemClock, lookup });
  return fetcher.fetch(url, 'a.txt', systemClock.monotonic() + 2_000);
}

describe('on an internet where every connection succeeds', () => {
  beforeEach(() => pretendInternet(host.port));

  test('fetches from a public host', async () => {
    expect(await fetchFrom('http://files.example.com/file')).toMatchObject({ kind: 'ok', mimeType: 'text/plain' });
    expect(await fetchFrom(`http://${PUBLIC}/file`)).toMatchObject({ kind: 'ok' });
    expect(await fetchFrom('https://files.example.com/file')).toMatchObject({ kind: 'ok' });
    expect(paths).toEqual(['files.example.com/file', `${PUBLIC}/file`, 'files.example.com/file']);
  });

  test.each(notPublic)('sends not a byte to $address, $family, given as it is', async ({ address }) => {
    const written = address.includes(':') ? `[${address}]` : address;
    expect(await fetchFrom(`http://${written}/file`)).toEqual(refused);
    expect(await fetchFrom(`https://${written}/file`)).toEqual(refused);
    expect(host.connections()).toBe(0);
  });

  test.each(notPublic)('sends not a byte to a name that leads to $address, $family', async ({ address }) => {
    expect(await fetchFrom('http://inner.example.com/file', names({ 'inner.example.com': [[address]] }))).toEqual(
      refused,
    );
    expect(await fetchFrom('https://inner.example.com/file', names({ 'inner.example.com': [[address]] }))).toEqual(
      refused,
    );
    expect(host.connections()).toBe(0);
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
    expect(host.connections()).toBe(0);
  });

  test('a private address beside a public one condemns the name', async () => {
    const both = names({ 'files.example.com': [[PUBLIC, '10.0.0.1']] });
    expect(await fetchFrom('http://files.example.com/file', both)).toEqual(refused);
    expect(host.connections()).toBe(0);
  });

  test('a name that is public when checked and private afterwards is asked once, and its first answer used', async () => {
    const rebinding = names({ 'files.example.com': [[PUBLIC], ['169.254.169.254']] });
    expect(await fetchFrom('http://files.example.com/file', rebinding)).toMatchObject({ kind: 'ok' });
    expect(rebinding.asked).toEqual(['files.example.com']);
  });

  test('the same name, private on the next hop, is refused there', async () => {
    redirects['/start'] = '/file';
    const rebinding = names({ 'files.example.com': [[PUBLIC], ['169.254.169.254']] });
    expect(await fetchFrom('http://files.example.com/start', rebinding)).toEqual(refused);
    expect(paths).toEqual(['files.example.com/start']);
  });

  test.each([
    { location: 'http://169.254.169.254/latest/meta-data', reason: refused.reason },
    { location: 'http://[::1]/', reason: refused.reason },
    { location: '//127.0.0.1/', reason: refused.reason },
    {
      location: 'http://files.example.com:9001/',
      reason: 'a URL that file_url redirects to must be on port 80 or 443',
    },
    { location: 'http://a:b@files.example.com/', reason: 'a URL that file_url redirects to must not hold credentials' },
    { location: 'file:///etc/passwd', reason: 'a URL that file_url redirects to must be an http or https URL' },
    { location: 'http://', reason: 'a URL that file_url redirects to is not a URL' },
  ])('a redirect to $location goes nowhere', async ({ location, reason }) => {
    redirects['/start'] = location;
    expect(await fetchFrom('http://files.example.com/start')).toEqual({ kind: 'refused', reason });
    expect(host.connections()).toBe(1);
  });

  test('a redirect from https to http is not followed, one from http to https is', async () => {
    redirects['/down'] = 'http://files.example.com/file';
    redirects['/up'] = 'https://files.example.com/file';
    expect(await fetchFrom('https://files.example.com/down')).toEqual({
      kind: 'refused',
      reason: 'file_url redirects from https to http',
    });
    expect(await fetchFrom('http://files.example.com/up')).toMatchObject({ kind: 'ok' });
  });

  test('three redirects are followed, a fourth is not', async () => {
    Object.assign(redirects, { '/4': '/3', '/3': '/2', '/2': '/1', '/1': '/file' });
    expect(await fetchFrom('http://files.example.com/3')).toMatchObject({ kind: 'ok' });
    expect(await fetchFrom('http://files.example.com/4')).toEqual({
      kind: 'refused',
      reason: 'file_url redirects more than 3 times',
    });
    expect(paths.at(-1)).toBe('files.example.com/1');
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

  test.each(notPublic.filter(({ family }) => !/compatible|unassigned|^documentation$/.test(family)))(
    'the agents refuse $address, $family, even when our own check lets it pass',
    async ({ address }) => {
      const { lookup } = names({ 'inner.example.com': [[address]] });
      const agents = filteringAgents(() => true, false, lookup);
      await expect(status(http.get('http://inner.example.com/', { agent: agents.http }))).rejects.toThrow(
        'not allowed',
      );
      await expect(status(https.get('https://inner.example.com/', { agent: agents.https }))).rejects.toThrow(
        'not allowed',
      );
      expect(host.connections()).toBe(0);
    },
  );
});

test.each(['http', 'https'])(
  'a connection that ends at another address than the one checked carries no byte of %s',
  async (scheme) => {
    pretendInternet(host.port, { honest: true });
    expect(await fetchFrom(`${scheme}://files.example.com/file`)).toEqual(refused);
    expect(host.bytesReceived()).toBe(0);
  },
);

test('where private hosts are allowed, addresses and ports are free and the other rules stay', async () => {
  const fetcher = attachmentFetcher({ allowPrivateHosts: true, clock: systemClock });
  const fetched = (url: string) => fetcher.fetch(url, 'a.txt', systemClock.monotonic() + 2_000);
  expect(await fetched(`http://127.0.0.1:${host.port}/file`)).toMatchObject({ kind: 'ok' });
  expect(await fetched(`http://localhost:${host.port}/file`)).toMatchObject({ kind: 'ok' });
  expect((await fetched(`http://a:b@127.0.0.1:${host.port}/file`)).kind).toBe('refused');
  expect((await fetched('ftp://127.0.0.1/file')).kind).toBe('refused');
});

function status(request: http.ClientRequest): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request.on('response', (response) => resolve(response.statusCode));
    request.on('error', reject);
  });
}
