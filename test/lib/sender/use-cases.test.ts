import { describe, expect, test } from 'vitest';
import { audit } from '#lib/credits/audit.ts';
import { grant, listLedger, setQuota, showCredits } from '#lib/credits/credits.ts';
import { sendCreditState, sendState } from '#lib/domain/send/part.ts';
import { cancel, resend } from '#lib/outbox/cancel.ts';
import { shown } from '#lib/outbox/shown.ts';
import { accept } from '#lib/sender/accept.ts';
import { hold, pause, resume } from '#lib/sender/account.ts';
import { settleLate } from '#lib/sender/outcome.ts';
import { add, del, put, update } from '#lib/store/store.ts';
import { deleteAccount } from '#lib/tenants/accounts.ts';
import { obliging, unsure } from '#test/support/simulation/fake-provider.ts';
import { at, atCall, isDeletion, isIntentOfPart, once } from '#test/support/simulation/landmarks.ts';
import { hello, World, type WorldOptions } from '#test/support/simulation/world.ts';
import { fileAndText } from './scenarios.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

async function worldWith(credits: number, options?: WorldOptions): Promise<World> {
  const world = new World(options);
  await world.addAccount('a', 'main', credits);
  await world.addAccount('c', 'other', credits);
  return world;
}

/** Runs a use case on behalf of `main` and lets the world go on until it is done. */
const ask = <Result>(world: World, work: (ports: ReturnType<World['ports']>) => Promise<Result>) =>
  world.until(world.spawn('ask', undefined, work));

const stateOf = (world: World, messageId: string) => {
  const { parts } = world.message(messageId);
  return `${sendState(parts)}/${sendCreditState(parts)}`;
};

async function expectSound(world: World): Promise<void> {
  expect(world.invariants.violations).toEqual([]);
  expect(await audit(world.honest(), 'main')).toMatchObject({ ok: true, differences: [], complete: true });
}

/** The provider's webhook on a message that it took. */
async function tell(world: World, messageId: string, status: 'failed'): Promise<void> {
  const taken = world.provider.taken.find((one) => one.messageId === messageId);
  if (!taken) throw new Error(`${messageId} did not go out`);
  world.status(taken, status);
  await world.run(SECOND);
}

describe('a file and its text', () => {
  test('go one after the other, each at its distance', async () => {
    const world = await worldWith(5);
    const id = await world.sendNow('a', fileAndText);
    await world.run(10 * SECOND);
    expect(world.provider.calls.map((call) => call.part)).toEqual([0, 1]);
    expect(stateOf(world, id)).toBe('sent/spent');
    await expectSound(world);
  });

  test.each([
    ['is refused', { kind: 'refused', reason: 'not a direct download' }],
    ['cannot be fetched twice', { kind: 'unavailable', reason: 'http 503' }],
  ] as const)(
    'fail by themselves: if the file %s, it fails without a call, and the text is sent',
    async (_, fetched) => {
      const world = await worldWith(5);
      world.fetch = () => fetched;
      const id = await world.sendNow('a', fileAndText);
      const next = await world.sendNow('a');
      await world.run(5 * SECOND);
      expect(stateOf(world, id)).toBe('partially_sent/partly_refunded');
      expect(world.message(id).parts.map(({ state, error }) => [state, error])).toEqual([
        ['failed', fetched.reason],
        ['sent', undefined],
      ]);
      expect(world.provider.calls.map(({ messageId, part }) => [messageId, part])).toEqual([
        [id, 1],
        [next, 0],
      ]);
      expect(world.store.peek({ pk: 'WS#main', sk: 'QUOTA#lifetime' })?.available).toBe(3);
      await expectSound(world);
    },
  );

  test('fail by themselves: if the provider rejects the file, the text is sent, and the file alone again', async () => {
    const world = await worldWith(5);
    const rejected = { ...unsure, outcome: { kind: 'rejected', reason: 'too big' }, takes: false } as const;
    world.provider.behave = (_, { part }) => (part === 0 ? rejected : obliging);
    const id = await world.sendNow('a', fileAndText);
    await world.run(5 * SECOND);
    expect(stateOf(world, id)).toBe('partially_sent/partly_refunded');
    world.provider.behave = () => obliging;
    const again = await ask(world, (ports) => resend(ports, 'main', id, world.config));
    if (again.kind !== 'accepted') throw new Error(again.kind);
    await world.run(5 * SECOND);
    expect(world.message(again.messageId).parts.map(({ kind, state }) => [kind, state])).toEqual([['file', 'sent']]);
    expect(world.store.peek({ pk: 'WS#main', sk: 'QUOTA#lifetime' })?.available).toBe(3);
    await expectSound(world);
  });

  test('fail by themselves: if it shows late that the file did not go, the text is still sent', async () => {
    const world = await worldWith(5);
    once(world, atCall('provider', 'after'), 'kill');
    const id = await world.sendNow('a', fileAndText);
    await world.run(5 * SECOND);
    expect(world.message(id).parts.map(({ state }) => state)).toEqual(['sending', 'queued']);
    const { intentAt = 0 } = world.message(id).parts[0] ?? {};
    const ending = { kind: 'failed', reason: 'too big' } as const;
    await ask(world, (ports) => settleLate(ports, { send: world.message(id), index: 0 }, intentAt, ending));
    expect(world.message(id).parts.map(({ state }) => state)).toEqual(['failed', 'queued']);
    await world.run(5 * MINUTE);
    expect(stateOf(world, id)).toBe('partially_sent/partly_refunded');
    await expectSound(world);
  });

  test('are sent again though the provider has them under an id, where it says that they failed', async () => {
    const world = await worldWith(5);
    const id = await world.sendNow('a');
    await world.run(5 * SECOND);
    await tell(world, id, 'failed');
    expect(world.message(id).parts).toMatchObject([{ state: 'failed', providerId: '3EB01' }]);
    expect(await ask(world, (ports) => resend(ports, 'main', id, world.config))).toMatchObject({ kind: 'accepted' });
    await expectSound(world);
  });

  test('fail together where both go in one call', async () => {
    const world = await worldWith(5);
    world.fetch = () => ({ kind: 'refused', reason: 'a page' });
    const captioned = { kind: 'file', url: 'https://files.test/a', name: 'a', caption: 'hello', credits: 2 } as const;
    const id = await world.sendNow('a', { parts: [captioned] });
    await world.run(5 * SECOND);
    expect(stateOf(world, id)).toBe('failed/refunded');
    expect(world.store.peek({ pk: 'WS#main', sk: 'QUOTA#lifetime' })?.available).toBe(5);
    await expectSound(world);
  });

  test('the text goes on behind a file whose fate is unknown', async () => {
    const world = await worldWith(5);
    world.provider.behave = (_, { part }) => (part === 0 ? unsure : obliging);
    const id = await world.sendNow('a', fileAndText);
    await world.run(5 * SECOND);
    expect(world.message(id).parts.map((part) => part.state)).toEqual(['unknown', 'sent']);
    await expectSound(world);
  });

  test('one credit comes back if the text alone fails', async () => {
    const world = await worldWith(5);
    const rejected = { ...unsure, outcome: { kind: 'rejected', reason: 'blocked' }, takes: false } as const;
    world.provider.behave = (_, { part }) => (part === 0 ? obliging : rejected);
    const id = await world.sendNow('a', fileAndText);
    await world.run(5 * SECOND);
    expect(stateOf(world, id)).toBe('partially_sent/partly_refunded');
    await expectSound(world);
  });

  test('the text can be cancelled behind a file that was sent', async () => {
    const world = await worldWith(5);
    const id = await world.sendNow('a', fileAndText);
    await world.run(SECOND);
    expect(await ask(world, (ports) => cancel(ports, 'main', id, world.config))).toBe('cancelled');
    await world.run(5 * SECOND);
    expect(stateOf(world, id)).toBe('partially_sent/partly_refunded');
    await expectSound(world);
  });

  test('six broken files in a row end a tick and not the queue', async () => {
    const world = await worldWith(20);
    world.fetch = (url) => (url.includes('bad') ? { kind: 'refused', reason: 'a page' } : { ...good, name: url });
    const file = (url: string) => ({ parts: [{ kind: 'file', url, name: 'a' }] as const });
    for (let i = 0; i < 7; i += 1) await world.sendNow('a', file('bad'));
    const id = await world.sendNow('a', file('good'));
    await world.run(20 * SECOND);
    expect(stateOf(world, id)).toBe('sent/spent');
    await expectSound(world);
  });
});

describe('a file that ends every run that prepares it', () => {
  const poison = { parts: [{ kind: 'file', url: 'https://files.test/poison', name: 'a' }] as const };
  async function poisoned(options?: WorldOptions): Promise<World> {
    const world = await worldWith(5, options);
    world.scheduler.accident = (_, { call, detail }) =>
      call === 'fetch' && String(detail).endsWith('poison') ? 'kill' : undefined;
    return world;
  }

  test('has failed after five of them, and what waits behind it is sent', async () => {
    const world = await poisoned();
    const first = await world.sendNow('a', poison);
    const second = await world.sendNow('a');
    await world.run(20 * MINUTE);
    expect([stateOf(world, first), stateOf(world, second)]).toEqual(['failed/refunded', 'sent/spent']);
    expect(world.message(first).parts[0]?.error).toBe('it could not be prepared');
    await expectSound(world);
  });

  test('does not make ticks multiply', async () => {
    const world = await poisoned({ config: { crashesPerPart: 1_000 } });
    await world.sendNow('a', poison);
    await world.run(HOUR);
    const before = world.queue.sent;
    await world.run(HOUR);
    expect(world.queue.sent - before).toBeLessThan(5 * 60);
  });

  test('is not blamed for runs that died in their call', async () => {
    const world = await worldWith(9);
    let calls = 0;
    world.scheduler.accident = (_, { call, moment }) =>
      call === 'provider' && moment === 'before' && ++calls < 7 ? 'kill' : undefined;
    const files = [];
    for (let i = 0; i < 7; i += 1)
      files.push(await world.sendNow('a', { parts: [{ ...poison.parts[0], url: 'good' }] }));
    await world.run(30 * MINUTE);
    expect(files.map((id) => stateOf(world, id))).toEqual([...Array(6).fill('unknown/reserved'), 'sent/spent']);
  });
});

test('a file is blamed for the runs that died while they prepared it, and for no other', {
  timeout: 60_000,
}, async () => {
  const world = await worldWith(5);
  let deaths = 0;
  world.scheduler.accident = (_, point) => {
    const dies = deaths < 6 ? at(isIntentOfPart, 'before')(point) : deaths < 7 && atCall('fetch', 'before')(point);
    if (!dies) return undefined;
    deaths += 1;
    return 'kill';
  };
  const id = await world.sendNow('a', { parts: [{ kind: 'file', url: 'https://files.test/a.pdf', name: 'a.pdf' }] });
  await world.run(30 * MINUTE);
  expect([deaths, stateOf(world, id)]).toEqual([7, 'sent/spent']);
  await expectSound(world);
});

const good = { kind: 'ok', mimeType: 'text/plain', bytes: new Uint8Array(1) } as const;

/** A message of another account, as far as it is read. */
const elsewhere = {
  workspace: 'nobody',
  accountId: 'x',
  provider: 'fake',
  scope: 'x',
  recipient: {},
  epoch: 'lifetime',
  seq: 1,
  createdAt: 1,
  parts: [],
  history: [],
};

describe('an unknown outcome', () => {
  test('expires with its credit back when there is no evidence', async () => {
    const world = await worldWith(5, { config: { unknownLimitMs: HOUR } });
    world.provider.behave = () => unsure;
    const id = await world.sendNow('a');
    await world.run(59 * MINUTE);
    expect(stateOf(world, id)).toBe('unknown/reserved');
    await world.run(3 * MINUTE);
    expect(stateOf(world, id)).toBe('expired/refunded');
    expect(world.provider.calls.length).toBe(1);
    await expectSound(world);
  });

  test('is settled by an echo that can only be its own', async () => {
    const world = await worldWith(5);
    world.provider.behave = () => unsure;
    const id = await world.sendNow('a');
    await world.run(5 * SECOND);
    await world.until(world.echo(hello(world, 'P0', { text: 'other' })));
    await world.until(world.echo(hello(world, 'P0', { phone: '+14151239999' })));
    expect(stateOf(world, id)).toBe('unknown/reserved');
    await world.until(world.echo(hello(world, 'P1')));
    expect(stateOf(world, id)).toBe('sent/spent');
    world.status({ account: 'a', providerId: 'P1' }, 'read');
    await world.run(2 * MINUTE);
    expect(stateOf(world, id)).toBe('read/spent');
    await expectSound(world);
  });

  test('takes no name that another message has', async () => {
    const world = await worldWith(5);
    world.provider.behave = () => unsure;
    const first = await world.sendNow('a');
    await world.run(5 * SECOND);
    world.provider.behave = () => obliging;
    const second = await world.sendNow('a');
    await world.run(5 * SECOND);
    world.provider.lists = () => [{ providerId: '3EB02' }];
    await world.run(3 * MINUTE);
    expect([stateOf(world, first), stateOf(world, second)]).toEqual(['unknown/reserved', 'sent/spent']);
    await expectSound(world);
  });

  test('is found by its echo however many others are looked for', { timeout: 60_000 }, async () => {
    const world = await worldWith(5);
    world.provider.behave = () => unsure;
    const id = await world.sendNow('a');
    await world.run(5 * SECOND);
    const gsi3pk = world.store.peek({ pk: `MSG#${id}`, sk: 'META' })?.gsi3pk;
    for (let i = 0; i < 600; i += 1) {
      const earlier = { pk: `MSG#${i}`, sk: 'META', gsi3pk, gsi3sk: '000' };
      await world.store.write(put({ ...earlier, ...elsewhere, messageId: String(i) }));
    }
    await world.until(world.echo(hello(world, '3EB01')));
    expect(stateOf(world, id)).toBe('sent/spent');
  });

  test('is not settled by an echo that fits two', async () => {
    const world = await worldWith(5);
    world.provider.behave = () => unsure;
    const ids = [await world.sendNow('a'), await world.sendNow('a')];
    await world.run(10 * SECOND);
    await world.until(world.echo(hello(world, 'P1')));
    await world.run(40 * MINUTE);
    for (const id of ids) expect(stateOf(world, id)).toBe('unknown/reserved');
  });

  test('can be resent once, by an operator, as a new send', async () => {
    const world = await worldWith(5);
    world.provider.behave = () => unsure;
    const id = await world.sendNow('a');
    await world.run(5 * SECOND);
    world.provider.behave = () => obliging;
    const first = await ask(world, (ports) => resend(ports, 'main', id, world.config));
    const second = await ask(world, (ports) => resend(ports, 'main', id, world.config));
    if (first.kind !== 'accepted') throw new Error(`the resend was ${first.kind}`);
    expect(second).toEqual({ kind: 'resent already', messageId: first.messageId });
    await world.run(5 * SECOND);
    expect(stateOf(world, first.messageId)).toBe('sent/spent');
    expect(world.message(first.messageId).resendOf).toBe(id);
    expect(await ask(world, (ports) => resend(ports, 'main', first.messageId, world.config))).toEqual({
      kind: 'nothing failed',
    });
    expect((await ask(world, (ports) => resend(ports, 'other', id, world.config))).kind).toBe('not found');
    await expectSound(world);
  });
});

describe('a blocked account', () => {
  test('takes messages and sends them after a resume', async () => {
    const world = await worldWith(5);
    await ask(world, (ports) => pause(ports, 'a', 'lunch', world.config));
    const id = await world.sendNow('a');
    await world.run(5 * MINUTE);
    expect(stateOf(world, id)).toBe('queued/reserved');
    expect(await ask(world, (ports) => resume(ports, 'a', world.config))).toBe('changed');
    await world.run(2 * SECOND);
    expect(stateOf(world, id)).toBe('sent/spent');
    expect(await ask(world, (ports) => resume(ports, 'a', world.config))).toBe('unchanged');
    expect(world.account('a').pauseReason).toBeUndefined();
    await expectSound(world);
  });

  test('is asked after 1, 5 and every 30 minutes until the provider clears it, and stays paused', async () => {
    const world = await worldWith(5);
    const asked: number[] = [];
    const start = world.now;
    world.probe = () => {
      asked.push(Math.floor((world.now - start) / MINUTE));
      return asked.length < 4 ? { kind: 'held', reason: 'still' } : { kind: 'ok' };
    };
    await ask(world, (ports) => hold(ports, 'a', 'logged out', world.config));
    await ask(world, (ports) => pause(ports, 'a', 'lunch', world.config));
    const id = await world.sendNow('a');
    await world.run(2 * HOUR);
    // The watchdog comes once a minute, so each comes with the first round after its time.
    expect(asked).toEqual([2, 8, 39, 70]);
    expect(world.account('a')).toMatchObject({ held: false, paused: true });
    expect(stateOf(world, id)).toBe('queued/reserved');
    await expectSound(world);
  });

  test('is asked ever less often while its provider answers the probes and refuses to send', {
    timeout: 30_000,
  }, async () => {
    const world = await worldWith(5);
    world.provider.behave = () => ({ ...unsure, outcome: { kind: 'hold', reason: 'http 466' }, takes: false });
    const id = await world.sendNow('a');
    await world.run(DAY);
    expect(world.provider.calls.length).toBeLessThan(55);
    expect(world.provider.calls.length).toBeGreaterThan(40);
    world.provider.behave = () => obliging;
    await world.run(HOUR);
    expect(stateOf(world, id)).toBe('sent/spent');
    world.provider.behave = () => ({ ...unsure, outcome: { kind: 'hold', reason: 'http 466' }, takes: false });
    await world.sendNow('a');
    await world.run(3 * MINUTE);
    expect(world.account('a').held).toBe(true);
    expect(world.account('a').holdsRunning).toBeLessThan(3);
    await expectSound(world);
  });

  test('five connection failures in a row hold it', async () => {
    const world = await worldWith(5);
    world.probe = () => ({ kind: 'unknown' });
    world.provider.behave = () => ({
      outcome: { kind: 'retry', reason: 'no connection: dns', holdAfter: 5 },
      latencyMs: 20,
      takes: false,
    });
    const id = await world.sendNow('a');
    await world.run(10 * MINUTE);
    expect(world.provider.calls.length).toBe(5);
    expect(world.account('a')).toMatchObject({ held: true, holdReason: 'no connection: dns' });
    expect(stateOf(world, id)).toBe('queued/reserved');
    await expectSound(world);
  });
});

test('a message that is throttled for a day has failed', async () => {
  const world = await worldWith(5, { watchdog: false });
  world.provider.behave = () => ({ outcome: { kind: 'retry', reason: 'http 429' }, latencyMs: 20, takes: false });
  const id = await world.sendNow('a');
  await world.run(DAY + HOUR);
  expect(stateOf(world, id)).toBe('failed/refunded');
  expect(world.message(id).history.length).toBeLessThan(6);
  await expectSound(world);
});

describe('accepting', () => {
  test('says that an account of another workspace, or none, is gone', async () => {
    const world = await worldWith(5);
    const parts = [{ kind: 'text', text: 'x' }] as const;
    for (const account of ['c', 'nobody']) {
      const request = { workspace: 'main', account, recipient: { phone: '+1' }, parts };
      const accepting = world.spawn('accept', 'main', (ports) => accept(request, ports, world.config));
      expect(await world.until(accepting)).toEqual({ kind: 'account gone' });
    }
    expect(world.account('c').tailSeq).toBe(0);
    await expectSound(world);
  });

  test('refuses what the queue has no room for', async () => {
    const world = await worldWith(9, { config: { queueLimit: 3 } });
    await ask(world, (ports) => pause(ports, 'a', 'test', world.config));
    await world.sendNow('a', fileAndText);
    expect((await world.until(world.send('a', fileAndText))).kind).toBe('queue full');
    await world.sendNow('a');
    expect((await world.until(world.send('a', { parts: [{ kind: 'text', text: 'x' }] }))).kind).toBe('queue full');
    await expectSound(world);
  });

  test('starts the account that has the message, when a key comes again for another', async () => {
    const world = await worldWith(9, { watchdog: false });
    await world.addAccount('b', 'main');
    const keyed = {
      parts: [{ kind: 'text', text: 'x' }],
      idempotency: { webhook: 'w', key: 'k', requestHash: '1' },
    } as const;
    once(world, atCall('ticks', 'before'), 'kill');
    world.begin(world.send('a', keyed));
    await world.run(SECOND);
    const id = await world.sendNow('b', keyed);
    await world.run(5 * SECOND);
    expect(stateOf(world, id)).toBe('sent/spent');
    expect([world.account('a').chain, world.account('b').gen]).toEqual(['IDLE', 0]);
    expect(world.counted.get('SendAccepted')).toBe(1);
    await expectSound(world);
  });

  test('takes an idempotency key anew after a day', async () => {
    const world = await worldWith(9, { watchdog: false });
    const keyed = { idempotency: { webhook: 'w', key: 'k', requestHash: '1' } };
    const first = await world.sendNow('a', keyed);
    await world.run(DAY - HOUR);
    expect(await world.sendNow('a', keyed)).toBe(first);
    await world.run(2 * HOUR);
    expect(await world.sendNow('a', keyed)).not.toBe(first);
  });
});

describe('credits', () => {
  test('of a month are granted with its first message, charged and refunded there', async () => {
    const world = await worldWith(0, { watchdog: false, config: { unknownLimitMs: HOUR } });
    await ask(world, (ports) => setQuota(ports, 'main', { kind: 'monthly', credits: 2 }, world.config));
    world.provider.behave = () => unsure;
    const id = await world.sendNow('a');
    await world.run(9 * DAY + 13 * HOUR);
    await world.until(world.watch());
    expect(stateOf(world, id)).toBe('expired/refunded');
    world.provider.behave = () => obliging;
    const answers = [];
    for (let i = 0; i < 3; i += 1) {
      answers.push((await world.until(world.send('a', { parts: [{ kind: 'text', text: 'x' }] }))).kind);
    }
    expect(answers).toEqual(['accepted', 'accepted', 'no credit']);
    await world.run(10 * SECOND);
    expect(await ask(world, (ports) => showCredits(ports, 'main', world.config))).toEqual({
      epoch: '2026-12',
      granted: 2,
      available: 0,
      reserved: 0,
      spent: 2,
      quota: { kind: 'monthly', credits: 2 },
    });
    expect(world.store.peek({ pk: 'WS#main', sk: 'QUOTA#2026-11' })).toMatchObject({ granted: 2, available: 2 });
    await expectSound(world);
  });

  test('raised during a month count at once, lowered ones from the next', async () => {
    const world = await worldWith(0);
    const quota = (credits: number) =>
      ask(world, (ports) => setQuota(ports, 'main', { kind: 'monthly', credits }, world.config));
    await quota(2);
    await quota(5);
    expect(world.store.peek({ pk: 'WS#main', sk: 'QUOTA#2026-11' })).toMatchObject({ granted: 5, available: 5 });
    await quota(1);
    expect(world.store.peek({ pk: 'WS#main', sk: 'QUOTA#2026-11' })).toMatchObject({ granted: 5, available: 5 });
    await expectSound(world);
  });

  test.each([
    ['a grant, then a quota', ['grant', 5], 8],
    ['a quota, then a grant', [5, 'grant'], 8],
    ['a quota of nothing, a grant, then a quota', [0, 'grant', 5], 8],
    ['a grant under a quota of nothing, and quotas up and down', [0, 'grant', 5, 2, 5, 'grant', 7], 13],
    ['a grant, prepaid for a while, then a quota', [0, 'grant', 'prepaid', 5], 8],
    ['a quota of nothing from the month before, a grant, then a quota', [0, 'a month', 'grant', 5], 8],
    ['a quota from the month before, a grant, then a higher one', [5, 'a month', 'grant', 7], 10],
  ] as const)('of a month are its quota and what was granted: %s', async (_, steps, granted) => {
    const world = await worldWith(0, { watchdog: false });
    for (const step of steps) {
      if (step === 'a month') await world.run(20 * DAY);
      else
        await ask<unknown>(world, (ports) => {
          if (step === 'grant') return grant(ports, 'main', { credits: 3, reason: 'bought' }, world.config);
          const quota = step === 'prepaid' ? { kind: step } : ({ kind: 'monthly', credits: step } as const);
          return setQuota(ports, 'main', quota, world.config);
        });
    }
    // Before the first quota, a grant is for life.
    const lifetime = steps[0] === 'grant' ? 3 : 0;
    const month = new Date(world.now).toISOString().slice(0, 7);
    const item = world.store.peek({ pk: 'WS#main', sk: `QUOTA#${month}` });
    expect(item).toMatchObject({ granted: granted - lifetime, available: granted - lifetime });
    await expectSound(world);
  });

  test('are shown with what is reserved, and the ledger tells how they came and went', async () => {
    const world = await worldWith(5);
    await ask(world, (ports) => pause(ports, 'a', 'test', world.config));
    const id = await world.sendNow('a', fileAndText);
    const numbers = { granted: 5, available: 3, reserved: 2, spent: 0 };
    expect(await ask(world, (ports) => showCredits(ports, 'main', world.config))).toMatchObject(numbers);
    await ask(world, (ports) => cancel(ports, 'main', id, world.config));
    await ask(world, (ports) => grant(ports, 'main', { credits: 7, reason: 'bought' }, world.config));
    const { items } = await listLedger(world.store, 'main', { limit: 10 });
    expect(items.map(({ kind, credits }) => [kind, credits])).toEqual([
      ['grant', 7],
      ['refund', 2],
      ['reserve', 2],
      ['grant', 5],
    ]);
    await expectSound(world);
  });

  test('that were spent are counted, and no longer once they are given back, also by who is late', async () => {
    const world = await worldWith(9);
    const spent = async () => (await ask(world, (ports) => showCredits(ports, 'main', world.config))).spent;
    const delivered = await world.sendNow('a', fileAndText);
    const failing = await world.sendNow('a');
    await world.run(10 * SECOND);
    expect(await spent()).toBe(3);
    await tell(world, failing, 'failed');
    expect([await spent(), stateOf(world, delivered), stateOf(world, failing)]).toEqual([
      ...[2, 'sent/spent', 'failed/refunded'],
    ]);
    world.provider.behave = () => unsure;
    const late = await world.sendNow('a');
    await world.run(10 * SECOND);
    await world.until(world.echo(hello(world, '3EB04')));
    expect([await spent(), stateOf(world, late)]).toEqual([3, 'sent/spent']);
    await expectSound(world);
  });

  test('that an account has spent are counted when it is gone, whatever becomes of them then', async () => {
    const world = await worldWith(9);
    const spent = async () => (await ask(world, (ports) => showCredits(ports, 'main', world.config))).spent;
    const [failing] = [await world.sendNow('a'), await world.sendNow('a')];
    await world.run(10 * SECOND);
    world.provider.behave = () => unsure;
    const late = await world.sendNow('a');
    await world.run(10 * SECOND);
    expect(await ask(world, (ports) => deleteAccount(ports, 'a', world.config))).toBe('deleted');
    await world.store.write(del({ pk: 'WS#main', sk: 'ACCOUNT#a' }));
    expect(await spent()).toBe(2);
    await tell(world, failing, 'failed');
    expect([await spent(), stateOf(world, failing)]).toEqual([1, 'failed/refunded']);
    await world.until(world.echo(hello(world, '3EB03')));
    expect([await spent(), stateOf(world, late)]).toEqual([2, 'sent/spent']);
    await expectSound(world);
  });

  test('that are spent while their account is being deleted are not lost', async () => {
    const world = await worldWith(9);
    world.provider.behave = () => unsure;
    const late = await world.sendNow('a');
    await world.run(10 * SECOND);
    once(world, at(isDeletion, 'before'), { stallMs: SECOND }, () => world.begin(world.echo(hello(world, '3EB01'))));
    expect(await ask(world, (ports) => deleteAccount(ports, 'a', world.config))).toBe('deleted');
    await world.run(SECOND);
    expect(stateOf(world, late)).toBe('sent/spent');
    expect(world.store.peek({ pk: 'WS#main', sk: 'QUOTA#lifetime' })).toMatchObject({ spent: 1 });
    await expectSound(world);
  });

  test('that do not add up are found by the audit', async () => {
    const world = await worldWith(5);
    await world.sendNow('a');
    await world.run(5 * SECOND);
    await world.store.write(update({ pk: 'WS#main', sk: 'QUOTA#lifetime' }, [add('available', 1)]));
    await world.store.write(update({ pk: 'ACC#a', sk: 'META' }, [add('pending', 1)]));
    const { ok, differences } = await audit(world.honest(), 'main');
    expect(ok).toBe(false);
    expect(differences).toHaveLength(3);
  });

  test('that do not add up are found while the hub goes on', async () => {
    const world = await worldWith(50);
    await world.sendNow('a');
    await world.run(5 * SECOND);
    await world.store.write(update({ pk: 'WS#main', sk: 'QUOTA#lifetime' }, [add('available', 1)]));
    // Grants while it looks: what is off stays off by one, the numbers around it move.
    let grants = 0;
    const { ok, differences } = await ask(world, (ports) => {
      const query: typeof ports.store.query = async (which) => {
        if (which.prefix === 'QUOTA#' && grants++ < 9) await world.grant('main', 3);
        return ports.store.query(which);
      };
      return audit({ ...ports, store: { ...ports.store, query } }, 'main');
    });
    expect([ok, differences.length]).toEqual([false, 2]);
  });
});

test('an account with a queue is not deleted, one without is', async () => {
  const world = await worldWith(5);
  await ask(world, (ports) => pause(ports, 'a', 'test', world.config));
  const id = await world.sendNow('a');
  expect(await ask(world, (ports) => deleteAccount(ports, 'a', world.config))).toBe('busy');
  await ask(world, (ports) => cancel(ports, 'main', id, world.config));
  expect(await ask(world, (ports) => deleteAccount(ports, 'a', world.config))).toBe('deleted');
  expect(await ask(world, (ports) => deleteAccount(ports, 'a', world.config))).toBe('gone');
  await world.run(5 * MINUTE);
  expect(world.store.peek({ pk: 'ACC#a', sk: 'META' })).toBeUndefined();
});

test('a send is shown with its place in the queue and about when its turn comes', async () => {
  const world = await worldWith(9);
  world.provider.behave = () => ({ ...obliging, latencyMs: 5 * SECOND });
  const ids = [await world.sendNow('a'), await world.sendNow('a', fileAndText), await world.sendNow('a')];
  const sends = ids.map((id) => world.message(id));
  const show = () => shown(world.store, sends, world.now);
  const [sending, second, third] = await show();
  expect(sending).toMatchObject({ state: 'sending', creditState: 'reserved', credits: 1 });
  expect(second).toMatchObject({ state: 'queued', position: 2, credits: 2 });
  expect(third).toMatchObject({ state: 'queued', position: 4 });
  expect(Date.parse(third?.etaAt ?? '')).toBeGreaterThan(Date.parse(second?.etaAt ?? ''));
  await ask(world, (ports) => pause(ports, 'a', 'test', world.config));
  const [, paused] = await show();
  expect(paused?.etaAt).toBeUndefined();
});

test('a status that was told while its message was being accepted is found by the watchdog', async () => {
  const world = await worldWith(5);
  world.provider.behave = () => ({ ...obliging, latencyMs: 500, statuses: [{ status: 'read', afterMs: 0 }] });
  // The run dies between its outcome and the look at the statuses.
  world.scheduler.accident = (process, { call, moment, detail }) =>
    process.name === 'tick' && call === 'get' && moment === 'before' && JSON.stringify(detail).includes('PID#')
      ? 'kill'
      : undefined;
  const id = await world.sendNow('a');
  await world.run(10 * SECOND);
  expect(stateOf(world, id)).toBe('sent/spent');
  await world.run(3 * MINUTE);
  expect(stateOf(world, id)).toBe('read/spent');
  expect(world.store.all().filter((item) => String(item.gsi3pk).startsWith('DUE#status'))).toEqual([]);
  await expectSound(world);
});

test('statuses of messages that are not ours are looked at once more, and then no longer', async () => {
  const world = await worldWith(5);
  world.status({ account: 'a', providerId: 'by hand' }, 'read');
  await world.run(SECOND);
  const waiting = () => world.store.all().filter((item) => String(item.gsi3pk).startsWith('DUE#status')).length;
  expect(waiting()).toBe(1);
  const before = world.store.requests;
  await world.run(10 * MINUTE);
  // The other write says that the night's retention has been applied.
  expect([waiting(), world.store.requests - before]).toEqual([0, 2]);
});

test('a queue that does not say what `pending` says is reported and left to the watchdog', async () => {
  const world = await worldWith(5);
  await world.store.write(update({ pk: 'ACC#a', sk: 'META' }, [add('pending', 1)]));
  const id = await world.sendNow('a');
  await world.run(10 * SECOND);
  expect(stateOf(world, id)).toBe('sent/spent');
  expect(world.counted.get('QueueInconsistent')).toBe(1);
  expect(world.account('a').leaseId).toBeUndefined();
  expect(world.errors).toEqual([]);
});

test('an echo that may be of a message under way is nobody else’s evidence', async () => {
  const world = await worldWith(5);
  world.provider.behave = () => unsure;
  const first = await world.sendNow('a');
  await world.run(5 * SECOND);
  world.provider.behave = () => ({ ...obliging, latencyMs: 2 * SECOND });
  const second = await world.sendNow('a');
  await world.run(SECOND);
  expect(stateOf(world, second)).toBe('sending/reserved');
  await world.until(world.echo(hello(world, '3EB02')));
  await world.run(5 * SECOND);
  expect([stateOf(world, first), stateOf(world, second)]).toEqual(['unknown/reserved', 'sent/spent']);
  await expectSound(world);
});
