import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { greenApi } from '#functions/green-api/provider.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { toldAgain } from '#lib/inbox/event-item.ts';
import { ReceivingBench } from '#test/support/receiving.ts';
import { incoming, instanceData, status, textData } from './payloads.ts';

let bench: ReceivingBench;
const post = async (payload: object, headers = {}) => await bench.post(JSON.stringify(payload), { headers });

beforeEach(async () => {
  bench = new ReceivingBench(greenApi);
  await bench.addWebhook('green-api');
});

describe('a delivery of GREEN-API', () => {
  it('stores three messages that share one id, and none of them again', async () => {
    const fixtures = ['link', 'quoted-contact', 'quoted-image'];
    const bodies = fixtures.map((name) => readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), 'utf8'));
    const ids = new Set();
    for (const body of bodies) {
      const first = await bench.post(body);
      expect(first).toMatchObject({ status: 200, body: { status: 'stored' } });
      expect((await bench.post(body)).body).toEqual({ ...first.body, status: 'duplicate' });
      ids.add(JSON.stringify(first.body));
    }
    expect(ids.size).toBe(3);
  });

  it('takes a picture that is told again for one message, with the newest link', async () => {
    const body = readFileSync(new URL('fixtures/image-with-caption.json', import.meta.url), 'utf8');
    const bodies = [
      body,
      body.replaceAll('aaaa-1111', 'bbbb-2222'),
      body
        .replace('https://files.example/7999/aaaa-1111.jpg', '')
        .replace('aaaa-1111', 'cccc-3333')
        .replace('"chatName": "Ana Ruiz"', '"chatName": ""'),
      body.replaceAll('aaaa-1111', 'bbbb-2222').replace('1795650000', '1795650060'),
    ];
    const answers = [];
    for (const one of bodies) {
      bench.now += 60_000;
      answers.push((await bench.post(one)).body);
    }
    const id = answers[0]?.id;
    expect(answers).toEqual(['stored', 'duplicate', 'duplicate', 'duplicate'].map((status) => ({ status, id })));
    const { event, raw } = await bench.record(id);
    expect(event).toMatchObject({
      occurredAt: new Date(1795650060_000).toISOString(),
      deliveries: 4,
      message: {
        chat: { title: 'Ana Ruiz' },
        content: { type: 'image', caption: 'look', file: { url: 'https://files.example/7999/bbbb-2222.jpg' } },
      },
    });
    expect(event).not.toHaveProperty('conflict');
    expect(Buffer.from(raw).toString()).toBe(body);
    const told = [...(await toldAgain(bench.store, String(id))).values()];
    expect(told.map((delivery) => Buffer.from(delivery.raw).toString())).toEqual(bodies.slice(1));
    const other = await bench.post(body.replace('"look"', '"look here"'));
    expect(other.body).toMatchObject({ status: 'stored' });
    expect((await bench.record(other.body.id)).event).toMatchObject({ conflict: true });
    expect(await bench.post(body.replaceAll('aaaa-1111', 'dddd-4444').replace('"look"', '"look here"'))).toMatchObject({
      body: { status: 'duplicate', id: other.body.id },
    });
  });

  it('lets the message take the place of what stood for it, and not the other way round', async () => {
    const placeholder = incoming({ typeMessage: 'textMessage', textMessageData: { textMessage: '{{SWE001}}' } });
    const first = await post(placeholder);
    const real = await post(incoming(textData, { timestamp: 1795000301 }));
    expect(real.body).toEqual({ ...first.body, status: 'stored' });
    expect((await post(placeholder)).body).toEqual({ ...first.body, status: 'duplicate' });
  });

  it('stores a status beside its message, though they share an id', async () => {
    const message = await post(incoming(textData, { idMessage: status.idMessage }));
    const { body } = await post(status);
    expect(body).toMatchObject({ status: 'stored' });
    expect(body).not.toEqual(message.body);
  });

  it('answers what it does not understand with 200, paths and no value', async () => {
    const answer = await post({ typeWebhook: 'moodChanged', mood: 'a secret' });
    expect(answer).toMatchObject({ status: 200, body: { status: 'quarantined', issues: [{ path: 'typeWebhook' }] } });
    expect(JSON.stringify(answer)).not.toContain('secret');
  });
});

describe('a webhook with a token and an account', () => {
  beforeEach(async () => {
    bench = new ReceivingBench(greenApi);
    await bench.addWebhook('green-api', { secretHash: sha256('tok-123'), instance: '7999000111' });
  });

  it('takes what its own instance sends with the token', async () => {
    expect((await post(incoming(), { authorization: 'Bearer tok-123' })).status).toBe(200);
  });

  it('refuses another token, none, and another instance', async () => {
    const foreign = incoming(textData, { instanceData: { ...instanceData, idInstance: 1101000001 } });
    expect((await post(incoming(), { authorization: 'Bearer tok-124' })).status).toBe(401);
    expect((await post(incoming())).status).toBe(401);
    expect((await post(foreign, { authorization: 'Bearer tok-123' })).status).toBe(401);
    expect(bench.logged.join('\n')).not.toContain('tok-12');
  });

  it('keeps what names no instance for a look', async () => {
    const answer = await post(incoming(textData, { instanceData: {} }), { authorization: 'Bearer tok-123' });
    expect(answer).toMatchObject({
      status: 200,
      body: { status: 'quarantined', issues: [{ path: 'instanceData.idInstance' }] },
    });
  });
});
