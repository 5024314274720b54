import { expect, it } from 'vitest';
import { gateway } from '#functions/admin/gateway.ts';
import { eventOf } from './admin-bench.ts';

/** Answers what it was handed. */
const echo = {
  fetch: async (request: Request, { baseUrl }: { readonly baseUrl: string }) =>
    Response.json({
      url: request.url,
      method: request.method,
      baseUrl,
      header: request.headers.get('x-test'),
      body: Buffer.from(await request.arrayBuffer()).toString('hex'),
    }),
};

async function echoed(event: ReturnType<typeof eventOf>, publicUrl?: string): Promise<Record<string, unknown>> {
  const { body = '' } = await gateway(echo, publicUrl)(event);
  return JSON.parse(body);
}

it('hands over method, path, query, headers and body', async () => {
  const event = eventOf('POST', '/api/x%3Fy/z?a=1&b=%20', { headers: { 'x-test': 'yes' }, body: 'é' });
  expect(await echoed(event)).toEqual({
    url: 'https://hub.invalid/api/x%3Fy/z?a=1&b=%20',
    method: 'POST',
    baseUrl: 'https://hub.example',
    header: 'yes',
    body: 'c3a9',
  });
});

it('hands over a header that is more than ASCII as its bytes', async () => {
  const event = eventOf('GET', '/', { headers: { 'x-test': 'é€' } });
  const { header } = await echoed(event);
  expect(Buffer.from(String(header), 'latin1').toString()).toBe('é€');
});

it('decodes a body in base64 and leaves that of a GET alone', async () => {
  const event = eventOf('POST', '/', { body: Buffer.from([0xff, 0]).toString('base64') });
  expect(await echoed({ ...event, isBase64Encoded: true })).toMatchObject({ body: 'ff00' });
  expect(await echoed(eventOf('GET', '/', { body: 'x' }))).toMatchObject({ body: '' });
});

it('takes the public address before that of the gateway', async () => {
  const seen = await echoed(eventOf('GET', '/'), 'https://hooks.example.com/hub/');
  expect(seen.baseUrl).toBe('https://hooks.example.com/hub');
});

it.each([
  ['text', Buffer.from('{"a":"ü"}'), false],
  ['text that begins with a byte order mark', Buffer.from([0xef, 0xbb, 0xbf, 0x61]), false],
  ['what is no text', Buffer.from([0xff, 0xfe, 0x00]), true],
])('answers %s byte for byte', async (_what, bytes, isBase64Encoded) => {
  const app = { fetch: () => new Response(new Uint8Array(bytes), { status: 201, headers: { 'x-test': 'yes' } }) };
  const result = await gateway(app, undefined)(eventOf('GET', '/'));
  expect(result).toMatchObject({ statusCode: 201, isBase64Encoded });
  expect(result.headers?.['x-test']).toBe('yes');
  expect(Buffer.from(result.body ?? '', isBase64Encoded ? 'base64' : 'utf8').equals(bytes)).toBe(true);
});
