import { beforeEach, expect, it } from 'vitest';
import { cooby } from '#functions/cooby/provider.ts';
import { ReceivingBench } from '#test/support/receiving.ts';
import sample from './fixtures/sent.json' with { type: 'json' };
import { older, text } from './payloads.ts';

let bench: ReceivingBench;

beforeEach(async () => {
  bench = new ReceivingBench(cooby);
  await bench.addWebhook('cooby');
});

it.each([
  ['the sample', sample],
  ['a received text', text],
  ['the older shape', older],
])('stores %s once and reads its bytes back', async (_name, payload) => {
  const body = JSON.stringify(payload, null, 2);
  const first = await bench.post(body, { headers: { 'content-type': 'text/plain' } });
  expect(first).toMatchObject({ status: 200, body: { status: 'stored' } });
  expect(await bench.post(body)).toMatchObject({ status: 200, body: { status: 'duplicate', id: first.body.id } });
  expect(Buffer.from((await bench.record(first.body.id)).raw).toString()).toBe(body);
});

it('stores the same message once for each user who sees it', async () => {
  const ids = [];
  for (const user_phone of ['15550100001', '15550100002']) {
    const { body } = await bench.post(JSON.stringify({ ...text, user_phone }));
    expect(body.status).toBe('stored');
    ids.push(body.id);
  }
  expect(new Set(ids).size).toBe(2);
  for (const id of ids) expect((await bench.record(id)).event).not.toHaveProperty('conflict');
});

it('keeps what is broken, naming paths and no values', async () => {
  const { status, body } = await bench.post(JSON.stringify({ ...text, direction: 'sideways' }));
  expect(status).toBe(200);
  expect(body).toMatchObject({ status: 'quarantined', issues: [{ path: 'direction' }] });
  expect(JSON.stringify(body)).not.toContain('sideways');
});
