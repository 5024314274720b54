import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { greenApi } from '#functions/green-api/provider.ts';
import { sha256 } from '#lib/domain/ids.ts';
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
