import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { zender } from '#functions/zender/provider.ts';
import { withoutSecret } from '#functions/zender/secret.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { StoreUnavailable } from '#lib/store/store.ts';
import { lastAttempts } from '#lib/tenants/attempts.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
import { ReceivingBench } from '#test/support/receiving.ts';
import {
  form,
  group,
  json,
  multipart,
  notifications,
  sample,
  secret,
  sms,
  toForm,
  ussd,
  whatsapp,
  withData,
} from './payloads.ts';

let bench: ReceivingBench;
const asForm = { headers: { 'content-type': form } };

/** All that is kept of deliveries, or was logged on the way. */
async function everything(ids: readonly unknown[]): Promise<string> {
  const records = await Promise.all(ids.map((id) => bench.record(id)));
  const attempts = await lastAttempts(bench.store, 'wh_1', bench.now);
  const raw = records.map((record) => Buffer.from(record.raw).toString());
  return JSON.stringify([records.map((record) => record.event), raw, attempts, bench.logged, bench.parcels]);
}

beforeEach(async () => {
  bench = new ReceivingBench(zender);
  await bench.addWebhook('zender', { secretHash: sha256(secret) });
});

const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');

describe('a webhook of zender with a secret', () => {
  it.each([
    ["a relay's wrapper", JSON.stringify({ headers: {}, params: {}, query: {}, body: sms }), json],
    ['a list of one', JSON.stringify([sms]), json],
    ['a multipart form', multipart(sms), 'multipart/form-data; boundary=----b0undary'],
  ])('stores %s as the event that it holds, and keeps the secret nowhere', async (_name, text, contentType) => {
    const first = await bench.post(toForm(sms), asForm);
    const again = await bench.post(text, { headers: { 'content-type': contentType } });
    expect(again).toMatchObject({ status: 200, body: { status: 'duplicate', id: first.body.id } });
    bench = new ReceivingBench(zender);
    await bench.addWebhook('zender', { secretHash: sha256(secret) });
    const { status, body } = await bench.post(text, { headers: { 'content-type': contentType } });
    expect({ status, body }).toEqual({ status: 200, body: { status: 'stored', id: first.body.id } });
    expect(await everything([body.id])).not.toContain(secret);
  });

  it('stores what stands in the wrapper of a relay', async () => {
    bench = new ReceivingBench(zender);
    await bench.addWebhook('zender', { secretHash: sha256('made-up-hook-secret-1') });
    const { status, body } = await bench.post(fixture('relay-wrapper.json'));
    expect(status).toBe(200);
    expect((await bench.record(body.id)).event).toMatchObject({
      message: { channel: 'sms', sender: { phone: '+15550100099' }, content: { text: 'through a relay' } },
    });
    expect(await everything([body.id])).not.toContain('made-up-hook-secret-1');
  });

  it('stores what names the secret, and keeps the secret nowhere', async () => {
    const ids: unknown[] = [];
    for (const body of [sms, whatsapp, group, ussd, notifications]) {
      const first = await bench.post(toForm(body), asForm);
      expect(first).toMatchObject({ status: 200, body: { status: 'stored' } });
      ids.push(first.body.id);
      // The JSON twin is the same event.
      expect((await bench.post(JSON.stringify(body))).body).toEqual({ status: 'duplicate', id: first.body.id });
    }
    expect(await everything(ids)).not.toContain(secret);
  });

  it('keeps the other bytes as they came', async () => {
    const { body } = await bench.post(toForm(group), asForm);
    const record = await bench.record(body.id);
    expect(Buffer.from(record.raw).toString()).toBe(toForm(group).replace(`secret=${secret}&`, ''));
    expect(record.contentType).toBe(form);
  });

  it('keeps what it cannot read, without the secret', async () => {
    const { status, body } = await bench.post(`secret=${secret}&type=mms&data[id]=1`, asForm);
    expect({ status, body }).toMatchObject({ status: 200, body: { status: 'quarantined' } });
    expect(await everything([body.id])).not.toContain(secret);
  });

  it.each([
    ['breaks off', `{"secret":"${secret}","type":"sms","data":{"mess`],
    ['has quotes within quotes', JSON.stringify(sms).replace('Hello', 'the "blue" one')],
  ])('keeps JSON with the secret that %s, without the secret', async (_name, text) => {
    const { status, body } = await bench.post(text);
    expect({ status, body }).toMatchObject({ status: 200, body: { status: 'quarantined' } });
    expect(await everything([body.id])).not.toContain(secret);
  });

  it.each([
    ['little-endian, with its mark', '\ufeff', (bytes: Buffer) => bytes],
    ['little-endian, without a mark', '', (bytes: Buffer) => bytes],
    ['big-endian, with its mark', '\ufeff', (bytes: Buffer) => bytes.swap16()],
    ['big-endian, without a mark', '', (bytes: Buffer) => bytes.swap16()],
  ])('reads UTF-16, %s, and keeps as JSON what it says but the secret', async (_name, mark, turned) => {
    const inUtf16 = (body: object) => turned(Buffer.from(mark + JSON.stringify(body), 'utf16le'));
    const { body } = await bench.post(inUtf16(withData(sms, { message: 'Grüße 你好' })));
    const { raw, event } = await bench.record(body.id);
    expect(event).toMatchObject({ message: { content: { text: 'Grüße 你好' } } });
    const { secret: _, ...kept } = withData(sms, { message: 'Grüße 你好' });
    expect(JSON.parse(Buffer.from(raw).toString())).toEqual(kept);
  });

  it.each([
    ['another secret', toForm({ ...sms, secret: 'guess-of-somebody' }), form],
    ['no secret', '{"type":"sms"}', json],
    ['a body that cannot be read', `{"secret":"guess-of-somebody"`, json],
    ['a multipart body that breaks off', `--x\r\nContent-Disposition: form-data; name="secre`, 'multipart/form-data'],
    ['an empty body', '', form],
  ])('refuses %s, and notes no secret', async (_name, text, contentType) => {
    expect(await bench.post(text, { headers: { 'content-type': contentType } })).toMatchObject({ status: 401 });
    const kept = await everything([]);
    expect(kept).not.toContain(secret);
    expect(kept).not.toContain('guess-of-somebody');
  });

  it('hands the fallback queue no secret', async () => {
    const store = new MemoryStore();
    bench = new ReceivingBench(zender, store);
    await bench.addWebhook('zender', { secretHash: sha256(secret) });
    store.write = () => Promise.reject(new StoreUnavailable('throttled'));
    expect(await bench.post(toForm(sms), asForm)).toMatchObject({ status: 200, body: { status: 'stored' } });
    expect(bench.parcels.map(({ raw }) => Buffer.from(raw).toString())).toEqual([
      toForm(sms).replace(`secret=${secret}&`, ''),
    ]);
  });
});

it.each(['sms', 'whatsapp', 'ussd', 'notification'] as const)(
  'takes the sample %s where no secret is set',
  async (name) => {
    bench = new ReceivingBench(zender);
    await bench.addWebhook('zender');
    const first = await bench.post(sample(name).form, asForm);
    expect(first).toMatchObject({ status: 200, body: { status: 'stored' } });
    expect(await bench.post(sample(name).form, asForm)).toMatchObject({
      body: { status: 'duplicate', id: first.body.id },
    });
    expect(await bench.post(sample(name).json)).toMatchObject({ body: { status: 'duplicate', id: first.body.id } });
    expect(await everything([first.body.id])).not.toContain('my-webhook-secret');
  },
);

it('cuts the secret out of a body once, though its log of attempts shows it as well', async () => {
  let cuts = 0;
  const counted: typeof zender = {
    ...zender,
    withoutSecret: (body, contentType) => {
      cuts += 1;
      return withoutSecret(body, contentType);
    },
  };
  bench = new ReceivingBench(counted);
  await bench.addWebhook('zender', { secretHash: sha256(secret) });
  const { body } = await bench.post(JSON.stringify({ ...sms, type: 'mms' }));
  expect(body).toMatchObject({ status: 'quarantined' });
  expect((await lastAttempts(bench.store, 'wh_1', bench.now))[0]?.request.body).toContain('Hello');
  expect(cuts).toBe(1);
});

it('keeps the link of a file under another name', async () => {
  bench = new ReceivingBench(zender);
  await bench.addWebhook('zender');
  const { body } = await bench.post(fixture('media-url.form'), asForm);
  expect((await bench.record(body.id)).event).toMatchObject({
    message: { content: { type: 'audio', file: { url: 'https://files.example/x.ogg' } } },
  });
});
