import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { storeEnvelope } from '#lib/inbox/fallback.ts';
import type { ReceivingProvider } from '#lib/inbox/provider.ts';
import { StoreUnavailable } from '#lib/store/store.ts';
import { lastAttempts } from '#lib/tenants/attempts.ts';
import type { Webhook } from '#lib/tenants/webhooks.ts';
import { expectOneShape } from './describe-reading.ts';
import { LONG } from './long.ts';
import { junk, mangled } from './mangled.ts';
import { MemoryStore } from './memory-store.ts';
import { ReceivingBench, TOKEN } from './receiving.ts';

export interface Duties {
  /** True payloads, the ordinary message first. */
  readonly payloads: readonly [object, ...object[]];
  /** What the webhook expects of a sender, and how a genuine one proves itself. */
  readonly webhook?: Partial<Webhook>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Words of the first payload that must never show in a log line: a text, a name, a full number, a secret. */
  readonly private: readonly string[];
  /** The body as it is kept, where a secret is taken out of it. */
  readonly kept?: (body: string) => string;
}

/** What every provider owes, whatever it speaks. */
export function describeDuties(provider: ReceivingProvider, duties: Duties): void {
  const { payloads, webhook = {}, headers = {}, kept = (body: string) => body } = duties;
  const [ordinary] = payloads;
  const text = JSON.stringify(ordinary);
  let bench: ReceivingBench;
  const post = (body: string | Uint8Array, more: object = {}) => bench.post(body, { headers: { ...headers, ...more } });
  const rawOf = async (id: unknown) => Buffer.from((await bench.record(id)).raw);

  beforeEach(async () => {
    bench = new ReceivingBench(provider);
    await bench.addWebhook(provider.name, webhook);
  });

  describe(`a webhook of ${provider.name}`, () => {
    it('stores each of its true payloads, whole, and knows it again', async () => {
      for (const payload of payloads) {
        const body = JSON.stringify(payload);
        const first = await post(body);
        expect(first).toMatchObject({ status: 200, body: { status: 'stored' } });
        expect((await rawOf(first.body.id)).toString()).toBe(kept(body));
        expect(await post(body)).toMatchObject({ status: 200, body: { status: 'duplicate', id: first.body.id } });
      }
    });

    it('stores one event of what comes through two webhooks of one account, or through one and the queue', async () => {
      for (const payload of payloads) {
        const store = new MemoryStore();
        const both = new ReceivingBench(provider, store);
        await both.addWebhook(provider.name, { ...webhook, accountId: 'acc_1' }, 'one');
        await both.addWebhook(provider.name, { ...webhook, accountId: 'acc_1', webhookId: 'wh_2' }, 'other');
        await both.addWebhook(provider.name, { ...webhook, webhookId: 'wh_3' }, 'for no account');
        const body = JSON.stringify(payload);
        const idBy = async (token: string) => (await both.post(body, { token, headers })).body.id;
        const id = await idBy('one');
        expect(await idBy('other')).toBe(id);
        const reading = provider.read(payload);
        const { instance, isUnique = instance !== undefined } = 'drafts' in reading ? reading.drafts[0].identity : {};
        expect((await idBy('for no account')) === id, 'whose it is, it says itself').toBe(isUnique);
        const write = store.write.bind(store);
        store.write = () => Promise.reject(new StoreUnavailable('throttled'));
        expect(await idBy('other')).toBe(id);
        store.write = write;
        const [envelope] = both.parcels;
        const stored = envelope && (await storeEnvelope(provider, both.ports(), envelope));
        expect(stored?.[0]?.id).toBe(id);
      }
    });

    it('stores a body that does not fit into one item, whole, and knows it again', async () => {
      const body = JSON.stringify({ ...ordinary, more: LONG });
      const first = await post(body);
      expect(first).toMatchObject({ status: 200, body: { status: 'stored' } });
      expect((await rawOf(first.body.id)).toString()).toBe(kept(body));
      expect(await post(body)).toMatchObject({ status: 200, body: { status: 'duplicate', id: first.body.id } });
    });

    it('stores one event of forty that come at once', async () => {
      const answers = await Promise.all(Array.from({ length: 40 }, () => post(text)));
      expect(answers.filter(({ body }) => body.status === 'stored')).toHaveLength(1);
      expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    });

    it('keeps an event that it does not know in quarantine, and tells paths, never values', async () => {
      for (const body of [{ ...ordinary, ...unknownNames }, { nothing: 'that anybody-knows' }]) {
        const answer = await post(JSON.stringify(body));
        if (answer.status === 401) continue;
        expect(answer).toMatchObject({ status: 200, body: { status: 'quarantined' } });
        expect(JSON.stringify(answer)).not.toContain('anybody-knows');
        expect((await rawOf(answer.body.id)).toString()).toBe(kept(JSON.stringify(body)));
      }
    });

    it('answers one and the same 404 for an unknown, a rotated and a disabled URL', async () => {
      await bench.addWebhook(provider.name, { ...webhook, rotated: true }, 'rotated');
      await bench.addWebhook(provider.name, { ...webhook, enabled: false }, 'disabled');
      for (const token of ['unknown', 'rotated', 'disabled']) {
        expect(await bench.post(text, { token, headers })).toEqual({
          status: 404,
          body: { status: 404, data: {}, message: 'Webhook not found' },
        });
      }
    });

    it('writes nothing private into a log line, and no secret into the log of attempts', async () => {
      for (const body of [text, text.slice(0, -1), JSON.stringify({ ...ordinary, ...unknownNames })]) await post(body);
      const attempts = JSON.stringify(await lastAttempts(bench.store, 'wh_1', bench.now));
      for (const word of duties.private) expect(bench.logged.join('\n')).not.toContain(word);
      for (const secret of [TOKEN, ...Object.values(headers)]) expect(attempts).not.toContain(secret);
    });

    it('never throws, never answers 5xx and loses no byte, whatever is done to a payload', async () => {
      const bodies = fc
        .oneof({ weight: 9, arbitrary: mangled(payloads) }, junk)
        .map((body) => JSON.stringify(body) ?? '');
      await fc.assert(
        fc.asyncProperty(bodies, async (body) => {
          const answer = await post(body);
          if (answer.status === 401) return;
          expect(answer.status).toBe(200);
          if (answer.body.status === 'duplicate') return;
          expect((await rawOf(answer.body.id)).toString()).toBe(kept(body));
        }),
        { numRuns: 500 },
      );
    });

    it('stores from the fallback queue what it answered, whatever is done to a payload', async () => {
      const bodies = fc.oneof(
        mangled(payloads).map((body) => JSON.stringify(body) ?? ''),
        fc.constantFrom(...payloads).map((body) => JSON.stringify(body).slice(0, -1)),
      );
      await fc.assert(
        fc.asyncProperty(bodies, async (body) => {
          const store = new MemoryStore();
          const later = new ReceivingBench(provider, store);
          await later.addWebhook(provider.name, webhook);
          const write = store.write.bind(store);
          store.write = () => Promise.reject(new StoreUnavailable('throttled'));
          const answer = await later.post(body, { headers });
          if (answer.status === 401) return;
          store.write = write;
          const [envelope] = later.parcels;
          const stored = envelope && (await storeEnvelope(provider, later.ports(), envelope));
          expect(stored?.[0]?.id).toBe(answer.body.id);
        }),
        { numRuns: 100 },
      );
    });

    it('reads whatever is done to a payload, into the one shape or into quarantine', () => {
      fc.assert(
        fc.property(fc.oneof({ weight: 9, arbitrary: mangled(payloads) }, junk), (body) => {
          const reading = provider.read(body);
          if ('drafts' in reading) reading.drafts.forEach(expectOneShape);
          else expect(reading.issues.length).toBeGreaterThan(0);
        }),
        { numRuns: 2000 },
      );
    });

    it('takes any bytes at all', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...contentTypes), async (bytes, type) => {
          const answer = await post(bytes, { 'content-type': type });
          expect([200, 401]).toContain(answer.status);
        }),
        { numRuns: 200 },
      );
    });
  });
}

const contentTypes = ['application/json', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', ''];

/** The names under which the providers say what an event is, and one that none of them knows. */
const unknownNames = { typeWebhook: 'dance', type: 'dance', event: 'dance', event_type: 'dance', direction: 'dance' };
