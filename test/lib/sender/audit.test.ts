import { describe, expect, test } from 'vitest';
import { audit } from '#lib/credits/audit.ts';
import { grant, showCredits } from '#lib/credits/credits.ts';
import { cancel } from '#lib/outbox/cancel.ts';
import { add, type Path, type Put, put, remove, type Store, set, type Update, update } from '#lib/store/store.ts';
import { deleteAccount } from '#lib/tenants/accounts.ts';
import { inRounds } from '#test/support/round-trips.ts';
import { World } from '#test/support/simulation/world.ts';

const SECOND = 1_000;
const SENDS = 60;
const ACCOUNTS = ['a', 'b', 'c', 'd', 'e', 'f'];

/** Messages on several accounts: most of them sent, the last ones waiting or on their way. */
async function busy(): Promise<World> {
  const world = new World({ watchdog: false });
  for (const account of ACCOUNTS) await world.addAccount(account, 'main');
  await world.grant('main', 10_000);
  for (let i = 0; i < SENDS; i += 1) await world.sendNow(ACCOUNTS[i % ACCOUNTS.length] ?? 'a');
  await world.run(50 * SECOND);
  return world;
}

/** One call whose time is up after about so many items. */
async function piece(world: World, items: number) {
  const { store, random, clock } = world.honest();
  let asked = 0;
  const monotonic = () => {
    asked += 1;
    return asked;
  };
  return audit({ store, random, clock: { ...clock, monotonic } }, 'main', items);
}

async function pieces(world: World, items: number, between: (n: number) => Promise<unknown> = async () => undefined) {
  for (let n = 1; n < 1_000; n += 1) {
    const answer = await piece(world, items);
    if (answer.complete) return { ...answer, calls: n };
    await between(n);
  }
  throw new Error('it never came to its end');
}

const sound = { ok: true, differences: [], complete: true };
const text = { parts: [{ kind: 'text', text: 'hello' }] as const };

describe('an audit', () => {
  test('of an ordinary workspace answers in one call, and leaves no progress behind', async () => {
    const world = await busy();
    expect(await audit(world.honest(), 'main')).toEqual({ ...sound, asOf: world.now });
    expect(world.store.peek({ pk: 'WS#main', sk: 'AUDIT' })).toBeUndefined();
  });

  test('that was left unfinished for more than a day begins anew', async () => {
    const world = await busy();
    await piece(world, 3);
    await world.run(25 * 3_600 * SECOND);
    const begun = world.now;
    expect(await pieces(world, 3)).toMatchObject({ ...sound, asOf: begun });
  });

  test('in pieces says so, and comes to the same', async () => {
    const world = await busy();
    const begun = world.now;
    expect(await piece(world, 3)).toEqual({ ok: true, differences: [], complete: false, asOf: begun });
    const answer = await pieces(world, 3, () => world.run(SECOND));
    expect(answer).toMatchObject({ ...sound, asOf: begun });
    expect(answer.calls).toBeGreaterThan(5);
  });

  test('takes nothing that moves meanwhile for a difference', async () => {
    const world = await busy();
    world.provider.behave = () => ({
      ...{ outcome: { kind: 'accepted', providerId: '' }, latencyMs: 100, takes: true },
      statuses: [{ status: world.seeded.pick(['failed', 'delivered']), afterMs: 500 }],
    });
    const answer = await pieces(world, 4, async (n) => {
      const account = ACCOUNTS[n % 5] ?? 'a';
      // Already sent and counted long ago, and given back now.
      const taken = world.provider.taken[n];
      if (taken && n % 3 === 0) world.status(taken, 'failed');
      const sent = world.begin(world.send(account, text));
      await world.run(700);
      if (n % 4 === 0) {
        const id = await world.sendNow(account);
        world.begin(world.spawn('cancel', 'main', (ports) => cancel(ports, 'main', id, world.config)));
      }
      if (n === 6) {
        await deleteAccount(world.honest(), 'f', world.config);
      }
      if (n % 5 === 0) await world.grant('main', 3);
      return sent;
    });
    expect(answer).toMatchObject(sound);
    expect(answer.calls).toBeGreaterThan(10);
    expect(world.invariants.violations).toEqual([]);
  });

  test('does not take another one back that has come further meanwhile', async () => {
    const world = await busy();
    await piece(world, 3);
    const write = world.store.write.bind(world.store);
    const kept = () => world.store.peek({ pk: 'WS#main', sk: 'AUDIT' });
    let further: ReturnType<typeof kept>;
    world.store.write = async (wanted, options) => {
      if (wanted.kind === 'put' && wanted.item.sk === 'AUDIT') {
        world.store.write = write;
        for (let n = 0; n < 3; n += 1) await piece(world, 3);
        further = kept();
      }
      return write(wanted, options);
    };
    await piece(world, 3);
    expect(further).toMatchObject({ step: 4 });
    expect(kept()).toEqual(further);
  });

  describe('of a workspace that is never quiet', () => {
    /** As often as its sums are looked at something moves: a credit is reserved, or one comes back. */
    async function restless() {
      const world = await busy();
      world.invariants.balancing = false;
      const query = world.store.query.bind(world.store);
      let moves = 0;
      world.store.query = async (asked) => {
        const page = await query(asked);
        if (asked.prefix !== 'QUOTA#') return page;
        world.store.query = query;
        moves += 1;
        const taken = world.provider.taken[moves / 3];
        if (moves % 3 === 0 && taken) world.status(taken, 'failed');
        await world.sendNow(ACCOUNTS[moves % ACCOUNTS.length] ?? 'a');
        world.store.query = moving;
        return page;
      };
      const moving = world.store.query;
      return { world, moved: () => moves };
    }

    test('comes to its end all the same', { timeout: 30_000 }, async () => {
      const { world, moved } = await restless();
      expect(await audit(world.honest(), 'main')).toMatchObject(sound);
      expect(moved()).toBeGreaterThan(45);
      world.invariants.books();
      expect(world.invariants.violations).toEqual([]);
    });

    test.each([
      ['available', 90],
      ['granted', -90],
      ['spent', 90],
    ])('finds what is wrong with %s', { timeout: 30_000 }, async (name, by) => {
      const { world } = await restless();
      await world.store.write(update({ pk: 'WS#main', sk: 'QUOTA#lifetime' }, [add(name, by)]));
      const { differences } = await audit(world.honest(), 'main');
      expect(differences.join()).toMatch(/^lifetime: /);
    });
  });

  test.each<[what: string, between: (world: World, n: number) => Promise<unknown>]>([
    ['messages that go out', (world) => world.send('a', text)],
    [
      'credits that are given back',
      async (world, n) => {
        const taken = world.provider.taken[SENDS - n];
        if (taken) world.status(taken, 'failed');
      },
    ],
    [
      'grants by two clocks, one of them slow',
      (world, n) => {
        const { clock, ...ports } = world.honest();
        const slow = { ...clock, now: () => clock.now() - (n % 2) * 300 * SECOND };
        return grant({ ...ports, clock: slow }, 'main', { credits: 3, reason: 'late' }, world.config);
      },
    ],
  ])('takes %s all the time for no difference', async (_, between) => {
    const world = await busy();
    const answer = await pieces(world, 8, async (n) => {
      world.begin(between(world, n));
      await world.run(3 * SECOND);
    });
    expect(answer).toMatchObject(sound);
  });

  test('takes credits that are taken back between its looks for no difference', async () => {
    const world = await busy();
    const ports = world.honest();
    const { store } = inRounds(ports.store);
    let looks = 0;
    const query: Store['query'] = async (wanted) => {
      const page = await store.query(wanted);
      if (wanted.from?.startsWith('LEDGER#')) {
        looks += 1;
        await grant(ports, 'main', { credits: -3, reason: 'by mistake' }, world.config);
      }
      return page;
    };
    expect(await audit({ ...ports, store: { ...store, query } }, 'main')).toMatchObject(sound);
    expect(looks).toBeGreaterThan(40);
  });

  test('looks again before it blames what an index shows late', async () => {
    const world = await busy();
    for (const account of ACCOUNTS) await world.sendNow(account);
    const { store, ...ports } = world.honest();
    let slept = 0;
    const sleep = async (ms: number) => {
      slept += ms;
    };
    const query: Store['query'] = async (wanted) =>
      wanted.index !== 'gsi2' || slept > 0.8 * SECOND ? store.query(wanted) : { items: [] };
    const lagging = { ...inRounds(store).store, query };
    const clock = { ...ports.clock, sleep };
    expect(await audit({ ...ports, clock, store: lagging }, 'main')).toMatchObject(sound);
    expect(slept).toBeLessThan(2 * SECOND);
  });

  test('is not stopped by another at the same time', async () => {
    const world = await busy();
    await piece(world, 3);
    const [one, other] = await Promise.all([pieces(world, 20), pieces(world, 35)]);
    expect([one, other]).toMatchObject([sound, sound]);
  });

  test('is begun anew after what another version has kept', async () => {
    const world = await busy();
    await world.store.write(update({ pk: 'WS#main', sk: 'AUDIT' }, [set('step', 7), set('seen', 'else')]));
    expect(await pieces(world, 20)).toMatchObject(sound);
  });

  const sent = ({ provider }: World) => ({ pk: `MSG#${provider.taken[3]?.messageId}`, sk: 'META' });
  const part = (name: string): Path => ['parts', 0, name];
  const quota = { pk: 'WS#main', sk: 'QUOTA#lifetime' };
  test.each<[what: string, spoil: (world: World) => readonly (Update | Put)[], found: RegExp]>([
    [
      'credits that nobody granted',
      () => [update(quota, [add('granted', 1)])],
      /granted 10001, but 10000 by the ledger/,
    ],
    [
      'credits that came back by themselves',
      () => [update(quota, [add('available', 1)])],
      /available .* by the ledger/,
    ],
    [
      'a credit counted twice',
      () => [update({ pk: 'ACC#b', sk: 'META' }, [add('spent_lifetime', 1)])],
      /61 counted .* 60/,
    ],
    [
      'a credit given back twice',
      () => [update({ pk: 'ACC#b', sk: 'META' }, [add('unspent_lifetime', 1)])],
      /59 counted/,
    ],
    ['a credit that nobody counted', () => [update(quota, [add('spent', -1)])], /59 counted as spent, but 60/],
    [
      'a refund that is none',
      (world) => [update(sent(world), [set(part('creditState'), 'refunded')])],
      /granted 10000, but available 9940 \+ reserved 0 \+ spent 59/,
    ],
    [
      'a part that was spent and not counted',
      (world) => [
        update(sent(world), [remove(part('counted'))]),
        update({ pk: `ACC#${world.provider.taken[3]?.account}`, sk: 'META' }, [add('spent_lifetime', -1)]),
      ],
      /not counted; now it is/,
    ],
    [
      'a part that an older version gave back',
      (world) => [
        update(sent(world), [set(part('creditState'), 'refunded'), set(part('state'), 'failed')]),
        update(quota, [add('available', 1)]),
        put({
          ...{ pk: 'WS#main', sk: `LEDGER#${new Date(world.now).toISOString()}#x`, kind: 'ledger', entry: 'refund' },
          ...{ at: world.now, credits: 1, epoch: 'lifetime' },
        }),
      ],
      /not counted; now it is/,
    ],
    [
      'a settled part with its credit held',
      (world) => [update(sent(world), [set(part('creditState'), 'reserved')])],
      /part 0: sent, but reserved/,
    ],
    [
      'a send listed with a credit that it does not hold',
      (world) => [update(sent(world), [set('gsi2sk', '1#x')])],
      /but listed with 1/,
    ],
    [
      'a part that waits nowhere',
      (world) => [update(sent(world), [set(part('state'), 'queued')])],
      /has no place in its queue/,
    ],
    [
      'a place for what does not wait',
      (world) => [
        update({ pk: 'ACC#a', sk: 'Q#000000000001#0' }, [set('send', sent(world).pk.slice(4)), set('part', 0)]),
      ],
      /does not wait/,
    ],
    [
      'a queue that is not as long as it says',
      () => [update({ pk: 'ACC#a', sk: 'META' }, [add('pending', 1)])],
      /pending 1, but 0 places/,
    ],
  ])('finds %s', async (_, spoil, found) => {
    const world = await busy();
    for (const write of spoil(world)) await world.store.write(write);
    const whole = await audit(world.honest(), 'main');
    expect(whole.differences.join('\n')).toMatch(found);
    expect(whole).toMatchObject({ ok: false, complete: true });
    const isMended = found.test('not counted; now it is');
    expect(await pieces(world, 10, (n) => world.grant('main', n))).toMatchObject({ ok: isMended, complete: true });
  });
});

test('a table that has sent before spent credits were counted is counted by its first audit', async () => {
  const world = await busy();
  await deleteAccount(world.honest(), 'f', world.config);
  for (const item of world.store.all()) {
    const counted = Object.keys(item).filter((name) => /^(un)?spent|^countings$/.test(name));
    const parts = item.pk.startsWith('MSG#') ? [remove(['parts', 0, 'counted'])] : [];
    await world.store.write(update(item, [...counted.map((name) => remove(name)), ...parts]));
  }
  await Promise.all([piece(world, 6), piece(world, 6)]);
  const told = await pieces(world, 6, async (n) => {
    const taken = world.provider.taken[n * 5];
    if (taken) world.status(taken, 'failed');
    world.begin(world.send('a', text));
    await world.run(3 * SECOND);
  });
  expect(told.ok).toBe(false);
  for (const difference of told.differences) expect(difference).toMatch(/not counted; now it is$/);
  expect(await audit(world.honest(), 'main')).toMatchObject(sound);
  world.invariants.violations.length = 0;
  world.invariants.books();
  expect(world.invariants.violations).toEqual([]);
  const { granted, available, reserved, spent } = await showCredits(world.honest(), 'main', world.config);
  expect(granted).toBe(available + reserved + spent);
});
