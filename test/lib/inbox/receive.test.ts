import * as v from 'valibot';
import { beforeEach, describe, expect, it } from 'vitest';
import { chunksOf } from '#lib/aws/queues.ts';
import type { Event } from '#lib/domain/event.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { parseJson } from '#lib/domain/json.ts';
import { deliveryReport } from '#lib/inbox/delivery-state.ts';
import { chunkKeysOf, toldAgain } from '#lib/inbox/event-item.ts';
import { storeEnvelope } from '#lib/inbox/fallback.ts';
import { withAccounts } from '#lib/inbox/keep.ts';
import { type Draft, type ReceivingProvider, readByName, reader } from '#lib/inbox/provider.ts';
import { type Item, type Store, StoreUnavailable } from '#lib/store/store.ts';
import { lastAttempts, SHOWN_ATTEMPTS } from '#lib/tenants/attempts.ts';
import { patchWorkspace } from '#lib/tenants/workspaces.ts';
import { LONG } from '#test/support/long.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
import { NOW, ReceivingBench, TOKEN } from '#test/support/receiving.ts';
import { inRounds } from '#test/support/round-trips.ts';

const at = Math.floor(NOW / 1000);
const Text = v.looseObject({
  id: v.string(),
  text: v.string(),
  at: v.optional(v.number(), at),
  thumbnail: v.optional(v.string()),
  title: v.optional(v.string(), 'Ana'),
  chat: v.optional(v.string(), 'chat-1'),
});
type Text = v.InferOutput<typeof Text>;
const chatOf = (event: Event) => (event.kind === 'message' ? event.chatId : '');
const Bundle = v.looseObject({ ids: v.array(v.string()), texts: v.optional(v.array(v.string()), []) });
const Progress = v.looseObject({
  id: v.string(),
  state: v.picklist(['sent', 'delivered', 'read']),
  at: v.optional(v.number(), at),
  detail: v.optional(v.string()),
});

function toDraft({ id, text, at: seconds, thumbnail, title, chat }: Text): Draft {
  return {
    identity: { type: 'text', chat, id },
    occurredAt: seconds * 1000,
    placeholder: text === 'not yet',
    payload: {
      kind: 'message',
      message: {
        id,
        chat: { id: chat, kind: 'individual', title },
        direction: 'outbound',
        via: 'phone',
        channel: 'whatsapp',
        sender: {},
        account: {},
        content: { type: 'text', text, ...(thumbnail && { preview: { thumbnail } }) },
      },
    },
  };
}

/** A provider as small as one can be, with each trait that receiving has to handle. */
const courier: ReceivingProvider = {
  name: 'courier',
  parse: (body) => parseJson(body),
  proofOf: ({ headers: { secret } }) => (secret === undefined ? {} : { secretHashes: [sha256(secret)] }),
  read: readByName('event', {
    text: reader(Text, toDraft),
    bundle: reader(Bundle, ({ ids, texts }) =>
      ids.map((id, n) => toDraft(v.parse(Text, { id, text: texts[n] ?? `one of ${ids.length}` }))),
    ),
    progress: reader(Progress, ({ id, state, at: seconds, detail }) => ({
      identity: { type: 'progress', id, status: state },
      occurredAt: seconds * 1000,
      payload: { kind: 'status', status: { messageId: id, state, ...(detail && { detail }) } },
    })),
    fault: () => {
      throw new Error('a reader with a fault');
    },
  }),
};

const text = (id: string, words = 'hello', more: object = {}) =>
  JSON.stringify({ event: 'text', id, text: words, ...more });

let bench: ReceivingBench;
beforeEach(async () => {
  bench = new ReceivingBench(courier);
  await bench.addWebhook('courier');
});

describe('a delivery', () => {
  it('is stored once and answers with the same id when it comes again', async () => {
    const first = await bench.post(text('1'));
    expect(first).toEqual({ status: 200, body: { status: 'stored', id: expect.stringMatching(/^evt_[0-9a-f]{32}$/) } });
    expect(await bench.post(text('1'))).toEqual({ status: 200, body: { status: 'duplicate', id: first.body.id } });
  });

  it('that holds one id with two contents gives an event to each, and one where they are the same', async () => {
    const { body } = await bench.post(
      JSON.stringify({ event: 'bundle', ids: ['1', '1', '1'], texts: ['a', 'b', 'a'] }),
    );
    const ids = new Set(Object.values(body.ids ?? {}));
    const stored = await Promise.all([...ids].map((id) => bench.record(id)));
    const told = stored.flatMap(({ event }) =>
      event.kind === 'message' && event.message.content.type === 'text' ? event.message.content.text : [],
    );
    expect(told.sort()).toEqual(['a', 'b']);
    expect(stored.flatMap(({ event }) => ('conflict' in event ? [event.conflict] : []))).toEqual([true]);
  });

  it('waits five times for the table, however late it comes', async () => {
    const { store, count } = inRounds(bench.store);
    const counted = new ReceivingBench(courier, store);
    // The first of a chat notes whom it is with.
    await counted.post(text('1'));
    const rounds = (body: string) => count(() => counted.post(body));
    expect(await rounds(text('2'))).toBe(5);
    expect(await rounds(JSON.stringify({ event: 'progress', id: '2', state: 'read' }))).toBe(5);
    expect(await rounds(text('3', 'hello', { at: at - 60 }))).toBe(5);
  });

  it('is stored once when it comes forty times at once', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, () => bench.post(text('1'))));
    expect(answers.filter((answer) => answer.body.status === 'stored')).toHaveLength(1);
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
  });

  it('reads back byte for byte, whatever its spelling', async () => {
    const body = `{"event" :"text",\n\t"id":"1", "text":"caf\\u00e9 é 👍" , "unknown": {"deep":[1,2.50]}}`;
    const { body: answer } = await bench.post(body);
    const record = await bench.record(answer.id);
    expect(Buffer.from(record.raw).toString()).toBe(body);
    expect(record.event).toMatchObject({ kind: 'message', message: { content: { text: 'café é 👍' } } });
  });

  it('of 600 KB in a thumbnail is kept whole, in items that DynamoDB takes', async () => {
    const thumbnail = Buffer.from(Array.from({ length: 450_000 }, (_, i) => (i * 7919 + (i >> 8)) % 251)).toString(
      'base64',
    );
    const body = text('1', 'look', { thumbnail });
    const { body: answer } = await bench.post(body);
    const record = await bench.record(answer.id);
    expect(Buffer.from(record.raw).toString()).toBe(body);
    expect(record.event).toMatchObject({ message: { content: { preview: { thumbnail } } } });
    const { items } = await bench.store.query({ pk: `EVT#${String(answer.id)}`, limit: 100 });
    expect(items.length).toBeGreaterThan(1);
    for (const item of items) expect(sizeOf(item)).toBeLessThan(400 * 1024);
  });

  it('is quarantined and kept when its event is not known, with paths and no values', async () => {
    const body = '{"event":"dance","id":"private words"}';
    const answer = await bench.post(body);
    expect(answer.body).toMatchObject({ status: 'quarantined', issues: [{ path: 'event' }] });
    expect(JSON.stringify(answer)).not.toContain('private');
    expect(Buffer.from((await bench.record(answer.body.id)).raw).toString()).toBe(body);
    expect(bench.counted).toEqual(['QuarantinedEvents', 'NewQuarantinedType']);
  });

  it('raises the metric of a new type only on first sight, and counts each event once', async () => {
    for (const id of ['1', '2', '2']) await bench.post(JSON.stringify({ event: 'dance', id }));
    expect(bench.counted).toEqual(['QuarantinedEvents', 'NewQuarantinedType', 'QuarantinedEvents']);
  });

  it('is quarantined when our own reader fails', async () => {
    const answer = await bench.post('{"event":"fault"}');
    expect(answer).toMatchObject({ status: 200, body: { status: 'quarantined' } });
    expect(bench.logged.join()).toContain('a reader with a fault');
  });

  it.each([
    ['no JSON', '{"event":', 'line 1, column 10'],
    ['nothing', '', 'empty'],
    ['no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'UTF-8'],
    ['64 levels', `${'['.repeat(64)}${']'.repeat(64)}`, '32 levels'],
    ['a prototype', '{"event":"text","x":{"__proto__":{}}}', '__proto__'],
  ])('of %s is quarantined and says why', async (_name, body, why) => {
    const answer = await bench.post(body);
    expect(answer).toMatchObject({ status: 200, body: { status: 'quarantined' } });
    expect(JSON.stringify(answer.body.issues)).toContain(why);
    expect(Buffer.from((await bench.record(answer.body.id)).raw)).toEqual(Buffer.from(body));
  });

  it('of a megabyte is taken, and of a byte more refused', async () => {
    const most = text('1', 'x'.repeat(1_048_576 - text('1', '').length));
    expect(await bench.post(most)).toMatchObject({ status: 200, body: { status: 'stored' } });
    expect(await bench.post(`${most} `)).toMatchObject({ status: 413, body: { status: 413, data: {} } });
    const [refused] = await lastAttempts(bench.store, 'wh_1', bench.now);
    expect(refused).toMatchObject({ outcome: 'too_large', request: { bytes: 1_048_577 } });
    expect(refused?.request).not.toHaveProperty('body');
  });
});

describe('the same identity with other content', () => {
  it('is an event of its own, and a repeat of it is a duplicate of that one', async () => {
    const first = await bench.post(text('1', 'hello'));
    const second = await bench.post(text('1', 'other words'));
    expect(second.body.status).toBe('stored');
    expect(second.body.id).not.toBe(first.body.id);
    expect((await bench.record(second.body.id)).event).toMatchObject({ conflict: true });
    expect(await bench.post(text('1', 'other words'))).toMatchObject({
      body: { status: 'duplicate', id: second.body.id },
    });
    expect(await bench.post(text('1', 'hello'))).toMatchObject({ body: { status: 'duplicate', id: first.body.id } });
  });

  const asOf = (title: string, seconds = at) => text('1', 'hello', { title, at: seconds });

  it('is renewed where only names and times differ, and stays one in its list', async () => {
    const { body: first } = await bench.post(asOf('Ana'));
    bench.now += 1000;
    expect(await bench.post(asOf('Ana Ruiz', at + 60))).toMatchObject({ body: { status: 'duplicate', id: first.id } });
    const { event, orderedAt } = await bench.record(first.id);
    expect(event).toMatchObject({ deliveries: 2, message: { chat: { title: 'Ana Ruiz' } } });
    expect(orderedAt).toBe((at + 60) * 1000);
    const { items } = await bench.store.query({ index: 'gsi2', pk: `CHAT#${chatOf(event)}`, limit: 10 });
    expect(items).toHaveLength(1);
  });

  it('loses no delivery where many renew it at once, and repeats none', async () => {
    const { body: first } = await bench.post(asOf('Ana'));
    bench.now += 1000;
    const titles = ['A', 'B', 'C', 'D', 'E'];
    const answers = await Promise.all(titles.map((title) => bench.post(asOf(title))));
    for (const { body } of answers) expect(body).toEqual({ status: 'duplicate', id: first.id });
    const told = [...(await toldAgain(bench.store, String(first.id))).values()].map(({ raw }) =>
      Buffer.from(raw).toString(),
    );
    expect(told.sort()).toEqual(titles.map((title) => asOf(title)));
    expect((await bench.record(first.id)).event).toMatchObject({ deliveries: 6 });
    await Promise.all(titles.map((title) => bench.post(asOf(title))));
    expect(await toldAgain(bench.store, String(first.id))).toHaveProperty('size', 5);
  });

  it('keeps a long body of a later delivery whole, in items that DynamoDB takes', async () => {
    const { body: first } = await bench.post(asOf('Ana'));
    const longer = text('1', 'hello', { title: 'Ana Ruiz', padding: LONG });
    bench.now += 1000;
    await bench.post(longer);
    const [told] = [...(await toldAgain(bench.store, String(first.id))).values()];
    expect(Buffer.from(told?.raw ?? []).toString()).toBe(longer);
    const { items } = await bench.store.query({ pk: `EVT#${String(first.id)}`, limit: 100 });
    for (const item of items) expect(sizeOf(item)).toBeLessThan(400 * 1024);
  });

  it('takes the place of a placeholder, which does not come back', async () => {
    const placeholder = await bench.post(text('1', 'not yet'));
    const real = await bench.post(text('1', 'here I am'));
    expect(real.body).toEqual({ status: 'stored', id: placeholder.body.id });
    expect(await bench.post(text('1', 'not yet'))).toMatchObject({ body: { status: 'duplicate' } });
    expect((await bench.record(real.body.id)).event).toMatchObject({ message: { content: { text: 'here I am' } } });
  });

  it('counts as new once what was there has run out', async () => {
    bench = new ReceivingBench(courier);
    await bench.addWebhook('courier', { retentionDays: 30 });
    const first = await bench.post(text('1'));
    bench.now += 31 * 24 * 3_600_000;
    expect(await bench.post(text('1'))).toEqual({ status: 200, body: { status: 'stored', id: first.body.id } });
  });
});

describe('the chunks of a body that is too long for one item', () => {
  const long = (words: string, spelling = '') => text('1', words, { thumbnail: LONG, ...JSON.parse(spelling || '{}') });
  /** Chunks to which no event refers. */
  const left = async (store: MemoryStore) => {
    const heads = store.all().filter(({ pk, sk }) => pk.startsWith('EVT#') && sk === 'META');
    const referred = new Set(heads.flatMap(chunkKeysOf).map(({ pk, sk }) => `${pk} ${sk}`));
    expect(referred.size).toBeGreaterThan(2);
    const chunks = store.all().filter(({ pk, sk }) => pk.startsWith('EVT#') && sk !== 'META');
    expect(chunks.length).toBeGreaterThanOrEqual(referred.size);
    return chunks.map(({ pk, sk }) => `${pk} ${sk}`).filter((key) => !referred.has(key));
  };

  it.each([
    ['the same again', [long('hello'), long('hello')]],
    ['the same in other bytes', [long('hello'), long('hello', '{"more":1}')]],
    ['other content, which is a conflict', [long('hello'), long('other words')]],
    ['a conflict again, in other bytes', [long('hello'), long('other words'), long('other words', '{"more":1}')]],
    ['the message after its placeholder', [long('not yet'), long('here I am')]],
    ['a placeholder after its message', [long('here I am'), long('not yet', '{"more":1}')]],
  ])('are gone where their delivery lost: %s', async (_, bodies) => {
    for (const together of [false, true]) {
      const store = new MemoryStore();
      bench = new ReceivingBench(courier, store);
      await bench.addWebhook('courier');
      const answers = together ? await Promise.all(bodies.map((body) => bench.post(body))) : [];
      if (!together) for (const body of bodies) answers.push(await bench.post(body));
      expect(await left(store)).toEqual([]);
      for (const { body } of answers) expect((await bench.record(body.id)).raw.length).toBeGreaterThan(LONG.length);
    }
  });
});

describe('statuses', () => {
  it.each([
    ['read delivered sent'.split(' ')],
    ['sent delivered read'.split(' ')],
    ['delivered read sent read'.split(' ')],
  ])('come to the same whatever their order: %s', async (states) => {
    const ids = new Set<unknown>();
    for (const state of states)
      ids.add((await bench.post(JSON.stringify({ event: 'progress', id: '1', state }))).body.id);
    const message = await bench.post(text('1'));
    const { stateKey } = await bench.record(message.body.id);
    const item = await bench.store.get({ pk: String(stateKey), sk: 'META' });
    expect(item && deliveryReport(item)).toMatchObject({ state: 'read' });
    expect(ids.size).toBe(3);
    for (const id of ids) expect((await bench.record(id)).raw.length).toBeGreaterThan(0);
  });
});

describe('a URL that does not serve', () => {
  it('answers alike whether it is unknown, off, rotated, of another provider or for sending', async () => {
    await bench.addWebhook('courier', { enabled: false, webhookId: 'wh_off' }, 'off');
    await bench.addWebhook('courier', { rotated: true, webhookId: 'wh_old' }, 'old');
    await bench.addWebhook('pigeon', { webhookId: 'wh_pigeon' }, 'pigeon');
    await bench.addWebhook('courier', { kind: 'send', webhookId: 'wh_send' }, 'send');
    for (const token of ['never', 'off', 'old', 'pigeon', 'send']) {
      expect(await bench.post(text('1'), { token })).toEqual({
        status: 404,
        body: { status: 404, data: {}, message: 'Webhook not found' },
      });
    }
    expect(await lastAttempts(bench.store, 'wh_old', bench.now)).toMatchObject([
      { status: 404, outcome: 'not_found', message: 'This URL was replaced by a newer one' },
    ]);
    expect(await lastAttempts(bench.store, 'wh_off', bench.now)).toMatchObject([
      { message: 'The webhook is switched off' },
    ]);
  });

  it('answers 401 where the proof of the sender is wrong, and stores nothing', async () => {
    await bench.addWebhook('courier', { secretHash: sha256('s3cret') });
    expect(await bench.post(text('1'))).toMatchObject({ status: 401 });
    expect(await bench.post(text('1'), { headers: { secret: 's3cret' } })).toMatchObject({
      body: { status: 'stored' },
    });
  });
});

describe('the log of attempts', () => {
  it('holds the last hundred, newest first, with the body of what was not stored and no secret', async () => {
    for (let i = 0; i < SHOWN_ATTEMPTS; i++) {
      bench.now += 1;
      await bench.post(text(String(i)));
    }
    bench.now += 1;
    await bench.post('{"event":"dance","token":"t0ken-value"}');
    const attempts = await lastAttempts(bench.store, 'wh_1', bench.now);
    expect(attempts).toHaveLength(SHOWN_ATTEMPTS);
    expect(attempts[0]).toMatchObject({
      outcome: 'quarantined',
      request: { body: '{"event":"dance","token":"[redacted]"}' },
    });
    expect(attempts[1]?.request).toEqual({
      contentType: 'application/json',
      bytes: expect.any(Number),
      sourceIp: '192.0.2.7',
    });
    expect(JSON.stringify(attempts)).not.toContain(TOKEN);
  });
});

describe('a secret that somebody put into a delivery', () => {
  const url = `https://hub.example/hooks/courier/${TOKEN}`;
  const proof = 'proof-of-the-sender';
  const hidden = [TOKEN, proof, 'pa55word', 'S1gnature'];
  const said = `${encodeURIComponent(encodeURIComponent(url))} ftp://ann:pa55word@h.example ${TOKEN} ${proof}`;
  const body = JSON.stringify({ event: 'dance', said, links: [url, 'https://s3.example/a?X-Amz-Signature=S1gnature'] });
  const headers = {
    secret: proof,
    'content-type': `text/plain; u=${url}`,
    'user-agent': `${'x'.repeat(150)} ${url} ${proof}`,
  };

  it.each([
    ['is taken', sha256(proof), 200],
    ['is refused', sha256('other'), 401],
  ])('is in no attempt when it %s', async (_, secretHash, status) => {
    await bench.addWebhook('courier', { secretHash });
    expect(await bench.post(body, { headers })).toMatchObject({ status });
    const kept = JSON.stringify(await lastAttempts(bench.store, 'wh_1', bench.now));
    expect(kept).toContain('dance');
    for (const secret of hidden) expect(kept).not.toContain(secret.slice(0, 8));
  });

  it('is in no message about a key', async () => {
    await bench.addWebhook('courier');
    const answer = await bench.post(`{"${url}":{"__proto__":1}}`);
    expect(answer).toMatchObject({
      body: { status: 'quarantined', issues: [{ path: 'https://hub.example/hooks/courier/[redacted]' }] },
    });
    expect(JSON.stringify(await lastAttempts(bench.store, 'wh_1', bench.now))).not.toContain(TOKEN);
  });

  it('stays in what is kept, byte for byte', async () => {
    await bench.addWebhook('courier');
    const answer = await bench.post(body, { headers });
    expect(Buffer.from((await bench.record(answer.body.id)).raw).toString()).toBe(body);
  });
});

describe('when the table does not take it', () => {
  it('answers 200 through the fallback queue, with the id that the event then has', async () => {
    const store = new FaultyStore();
    bench = new ReceivingBench(courier, store);
    await bench.addWebhook('courier');
    store.refuses = (operation) => operation === 'write';
    const answer = await bench.post(text('1'));
    expect(answer).toMatchObject({ status: 200, body: { status: 'stored' } });
    expect(bench.parcels).toMatchObject([{ eventId: answer.body.id }]);
    expect(bench.logged.join()).toContain(`"correlationId":"${answer.body.id}"`);
    store.refuses = () => false;
    const [envelope] = bench.parcels;
    const stored = envelope && (await storeEnvelope(courier, bench.ports(), envelope));
    expect(stored).toEqual([{ status: 'stored', id: answer.body.id }]);
    expect(Buffer.from((await bench.record(answer.body.id)).raw).toString()).toBe(text('1'));
  });

  it.each([
    ['more events than may be stored', 1_000],
    ['events that keep more bytes than may be stored', 180],
  ])('stores later what it answered: %s', async (_, count) => {
    const store = new FaultyStore();
    bench = new ReceivingBench(courier, store);
    await bench.addWebhook('courier');
    store.refuses = (operation) => operation === 'write';
    const ids = Array.from({ length: count }, (_, i) => String(i));
    const answer = await bench.post(JSON.stringify({ event: 'bundle', ids, padding: 'x'.repeat(100_000) }));
    expect(answer).toMatchObject({ status: 200, body: { status: 'quarantined' } });
    store.refuses = () => false;
    const [envelope] = bench.parcels;
    expect(envelope && (await storeEnvelope(courier, bench.ports(), envelope))).toEqual([
      { status: 'stored', id: answer.body.id },
    ]);
    expect((await bench.record(answer.body.id)).event).toMatchObject({ kind: 'unknown', quarantined: true });
  });

  it('answers the id of what it has stored by then, also where that is one of its own for other words', async () => {
    const store = new FaultyStore();
    bench = new ReceivingBench(courier, store);
    await bench.addWebhook('courier');
    const { body: first } = await bench.post(text('0', 'other words'));
    const stored = new Set<string>();
    // Eight are stored side by side, one of them beside the one that was there; then the table goes away.
    store.refuses = (operation, pk) => {
      if (operation !== 'write' || !pk.startsWith('EVT#')) return false;
      if (stored.size < 9) stored.add(pk);
      return !stored.has(pk);
    };
    const ids = Array.from({ length: 9 }, (_, i) => String(i));
    const { status, body } = await bench.post(JSON.stringify({ event: 'bundle', ids }));
    expect([status, bench.parcels.length]).toEqual([200, 1]);
    expect(body.id).not.toBe(first.id);
    expect((await bench.record(body.id)).event).toMatchObject({ conflict: true });
  });

  it('stores what waited under the retention of the day', async () => {
    const store = new FaultyStore();
    bench = new ReceivingBench(courier, store);
    await bench.addWebhook('courier', { retentionDays: 90 });
    store.refuses = (operation) => operation === 'write';
    const { body } = await bench.post(text('1'));
    store.refuses = () => false;
    await patchWorkspace(store, 'main', { retentionDays: 30 });
    const [envelope] = bench.parcels;
    if (envelope) await storeEnvelope(courier, bench.ports(), envelope);
    expect((await bench.record(body.id)).expiresAt).toBe(Math.floor(NOW / 1000) + 30 * 86_400);
  });

  it('still knows a webhook that it saw before, while the table cannot even be read', async () => {
    const store = new FaultyStore();
    bench = new ReceivingBench(courier, store);
    await bench.addWebhook('courier');
    await bench.post(text('1'));
    store.refuses = () => true;
    expect(await bench.post(text('2'))).toMatchObject({ status: 200, body: { status: 'stored' } });
  });

  it('answers 503 when the queue does not take it either', async () => {
    const store = new FaultyStore();
    bench = new ReceivingBench(courier, store);
    await bench.addWebhook('courier');
    store.refuses = (operation) => operation === 'write';
    bench.fallbackTakes = false;
    expect(await bench.post(text('1'))).toMatchObject({ status: 503, body: { status: 503, data: {} } });
  });

  it.each([1, 3])('offers the queue the same parcel again after %s failures', async (failures) => {
    const store = new FaultyStore();
    bench = new ReceivingBench(courier, store);
    await bench.addWebhook('courier');
    store.refuses = (operation) => operation === 'write';
    bench.fallbackFailures = failures;
    expect(await bench.post(text('1'))).toMatchObject({ status: 200, body: { status: 'stored' } });
    expect(bench.parcels).toHaveLength(1);
    expect(new Set(bench.offered.map((parcel) => chunksOf(parcel)[0]?.parcel)).size).toBe(1);
  });

  it('gives up on both in time for the most impatient provider', async () => {
    const store = new FaultyStore();
    bench = new ReceivingBench(courier, store);
    await bench.addWebhook('courier');
    const hangs = () => {
      bench.now += 1200;
      return true;
    };
    store.refuses = (operation) => operation === 'write' && hangs();
    bench.fallbackTakes = false;
    bench.fallbackMs = 1200;
    expect(await bench.post(text('1'))).toMatchObject({ status: 503 });
    expect(bench.now - NOW).toBeLessThan(5000);
    expect(bench.offered).toHaveLength(1);
  });

  it('keeps in the queue what a fault of ours keeps from being stored', async () => {
    const store = new FaultyStore();
    bench = new ReceivingBench(courier, store);
    await bench.addWebhook('courier');
    store.refusal = () => new TypeError('not an item');
    store.refuses = (operation) => operation === 'write';
    expect(await bench.post(text('1'))).toMatchObject({ status: 200, body: { status: 'stored' } });
    expect(bench.parcels).toHaveLength(1);
  });

  it('answers 503 and counts it when the delivery cannot even be looked at', async () => {
    const parse = () => {
      throw new TypeError('a fault of ours');
    };
    bench = new ReceivingBench({ ...courier, parse });
    await bench.addWebhook('courier');
    expect(await bench.post(text('1'))).toMatchObject({ status: 503, body: { status: 503, data: {} } });
    expect(bench.counted).toContain('RefusedDeliveries');
    expect(await lastAttempts(bench.store, 'wh_1', bench.now)).toMatchObject([{ status: 503 }]);
  });

  it('makes good what follows from an event when only that was refused', async () => {
    const store = new FaultyStore();
    bench = new ReceivingBench(courier, store);
    await bench.addWebhook('courier');
    store.refuses = (operation, pk) => operation === 'write' && pk.startsWith('CHAT#');
    expect(await bench.post(text('1'))).toMatchObject({ status: 200, body: { status: 'stored' } });
    expect(bench.parcels).toHaveLength(1);
  });

  it('stores once although the answer to the first write was lost', async () => {
    const store = new FaultyStore();
    bench = new ReceivingBench(courier, store);
    await bench.addWebhook('courier');
    store.losesAnswers = 1;
    expect(await bench.post(text('1'))).toMatchObject({ status: 200, body: { status: 'stored' } });
    expect(bench.parcels).toHaveLength(0);
  });
});

describe('what a sender may do to us', () => {
  it('cannot break the registry with a title, an id or a detail of half a megabyte', async () => {
    const long = 'x'.repeat(500_000);
    const answers = [
      await bench.post(text('1', 'hi', { title: long, chat: long })),
      await bench.post(JSON.stringify({ event: 'progress', id: '1', state: 'sent', detail: long })),
    ];
    for (const answer of answers) expect(answer.body.status).toBe('stored');
    expect(bench.logged).toEqual([]);
  });

  it('cannot make an event that no answer of the API can show', async () => {
    const big = new ReceivingBench(courier, bench.store, 10_000_000);
    const answer = await big.post(text('1', '\u0001'.repeat(900_000)));
    expect(answer.body).toMatchObject({ status: 'quarantined' });
    expect(Buffer.from((await big.record(answer.body.id)).raw).toString()).toContain('\\u0001\\u0001');
  });

  it('has a bundle of thousands kept in quarantine, from where it can be replayed', async () => {
    const answer = await bench.post(
      JSON.stringify({ event: 'bundle', ids: Array.from({ length: 5000 }, (_, i) => String(i)) }),
    );
    expect(answer).toMatchObject({ status: 200, body: { status: 'quarantined' } });
  });

  it('has each event of a bundle stored, and known again', async () => {
    const body = JSON.stringify({ event: 'bundle', ids: ['1', '2', '3'] });
    const first = await bench.post(body);
    expect(first.body).toMatchObject({
      status: 'stored',
      ids: [expect.any(String), expect.any(String), expect.any(String)],
    });
    expect(await bench.post(body)).toMatchObject({ body: { status: 'duplicate', id: first.body.id } });
  });
});

describe('the log', () => {
  it('holds nothing of what was said, nor the token', async () => {
    await bench.post(text('1', 'private words'));
    await bench.post('{"event":"fault","text":"private words"}');
    expect(bench.logged.join('\n')).not.toMatch(/private words|a-token-that/);
  });
});

function sizeOf(item: Item): number {
  return Object.entries(item).reduce(
    (sum, [name, value]) =>
      sum + name.length + (value instanceof Uint8Array ? value.length : JSON.stringify(value ?? '').length),
    0,
  );
}

/** A memory store that refuses, or does the work and loses the answer. */
class FaultyStore extends MemoryStore {
  refuses: (operation: 'get' | 'write', pk: string) => boolean = () => false;
  refusal: () => Error = () => new StoreUnavailable('throttled');
  losesAnswers = 0;

  override async get(...[key, options]: Parameters<Store['get']>) {
    if (this.refuses('get', key.pk)) throw new StoreUnavailable('unreachable');
    return super.get(key, options);
  }

  override async write(...[write, options]: Parameters<Store['write']>) {
    const { pk } = write.kind === 'put' ? write.item : write.key;
    if (this.refuses('write', pk)) throw this.refusal();
    const written = await super.write(write, options);
    if (this.losesAnswers > 0) {
      this.losesAnswers -= 1;
      throw new StoreUnavailable('unreachable');
    }
    return written;
  }
}

describe('the accounts of a workspace', () => {
  const draft: Draft = {
    identity: { type: 'device', id: 'd1' },
    payload: { kind: 'device', device: { account: { device: 'd1' } } },
  };
  const lookedFor = async (webhook: { accountId?: string }, drafts: readonly [Draft, ...Draft[]] = [draft]) => {
    const named: object[] = [];
    const receipt = {
      ...{ webhook: { webhookId: 'wh_1', workspace: 'main', ...webhook }, provider: 'sandbox', receipt: 'r1' },
      ...{ contentType: 'application/json', raw: Buffer.from('{}'), bodyHash: '', receivedAt: NOW },
    };
    await withAccounts({ drafts }, receipt, {
      store: new MemoryStore(),
      accounts: async (_store, _workspace, _provider, wanted) => {
        named.push(...wanted);
        return [];
      },
    });
    return named;
  };

  it('are looked up where an event names one, be it by a phone alone, or the webhook is for one', async () => {
    expect(await lookedFor({})).toEqual([{ device: 'd1' }]);
    expect(await lookedFor({ accountId: 'acc_1' })).toEqual([{ instance: 'acc_1' }, { device: 'd1' }]);
    const nameless: Draft = { ...draft, payload: { kind: 'device', device: {} } };
    expect(await lookedFor({}, [nameless])).toEqual([]);
  });
});
