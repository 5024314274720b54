import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { cooby } from '#functions/cooby/provider.ts';
import { greenApi } from '#functions/green-api/provider.ts';
import { timelinesAi } from '#functions/timelinesai/provider.ts';
import { parseBody } from '#lib/inbox/body.ts';
import type { Reading, ReceivingProvider } from '#lib/inbox/provider.ts';
import { text as fromCooby } from './cooby/payloads.ts';
import { incoming } from './green-api/payloads.ts';

const fixture = (path: string) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
const fromTimelines = fixture('./timelinesai/fixtures/message-received.json');

function read(provider: ReceivingProvider, body: unknown, contentType = 'application/json'): Reading {
  const isBody = typeof body === 'string' || body instanceof Uint8Array;
  const bytes = Buffer.from(isBody ? body : JSON.stringify(body));
  const parsed = provider.parse(bytes, contentType);
  return parsed.ok ? provider.read(parsed.value) : { issues: [parsed.issue] };
}

const payloadsIn = (reading: Reading) => ('drafts' in reading ? reading.drafts.map(({ payload }) => payload) : []);
const pathsIn = (reading: Reading) =>
  ('issues' in reading ? reading : reading.unread)?.issues.map(({ path }) => path) ?? [];

const partOf = (name: string, said: string) =>
  `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${said}\r\n`;

const base64 = (body: unknown) => Buffer.from(JSON.stringify(body)).toString('base64');

const wrappers: readonly (readonly [name: string, wrap: (body: unknown) => unknown])[] = [
  ['n8n', (body) => ({ headers: {}, params: {}, query: {}, body, executionMode: 'production' })],
  ['n8n, in a list', (body) => [{ headers: {}, params: {}, query: {}, body }]],
  ['n8n, item by item', (body) => [{ json: body }]],
  ['a list of one', (body) => [body]],
  ['data', (body) => ({ data: body })],
  ['payload', (body) => ({ payload: body })],
  ['data as a text', (body) => ({ data: JSON.stringify(body) })],
  ['a gateway', (body) => ({ httpMethod: 'POST', headers: {}, body: JSON.stringify(body), isBase64Encoded: false })],
  ['a bus', (body) => ({ version: '0', id: 'x', source: 'relay', detail: body })],
  ['SNS', (body) => ({ Type: 'Notification', MessageId: 'm-1', Message: JSON.stringify(body) })],
  ['Pub/Sub', (body) => ({ message: { data: base64(body), messageId: 'm-1' }, subscription: 's' })],
  ['Event Grid', (body) => [{ id: 'x', eventType: 'relay.received', subject: 'x', data: body, dataVersion: '1' }]],
  ['CloudEvents', (body) => ({ specversion: '1.0', type: 'relay.received', id: 'x', data: body })],
  ['CloudEvents, in base64', (body) => ({ specversion: '1.0', type: 'relay.received', data_base64: base64(body) })],
  ['a queue', (body) => ({ queue: 'q', messages: [{ id: 'm-1', timestamp: 1, body, attempts: 1 }] })],
  ['Kinesis', (body) => ({ Records: [{ kinesis: { partitionKey: '1', data: base64(body) } }] })],
  ['a text', (body) => JSON.stringify(JSON.stringify(body))],
  ['a text of a wrapper', (body) => JSON.stringify(JSON.stringify({ body }))],
  ['a field of a form', (body) => new URLSearchParams({ payload: JSON.stringify(body) }).toString()],
  ['a part of a form', (body) => `${partOf('note', 'x')}${partOf('payload', JSON.stringify(body))}--x--\r\n`],
];

/** The same bytes in another encoding, alone or as a relay wraps them. */
const encodings: readonly (readonly [name: string, encode: (text: string) => string | Uint8Array])[] = [
  ['base64', (text) => Buffer.from(text).toString('base64')],
  [
    'base64 in a wrapper',
    (text) => JSON.stringify({ isBase64Encoded: true, body: Buffer.from(text).toString('base64') }),
  ],
  ['bytes in a wrapper', (text) => JSON.stringify({ rawBody: Buffer.from(text) })],
  ['gzip', (text) => gzipSync(text)],
  ['UTF-16', (text) => Buffer.from(`\ufeff${text}`, 'utf16le')],
  ['UTF-8 with a mark', (text) => `\ufeff${text}`],
  ['a text with line breaks as they are', (text) => text.replace('"note"', '"no\nte"')],
  ['a text with a comma before its last bracket', (text) => text.replace(/\}$/, ' ,\n}')],
  ['the name of an empty field', (text) => `${encodeURIComponent(text)}=`],
];

describe.each([
  ['TimelinesAI', timelinesAi, fromTimelines],
  ['Cooby', cooby, fromCooby],
  ['GREEN-API', greenApi, incoming()],
] as const)('a delivery of %s', (_, provider, body) => {
  it.each(wrappers)('is the same out of the wrapper of a relay: %s', (_name, wrap) => {
    const bare = read(provider, body);
    expect(payloadsIn(bare)).toHaveLength(1);
    expect(read(provider, wrap(body))).toEqual(bare);
  });

  it.each(encodings)('is the same in another encoding: %s', (_name, encode) => {
    const noted = { ...body, note: 'note' };
    expect(read(provider, encode(JSON.stringify(noted)))).toEqual(read(provider, body));
  });

  it.each([
    ['gzip that becomes too much', gzipSync(Buffer.alloc(2 ** 21)), 'more than 1048576 bytes once unpacked'],
    ['gzip that is cut off', gzipSync(JSON.stringify(body)).subarray(0, 50), 'not whole'],
    ['XML', '<?xml version="1.0"?><a/>', 'XML or HTML'],
  ])('is not made of %s, and says what to change', (_name, raw, why) => {
    const reading = read(provider, raw);
    expect(reading).toMatchObject({ issues: [{ path: '', message: expect.stringContaining(why) }] });
  });

  it('is read beside others in one body, and what is none is told by its place', () => {
    const reading = read(provider, { body: [body, { note: 'of the relay' }, { json: body }] });
    expect(payloadsIn(reading)).toHaveLength(2);
    expect(pathsIn(reading).length).toBeGreaterThan(0);
    for (const path of pathsIn(reading)) expect(path).toMatch(/^1\b/);
  });

  it('is read beside others where each has a line', () => {
    const lines = [body, { note: 'of the\nrelay' }, { body }].map((one) => `${JSON.stringify(one)}\r\n`);
    const reading = read(provider, lines.join('\r\n'));
    expect(payloadsIn(reading)).toHaveLength(2);
    for (const path of pathsIn(reading)) expect(path).toMatch(/^1\b/);
    expect(payloadsIn(read(provider, `${lines.join('')}{"a":`))).toEqual([]);
    expect(read(provider, '{}\n'.repeat(3000))).toMatchObject({
      issues: [{ message: expect.stringContaining('more than 2000 deliveries') }],
    });
  });

  it('is looked for in no more texts than relays hand over, and in no more entries', () => {
    const texts = Array.from({ length: 2001 }, () => ({ data: '{"a":' }));
    expect(payloadsIn(read(provider, { some: texts.slice(2), body: JSON.stringify(body) }))).toHaveLength(1);
    expect(payloadsIn(read(provider, { some: texts, body: JSON.stringify(body) }))).toEqual([]);
    expect(read(provider, Array(2001).fill({}))).toEqual({
      issues: [{ path: '', message: 'holds more than 2000 deliveries: post fewer at once' }],
    });
  });

  it.each(['From', 'chat_id', 'phone'])('is not what somebody writes in a message: beside %s', (name) => {
    const words = JSON.stringify(body);
    expect(payloadsIn(read(provider, { [name]: '+15550100066', Body: words }))).toEqual([]);
    expect(payloadsIn(read(provider, { data: { [name]: '+15550100066', body: words } }))).toEqual([]);
    expect(payloadsIn(read(provider, [{ [name]: '+15550100066', text: { body: words } }]))).toEqual([]);
    expect(payloadsIn(read(provider, new URLSearchParams({ [name]: 'x', Body: words }).toString()))).toEqual([]);
  });

  it('is looked for no deeper than relays wrap', () => {
    const deep = [1, 2, 3, 4, 5].reduce<unknown>((within) => ({ body: within }), body);
    expect(payloadsIn(read(provider, deep))).toEqual([]);
  });

  it.each([
    ['nothing at all', {}],
    ['a list of nothing', [{ json: {} }]],
    ['a text in a field that holds no delivery', { note: JSON.stringify(body) }],
  ])('is not made of %s', (_name, raw) => expect(payloadsIn(read(provider, raw))).toEqual([]));
});

describe('a delivery whose fields a relay has put into one row', () => {
  const rows: readonly (readonly [string, (path: readonly string[]) => string])[] = [
    ['a row of names with two low lines', (path) => path.join('__')],
    ['a row of names with dots', (path) => path.join('.')],
    ['a row of names in brackets', ([first, ...rest]) => `${first}${rest.map((part) => `[${part}]`).join('')}`],
  ];
  function entriesOf(body: object, path: readonly string[] = []): [readonly string[], unknown][] {
    return Object.entries(body).flatMap(([name, value]) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? entriesOf(value, [...path, name])
        : [[[...path, name], value]],
    );
  }

  it.each(
    rows.flatMap(([name, join]) =>
      [
        ['TimelinesAI', timelinesAi, fromTimelines] as const,
        ['Cooby', cooby, fromCooby] as const,
        ['GREEN-API', greenApi, incoming()] as const,
      ].map(([of, provider, body]) => [of, name, provider, body, join] as const),
    ),
  )('is read: of %s, %s', (_of, _name, provider, body, join) => {
    const row = Object.fromEntries(entriesOf(body).map(([path, value]) => [join(path), value]));
    expect(read(provider, row)).toEqual(read(provider, body));
    expect(read(provider, { body: row })).toEqual(read(provider, body));
  });

  it('is read as a form, with its lists', () => {
    const file = { temporary_download_url: 'https://files.example/a.jpg', filename: 'a.jpg', mimetype: 'image/jpeg' };
    const message = { ...fromTimelines.message, attachments: { 0: file } };
    const entries = entriesOf({ ...fromTimelines, message });
    const form = new URLSearchParams();
    for (const [[first, ...rest], value] of entries)
      form.set(`${first}${rest.map((part) => `[${part}]`).join('')}`, String(value));
    expect(payloadsIn(read(timelinesAi, form.toString()))).toEqual(
      payloadsIn(read(timelinesAi, { ...fromTimelines, message: { ...message, attachments: [file] } })),
    );
    expect(payloadsIn(read(timelinesAi, form.toString()))).toMatchObject([
      { message: { content: { type: 'image', file: { url: file.temporary_download_url } } } },
    ]);
  });

  it('takes no long time, however long the row and its names', () => {
    const names = Array.from({ length: 20_000 }, (_, i) => `a__b${i}`);
    const row = Object.fromEntries([...names, 'a__'.repeat(50_000), 'a.'.repeat(50_000)].map((name) => [name, 1]));
    const since = performance.now();
    expect(payloadsIn(read(greenApi, row))).toEqual([]);
    expect(performance.now() - since).toBeLessThan(2_000);
  });

  it('stays as it is where it is longer than any row', () => {
    const rowOf = (names: number) => ({
      typeWebhook__x: 1,
      ...Object.fromEntries(Array.from({ length: names }, (_, i) => [`a__b${i}`, 1])),
      ...Object.fromEntries(entriesOf(incoming()).map(([path, value]) => [path.join('__'), value])),
    });
    expect(payloadsIn(read(greenApi, rowOf(10_000)))).toHaveLength(1);
    expect(payloadsIn(read(greenApi, rowOf(20_000)))).toEqual([]);
  });

  it('stays as it is where that makes no delivery', () => {
    const row = { chat: { id: 1 }, chat__phone: '+15550100099', note: 'of the relay' };
    const parsed = greenApi.parse(Buffer.from(JSON.stringify(row)), 'application/json');
    expect(parsed).toEqual({ ok: true, value: row });
  });

  it('reaches no prototype', () => {
    const row = {
      constructor__prototype__polluted: 1,
      'a[__proto__][polluted]': 1,
      '__proto__.polluted': 1,
      constructor__polluted: 1,
    };
    const form = 'constructor[prototype][polluted]=1&a[constructor][prototype][polluted]=1&toString[polluted]=1';
    for (const provider of [greenApi, timelinesAi, cooby]) for (const body of [row, form]) read(provider, body);
    expect(Object({}).polluted).toBeUndefined();
    expect(Object.hasOwn(Object, 'polluted')).toBe(false);
  });
});

describe("a field of a provider's own is no wrapper", () => {
  it.each([
    ['TimelinesAI', timelinesAi, { event_type: 'message:deleted', data: fromTimelines }],
    [
      'TimelinesAI, under a word of the relay',
      timelinesAi,
      { data: { ...fromTimelines, event_type: 'message:deleted' } },
    ],
    ['Cooby', cooby, { direction: 'sideways', message: fromCooby.message, data: fromCooby }],
    ['GREEN-API', greenApi, { typeWebhook: 'somethingNew', body: incoming() }],
  ] as const)('%s', (_, provider, body) => expect(payloadsIn(read(provider, body))).toEqual([]));
});

describe("the account of GREEN-API's delivery", () => {
  const instanceIn = (body: unknown) => {
    const parsed = greenApi.parse(Buffer.from(JSON.stringify(body)), 'application/json');
    const delivery = { headers: {}, body: new Uint8Array() };
    return greenApi.proofOf?.(delivery, parsed.ok ? parsed.value : undefined).instance;
  };
  const of = (idInstance: number) => incoming(undefined, { instanceData: { idInstance, wid: '1@c.us' } });

  it('is told within a wrapper as well', () => {
    expect(instanceIn({ body: of(7) })).toBe('7');
    expect(instanceIn([of(7), of(7)])).toBe('7');
  });

  it('is nobody where two are told', () => {
    const told = instanceIn([of(7), of(8)]);
    expect(told).toBeDefined();
    expect(['7', '8']).not.toContain(told);
  });
});

describe('a form', () => {
  it.each([
    ['with empty pairs', '&a=1&&b=2&', { a: '1', b: '2' }],
    ['with a value of no name', '=x&a=1', { a: '1' }],
    ['with brackets around a whole name', 'b=2&[a]=1', { a: '1', b: '2' }],
    ['with a list', 'a[]=1&a[]=2', { a: ['1', '2'] }],
    ['with a list in numbers', 'a[1]=2&a[0]=1', { a: ['1', '2'] }],
    ['with a list of objects', 'a[0][b]=1&a[0][c]=2&a[1][b]=3', { a: [{ b: '1', c: '2' }, { b: '3' }] }],
    ['with numbers that make no list', 'a[1]=1&a[2]=2', { a: { 1: '1', 2: '2' } }],
    ['with names beside numbers', 'a[]=1&a[b]=2', { a: { 0: '1', b: '2' } }],
    ['with the next of a list behind the last', 'a[1]=x&a[]=y&a[0]=w', { a: ['w', 'x', 'y'] }],
    ['with the next of a list beside names', 'a[b]=x&a[]=y', { a: { 0: 'y', b: 'x' } }],
    ['with numbers for names', '0=1&1=2', { 0: '1', 1: '2' }],
    ['with a brace for a name', '%7B=1&a=2', { '{': '1', a: '2' }],
    ['with a bracket that stays open', 'a[b=1', { 'a[b': '1' }],
    ['with a text and then fields under one name', 'a=1&a[b]=2', { a: { b: '2' } }],
  ])('is read %s', (_name, text, value) => {
    expect(parseBody(Buffer.from(text), 'application/x-www-form-urlencoded')).toEqual({ ok: true, value });
  });
});

it('reads no form of more than a thousand parts, files or not', () => {
  const parts = (count: number) =>
    parseBody(
      Buffer.from(
        `--b\r\ncontent-disposition: form-data; name="a"\r\n\r\n1${'\r\n--b\r\ncontent-disposition: form-data; name="f"; filename="x"\r\n\r\n2'.repeat(count - 1)}`,
      ),
      'multipart/form-data',
    );
  expect(parts(1000)).toEqual({ ok: true, value: { a: '1' } });
  expect(parts(1001)).toMatchObject({ ok: false, issue: { message: expect.stringContaining('more than 1000') } });
});

it('unpacks no more of what stands gzipped within a body than one body may have', () => {
  const padded = { ...fromTimelines, padding: ' '.repeat(600_000) };
  const held = (body: unknown) => ({ data: gzipSync(JSON.stringify(body)).toString('base64') });
  const readingOf = (body: unknown) => read(timelinesAi, [held(body), held(body), held(body)]);

  expect(payloadsIn(readingOf(fromTimelines))).toHaveLength(3);
  const reading = readingOf(padded);
  expect(payloadsIn(reading)).toHaveLength(1);
  expect(pathsIn(reading).map((path) => path.split('.')[0])).toEqual(['1', '2']);
});

it('keeps the last letter of a form that is not encoded', () => {
  const parsed = parseBody(Buffer.from(' text=voilà\r\n'), 'application/x-www-form-urlencoded');
  expect(parsed).toEqual({ ok: true, value: { text: 'voilà' } });
});
