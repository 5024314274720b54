import { describe, expect, it } from 'vitest';
import { responseOf } from '#functions/admin/answers.ts';
import {
  type Changes,
  changesSince,
  hoursBetween,
  type ItemChange,
  KINDS,
  readMark,
  recordActivity,
} from '#lib/activity/counters.ts';
import { HOUR_MS } from '#lib/domain/time.ts';
import { UNKNOWN_PREFIX, workspacePartition } from '#lib/store/keys.ts';
import { AdminBench, message } from '#test/functions/admin/admin-bench.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
import { NOW } from '#test/support/receiving.ts';
import { underRole } from '#test/support/under-role.ts';

/** The hub, and what its stream has to tell of it. */
class ActivityBench {
  readonly #stream: ItemChange[] = [];
  #last = 0;
  readonly store = new MemoryStore({
    onCommit: (commits) => {
      for (const { before, after } of commits) {
        if (!/^(EVT|MSG)#/.test(after?.pk ?? '') || after?.sk !== 'META') continue;
        this.#stream.push({ ...(before && { before }), after, ...this.#place() });
      }
    },
  });
  readonly admin = new AdminBench({ store: this.store });
  mark: Changes['mark'] | undefined;

  #place = () => ({ sequence: String(++this.#last), at: this.admin?.bench.now ?? NOW });

  /** A change of the item of a send, from some states of its parts to others. */
  send(before: readonly string[] | undefined, after: readonly string[]): void {
    const image = (states: readonly string[]) => ({
      ...{ pk: 'MSG#1', workspace: 'main', provider: 'zender' },
      parts: states.map((state) => ({ state, text: 'hello' })),
    });
    this.#stream.push({ ...(before && { before: image(before) }), after: image(after), ...this.#place() });
  }

  async record(times = 1): Promise<void> {
    const batch = this.#stream.splice(0);
    for (let i = 0; i < times; i++)
      await recordActivity(underRole(this.store, 'events'), 'shard', batch, this.admin.bench.now);
  }

  async today() {
    const [hour] = await hoursBetween(this.store, 'main', this.admin.bench.now, this.admin.bench.now + 1);
    return hour && { received: hour.received, sent: hour.sent, failed: hour.failed };
  }

  /** What has changed since the last look. */
  async changed() {
    const found = await changesSince(
      underRole(this.store, 'admin'),
      'main',
      this.admin.bench.now,
      readMark(this.mark ?? ''),
    );
    this.mark = found?.mark ?? this.mark;
    return found?.changed;
  }

  unknown = () =>
    this.store
      .partition(workspacePartition('main'))
      .filter(({ sk }) => sk.startsWith(UNKNOWN_PREFIX))
      .map(({ sk }) => sk);
}

describe('what goes on in a workspace', () => {
  it('tells a message that came in, and a status, each once', async () => {
    const bench = new ActivityBench();
    const { url } = await bench.admin.webhook();
    await bench.changed();
    await bench.admin.post(url, message(1));
    await bench.admin.post(url, message(2));
    await bench.admin.post(url, message(3, { direction: 'outbound' }));
    await bench.record(3);
    expect(await bench.changed()).toEqual(['events', 'chats']);
    expect(await bench.changed()).toBeUndefined();
    expect(await bench.today()).toEqual({ received: 2, sent: 0, failed: 0 });
    await bench.admin.post(url, { event: 'status', id: 'm3', status: 'read', at: message(4).at });
    await bench.admin.post(url, message(1));
    await bench.record();
    expect(await bench.changed()).toEqual(['events', 'chats']);
    expect(await bench.today()).toEqual({ received: 2, sent: 0, failed: 0 });
  });

  it('counts a message that a replay brings out of quarantine when it does', async () => {
    const bench = new ActivityBench();
    const placeholder = { pk: 'EVT#1', workspace: 'main', provider: 'cooby' };
    const read = { ...placeholder, kind: 'message', direction: 'inbound' };
    const at = bench.admin.bench.now;
    await recordActivity(bench.store, 'a', [{ after: { ...placeholder, kind: 'unknown' }, sequence: '1', at }], at);
    expect(await bench.today()).toMatchObject({ received: 0 });
    const before = { ...placeholder, kind: 'unknown' };
    await recordActivity(bench.store, 'a', [{ before, after: read, sequence: '2', at }], at);
    await recordActivity(bench.store, 'a', [{ before: read, after: read, sequence: '3', at }], at);
    expect(await bench.today()).toMatchObject({ received: 1 });
  });

  it('tells of a send that is handed in, and whose it is', async () => {
    const bench = new ActivityBench();
    await bench.changed();
    await bench.admin.done('POST', '/api/accounts', {
      body: { provider: 'sandbox', channel: 'whatsapp', credentials: {} },
    });
    await bench.admin.done('POST', '/api/sends', { body: { phone: '+15550100099', text: 'hello' } });
    await bench.record();
    expect(await bench.changed()).toEqual(['sends', 'accounts']);
    expect(await bench.today()).toEqual({ received: 0, sent: 0, failed: 0 });
    const { now } = bench.admin.bench;
    const another = await changesSince(bench.store, 'another', now);
    expect(await changesSince(bench.store, 'another', now, readMark(another?.mark ?? ''))).toBeUndefined();
  });

  it('is said and counted by one write for each batch, and twice an hour by one more', async () => {
    const bench = new ActivityBench();
    const { url } = await bench.admin.webhook();
    const written: string[] = [];
    const write = bench.store.write.bind(bench.store);
    bench.store.write = (one, options) => {
      const { pk, sk } = one.kind === 'put' ? one.item : one.key;
      if (/^(STAT|WS)#/.test(pk)) written.push(sk);
      return write(one, options);
    };
    for (const n of [1, 2, 3]) {
      await bench.admin.post(url, message(n));
      await bench.record();
    }
    const hour = '2026-03-01T12';
    expect(written).toEqual([hour, 'CHANGES', hour, 'CHANGES', hour]);
    expect(await bench.today()).toEqual({ received: 3, sent: 0, failed: 0 });
  });

  it('is said of all of a batch, though its figures were counted when less of it had come', async () => {
    const bench = new ActivityBench();
    await bench.changed();
    const received = { pk: 'EVT#1', workspace: 'main', provider: 'cooby', kind: 'message', direction: 'inbound' };
    const account = { pk: 'EVT#2', workspace: 'main', provider: 'cooby', kind: 'account' };
    const { now } = bench.admin.bench;
    const batch = [received, account].map((after, i) => ({ after, sequence: String(i), at: now }));
    await recordActivity(bench.store, 'a', batch.slice(0, 1), now);
    expect(await bench.changed()).toEqual(['events', 'chats']);
    await recordActivity(bench.store, 'a', batch, now);
    expect(await bench.changed()).toContain('accounts');
    expect(await bench.today()).toMatchObject({ received: 1 });
  });

  it('is said in the hour that it is, and counted in the hour that it was', async () => {
    const bench = new ActivityBench();
    const { url } = await bench.admin.webhook();
    await bench.changed();
    const { now } = bench.admin.bench;
    await bench.admin.post(url, message(1));
    bench.admin.bench.now += 3 * HOUR_MS;
    // In a new hour all may have changed.
    expect(await bench.changed()).toEqual([...KINDS]);
    expect(await bench.changed()).toBeUndefined();
    await bench.record();
    expect(await bench.changed()).toEqual(['events', 'chats']);
    const hours = await hoursBetween(bench.store, 'main', now, bench.admin.bench.now + 1);
    expect(hours.map(({ received }) => received)).toEqual([1, 0, 0, 0]);
  });

  it('is seen where whoever counts is behind, and has told it in the hour before', async () => {
    const bench = new ActivityBench();
    const { url } = await bench.admin.webhook();
    bench.admin.bench.now += HOUR_MS;
    await bench.changed();
    bench.admin.bench.now -= HOUR_MS;
    await bench.admin.post(url, message(1));
    await bench.record();
    bench.admin.bench.now += HOUR_MS;
    expect(await bench.changed()).toEqual(['events', 'chats']);
  });

  it.each([
    [['sending'], ['sent'], { sent: 1, failed: 0 }],
    [['sent'], ['read'], { sent: 0, failed: 0 }],
    [['sending', 'queued'], ['sent', 'queued'], { sent: 1, failed: 0 }],
    [['unknown'], ['delivered'], { sent: 1, failed: 0 }],
    [['sending', 'queued'], ['failed', 'failed'], { sent: 0, failed: 2 }],
    [['sent'], ['failed'], { sent: 0, failed: 1 }],
    [['queued'], ['cancelled'], { sent: 0, failed: 0 }],
    [undefined, ['queued'], { sent: 0, failed: 0 }],
  ])('counts a send that goes from %s to %s', async (before, after, counted) => {
    const bench = new ActivityBench();
    bench.send(before, after);
    await bench.record(2);
    expect(await bench.today()).toEqual({ received: 0, ...counted });
  });

  it('keeps which sends have an unknown outcome, for as long as it is', async () => {
    const bench = new ActivityBench();
    bench.send(['sending'], ['unknown']);
    await bench.record(2);
    expect(bench.unknown()).toEqual([`${UNKNOWN_PREFIX}1`]);
    bench.send(['unknown'], ['unknown']);
    await bench.record();
    expect(bench.unknown()).toHaveLength(1);
    bench.send(['unknown'], ['expired']);
    await bench.record();
    expect(bench.unknown()).toEqual([]);
    // Within one batch the last word counts.
    bench.send(['sending'], ['unknown']);
    bench.send(['unknown'], ['sent']);
    await bench.record(2);
    expect(bench.unknown()).toEqual([]);
  });
});

describe('GET /api/changes', () => {
  it('answers 204 until something has changed, and then what', async () => {
    const bench = new ActivityBench();
    const { url } = await bench.admin.webhook();
    const first = await bench.admin.done('GET', '/api/changes');
    expect(first).toMatchObject({ changed: ['events', 'chats', 'sends', 'accounts'] });
    const ask = () => bench.admin.call('GET', `/api/changes?after=${first.mark}`);
    expect((await ask()).status).toBe(204);
    await bench.admin.post(url, message(1));
    expect((await ask()).status).toBe(204);
    await bench.record();
    const { json } = await ask();
    expect(json.changed).toEqual(['events', 'chats']);
    expect((await bench.admin.call('GET', `/api/changes?after=${json.mark}`)).status).toBe(204);
  });

  it('refuses what is no mark', async () => {
    const { status, json } = await new AdminBench().call('GET', '/api/changes?after=yesterday');
    expect([status, json.issues]).toEqual([
      422,
      [{ path: 'after', message: 'is no mark of this call: leave it out to begin anew' }],
    ]);
  });
});

describe('GET /api/stats', () => {
  it('answers each hour of a day where nothing else is asked', async () => {
    const bench = new ActivityBench();
    const { url } = await bench.admin.webhook();
    await bench.admin.post(url, message(1));
    await bench.record();
    bench.admin.bench.now += 60_000;
    const { items } = await bench.admin.walk('/api/stats');
    expect(items).toHaveLength(25);
    expect(items.at(-1)).toMatchObject({ received: 1, providers: { sandbox: { received: 1, sent: 0, failed: 0 } } });
    expect(items[0]).toMatchObject({ received: 0, providers: {} });
    const days = await bench.admin.walk('/api/stats?by=day&from=2026-01-01&to=2026-03-05');
    expect(days.items.filter(({ received }) => received !== 0)).toHaveLength(1);
  });

  it.each([
    ['from=2026-03-02&to=2026-03-01', 'must be earlier than `to`'],
    ['from=2026-03-02&to=2026-03-02', 'must be earlier than `to`'],
    ['from=2025-01-01&to=2026-03-01', 'must be at most 92 days before `to`'],
  ])('refuses %s', async (query, message) => {
    const { status, json } = await new AdminBench().call('GET', `/api/stats?${query}`);
    expect([status, json.issues]).toEqual([422, [{ path: 'from', message }]]);
  });
});

describe('what a caller has already', () => {
  it('is answered 304 and empty for as long as it is the same', async () => {
    const hub = new AdminBench();
    const first = await hub.call('GET', '/api/webhooks');
    const { etag = '' } = first.headers;
    expect(etag).toMatch(/^W\/"[0-9a-f]{32}"$/);
    const ask = (tags: string) => hub.call('GET', '/api/webhooks', { headers: { 'if-none-match': tags } });
    for (const tags of [etag, `W/"another", ${etag}`]) {
      const { status, text, headers } = await ask(tags);
      expect([status, text, headers.etag]).toEqual([304, '', etag]);
    }
    await hub.webhook();
    const changed = await ask(etag);
    expect([changed.status, changed.headers.etag === etag]).toEqual([200, false]);
  });

  it('is the same in whatever order the table gives the keys of a map', () => {
    const tagOf = (body: object) => responseOf({ status: 200, body }, '').headers.get('etag');
    const known = tagOf({ items: [{ providers: { sandbox: 1, zender: 2 } }] });
    expect(tagOf({ items: [{ providers: { zender: 2, sandbox: 1 } }] })).toBe(known);
    expect(tagOf({ items: [{ providers: { zender: 1, sandbox: 2 } }] })).not.toBe(known);
  });

  it('is no way around a key, and no matter to an error', async () => {
    const hub = new AdminBench();
    const { headers } = await hub.call('GET', '/api/webhooks');
    const tagged = { headers: { 'if-none-match': headers.etag ?? '' } };
    expect((await hub.call('GET', '/api/webhooks', { ...tagged, key: 'wrong' })).status).toBe(401);
    expect((await hub.call('GET', '/api/events/none', tagged)).headers.etag).toBeUndefined();
  });
});
