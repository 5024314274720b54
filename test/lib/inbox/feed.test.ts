import { describe, expect, it } from 'vitest';
import type { Event } from '#lib/domain/event.ts';
import type { EventRecord } from '#lib/inbox/event-item.ts';
import { storeEvent } from '#lib/inbox/event-store.ts';
import { HORIZON_MS, readFeed } from '#lib/inbox/feed.ts';
import { eventKey } from '#lib/store/keys.ts';
import { decodeCursor } from '#lib/store/query.ts';
import { retrying } from '#lib/store/retry.ts';
import { type Store, StoreUnavailable } from '#lib/store/store.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
import { faultyStore, type StoreFaults } from '#test/support/simulation/faulty-store.ts';
import { type Process, Scheduler } from '#test/support/simulation/scheduler.ts';
import { Seeded } from '#test/support/simulation/seeded.ts';

const START = Date.parse('2026-03-01T12:00:00.000Z');
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const WRITERS = 16;
const EACH = 25;
/** Any two clocks differ by less than what the reader allows for. */
const MOST_SKEW_MS = 950;

const someFaults: StoreFaults = { conflict: 0.05, throttled: 0.02, unreachable: 0.05, answerLost: 0.08 };

function recordOf(id: string, receivedAt: number, occurredAt: number, receipt: string): EventRecord {
  const event: Event = {
    id,
    workspace: 'main',
    provider: 'sandbox',
    webhookId: 'wh_1',
    occurredAt: new Date(occurredAt).toISOString(),
    receivedAt: new Date(receivedAt).toISOString(),
    kind: 'device',
    device: {},
  };
  const raw = Buffer.from(`{"id":"${id}"}`);
  return {
    event,
    raw,
    contentType: 'application/json',
    contentHash: id,
    placeholder: false,
    orderedAt: occurredAt,
    receipt,
  };
}

interface Seen {
  readonly id: string;
  readonly at: number;
}

/** Sixteen hosts that store, and one that reads along, on a table that fails and on clocks that differ. */
class Reading {
  readonly seeded: Seeded;
  readonly scheduler: Scheduler;
  readonly store = new MemoryStore();
  readonly acknowledged = new Set<string>();
  readonly seen: Seen[] = [];
  faults = someFaults;
  hasOutages = true;

  constructor(seed: number) {
    this.seeded = new Seeded(seed);
    this.scheduler = new Scheduler(this.seeded, START);
  }

  process(name: string, skewMs: number): { process: Process; store: Store; clock: ReturnType<Reading['clock']> } {
    const process: Process = { name, workspace: undefined, skewMs, alive: true };
    const store = faultyStore(
      this.store,
      process,
      this.scheduler,
      this.seeded,
      () => this.#faultsNow(),
      {},
      () => undefined,
    );
    return { process, store, clock: this.clock(process) };
  }

  /** Twice a minute the table is hardly there for a while. */
  #faultsNow(): StoreFaults {
    const isAway = this.hasOutages && (this.scheduler.now - START) % (30 * SECOND) > 12 * SECOND;
    return isAway ? { ...this.faults, unreachable: 0.9 } : this.faults;
  }

  clock(process: Process) {
    return {
      now: () => Math.floor(this.scheduler.now + process.skewMs),
      monotonic: () => this.scheduler.now,
      sleep: (milliseconds: number) => this.scheduler.wait(process, milliseconds),
    };
  }

  /** A delivery, and what a provider does that gets no 200: it comes again. Some come twice in any case. */
  async deliver(name: string, ids: readonly string[]): Promise<void> {
    const host = this.process(name, this.seeded.between(-MOST_SKEW_MS, MOST_SKEW_MS));
    for (const id of ids) {
      await this.scheduler.wait(host.process, this.seeded.between(0, 3 * SECOND));
      for (let tries = 0; ; tries++) {
        const now = host.clock.now();
        const occurredAt = now + this.seeded.between(-9 * MINUTE, this.seeded.chance(0.2) ? 48 * HOUR : 0);
        const record = recordOf(id, now, occurredAt, `${name} ${tries}`);
        const store = retrying(
          host.store,
          host.clock,
          this.seeded,
          host.clock.monotonic() + this.seeded.pick([2_500, MINUTE]),
        );
        try {
          await storeEvent({ store, clock: host.clock }, record, Math.floor(now / 1000));
          break;
        } catch (error) {
          if (!(error instanceof StoreUnavailable)) throw error;
          await this.scheduler.wait(host.process, this.seeded.between(0, 20 * SECOND));
        }
      }
      this.acknowledged.add(id);
    }
  }

  async read(until: number): Promise<void> {
    const host = this.process('reader', this.seeded.between(-MOST_SKEW_MS, MOST_SKEW_MS));
    let from: string | undefined;
    while (this.scheduler.now < until) {
      const store = retrying(host.store, host.clock, this.seeded, host.clock.monotonic() + MINUTE);
      const limit = 1 + this.seeded.below(20);
      const page = await readFeed(
        { store, clock: host.clock },
        'main',
        {},
        { limit, ...(from !== undefined && { from }) },
      );
      for (const { id } of page.items) this.seen.push({ id, at: this.scheduler.now });
      from = decodeCursor('feed', page.cursor);
      expect(from).toBeDefined();
      if (!page.more) await this.scheduler.wait(host.process, this.seeded.between(0, 2 * SECOND));
    }
  }

  async run(): Promise<void> {
    const idsOf = (writer: number) => Array.from({ length: EACH }, (_, n) => `evt_${writer}x${n}`);
    const writers = Array.from({ length: WRITERS }, (_, writer) => this.deliver(`writer ${writer}`, idsOf(writer)));
    // Redelivered while the first delivery is still on its way, by another host.
    writers.push(this.deliver('redelivery', [...idsOf(0), ...idsOf(1)]));
    const end = START + 15 * MINUTE;
    const reading = this.read(end);
    await this.scheduler.runUntil(end + 5 * MINUTE);
    await Promise.all([...writers, reading]);
  }
}

const seeds = Array.from({ length: 12 }, (_, n) => n + Number(process.env.SEED ?? 1));

describe('one reader and sixteen writers', () => {
  it.each(seeds)('misses nothing and doubles nothing (seed %i)', async (seed) => {
    const reading = new Reading(seed);
    await reading.run();
    expect(reading.acknowledged.size).toBe(WRITERS * EACH);
    expect(reading.seen.map(({ id }) => id).sort()).toEqual([...reading.acknowledged].sort());
  });

  it.each(seeds)(
    'also where hosts stand still before a write or after it, for less than the horizon (seed %i)',
    async (seed) => {
      const reading = new Reading(seed);
      reading.scheduler.accident = () =>
        reading.seeded.chance(0.01) ? { stallMs: reading.seeded.between(SECOND, HORIZON_MS - 5 * SECOND) } : undefined;
      await reading.run();
      expect(reading.seen.map(({ id }) => id).sort()).toEqual([...reading.acknowledged].sort());
    },
  );

  it.each(seeds)('misses nothing where hosts stand still for minutes (seed %i)', async (seed) => {
    const reading = new Reading(seed);
    // Where the table fails as well, right after that and until the time of all repeats is over, no clock can mend it.
    reading.faults = { conflict: 0, throttled: 0, unreachable: 0, answerLost: 0 };
    reading.hasOutages = false;
    reading.scheduler.accident = ({ name }) =>
      name !== 'reader' && reading.seeded.chance(0.003)
        ? { stallMs: reading.seeded.between(SECOND, 2 * MINUTE) }
        : undefined;
    await reading.run();
    expect([...new Set(reading.seen.map(({ id }) => id))].sort()).toEqual([...reading.acknowledged].sort());
  });

  it('reads in the order of the places', async () => {
    const reading = new Reading(7);
    await reading.run();
    const places = reading.seen.map(({ id }) => String(reading.store.peek(eventKey(id))?.storedAt));
    expect(places).toEqual([...places].sort());
  });
});

describe('a place in the feed', () => {
  const ports = (store: Store, now = START) => ({
    store,
    clock: { now: () => now, monotonic: () => now, sleep: async () => undefined },
  });
  const rows = (store: MemoryStore) => store.all().filter(({ pk }) => pk.startsWith('FEED#'));
  const methodsOf = (store: MemoryStore): Store => ({
    get: (key) => store.get(key),
    getMany: (keys) => store.getMany(keys),
    query: (query) => store.query(query),
    write: (write, options) => store.write(write, options),
    transact: (writes, token) => store.transact(writes, token),
    writeMany: (writes) => store.writeMany(writes),
  });
  /** The rows that stay, and those that their events name. */
  const lasting = (store: MemoryStore) =>
    rows(store).flatMap(({ sk, expiresAt }) => (expiresAt === undefined ? [sk] : []));
  const named = (store: MemoryStore) =>
    store.all().flatMap(({ storedAt, eventId }) => (storedAt === undefined ? [] : [`${storedAt}#${eventId}`]));

  it('stays with its event alone: that of a refused duplicate ends within a day', async () => {
    const store = new MemoryStore();
    for (const n of [0, 1, 2]) {
      const now = START + n * MINUTE;
      await storeEvent(ports(store, now), recordOf('evt_1', now, START, `r${n}`), now / 1000);
    }
    expect(rows(store)).toHaveLength(3);
    expect(lasting(store)).toEqual(named(store));
    const ends = rows(store).flatMap(({ expiresAt }) => expiresAt ?? []);
    expect(ends).toEqual([1, 2].map((n) => (START + n * MINUTE) / 1000 + 86_400));
  });

  it('of a placeholder ends with what takes its place', async () => {
    const store = new MemoryStore();
    const first = { ...recordOf('evt_1', START, START, 'r1'), placeholder: true, contentHash: 'none' };
    await storeEvent(ports(store), first, START / 1000);
    const later = START + MINUTE;
    await storeEvent(ports(store, later), recordOf('evt_1', later, START, 'r2'), later / 1000);
    expect(named(store)).toEqual([`${new Date(later + 1).toISOString()}#evt_1`]);
    expect(lasting(store)).toEqual(named(store));
  });

  it('is nobody else’s: of sixteen deliveries in one millisecond that of the one stored stays', async () => {
    const store = new MemoryStore();
    const all = Array.from({ length: 16 }, (_, n) => recordOf('evt_1', START, START, `r${n}`));
    await Promise.all(all.map((record) => storeEvent(ports(store), record, START / 1000)));
    expect(lasting(store)).toEqual(named(store));
    expect(named(store)).toHaveLength(1);
    expect(rows(store)).toHaveLength(16);
  });

  it('is taken once, where the answer to taking it is lost', async () => {
    const store = new MemoryStore();
    let lost = 1;
    const write: Store['write'] = async (one, options) => {
      const written = await store.write(one, options);
      if (one.kind === 'put' && one.item.pk.startsWith('FEED#') && lost-- > 0)
        throw new StoreUnavailable('unreachable');
      return written;
    };
    const { clock } = ports(store);
    const again = retrying(
      { ...methodsOf(store), write },
      clock,
      { next: () => 0.5, bytes: Buffer.alloc },
      START + SECOND,
    );
    await storeEvent({ store: again, clock }, recordOf('evt_1', START, START, 'r1'), START / 1000);
    expect(lost).toBeLessThan(0);
    expect(rows(store).map(({ sk }) => sk)).toEqual(named(store));
  });

  it('stays, where the answer to storing its event is lost', async () => {
    const store = new MemoryStore();
    const write: Store['write'] = async (one, options) => {
      const first = await store.write(one, options);
      return one.kind === 'put' && one.item.pk.startsWith('EVT#') ? store.write(one, options) : first;
    };
    const { clock } = ports(store);
    await storeEvent(
      { store: { ...methodsOf(store), write }, clock },
      recordOf('evt_1', START, START, 'r1'),
      START / 1000,
    );
    expect(lasting(store)).toEqual(named(store));
    expect(named(store)).toHaveLength(1);
  });

  it('that took too long to be taken ends, and the next one counts', async () => {
    const store = new MemoryStore();
    let now = START;
    const clock = { now: () => now, monotonic: () => now, sleep: async () => undefined };
    const write: Store['write'] = async (one, options) => {
      if (one.kind === 'put' && one.item.pk.startsWith('FEED#') && now === START) now += 2 * SECOND;
      return store.write(one, options);
    };
    await storeEvent(
      { store: { ...methodsOf(store), write }, clock },
      recordOf('evt_1', START, START, 'r1'),
      START / 1000,
    );
    expect(named(store)).toEqual([`${new Date(START + 2 * SECOND).toISOString()}#evt_1`]);
    expect(lasting(store)).toEqual(named(store));
    expect(rows(store)).toHaveLength(2);
  });

  it('that came too late ends, and the new one stays', async () => {
    const store = new MemoryStore();
    let now = START;
    const clock = { now: () => now, monotonic: () => now, sleep: async () => undefined };
    const slow: Store = {
      ...methodsOf(store),
      write: async (write, options) => {
        const done = await store.write(write, options);
        if (write.kind === 'put' && write.item.pk.startsWith('EVT#') && now === START) now += 6 * SECOND;
        return done;
      },
    };
    await storeEvent({ store: slow, clock }, recordOf('evt_1', START, START, 'r1'), START / 1000);
    expect(named(store)).toEqual([`${new Date(START + 6 * SECOND).toISOString()}#evt_1`]);
    expect(lasting(store)).toEqual(named(store));
    expect(rows(store)).toHaveLength(2);
  });

  it('of a workspace with a retention has an end from the start, and costs no further write', async () => {
    const store = new MemoryStore();
    for (const n of [0, 1]) {
      const record = { ...recordOf('evt_1', START, START, `r${n}`), expiresAt: START / 1000 + 30 * 86_400 };
      await storeEvent(ports(store, START + n), record, START / 1000);
    }
    expect(rows(store).map(({ expiresAt }) => expiresAt)).toEqual([record30(), record30()]);
  });
  const record30 = () => START / 1000 + 30 * 86_400;
});
