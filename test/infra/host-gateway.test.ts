import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Hub, startHub } from '#infra/local/hub.ts';
import { fixtureService } from '#test/support/fixture-service.ts';

let hub: Hub;
const reported: string[] = [];

beforeAll(async () => {
  hub = await startHub({
    serverlessFile: fixtureService,
    environment: { PORT: '0', HOOKLINE_DATA: ':memory:' },
    report: (name, error) => reported.push(`${name}: ${error}`),
  });
});

afterAll(() => hub.stop());

const post = (path: string, init: RequestInit) => fetch(`${hub.url}${path}`, { method: 'POST', ...init });
const echoed = async (response: Response) => JSON.parse(await response.text()).event;

/** Sends what fetch would not: a path as written, any header. */
function raw(
  method: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status?: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(`${hub.url}`, { method, path, headers }, async (response) => {
      let body = '';
      for await (const chunk of response) body += chunk;
      resolve({ status: response.statusCode ?? 0, body });
    });
    sent.on('error', reject).end();
  });
}

test('names the request in its answer, as its lines in the log are named', async () => {
  const response = await post('/hooks/echo/a', {});
  const named = response.headers.get('apigw-requestid');
  expect((await echoed(response)).requestContext.requestId).toBe(named);
});

test('hands a request over as API Gateway does', async () => {
  const response = await post('/hooks/echo/a%2Fb%20c?x=1&x=%32&y=', {
    headers: { 'Content-Type': 'application/json', Cookie: 'a=1; b=2', 'X-Thing': 'kept' },
    body: '{"a":"ü"}',
  });
  expect(await echoed(response)).toMatchObject({
    version: '2.0',
    routeKey: 'POST /hooks/echo/{token}',
    rawPath: '/hooks/echo/a/b c',
    rawQueryString: 'x=1&x=%32&y=',
    queryStringParameters: { x: '1,2', y: '' },
    pathParameters: { token: 'a/b c' },
    cookies: ['a=1', 'b=2'],
    headers: { 'content-type': 'application/json', 'x-thing': 'kept' },
    body: '{"a":"ü"}',
    isBase64Encoded: false,
    requestContext: {
      routeKey: 'POST /hooks/echo/{token}',
      domainName: hub.url.slice('http://'.length),
      http: { method: 'POST', path: '/hooks/echo/a/b c', sourceIp: '127.0.0.1', userAgent: 'node' },
    },
  });
});

test.each([
  ['JSON', 'application/json; charset=utf-8', '{}', false],
  ['a JSON dialect', 'application/vnd.api+json', '{}', false],
  ['text', 'text/plain', 'hello', false],
  ['a form', 'application/x-www-form-urlencoded', 'a=1&b[c]=2', true],
  ['anything', 'application/octet-stream', 'bytes', true],
])('hands %s over in base64: %s', async (_, type, body, isBase64Encoded) => {
  const event = await echoed(await post('/hooks/echo/t', { headers: { 'content-type': type }, body }));
  expect(event.isBase64Encoded).toBe(isBase64Encoded);
  expect(Buffer.from(event.body, isBase64Encoded ? 'base64' : 'utf8').toString()).toBe(body);
});

test('keeps bytes that are no text as they are', async () => {
  const body = Buffer.from([0x7b, 0xff, 0xfe, 0x00, 0x7d]);
  const event = await echoed(await post('/hooks/echo/t', { headers: { 'content-type': 'application/json' }, body }));
  expect(event.isBase64Encoded).toBe(true);
  expect(Buffer.from(event.body, 'base64')).toEqual(body);
});

test('chooses the route that names the request most exactly', async () => {
  const key = async (path: string) => (await echoed(await fetch(`${hub.url}${path}`))).routeKey;
  expect(await key('/api/fixed')).toBe('GET /api/fixed');
  expect(await key('/api/other')).toBe('ANY /api/{proxy+}');
  expect(await key('/api/fixed/deeper')).toBe('ANY /api/{proxy+}');
});

/** Writes these bytes to the hub and reads until it hangs up. */
async function wired(text: string): Promise<{ status: number; headers: string; body: unknown }> {
  const socket = connect(Number(new URL(hub.url).port), '127.0.0.1');
  socket.write(text);
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  const [headers = '', body = ''] = answer.split('\r\n\r\n');
  return { status: Number(headers.split(' ')[1]), headers, body: JSON.parse(body) };
}

const problem = (status: number, message: string) => ({ status, body: JSON.stringify({ status, data: {}, message }) });

test('answers what no function answers in the shape of every error', async () => {
  const headers = { 'x-fail': 'no idea' };
  const nothing = problem(404, 'There is nothing at this path');
  expect(await raw('GET', '/nowhere')).toEqual(nothing);
  expect(await raw('GET', '/hooks/echo/t')).toEqual(nothing);
  expect(await raw('TRACE', '/nowhere')).toEqual(nothing);
  expect((await raw('GET', '/api/%zz')).body).toContain(
    '{"status":400,"data":{},"message":"The request cannot be read',
  );
  expect(await raw('GET', '/api/x', headers)).toEqual(problem(500, 'Something went wrong on our side'));
  expect(reported).toContain('fixture-local-echo: Error: no idea');
});

test.each([
  ['a line that is no HTTP', 'HELO there\r\n\r\n', 400, /^The request cannot be read/],
  ['a method that there is not', 'FOO /api/x HTTP/1.1\r\nHost: a\r\n\r\n', 400, /^The request cannot be read/],
  ['no Host', 'GET /api/x HTTP/1.1\r\nConnection: close\r\n\r\n', 400, /no Host header/],
  ['an unknown Expect', 'GET /api/x HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nConnection: close\r\n\r\n', 417, /Expect/],
  ['CONNECT', 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n', 405, /no proxy/],
  ['20 KB of headers', `GET /api/x HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, 431, /larger than/],
])('answers %s in the shape of every error, too', async (_, text, status, message) => {
  const { headers, body, ...answer } = await wired(text);
  expect({ ...answer, body }).toEqual({ status, body: { status, data: {}, message: expect.stringMatching(message) } });
  expect(headers).toMatch(/^HTTP\/1\.1 \d+ \w[\s\S]*\r\ncontent-type: application\/json/i);
  expect(headers).toMatch(/x-content-type-options: nosniff/);
});

test('takes the whole address, as clients of a proxy write it', async () => {
  const line = (path: string) => `GET ${path} HTTP/1.1\r\nHost: hub.test\r\nConnection: close\r\n\r\n`;
  const asked = { rawPath: '/api/x/y', rawQueryString: 'a=1' };
  expect(await wired(line('http://hub.test/api/x%2Fy?a=1'))).toMatchObject({ status: 200, body: { event: asked } });
  expect((await wired(line('http://hub.test'))).status).toBe(404);
});

test.each([
  ['with a length', 'Content-Length: 12000000', (bytes: string) => bytes],
  ['in chunks', 'Transfer-Encoding: chunked', (bytes: string) => `${bytes.length.toString(16)}\r\n${bytes}\r\n`],
])('is heard by whoever goes on writing a body over 10 MB, %s', async (_, header, framed) => {
  const { port } = new URL(hub.url);
  const socket = connect(Number(port), '127.0.0.1').setEncoding('utf8');
  let answer = '';
  socket.on('data', (text) => {
    answer += text;
  });
  const written = async (text: string) => {
    if (!socket.write(text)) await once(socket, 'drain');
  };
  await written(`POST /hooks/echo/t HTTP/1.1\r\nHost: a\r\n${header}\r\n\r\n`);
  const part = framed('x'.repeat(400_000));
  for (let parts = 0; parts < 30; parts += 1) await written(part);
  if (answer === '') await once(socket, 'data');
  expect(answer).toMatch(/^HTTP\/1\.1 413 [\s\S]*"status":413/);
  socket.destroy();
});

test('gives up on a function that takes longer than its timeout', async () => {
  const answer = await raw('GET', '/api/x', { 'x-wait': '1500' });
  expect(answer).toEqual(problem(503, 'This took too long; please try again'));
  expect(reported).toContain('fixture-local-echo: Error: ran into its timeout');
});

test.each([
  ['a text body of 6 MB', 'text/plain', 6 * 1024 * 1024, 200],
  ['one byte more', 'text/plain', 6 * 1024 * 1024 + 1, 413],
  ['a binary body that is over 6 MB only in base64', 'image/png', 5 * 1024 * 1024, 413],
  ['a body over 10 MB', 'text/plain', 10 * 1024 * 1024 + 1, 413],
])('takes %s within the limits of AWS', async (_, type, size, status) => {
  const headers = { 'content-type': type, 'x-answer': '{"statusCode":200}' };
  const response = await post('/hooks/echo/t', { headers, body: Buffer.alloc(size, 'x') });
  expect(response.status).toBe(status);
});

const answered = (answer: unknown) => fetch(`${hub.url}/api/x`, { headers: { 'x-answer': JSON.stringify(answer) } });

test('answers with what the function returned', async () => {
  const response = await answered({
    statusCode: 201,
    headers: { 'Content-Type': 'image/png', 'X-Count': 2 },
    cookies: ['a=1', 'b=2'],
    body: Buffer.from([1, 2, 255]).toString('base64'),
    isBase64Encoded: true,
  });
  expect(response.status).toBe(201);
  expect(response.headers.get('content-type')).toBe('image/png');
  expect(response.headers.get('x-count')).toBe('2');
  expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.from([1, 2, 255]));
});

test('takes a result without a status for the body, and nonsense for a fault', async () => {
  const plain = await answered({ some: 'thing' });
  expect([plain.status, await plain.json()]).toEqual([200, { some: 'thing' }]);
  expect((await answered({ statusCode: 'two hundred' })).status).toBe(500);
  expect((await answered({ statusCode: 204, headers: { 'x-a': 'b' } })).status).toBe(204);
});

test('answers HEAD without a body where a route takes any method', async () => {
  const response = await fetch(`${hub.url}/api/x`, { method: 'HEAD' });
  expect([response.status, await response.text()]).toEqual([200, '']);
  // It would have to be that of GET.
  expect(response.headers.get('content-length')).toBeNull();
});

test('answers the next request on a connection after one that was refused', async () => {
  const body = Buffer.alloc(1024 * 1024, 'x');
  expect((await post('/nowhere', { body })).status).toBe(404);
  expect((await post('/hooks/echo/t', { body })).status).toBe(200);
});

test('answers what it was asked before it stops', async () => {
  const own = await startHub({
    serverlessFile: fixtureService,
    environment: { PORT: '0', HOOKLINE_DATA: ':memory:' },
  }).catch((error: Error) => error);
  // One hub a process: its functions read the environment of the process.
  expect(own).toBeInstanceOf(Error);
  const slow = fetch(`${hub.url}/api/x`, { headers: { 'x-wait': '300' } });
  await sleep(50);
  await hub.stop();
  expect((await slow).status).toBe(200);
  await expect(fetch(`${hub.url}/api/x`)).rejects.toThrow();
});
