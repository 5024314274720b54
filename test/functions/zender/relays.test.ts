import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { zender } from '#functions/zender/provider.ts';
import { withoutSecret } from '#functions/zender/secret.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { lastAttempts } from '#lib/tenants/attempts.ts';
import { ReceivingBench } from '#test/support/receiving.ts';
import { flattened, form, multipart, secret, sms, toForm, whatsapp } from './payloads.ts';

const { secret: _secret, ...bare } = sms;
const base64 = (text: string) => Buffer.from(text).toString('base64');
const json = JSON.stringify(sms);
const bareForm = toForm(bare);

/** As API Gateway hands a request to a function, version 1 and 2. */
const proxied = (body: unknown, more: object = {}) => ({
  version: '2.0',
  routeKey: 'POST /in',
  rawPath: '/in',
  rawQueryString: '',
  headers: { 'content-type': 'application/json', host: 'relay.example' },
  requestContext: { http: { method: 'POST', path: '/in' } },
  body,
  isBase64Encoded: false,
  ...more,
});

const withFile = Buffer.concat([
  Buffer.from('----b0undary\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'),
  Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x00, 0xff, 0xc3]),
  Buffer.from(`\r\n${multipart(sms, '--b0undary')}`),
]).toString('base64');

/** The fields of the delivery, each with its whole path for a name. */
const row = (before: string, join: string) => ({
  [`${before}type`]: 'sms',
  ...Object.fromEntries(Object.entries(sms.data).map(([name, value]) => [`${before}data${join}${name}`, value])),
});

const WRAPPED: readonly (readonly [string, unknown])[] = [
  ['JSON in base64', proxied(base64(json), { isBase64Encoded: true })],
  ['a form in base64', proxied(base64(toForm(sms)), { isBase64Encoded: true })],
  ['a multipart form in base64', proxied(base64(multipart(sms)), { isBase64Encoded: true })],
  ['a multipart form with a file in base64', proxied(withFile, { isBase64Encoded: true })],
  ['base64 in lines', proxied(base64(json).replace(/.{60}/g, '$&\r\n'), { isBase64Encoded: true })],
  ['base64 for URLs', { payload: Buffer.from(json).toString('base64url') }],
  ['base64 that nothing marks', { rawBody: base64(json) }],
  ['base64 in a list of records', { Records: [{ messageId: '1', body: base64(json) }] }],
  ['base64 beside what a queue adds', { message: { data: base64(json), messageId: '1' }, subscription: 's' }],
  ['JSON in a notice of SNS', { Type: 'Notification', MessageId: '1', TopicArn: 'arn:aws:sns:x', Message: json }],
  [
    'a form in the trigger of Power Automate',
    {
      '$content-type': form,
      $content: base64(toForm(sms)),
      $formdata: Object.entries(sms).map(([key, value]) => ({ key, value: String(value) })),
    },
  ],
  ['its body within others', { headers: {}, body: { '$content-type': form, $content: base64(toForm(sms)) } }],
  ['bytes', { headers: {}, rawBody: { type: 'Buffer', data: [...Buffer.from(json)] } }],
  ['bytes of a form', { rawBody: { type: 'Buffer', data: [...Buffer.from(toForm(sms))] } }],
  ['JSON in a text', proxied(json)],
  ['the secret in the query', { headers: {}, query: { secret }, body: bare }],
  ['the secret in queryStringParameters', proxied(JSON.stringify(bare), { queryStringParameters: { secret } })],
  ['the secret in a list', proxied(JSON.stringify(bare), { multiValueQueryStringParameters: { secret: [secret] } })],
  ['the secret in the query as a text', proxied(bareForm, { rawQueryString: `a=1&secret=${secret}` })],
  ['the secret in the query with its mark', { search: `?secret=${secret}`, body: bare }],
  ['the secret in a query of words', { query: `secret=${secret}&a=1`, body: bare }],
  ['the secret in the URL', { url: `https://relay.example/in?a=1&secret=${secret}#top`, body: bare }],
  ['the secret in a path', { originalUrl: `/in?secret=${encodeURIComponent(secret)}`, body: bare }],
  ['the secret in params', { params: { secret }, query: {}, body: bare }],
  ['the secret among headers', { headers: { secret, host: 'relay.example' }, body: bare }],
  ['the secret in a header of its own name', { headers: { 'X-Webhook-Secret': secret }, body: bare }],
  ["the secret in the relay's header", { headers: { 'x-zender-secret': [secret] }, body: bare }],
  ['the secret as a bearer', { headers: { Authorization: `Bearer ${secret}` }, body: bare }],
  ['headers as names and values', { headers: [{ name: 'Secret', value: secret }], body: bare }],
  ['headers as keys and values', { headers: [{ key: 'x-secret', value: secret, other: 1 }], body: bare }],
  ['headers as pairs', { headers: [['Secret', secret]], body: bare }],
  ['headers as JSON in a text', { headers: JSON.stringify({ secret }), body: JSON.stringify(bare) }],
  ['the secret beside the body', { secret, body: bare }],
  ["the secret in the relay's own envelope", { type: 'com.relay.request', data: { secret, body: bare } }],
  ['an envelope that has a type and data', { specversion: '1.0', type: 'com.relay.hook', id: '1', data: sms }],
  ['an envelope that has a type, in a list', [{ type: 'event', data: { request: { body: sms } } }]],
  ['the secret within data', { type: 'sms', data: { ...sms.data, secret } }],
  [
    "another secret of the relay's own",
    { headers: { 'x-secret': 'word-of-the-relay' }, query: { secret }, body: bare },
  ],
  ['another secret around the right one', { secret: 'word-of-the-relay', query: {}, body: sms }],
  ['the secret in a row of all fields', { body__secret: secret, ...row('body__', '__') }],
  ['the secret deep in such a row', { 'event.body.secret': secret, ...row('event.body.', '.') }],
  ['such a row in a text', { data: JSON.stringify({ body__secret: secret, ...row('body__', '__') }) }],
  [
    'a name and a value with others between',
    { headers: [{ name: 'Secret', a: [{ b: {} }], value: secret }], body: bare },
  ],
  ['headers as pairs of a name and a list', { headers: [['Secret', [secret]]], body: bare }],
  ['the secret in a query in base64', { search: base64(`secret=${secret}&by=the+relay`), body: bare }],
  ['the secret in a query in JSON', { search: JSON.stringify({ secret }), path: '/in', body: bare }],
  ['the secret in a query of parts', { search: multipart({ secret }), body: bare }],
  ['pairs of a form in the URL', { url: `/in?headers[0][name]=Secret&headers[0][value]=${secret}`, body: bare }],
  ['JSON in percent signs', { body: encodeURIComponent(json) }],
  ['bytes in another order', { body: { data: [...Buffer.from(json)], type: 'Buffer' } }],
  ['bytes beside others', { body: { type: 'Buffer', data: [...Buffer.from(json)], length: 1 } }],
  ['bytes below zero', { body: { type: 'Buffer', data: [...Buffer.from(json)].map((byte) => byte - 256) } }],
  ['a secret for each of a list', [{ headers: {}, query: { secret }, body: bare }]],
  ['the secret in a number beside others', { headers: {}, body: { ...bare, secret: [secret] } }],
];

/** Each as a form and a multipart body, which have texts only. */
const AS_FORMS: readonly (readonly [string, string, string])[] = [
  ['a form with the body in base64', `isBase64Encoded=1&body=${encodeURIComponent(base64(json))}`, form],
  ['a form with the secret in the query', `query[secret]=${secret}&body=${encodeURIComponent(bareForm)}`, form],
  ['a form with the secret in the URL', toForm({ url: `https://r.example/?secret=${secret}`, ...bare }), form],
  ['a form with the secret among headers', `headers[x-secret]=${secret}&${bareForm}`, form],
  ['a multipart form with the body in base64', multipart({ body: base64(json) }), ''],
  ['a multipart form with the secret in the URL', multipart({ url: `/in?secret=${secret}`, body: bareForm }), ''],
  ['a form with headers as names and values', `headers[0][name]=Secret&headers[0][value]=${secret}&${bareForm}`, form],
  ['a form with headers as pairs', `headers[0][]=Secret&headers[0][]=${secret}&${bareForm}`, form],
  ['a form with one header as a pair', `headers[]=Secret&headers[]=${secret}&${bareForm}`, form],
  ['a form of a row of all fields', toForm({ body__secret: secret, ...row('body__', '__') }), form],
  ['a multipart form with one header as a pair', multipart({ headers: ['Secret', secret], ...bare }), ''],
  ['bytes with fractions', `{"body":{"type":"Buffer","data":[${[...Buffer.from(json)].map((it) => `${it}.0`)}]}}`, ''],
  ['bytes that say so in escapes', `{"body":{"type":"\\u0042uffer","data":[${[...Buffer.from(json)]}]}}`, ''],
  ['a form with a mark at its front, in base64', base64(`\ufeff${toForm(sms)}`), 'text/plain'],
  ['the whole body in base64', base64(json), 'text/plain'],
  [
    'a form, whatever its headers say',
    `secret=${secret}&body=${encodeURIComponent(json)}`,
    'multipart/form-data; boundary=b',
  ],
  ['a form in base64, whatever its headers say', base64(toForm(sms)), 'multipart/form-data; boundary=b'],
  ['a text that holds base64', JSON.stringify(base64(json)), 'application/json'],
];

const ROWS = [...WRAPPED.map(([name, body]) => [name, JSON.stringify(body), 'application/json'] as const), ...AS_FORMS];

/** No spelling of the secret, whole or as any part of base64, is in what is kept. */
function holdsSecret(raw: Uint8Array): boolean {
  const text = Buffer.from(raw).toString('latin1');
  const inBase64 = (text.match(/[\w+/=-]{16,}/g) ?? []).map((run) => Buffer.from(run, 'base64').toString('latin1'));
  const inBytes = (text.match(/\[[\d,]+\]/g) ?? []).map((list) => Buffer.from(JSON.parse(list)).toString('latin1'));
  return [text, decodeURIComponent(text.replace(/%(?![\da-f]{2})/gi, '')), ...inBase64, ...inBytes].some((spelling) =>
    spelling.includes(secret),
  );
}

async function benchOf(hash = sha256(secret)) {
  const bench = new ReceivingBench(zender);
  await bench.addWebhook('zender', { secretHash: hash });
  return bench;
}

const post = (bench: ReceivingBench, body: string | Uint8Array, contentType: string) =>
  bench.post(body, { headers: { 'content-type': contentType } });

it.each([
  ['beside who wrote', { url: `https://hub.example/in?secret=${secret}`, From: '+15550100066', Body: json }],
  ['within what somebody wrote', { query: { secret }, body: { from: '15550100066', text: { body: json } } }],
  ['of a type that nobody knows', { type: 'email', secret, data: { from: 'x@example.com', body: json } }],
])('takes no delivery out of words: %s', (_name, body) => {
  expect(zender.read(body)).toHaveProperty('issues');
});

it('looks through no more texts than a relay hands over', () => {
  const read = (texts: number) => {
    const some = Array.from({ length: texts }, () => ({ data: '{"a":' }));
    const parsed = zender.parse(Buffer.from(JSON.stringify({ some, body: json })), '');
    const value = parsed.ok ? parsed.value : undefined;
    const { secretHashes } = zender.proofOf?.({ headers: {}, body: Buffer.from('') }, value) ?? {};
    return { secretHashes, reading: zender.read(value) };
  };
  expect(read(1999).secretHashes).toContain(sha256(secret));
  expect(read(1999).reading).toHaveProperty('drafts');
  expect(read(2001).secretHashes).toEqual([]);
  expect(read(2001).reading).toHaveProperty('issues');
});

describe('what a relay hands over to zender', () => {
  it.each(ROWS)('is read and keeps no secret: %s', async (_name, text, contentType) => {
    const known = await benchOf();
    const first = await post(known, toForm(sms), form);
    expect(await post(known, text, contentType)).toEqual({
      status: 200,
      body: { status: 'duplicate', id: first.body.id },
    });
    const fresh = await benchOf();
    expect((await post(fresh, text, contentType)).body).toMatchObject({ status: 'stored', id: first.body.id });
    const { raw, event } = await fresh.record(first.body.id);
    expect(holdsSecret(raw)).toBe(false);
    expect(event).toMatchObject({ kind: 'message', message: { content: { text: 'Hello' } } });
    const attempts = await lastAttempts(fresh.store, 'wh_1', fresh.now);
    expect(JSON.stringify([event, attempts, fresh.logged])).not.toContain(secret);
  });

  it.each(ROWS)('is refused with another secret, and notes none: %s', async (_name, text, contentType) => {
    const bench = await benchOf(sha256('another-one'));
    expect((await post(bench, text, contentType)).status).toBe(401);
    const noted = JSON.stringify(await lastAttempts(bench.store, 'wh_1', bench.now));
    expect(holdsSecret(Buffer.from(noted))).toBe(false);
  });

  it.each<[string, unknown]>([
    ['a part of it in the query', { query: { secret: secret.slice(1) }, body: bare }],
    ['more than it', { query: { secret: `${secret}0` }, body: bare }],
    ['words that hold it', { headers: { secret: `it is ${secret}` }, body: bare }],
    ['a message that says it', { headers: {}, body: { ...bare, data: { ...bare.data, message: secret } } }],
    ['a message in JSON', { ...bare, data: { ...bare.data, message: JSON.stringify({ secret }) } }],
    ['a message in JSON, in capitals', { ...bare, data: { ...bare.data, message: JSON.stringify({ Message: json }) } }],
    ['a message in a form', { ...bare, data: { ...bare.data, message: `secret=${secret}` } }],
    ['a message with a link', { ...bare, data: { ...bare.data, message: `https://x.example/?secret=${secret}` } }],
    ['the link to a file', { ...bare, data: { ...bare.data, url: `https://x.example/a.jpg?secret=${secret}` } }],
    ['a name that says more', { query: { secrets: secret, my_secret: secret }, body: bare }],
    ['its hash', { query: { secret: sha256(secret) }, body: bare }],
    ['a secret of the delivery that is wrong', { query: { secret }, body: { ...bare, secret: 'guess' } }],
    ['one of a list that is wrong', [sms, { ...whatsapp, secret: 'guess' }]],
    ['a flag in its place', { query: { secret: true }, body: bare }],
    ['an object in its place', { query: { secret: { a: secret } }, body: bare }],
    ['many guesses', { headers: Object.fromEntries(guesses(500).map((it, i) => [`x-${i}-secret`, it])), body: bare }],
  ])('is refused with %s', async (_name, body) => {
    const bench = await benchOf();
    expect((await post(bench, JSON.stringify(body), 'application/json')).status).toBe(401);
  });

  it('leaves links to files and messages as they came', async () => {
    const link = 'https://x.example/a.jpg?secret=abc&b=1';
    const body = { ...whatsapp, data: { ...whatsapp.data, message: `see ${link}`, url: link } };
    const bench = await benchOf();
    const { id } = (await post(bench, JSON.stringify({ headers: {}, body }), 'application/json')).body;
    const { raw, event } = await bench.record(id);
    const { secret: _, ...kept } = body;
    expect(Buffer.from(raw).toString()).toBe(JSON.stringify({ headers: {}, body: kept }));
    expect(event).toMatchObject({ message: { content: { file: { url: link }, caption: `see ${link}` } } });
  });

  it('is read though its type is in capitals', async () => {
    const bench = await benchOf();
    const { body } = await post(bench, JSON.stringify({ body: { ...sms, type: 'SMS ' } }), 'application/json');
    expect((await bench.record(body.id)).event).toMatchObject({ message: { channel: 'sms' } });
  });

  it('is read though it is flat, in base64', async () => {
    const bench = await benchOf();
    const body = { isBase64Encoded: true, body: base64(JSON.stringify(flattened(whatsapp))) };
    expect((await post(bench, JSON.stringify(body), 'application/json')).body).toMatchObject({ status: 'stored' });
  });
});

/** The right one is the last. */
function guesses(count: number): string[] {
  return [...Array.from({ length: count - 1 }, (_, i) => `guess-${i}`), secret];
}

const gzip = (text: string) => gzipSync(text);

describe('a gzipped body of zender', () => {
  it.each([
    ['a form', toForm(sms), form],
    ['JSON', json, 'application/json'],
    ['a wrapper', JSON.stringify({ headers: {}, body: toForm(sms) }), 'application/json'],
  ])('is read as what it packs, and kept as JSON without its secret: %s', async (_name, text, contentType) => {
    const known = await benchOf();
    const first = await post(known, toForm(sms), form);
    expect((await post(known, gzip(text), contentType)).body).toEqual({ status: 'duplicate', id: first.body.id });
    const fresh = await benchOf();
    await post(fresh, gzip(text), contentType);
    const { raw } = await fresh.record(first.body.id);
    expect(Buffer.from(raw).toString()).not.toContain(secret);
    expect(Buffer.from(raw).toString()).toContain('Hello');
  });

  it.each([
    ['in base64', { body: gzip(json).toString('base64') }],
    ['as bytes', { body: { type: 'Buffer', data: [...gzip(json)] } }],
  ])('is read in what a relay wraps as well: %s', async (_name, body) => {
    const bench = await benchOf();
    const { id } = (await post(bench, JSON.stringify(body), 'application/json')).body;
    const { raw, event } = await bench.record(id);
    expect(event).toMatchObject({ kind: 'message', message: { content: { text: 'Hello' } } });
    expect(JSON.parse(Buffer.from(raw).toString())).toEqual({ body: JSON.parse(JSON.stringify(bare)) });
  });

  it.each([
    ['too much', gzip(`${' '.repeat(1024 * 1024)}${json}`), 'more than 1048576 bytes once unpacked'],
    ['not whole', gzip(json).subarray(0, 60), 'damaged, or not whole'],
  ])('is refused with what to change where it is %s', async (_name, body, why) => {
    const bench = await benchOf();
    const { status, body: answer } = await post(bench, body, form);
    expect(status).toBe(401);
    expect(answer.message).toContain(why);
    expect(answer.message).toContain('without Content-Encoding');
  });

  it('that nobody can unpack stays as it came', () => {
    const alone = JSON.stringify({ data: gzip(' '.repeat(1024 * 1024 + 1)).toString('base64') });
    expect(Buffer.from(withoutSecret(Buffer.from(alone), '').raw).toString()).toBe(alone);
    const damaged = JSON.stringify({ data: gzip(json).subarray(0, 60).toString('base64') });
    expect(Buffer.from(withoutSecret(Buffer.from(damaged), '').raw).toString()).toBe(damaged);
  });

  it('that packs itself again and again is unpacked a few times', () => {
    const deep = [1, 2, 3, 4, 5].reduce((packed) => gzipSync(packed), Buffer.from(json));
    expect(zender.parse(deep, '')).toMatchObject({ ok: false, issue: { message: expect.stringContaining('4 times') } });
  });
});

describe('a body of zender in XML', () => {
  const xml = `<?xml version="1.0"?><event><secret>${secret}</secret><type>sms</type></event>`;

  it('is kept, without its secret, and says what to post', async () => {
    const bench = await benchOf();
    const { status, body } = await post(bench, xml, 'text/xml');
    expect({ status, ...body }).toMatchObject({ status: 'quarantined', issues: [{ path: '' }] });
    expect(JSON.stringify(body)).toContain('post it as JSON or as a form');
    expect(Buffer.from((await bench.record(body.id)).raw).toString()).toBe(xml.replace(secret, ''));
  });

  it('is refused without the secret, and told what to post', async () => {
    const bench = await benchOf();
    const { status, body } = await post(bench, xml.replace(secret, 'guess'), 'text/xml');
    expect(status).toBe(401);
    expect(body.message).toContain('post it as JSON or as a form');
    expect(body.message).not.toContain('guess');
  });
});
