import { describe, expect, test } from 'vitest';
import { audit } from '#lib/credits/audit.ts';
import { isRecord } from '#lib/domain/json.ts';
import { sendState } from '#lib/domain/send/part.ts';
import { toIso } from '#lib/domain/time.ts';
import { hold, probe, probeNow } from '#lib/sender/account.ts';
import { readSend } from '#lib/sender/items.ts';
import { settleLate } from '#lib/sender/outcome.ts';
import { accountKey, attemptKey, dueSortKey, entryId, probeKey, sendKey } from '#lib/store/keys.ts';
import { add, type Item, put, type Store, StoreUnavailable, set, update } from '#lib/store/store.ts';
import { patchWorkspace, wholeDirectory } from '#lib/tenants/workspaces.ts';
import { watchdog } from '#lib/watchdog/watchdog.ts';
import { keyOf } from '#test/support/memory-store.ts';
import { obliging, unsure } from '#test/support/simulation/fake-provider.ts';
import { at, once } from '#test/support/simulation/landmarks.ts';
import { addWebhook } from '#test/support/simulation/operator.ts';
import { noFaults, World, type WorldOptions } from '#test/support/simulation/world.ts';
import { tasksBy } from '#test/support/tasks.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const _DAY = 24 * HOUR;

/** A hub without a clock of its own for the watchdog, on which one message of each of these accounts is unknown. */
async function unknownOn(accounts: readonly string[], options?: WorldOptions) {
  const world = new World({ watchdog: false, ...options });
  world.provider.behave = () => unsure;
  const ids: string[] = [];
  for (const account of accounts) {
    await world.addAccount(account, 'main', 1);
    ids.push(await world.sendNow(account));
  }
  await world.run(3 * SECOND);
  return { world, ids };
}

const stateOf = (world: World, id: string) => sendState(world.message(id).parts);

/** How many tasks of a run failed. */
const failuresOf = (running: Promise<void>): Promise<number> =>
  running.then(
    () => 0,
    (error: unknown) => (error instanceof AggregateError ? error.errors.length : Promise.reject(error)),
  );

const shifted = (value: unknown, ms: number): unknown => {
  if (Array.isArray(value)) return value.map((one) => shifted(one, ms));
  if (!isRecord(value)) return value;
  const times = ['unknownAt', 'reconcileAt', 'intentAt'];
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      name,
      times.includes(name) && typeof one === 'number' ? one + ms : shifted(one, ms),
    ]),
  );
};

/** As many more sends like this one, each having become unknown so much later than the one before it. `items`: where it stands. */
async function multiply(
  world: World,
  id: string,
  times: number,
  apartMs: number,
  items: readonly Item[] = world.store.all(),
): Promise<void> {
  const like = items.filter((item) => JSON.stringify(item).includes(id));
  for (let i = 1; i <= times; i += 1) {
    for (const item of like) {
      const copy: Item = JSON.parse(JSON.stringify(shifted(item, i * apartMs)).replaceAll(id, `${id}-${i}`));
      const parts = copy.pk.startsWith('MSG#') ? world.message(id).parts : [];
      const next = parts.map((part) => (part.reconcileAt ?? 0) + i * apartMs);
      const due = parts.length === 0 ? {} : { gsi3sk: dueSortKey(Math.min(...next), `${id}-${i}`) };
      await world.store.write(put({ ...copy, ...due }));
    }
  }
  await world.grant('main', times);
  await world.store.write(update({ pk: 'WS#main', sk: 'QUOTA#lifetime' }, [add('available', -times)]));
}

async function multiplyAll(world: World, ids: readonly string[], times: number, apartMs: number): Promise<void> {
  const items = world.store.all();
  for (const id of ids) await multiply(world, id, times, apartMs, items);
}

test('a probe that is made due while another begins keeps its time', async () => {
  const { world } = await unknownOn(['a']);
  const ports = { ...world.honest(), ticks: { send: async () => undefined } };
  await hold(ports, 'a', 'logged out', world.config);
  const get = world.store.get.bind(world.store);
  world.store.get = async (key, options) => {
    // Between the look at the probe and its postponement, the operator gives other credentials.
    const account = key.sk === 'META' ? await get(key, options) : undefined;
    if (!account) return get(key, options);
    await world.store.write(await probeNow(world.store, 'a', world.now));
    return account;
  };
  let asked = 0;
  const prober = {
    probe: async () => {
      asked += 1;
      return { kind: 'ok' } as const;
    },
  };
  await probe({ ...ports, prober }, probeKey('a'), world.config);
  expect(asked).toBe(0);
  expect(world.store.peek(probeKey('a'))).toMatchObject({ tries: 0, gsi3sk: dueSortKey(world.now, 'a') });
});

/** As DynamoDB: of two transactions that touch an item at the same time, one meets a conflict. */
function conflicting({ store, scheduler }: World, milliseconds: number): { conflicts: number } {
  const met = { conflicts: 0 };
  const busy = new Set<string>();
  const transact = store.transact.bind(store);
  store.transact = async (writes, token) => {
    const keys = writes.map(keyOf).map(({ pk, sk }) => `${pk} ${sk}`);
    if (keys.some((key) => busy.has(key))) {
      met.conflicts += 1;
      throw new StoreUnavailable('conflict');
    }
    for (const key of keys) busy.add(key);
    await new Promise<void>((resolve) => scheduler.at(scheduler.now + milliseconds, resolve));
    for (const key of keys) busy.delete(key);
    return transact(writes, token);
  };
  return met;
}

describe('what is over its limit', () => {
  const accounts = Array.from({ length: 10 }, (_, i) => `acc${i}`);

  test('is refunded within two runs, 5,000 of one workspace, though transactions meet each other', {
    timeout: 120_000,
  }, async () => {
    const { world, ids } = await unknownOn(accounts, { config: { unknownLimitMs: 10 * MINUTE } });
    world.invariants.balancing = false;
    await multiplyAll(world, ids, 499, 0);
    await world.run(10 * MINUTE);
    const met = conflicting(world, 10);
    world.begin(world.watch());
    await world.run(55 * SECOND);
    world.begin(world.watch());
    await world.run(30 * SECOND);
    const sends = world.store.all().filter(({ pk }) => pk.startsWith('MSG#'));
    expect(sends.filter((item) => sendState(readSend(item).parts) === 'expired').length).toBe(5_000);
    expect(met.conflicts).toBeGreaterThan(0);
    world.invariants.books();
    expect(world.invariants.violations).toEqual([]);
  });

  test('is refunded by itself where another of the same transaction changes meanwhile', async () => {
    const { world, ids } = await unknownOn(accounts, { config: { unknownLimitMs: 10 * MINUTE } });
    const [first = '', ...others] = ids;
    await world.run(10 * MINUTE);
    const isRefunding = at((write) => write.kind === 'update' && write.key.pk === `MSG#${first}`, 'before');
    once(world, isRefunding, { stallMs: SECOND }, () => {
      const { intentAt = 0 } = world.message(first).parts[0] ?? {};
      const ending = { kind: 'sent', providerId: 'P1' } as const;
      const settle = (ports: ReturnType<World['ports']>) =>
        settleLate(ports, { send: { messageId: first }, index: 0 }, intentAt, ending);
      world.begin(world.spawn('ask', 'main', settle));
    });
    await world.until(world.watch());
    expect(stateOf(world, first)).toBe('sent');
    expect(new Set(others.map((id) => stateOf(world, id)))).toEqual(new Set(['expired']));
    expect(world.invariants.violations).toEqual([]);
  });

  test('is refunded where so much leads to each message that ten do not fit into a transaction', async () => {
    const world = new World({ watchdog: false, config: { unknownLimitMs: 10 * MINUTE } });
    world.provider.behave = () => unsure;
    const ids: string[] = [];
    for (const account of accounts) {
      await world.addAccount(account, 'main', 2);
      const parts = [
        { kind: 'file', url: 'https://files.example.com/a', name: 'a.pdf' },
        { kind: 'text', text: 'a' },
      ] as const;
      // A number of two spellings, in a chat that has an id of its own.
      ids.push(await world.sendNow(account, { parts, recipient: { phone: '+5511987654321', provider_chat: '4711' } }));
    }
    await world.run(11 * MINUTE);
    expect(await world.until(failuresOf(world.watch()))).toBe(0);
    expect(ids.map((id) => stateOf(world, id))).toEqual(ids.map(() => 'expired'));
    expect(world.invariants.violations).toEqual([]);
  });

  test.each([
    ['one after another', 499, 1_200],
    ['all in one moment', 499, 0],
  ])(
    'is refunded by the first run, %s, with 5,000 unknown and a provider that hangs',
    {
      timeout: 120_000,
    },
    async (_, more, apartMs) => {
      const { world, ids } = await unknownOn(accounts, { config: { unknownLimitMs: 10 * MINUTE } });
      world.invariants.balancing = false;
      await multiplyAll(world, ids, more, apartMs);
      world.scheduler.accident = (_, { call }) => (call === 'evidence' ? { stallMs: 8 * SECOND } : undefined);
      const runs: number[] = [];
      const took: number[] = [];
      const end = world.now + (apartMs > 0 ? 22 : 12) * MINUTE;
      while (world.now < end) {
        const begun = world.now;
        runs.push(begun);
        world.begin(world.watch().then(() => took.push(world.now - begun)));
        await world.run(MINUTE);
      }
      const sends = world.store.all().filter(({ pk }) => pk.startsWith('MSG#'));
      expect(sends.length).toBe(5_000);
      const waited = sends.map(({ messageId }) => {
        const { parts, history } = world.message(String(messageId));
        const expiredAt = history.find(({ state }) => state === 'expired')?.at ?? Number.POSITIVE_INFINITY;
        const limit = (parts[0]?.unknownAt ?? 0) + 10 * MINUTE;
        const run = runs.find((begun) => begun >= limit) ?? 0;
        return expiredAt - run;
      });
      expect(Math.min(...waited)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...waited)).toBeLessThan(apartMs > 0 ? 10 * SECOND : 30 * SECOND);
      expect(took.length).toBe(runs.length);
      expect(Math.max(...took)).toBeLessThan(43 * SECOND);
      world.invariants.books();
      expect(world.invariants.violations).toEqual([]);
      expect(await audit(world.honest(), 'main')).toMatchObject({ ok: true, differences: [], complete: true });
      expect(world.store.all().filter(({ gsi3pk }) => String(gsi3pk).startsWith('DUE#unknown'))).toEqual([]);
    },
  );
});

describe('a look at what is unknown', () => {
  test('of one account is not delayed by another whose provider hangs', { timeout: 60_000 }, async () => {
    const hung = Array.from({ length: 160 }, (_, i) => `hung${i}`);
    const { world, ids } = await unknownOn([...hung, 'well']);
    world.invariants.balancing = false;
    await multiplyAll(world, ids.slice(0, -1), 8, 1);
    world.provider.lists = ({ id }) => (id === 'well' ? [{ providerId: 'P' }] : []);
    const looked: string[] = [];
    world.scheduler.accident = (_, { call, moment, detail }) => {
      if (call !== 'evidence' || moment !== 'before') return undefined;
      looked.push(String(detail));
      return world.message(String(detail)).accountId === 'well' ? undefined : { stallMs: 8 * SECOND };
    };
    for (let i = 0; i < 10; i += 1) {
      await world.run(MINUTE);
      await world.until(world.watch());
    }
    expect(stateOf(world, ids.at(-1) ?? '')).toBe('sent');
    // A run has time for a hundred looks. Each account has had its turn all the same.
    expect(new Set(looked.map((id) => world.message(id).accountId)).size).toBe(161);
  });

  test.each([
    ['one where its provider hangs', 8 * SECOND, 1],
    ['all where it answers', 100, 4],
  ])('of one account is, in a run, %s', async (_, stallMs, looks) => {
    const { world, ids } = await unknownOn(['a']);
    await multiply(world, ids[0] ?? '', 3, 1);
    let looked = 0;
    world.scheduler.accident = (_, { call, moment }) => {
      if (call !== 'evidence' || moment !== 'before') return undefined;
      looked += 1;
      return { stallMs };
    };
    await world.run(MINUTE);
    await world.until(world.watch());
    expect(looked).toBe(looks);
  });

  test('is not the first again after one that fails', async () => {
    const { world, ids } = await unknownOn(['a']);
    const [first = ''] = ids;
    await multiply(world, first, 3, 1);
    const looked: string[] = [];
    world.provider.lists = (_, { messageId }) => {
      looked.push(messageId);
      if (messageId === first) throw new StoreUnavailable('refused');
      return [];
    };
    for (let i = 0; i < 8; i += 1) {
      await world.run(MINUTE);
      world.begin(world.watch());
    }
    await world.run(MINUTE);
    expect(looked.filter((id) => id === first).length).toBe(2);
    for (let i = 1; i <= 3; i += 1) expect(looked).toContain(`${first}-${i}`);
  });

  test('that settles a message takes it off the list at once', async () => {
    const { world, ids } = await unknownOn(['a']);
    world.provider.lists = () => [{ providerId: 'P' }];
    await world.run(MINUTE);
    await world.until(world.watch());
    expect(world.store.peek(sendKey(ids[0] ?? ''))?.gsi3pk).toBeUndefined();
  });

  test('is not taken from the others by an item that nobody can read', async () => {
    let damaged = '';
    const read = (item: Item) => (item.messageId === damaged ? { ...item, createdAt: 'yesterday' } : item);
    const { world, ids } = await unknownOn(['a', 'b'], { mutant: { read } });
    damaged = ids[0] ?? '';
    world.provider.lists = () => [{ providerId: 'P' }];
    await world.run(MINUTE);
    expect(await world.until(failuresOf(world.watch()))).toBe(1);
    expect(stateOf(world, ids[1] ?? '')).toBe('sent');
  });
});

/** A hub with one task of each kind due, and a watchdog run on a table that fails here and there. */
async function oneOfEach() {
  const { world, ids } = await unknownOn(['unknown']);
  for (const account of ['a', 'account', 'probe']) await world.addAccount(account, 'main', 1);
  world.provider.behave = () => obliging;
  await world.until(world.spawn('ask', undefined, (ports) => hold(ports, 'probe', 'no', world.config)));
  world.status({ account: 'a', providerId: 'by hand' }, 'read');
  await world.run(SECOND);
  world.faults = { ...noFaults, tickLost: 1 };
  const late = await world.sendNow('account');
  world.faults = noFaults;
  world.provider.lists = () => [{ providerId: 'P' }];
  await world.run(5 * MINUTE);
  const metrics = new Map<string, number>();
  const run = (fails: (pk: string) => boolean) => {
    const running = world.spawn('watchdog', undefined, (ports) => {
      const over = <Result>(pk: string, work: () => Promise<Result>) =>
        fails(pk) ? Promise.reject(new StoreUnavailable('throttled')) : work();
      const store: Store = {
        ...ports.store,
        get: (key, options) => over(key.pk, () => ports.store.get(key, options)),
        query: (query) => over(query.pk, () => ports.store.query(query)),
      };
      const count = (name: string, fields = {}, value = 1) =>
        void metrics.set([name, ...Object.values(fields)].join(' '), value);
      return watchdog({ ...ports, store, metrics: { count }, tasks: tasksBy() }, world.now + 43 * SECOND, world.config);
    });
    return world.until(failuresOf(running));
  };
  const done = async () => {
    await world.run(3 * SECOND);
    return {
      account: stateOf(world, late) === 'sent',
      probe: !world.account('probe').held,
      unknown: stateOf(world, ids[0] ?? '') === 'sent',
      status: world.store.all().every(({ gsi3pk }) => !String(gsi3pk).startsWith('DUE#status')),
    };
  };
  return { world, run, done, metrics };
}

const everything = { account: true, probe: true, unknown: true, status: true };

describe('a stage of a run', () => {
  test('has something to do in this test', async () => {
    const { run, done } = await oneOfEach();
    expect(await run(() => false)).toBe(0);
    expect(await done()).toEqual(everything);
  });

  test.each([
    ['account', 'accounts', 'OldestOverdue'],
    ['probe', 'probes', 'HeldAccounts'],
    ['unknown', 'unknown', 'UnknownSends'],
    ['status', 'statuses', undefined],
  ] as const)('that cannot read what is due (%s) keeps no other from its work', async (what, stage, measure) => {
    const { run, done, metrics } = await oneOfEach();
    expect(await run((pk) => pk.startsWith(`DUE#${what}#`))).toBeGreaterThan(0);
    expect(await done()).toEqual({ ...everything, [what]: false });
    expect(metrics.get(`WatchdogFailures ${stage}`)).toBe(stage === 'accounts' ? 16 : 8);
    const measures = ['OldestOverdue', 'HeldAccounts', 'UnknownSends'].filter((name) => metrics.has(name));
    expect(measures).toEqual(['OldestOverdue', 'HeldAccounts', 'UnknownSends'].filter((name) => name !== measure));
    expect(metrics.get('WatchdogFailures measures')).toBe(measure === undefined ? undefined : 1);
  });

  test.each(['FILL#retention', 'WORKSPACES'])('keeps none from its work: the retention, without %s', async (pk) => {
    const { run, done, metrics } = await oneOfEach();
    expect(await run((asked) => asked === pk)).toBeGreaterThan(0);
    expect(metrics.get('WatchdogFailures retention')).toBe(1);
    expect(await done()).toEqual(everything);
  });

  test('keeps none from its work: the retention, with much to do on a table that answers slowly', async () => {
    const { world, run, done } = await oneOfEach();
    await addWebhook(world);
    const [entry] = await wholeDirectory(world.store, 'main', 'WEBHOOK');
    const attempts = Array.from({ length: 400 }, (_, n) =>
      attemptKey(entryId(entry ?? { sk: '' }), toIso(world.now), String(n)),
    );
    for (const key of attempts) await world.store.write(put({ ...key, expiresAt: world.now / 1000 + 90 * 86_400 }));
    await patchWorkspace(world.store, 'main', { retentionDays: 30 });
    const write = world.store.write.bind(world.store);
    world.store.write = async (wanted, options) => {
      if (keyOf(wanted).pk.startsWith('ATT#'))
        await new Promise<void>((resolve) => world.scheduler.at(world.now + SECOND, resolve));
      return write(wanted, options);
    };
    const begun = world.now;
    expect(await run(() => false)).toBe(0);
    expect(world.now - begun).toBeLessThan(15 * SECOND);
    expect(await done()).toEqual(everything);
    const end = Math.ceil(world.now / 1000) + 30 * 86_400;
    const shortened = attempts.filter((key) => Number(world.store.peek(key)?.expiresAt) <= end);
    expect(shortened.length).toBeGreaterThan(5);
    expect(shortened.length).toBeLessThan(20);
  });

  test('that cannot read one of its lists works off the others', async () => {
    const { world, run, done } = await oneOfEach();
    const gsi3pk = world.store.peek(accountKey('account'))?.gsi3pk;
    expect(await run((pk) => pk.startsWith('DUE#account#') && pk !== gsi3pk)).toBeGreaterThan(0);
    expect(await done()).toEqual(everything);
  });

  test('does not wait for one account that the table does not give', async () => {
    const { world, run, done } = await oneOfEach();
    for (const account of ['x', 'y', 'z']) {
      await world.addAccount(account, 'main');
      await world.store.write(update(accountKey(account), [set('gsi3sk', dueSortKey(world.now - HOUR))]));
    }
    const begun = world.now;
    const stuck = ['ACC#x', 'ACC#y', 'ACC#z'];
    expect(await run((pk) => stuck.includes(pk))).toBe(3);
    expect(world.now - begun).toBeLessThan(15 * SECOND);
    expect(await done()).toEqual(everything);
  });
});

describe('what is due at a time that no honest clock writes', () => {
  test.each([
    ['in ten years', dueSortKey(Date.UTC(2036, 1))],
    ['in 30,000 years', dueSortKey(Number.MAX_SAFE_INTEGER)],
    ['never', dueSortKey(Number.POSITIVE_INFINITY)],
    ['at no time', dueSortKey(Number.NaN)],
    ['in words', 'tomorrow#'],
  ])('is seen to: an account due %s', async (_, gsi3sk) => {
    const world = new World();
    await world.addAccount('a', 'main', 1);
    world.faults = { ...noFaults, tickLost: 1 };
    const id = await world.sendNow('a');
    world.faults = noFaults;
    await world.store.write(update(accountKey('a'), [set('gsi3sk', gsi3sk)]));
    await world.run(2 * MINUTE);
    expect(stateOf(world, id)).toBe('sent');
    expect(world.invariants.violations).toEqual([]);
  });
});
