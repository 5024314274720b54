import { Hono } from 'hono';
import { expect, it } from 'vitest';
import { sandbox } from '#functions/sandbox/provider.ts';
import { lambdaOf } from '#lib/aws/http-entries.ts';
import { type HubEnvironment, hubApp, tokenApp } from '#lib/http/app.ts';
import { eventOf } from '#test/functions/admin/admin-bench.ts';
import { ReceivingBench } from '#test/support/receiving.ts';

/** Answers what it was handed. */
const echo = new Hono<HubEnvironment>().all('*', async (c) =>
  c.json({
    path: c.req.path,
    query: c.req.query(),
    method: c.req.method,
    header: c.req.header('x-test'),
    body: Buffer.from(await c.req.arrayBuffer()).toString('hex'),
  }),
);
const echoed = async (event: ReturnType<typeof eventOf>) => JSON.parse((await lambdaOf(echo)(event)).body);

it('hands over method, path, query, headers and body', async () => {
  const event = eventOf('POST', '/api/x%3Fy/z?a=1&b=%20', { headers: { 'x-test': 'yes' }, body: 'é' });
  expect(await echoed(event)).toEqual({
    path: '/api/x%3Fy/z',
    query: { a: '1', b: ' ' },
    method: 'POST',
    header: 'yes',
    body: 'c3a9',
  });
});

it('decodes a body in base64 and leaves that of a GET alone', async () => {
  const event = eventOf('POST', '/', { body: Buffer.from([0xff, 0]).toString('base64') });
  expect(await echoed({ ...event, isBase64Encoded: true })).toMatchObject({ body: 'ff00' });
  expect(await echoed(eventOf('GET', '/', { body: 'x' }))).toMatchObject({ body: '' });
});

it.each([
  ['application/octet-stream', Buffer.from([0xef, 0xbb, 0xbf, 0x61]), true],
  ['application/json', Buffer.from('{"a":"ü"}'), false],
])('answers %s byte for byte', async (type, bytes, isBase64Encoded) => {
  const app = new Hono<HubEnvironment>().get(
    '/',
    () => new Response(new Uint8Array(bytes), { status: 201, headers: { 'content-type': type } }),
  );
  const result = await lambdaOf(app)(eventOf('GET', '/'));
  expect(result).toMatchObject({ statusCode: 201, isBase64Encoded });
  expect(Buffer.from(result.body, isBase64Encoded ? 'base64' : 'utf8').equals(bytes)).toBe(true);
});

const SAFE = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff' };
const FAULT = { status: 503, body: { status: 503, data: {}, message: 'Please send it again' } };

it('logs a fault by its route, never by its path, and answers it in the shape of every error', async () => {
  const bench = new ReceivingBench(sandbox);
  const broken = tokenApp('/hooks/x', () => Promise.reject(new Error('broken')), FAULT, bench.ports().log);
  const event = { ...eventOf('POST', '/hooks/x/a-secret-token'), routeKey: 'POST /hooks/x/{token}' };
  const { statusCode, body, headers } = await lambdaOf(broken)(event);
  expect({ statusCode, body: JSON.parse(body) }).toEqual({ statusCode: 503, body: FAULT.body });
  expect(headers).toMatchObject({ ...SAFE, 'access-control-allow-origin': '*' });
  expect(bench.logged.join()).toContain('/hooks/x/{token}');
  expect(bench.logged.join()).not.toContain('a-secret-token');
});

it.each(['/hooks/x/t', '/hooks/x/t/', '/hooks//x/t', '//hooks/x//t//'])(
  'takes a URL that was joined with slashes too many as the same: %s',
  async (rawPath) => {
    const bench = new ReceivingBench(sandbox);
    const app = tokenApp('/hooks/x', async (token) => ({ status: 200, body: { token } }), FAULT, bench.ports().log);
    const event = eventOf('POST', '/hooks/x/t', { body: '{}' });
    const { body } = await lambdaOf(app)({ ...event, rawPath });
    expect(JSON.parse(body)).toEqual({ token: 't' });
  },
);

it('answers a preflight, and what is at no path', async () => {
  const bench = new ReceivingBench(sandbox);
  const app = tokenApp('/hooks/x', async () => FAULT, FAULT, bench.ports().log);
  const preflight = await lambdaOf(app)(eventOf('OPTIONS', '/hooks/x/t'));
  expect(preflight).toMatchObject({ statusCode: 204, headers: { 'access-control-allow-methods': 'POST', ...SAFE } });
  const nowhere = await lambdaOf(hubApp(() => new Response(), bench.ports().log))(eventOf('GET', '/nowhere'));
  expect(nowhere).toMatchObject({ statusCode: 404, headers: SAFE });
  expect(JSON.parse(nowhere.body)).toMatchObject({ status: 404, data: {} });
});

it('hands a webhook its headers as the gateway has read them', async () => {
  const bench = new ReceivingBench(sandbox);
  const seen: unknown[] = [];
  const answer = async (token: string, call: { headers: object; sourceIp: string }) => {
    seen.push(token, call.headers, call.sourceIp);
    return FAULT;
  };
  const headers = { authorization: 'Bearer é€' };
  await lambdaOf(tokenApp('/send', answer, FAULT, bench.ports().log))(eventOf('POST', '/send/t%20k', { headers }));
  expect(seen).toEqual(['t k', headers, '192.0.2.9']);
});

const withHost = (event: ReturnType<typeof eventOf>, domainName: string) => ({
  ...event,
  requestContext: { ...event.requestContext, domainName },
});

it.each(['a b', 'x@y', 'x:99999', '[::1', '', 'x/hooks/other/abc?', '\u0000'])(
  'takes the path from the gateway alone, whatever host %j a caller names',
  async (host) => {
    expect(await echoed(withHost(eventOf('POST', '/hooks/x/t?a=1'), host))).toMatchObject({
      path: '/hooks/x/t',
      query: { a: '1' },
    });
  },
);

it.each(['TRACE', 'trace', 'CONNECT', 'TRACK'])('refuses %s in the shape of every error', async (method) => {
  const app = tokenApp('/hooks/x', async () => FAULT, FAULT, new ReceivingBench(sandbox).ports().log);
  const { statusCode, body, headers } = await lambdaOf(app)(eventOf(method, '/hooks/x/t'));
  const message = `This path takes POST, not ${method.toUpperCase()}`;
  expect({ statusCode, body: JSON.parse(body) }).toEqual({ statusCode: 405, body: { status: 405, data: {}, message } });
  expect(headers).toMatchObject({ ...SAFE, allow: 'POST', 'content-type': 'application/json' });
});

it.each(['/api/webhooks/../accounts', '/hooks/./x/t', '/api/..'])('has nothing at %s', async (rawPath) => {
  const { statusCode, body } = await lambdaOf(echo)({ ...eventOf('GET', '/'), rawPath });
  expect({ statusCode, body: JSON.parse(body) }).toMatchObject({ statusCode: 404, body: { status: 404, data: {} } });
});
