import { beforeEach, describe, expect, it } from 'vitest';
import { accountKey } from '#lib/store/keys.ts';
import { del } from '#lib/store/store.ts';
import { SendBench, TOKEN } from '#test/support/send-bench.ts';

const body = { action: 'send', phone: '+14151231234', text: 'hello' };
const key = { 'idempotency-key': 'order-7' };

let bench: SendBench;
beforeEach(async () => {
  bench = new SendBench();
  await bench.addWebhook();
  await bench.addAccount('acc_1');
  await bench.addCredits(3);
});

describe('a request with an Idempotency-Key', () => {
  it('is one message however often it comes, and its repeats say so', async () => {
    const first = await bench.post(body, key);
    const again = await bench.post(body, key);
    expect(again).toEqual({ status: 200, headers: { 'idempotent-replayed': 'true' }, body: first.body });
    expect(first.headers).toEqual({});
    expect(bench.sends()).toHaveLength(1);
    expect(await bench.credits()).toMatchObject({ available: 2 });
    expect((await bench.attempts()).map(({ outcome }) => outcome).sort()).toEqual(['accepted', 'replayed']);
  });

  it('is one message when it comes twenty times at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => bench.post(body, key)));
    expect(new Set(answers.map((answer) => answer.body.data.message_id)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers['idempotent-replayed'] === undefined)).toHaveLength(1);
    expect(await bench.credits()).toMatchObject({ available: 2 });
  });

  it('is the same however its body is laid out', async () => {
    const { action, phone, text } = body;
    await bench.post(body, key);
    expect(await bench.post(JSON.stringify({ text, phone, action }, null, 2), key)).toMatchObject({
      headers: { 'idempotent-replayed': 'true' },
    });
  });

  it.each([
    ['null', null],
    ['nothing', ''],
    ['blanks', ' \n'],
    ['what nobody sees', '\u200b\ufeff'],
  ])('is the same with fields that hold %s, or without them', async (_, empty) => {
    const first = await bench.post(body, key);
    const padded = { ...body, jid: empty, chat_name: empty, 'their own': empty };
    expect(await bench.post(padded, key)).toMatchObject({ status: 200, body: first.body });
    expect(await bench.post({ ...padded, 'their own': 'x' }, key)).toMatchObject({ status: 422 });
    const later = { 'idempotency-key': 'order-8' };
    const second = await bench.post(padded, later);
    expect(await bench.post(body, later)).toMatchObject({ status: 200, body: second.body });
    expect(bench.sends()).toHaveLength(2);
  });

  it('is refused with another body, and the first message stays as it is', async () => {
    const first = await bench.post(body, key);
    expect(await bench.post({ ...body, text: 'other' }, key)).toEqual({
      status: 422,
      headers: {},
      body: {
        status: 422,
        data: {},
        message: 'The Idempotency-Key was used with another body: give each message a key of its own',
      },
    });
    expect(bench.send(first.body.data.message_id).parts[0]?.text).toBe('hello');
    expect(await bench.credits()).toMatchObject({ available: 2 });
  });

  it('gets its answer when the account is gone by then', async () => {
    const first = await bench.post(body, key);
    await bench.memory.write(del(accountKey('acc_1')));
    expect(await bench.post(body, key)).toMatchObject({ status: 200, body: first.body });
    expect(await bench.post({ ...body, text: 'other' }, key)).toMatchObject({ status: 422 });
    expect(await bench.post(body)).toMatchObject({ status: 404 });
  });

  it('gets its answer when there are no credits left', async () => {
    const first = await bench.post(body, key);
    await bench.post(body);
    await bench.post(body);
    expect(await bench.post(body)).toMatchObject({ status: 402 });
    expect(await bench.post(body, key)).toMatchObject({ status: 200, body: first.body });
  });

  it('is new after a day, for another webhook, and after a refusal', async () => {
    await bench.addWebhook({ webhookId: 'wh_2' }, 'other');
    expect(await bench.post({ ...body, phone: '1' }, key)).toMatchObject({ status: 400 });
    const ids = [await bench.post(body, key), await bench.post(body, key, 'other')];
    bench.now += 24 * 3_600_000;
    ids.push(await bench.post(body, key, TOKEN));
    expect(new Set(ids.map((answer) => answer.body.data.message_id)).size).toBe(3);
  });

  it.each(['', 'k'.repeat(256)])('is refused when the key is empty or too long', async (bad) => {
    expect(await bench.post(body, { 'idempotency-key': bad })).toMatchObject({
      status: 400,
      body: { message: 'Idempotency-Key must have 1 to 255 characters' },
    });
  });

  it('may have a key of 255 characters', async () => {
    expect(await bench.post(body, { 'idempotency-key': 'k'.repeat(255) })).toMatchObject({ status: 200 });
  });
});

it('a request without a key is a new message each time', async () => {
  const answers = [await bench.post(body), await bench.post(body)];
  expect(new Set(answers.map((answer) => answer.body.data.message_id)).size).toBe(2);
});
