import { beforeEach, describe, expect, it } from 'vitest';
import { cooby } from '#functions/cooby/provider.ts';
import { greenApi } from '#functions/green-api/provider.ts';
import { zender } from '#functions/zender/provider.ts';
import { chunkOf, chunksOf, envelopeOf } from '#lib/aws/queues.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { storeEnvelope } from '#lib/inbox/fallback.ts';
import type { ReceivingProvider } from '#lib/inbox/provider.ts';
import { StoreUnavailable } from '#lib/store/store.ts';
import { lastAttempts } from '#lib/tenants/attempts.ts';
import type { Webhook } from '#lib/tenants/webhooks.ts';
import { text as coobyText } from '#test/functions/cooby/payloads.ts';
import { incoming } from '#test/functions/green-api/payloads.ts';
import { form, sms, toForm, secret as zenderSecret } from '#test/functions/zender/payloads.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
import { NOW, ReceivingBench } from '#test/support/receiving.ts';
import { underRole } from '#test/support/under-role.ts';

/** As webhooks have them: 32 bytes in base64url. */
const TOKEN = Buffer.from(sha256('a token'), 'hex').toString('base64url');
const message = coobyText;
const SECRET = 'tok-123-abc';

let store: MemoryStore;
let bench: ReceivingBench;

/** A process that has met no webhook yet, before a table that does not answer. */
async function outage(provider: ReceivingProvider, webhook?: Partial<Webhook>, token = TOKEN): Promise<() => void> {
  store = new MemoryStore();
  bench = new ReceivingBench(provider, store);
  if (webhook) await bench.addWebhook(provider.name, webhook, token);
  const get = store.get.bind(store);
  store.get = () => Promise.reject(new StoreUnavailable('unreachable'));
  return () => {
    store.get = get;
  };
}

/** What the queue brings when the table is back, under the role of the function that takes it up. */
async function takeUp(provider: ReceivingProvider) {
  // Another process, and so another chance.
  const random = { next: () => 0.5, bytes: (count: number) => new Uint8Array(count).fill(7) };
  const ports = { ...bench.ports(), random, store: underRole(store, 'fallback') };
  const messages = bench.parcels.map((envelope) => chunksOf(envelope).map((chunk) => JSON.stringify(chunk)));
  const stored = [];
  for (const [first = '', ...others] of messages) {
    expect(others).toEqual([]);
    const chunk = chunkOf(first);
    stored.push(...(await storeEnvelope(provider, ports, envelopeOf(chunk, chunk.data))));
  }
  return stored;
}

const body = JSON.stringify(message);

describe('a delivery that nobody can judge', () => {
  it('is answered as stored, without an id, and stored with its own time when the table is back', async () => {
    const recover = await outage(cooby, {});
    const answer = await bench.post(body, { token: TOKEN });
    expect(answer).toEqual({ status: 200, body: { status: 'stored' } });
    expect(bench.parcels).toMatchObject([{ webhook: { tokenHash: sha256(TOKEN) }, receivedAt: NOW }]);
    expect(bench.counted).toEqual(['FallbackEvents']);
    recover();
    bench.now += 600_000;
    const [stored] = await takeUp(cooby);
    expect(stored).toMatchObject({ status: 'stored' });
    const { event, raw } = await bench.record(stored?.id);
    expect(event).toMatchObject({
      receivedAt: '2026-03-01T12:00:00.000Z',
      message: { content: { text: coobyText.message.text } },
    });
    expect(Buffer.from(raw).toString()).toBe(body);
    expect(await lastAttempts(store, 'wh_1', bench.now)).toMatchObject([
      { status: 200, outcome: 'stored', id: stored?.id },
    ]);
    // It is the event that it would have been.
    expect(await bench.post(body, { token: TOKEN })).toMatchObject({ body: { status: 'duplicate', id: stored?.id } });
  });

  it('has neither its token nor its secret on the way', async () => {
    await outage(zender, { secretHash: sha256(zenderSecret) });
    const posted = { token: TOKEN, headers: { 'content-type': form } };
    expect(await bench.post(toForm(sms), posted)).toEqual({ status: 200, body: { status: 'stored' } });
    const [envelope] = bench.parcels;
    expect(envelope?.webhook).toEqual({ tokenHash: sha256(TOKEN), secretHash: sha256(zenderSecret) });
    const sent = `${JSON.stringify(envelope)}${Buffer.from(envelope?.raw ?? []).toString()}${bench.logged.join()}`;
    expect(sent).not.toContain(TOKEN);
    expect(sent).not.toContain(zenderSecret);
  });

  const asForm = { 'content-type': form };
  const bearer = (value: string) => ({ authorization: value });
  const SAMPLES: readonly [
    string,
    ReceivingProvider,
    Partial<Webhook>,
    object | string,
    Record<string, string>,
    string,
  ][] = [
    ['zender with its secret', zender, { secretHash: sha256(zenderSecret) }, toForm(sms), asForm, 'stored'],
    ['zender with another', zender, { secretHash: sha256('another') }, toForm(sms), asForm, 'unauthorized'],
    ['zender with none', zender, { secretHash: sha256('another') }, { ...sms, secret: undefined }, {}, 'unauthorized'],
    [
      "zender with a relay's own",
      zender,
      { secretHash: sha256(zenderSecret) },
      { headers: { 'x-secret': 'word' }, query: { secret: zenderSecret }, body: { ...sms, secret: undefined } },
      {},
      'stored',
    ],
    ['zender unasked', zender, {}, toForm(sms), asForm, 'stored'],
    ['a bearer', greenApi, { secretHash: sha256(SECRET) }, incoming(), bearer(`Bearer ${SECRET}`), 'stored'],
    ['another bearer', greenApi, { secretHash: sha256(SECRET) }, incoming(), bearer('Bearer other'), 'unauthorized'],
    ['no header', greenApi, { secretHash: sha256(SECRET) }, incoming(), {}, 'unauthorized'],
    ['Basic as set', greenApi, { secretHash: sha256('Basic dXM=') }, incoming(), bearer('Basic dXM='), 'stored'],
    [
      'Basic borne',
      greenApi,
      { secretHash: sha256('Basic dXM=') },
      incoming(),
      bearer('Bearer Basic dXM='),
      'unauthorized',
    ],
    ['its instance', greenApi, { instance: '7999000111' }, from('7999000111'), {}, 'stored'],
    ['a foreign instance', greenApi, { instance: '1101000001' }, from('7999000111'), {}, 'unauthorized'],
    ['a URL switched off', cooby, { enabled: false }, message, {}, 'not_found'],
    ['a URL replaced', cooby, { rotated: true }, message, {}, 'not_found'],
    ["another provider's URL", cooby, { provider: 'zender' }, message, {}, 'not_found'],
    ['a URL for sending', cooby, { kind: 'send' }, message, {}, 'not_found'],
  ];

  it.each(SAMPLES)('is judged when the table is back: %s', async (_, provider, webhook, sent, headers, outcome) => {
    const recover = await outage(provider, webhook);
    const text = typeof sent === 'string' ? sent : JSON.stringify(sent);
    expect(await bench.post(text, { token: TOKEN, headers })).toEqual({ status: 200, body: { status: 'stored' } });
    recover();
    const stored = await takeUp(provider);
    expect(stored).toHaveLength(outcome === 'stored' ? 1 : 0);
    const attempts = await lastAttempts(store, 'wh_1', bench.now);
    expect(attempts).toMatchObject([{ outcome, status: { stored: 200, unauthorized: 401, not_found: 404 }[outcome] }]);
    if (outcome !== 'stored') expect(attempts[0]?.message).toContain('dropped');
    const kept = JSON.stringify([attempts, bench.logged]);
    for (const word of [SECRET, zenderSecret, 'dXM=']) expect(kept).not.toContain(word);
  });

  it('is dropped and counted where no webhook ever had its URL', async () => {
    const recover = await outage(cooby);
    await bench.post(body, { token: TOKEN });
    recover();
    expect(await takeUp(cooby)).toEqual([]);
    expect(bench.counted).toContain('UnknownTokens');
    expect(store.all()).toEqual([]);
  });

  it('waits in the queue while the table is still away', async () => {
    await outage(cooby, {});
    await bench.post(body, { token: TOKEN });
    const [envelope] = bench.parcels;
    await expect(envelope && storeEnvelope(cooby, bench.ports(), envelope)).rejects.toThrow(StoreUnavailable);
  });

  it('is answered 503 where the queue is away as well', async () => {
    await outage(cooby, {});
    bench.fallbackTakes = false;
    expect(await bench.post(body, { token: TOKEN })).toMatchObject({ status: 503 });
    expect(bench.counted).toEqual(['RefusedDeliveries']);
  });
});

function from(idInstance: string) {
  const payload = incoming();
  return {
    ...payload,
    instanceData: { wid: '15550111@c.us', typeInstance: 'whatsapp', idInstance: Number(idInstance) },
  };
}

describe('the bounds of what is taken unjudged', () => {
  beforeEach(() => outage(cooby, {}));

  it.each([
    '',
    'short',
    `${TOKEN}A`,
    TOKEN.slice(1),
    `${TOKEN.slice(0, 42)}B`,
    TOKEN.replace(/^./, '.'),
    ` ${TOKEN.slice(1)}`,
  ])('takes nothing for a URL that no webhook can have: %j', async (token) => {
    expect(await bench.post(body, { token })).toMatchObject({ status: 404, body: { message: 'Webhook not found' } });
    expect(bench.parcels).toEqual([]);
    expect(bench.counted).toEqual(['UnknownTokens']);
  });

  it('takes only so many from one process at once, and more as time goes by', async () => {
    const flood = async () => {
      const answers = await Promise.all(Array.from({ length: 100 }, () => bench.post(body, { token: TOKEN })));
      return answers.filter(({ status }) => status === 200).length;
    };
    expect(await flood()).toBe(60);
    const waited = bench.now - NOW;
    bench.now = NOW + waited + 5_000;
    const more = await flood();
    expect(more).toBeGreaterThanOrEqual(10);
    expect(more).toBeLessThan(60);
  });

  it('counts the large for more, and takes none that is too large', async () => {
    const large = JSON.stringify({ ...message, padding: 'x'.repeat(1_000_000) });
    const statuses = [];
    for (let i = 0; i < 6; i++) statuses.push((await bench.post(large, { token: TOKEN })).status);
    expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(5);
    const tooLarge = JSON.stringify({ ...message, padding: 'x'.repeat(1_100_000) });
    expect(await bench.post(tooLarge, { token: TOKEN })).toMatchObject({ status: 413 });
  });
});
