import { beforeEach, describe, expect, test } from 'vitest';
import type { Status } from '#lib/domain/send/part.ts';
import { sendCreditState, sendState } from '#lib/domain/send/part.ts';
import { deliveryReport, noteStatus } from '#lib/inbox/delivery-state.ts';
import { resend } from '#lib/outbox/cancel.ts';
import { emptySend, NONE } from '#lib/privacy/forget.ts';
import { pause, resume } from '#lib/sender/account.ts';
import { readProviderMessage } from '#lib/sender/items.ts';
import { onStatus, settleLate, takeAnswer } from '#lib/sender/outcome.ts';
import type { Candidate } from '#lib/sender/provider.ts';
import { sentEventId } from '#lib/sender/sent-event.ts';
import { sendKey, stateKey } from '#lib/store/keys.ts';
import { put, set, update } from '#lib/store/store.ts';
import { obliging, unsure } from '#test/support/simulation/fake-provider.ts';
import type { Write } from '#test/support/simulation/faulty-store.ts';
import { at, atCall, once } from '#test/support/simulation/landmarks.ts';
import { hello, World } from '#test/support/simulation/world.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const recipient = { phone: '+4915212345678', chat: 'chat_1', provider_chat: '4915212345678@c.us' };

let world: World;

beforeEach(async () => {
  world = new World({ config: { unknownLimitMs: HOUR } });
  await world.addAccount('a', 'main', 10);
});

const ask = <Result>(work: (ports: ReturnType<World['ports']>) => Promise<Result>) =>
  world.until(world.spawn('ask', undefined, work));
/** Tells of a message when it went out, however late it comes. */
const echo = (providerId: string, text = 'hello', skewMs = 0) => {
  const { at = world.now } = world.provider.taken.find((one) => one.providerId === providerId) ?? {};
  return world.until(world.echo({ ...hello(world, providerId, { text, phone: recipient.phone }), at }, skewMs));
};
const resending = (id: string) => ask((ports) => resend(ports, 'main', id, world.config));
const key = (providerId: string) => stateKey({ workspace: 'main', provider: 'fake', scope: 'a' }, providerId);

/** By the provider's own clock, `at` milliseconds after now. */
async function told(providerId: string, state: Status, at = 0, isTheirs = true): Promise<void> {
  await ask(async (ports) => {
    const life = { isTheirs };
    const item = await noteStatus(ports.store, key(providerId), { state, messageId: providerId }, world.now + at, life);
    if (item) await onStatus(ports, key(providerId), readProviderMessage(item), world.config);
  });
}

const standing = (id: string) => {
  const { parts } = world.message(id);
  return `${sendState(parts)}/${sendCreditState(parts)}`;
};
const history = (id: string) => world.message(id).history.map(({ state }) => state);
const available = () => world.store.peek({ pk: 'WS#main', sk: 'QUOTA#lifetime' })?.available;

async function expired(): Promise<string> {
  world.provider.behave = () => unsure;
  const id = await world.sendNow('a', { recipient });
  await world.run(HOUR + 10 * MINUTE);
  expect(standing(id)).toBe('expired/refunded');
  return id;
}

test('what certainly did not go out is not taken for the same words of somebody else', async () => {
  world.provider.behave = () => unsure;
  const id = await world.sendNow('a', { recipient });
  await world.run(10 * SECOND);
  const { intentAt = 0 } = world.message(id).parts[0] ?? {};
  const refused = { kind: 'failed', reason: 'http 429' } as const;
  await ask((ports) => settleLate(ports, { send: world.message(id), index: 0 }, intentAt, refused));
  expect(standing(id)).toBe('failed/refunded');
  expect(world.store.all().filter(({ sk }) => sk.startsWith('U#'))).toEqual([]);
  await world.until(
    world.echo({ ...hello(world, 'FOREIGN', { text: 'hello', phone: recipient.phone }), at: world.now }, 0),
  );
  expect(standing(id)).toBe('failed/refunded');
  expect(world.message(id).parts[0]).not.toHaveProperty('providerId');
});

describe('a message that has expired and went out after all', () => {
  test('is sent under its id once its echo comes, its credit stays back, and it cannot be sent again', async () => {
    const id = await expired();
    await echo('3EB01');
    expect(standing(id)).toBe('sent/refunded');
    expect(world.message(id).parts[0]).toMatchObject({ providerId: '3EB01' });
    expect(history(id)).toEqual(['queued', 'sending', 'unknown', 'expired', 'sent']);
    expect(await resending(id)).toMatchObject({ kind: 'nothing failed' });
    expect(available()).toBe(10);
    expect(world.invariants.violations).toEqual([]);
  });

  test('is delivered as soon as that is told, and stands in its chat', async () => {
    const id = await expired();
    await told('3EB01', 'delivered');
    await echo('3EB01');
    expect(standing(id)).toBe('delivered/refunded');
    expect(world.store.peek({ pk: `EVT#${sentEventId(id, 0)}`, sk: 'META' })).toBeDefined();
    await told('3EB01', 'read');
    expect(standing(id)).toBe('read/refunded');
    expect(available()).toBe(10);
  });

  test('leaves no mark for another echo', async () => {
    await expired();
    await echo('3EB01');
    expect(world.store.all().filter(({ sk }) => sk.startsWith('U#'))).toEqual([]);
  });

  test('is not sought for ever', async () => {
    const id = await expired();
    await echo('3EB01', 'hello', 4 * DAY);
    expect(standing(id)).toBe('expired/refunded');
  });

  test('is not given an echo that may be that of another message', async () => {
    const id = await expired();
    const second = await world.sendNow('a', { recipient });
    await world.run(10 * SECOND);
    await echo('3EB02');
    expect([standing(id), standing(second)]).toEqual(['expired/refunded', 'unknown/reserved']);
  });

  test('stays linked with the send that repeats it', async () => {
    const id = await expired();
    world.provider.behave = () => ({ ...unsure, outcome: { kind: 'accepted', providerId: '' } });
    expect(await resending(id)).toMatchObject({ kind: 'accepted' });
    await world.run(10 * SECOND);
    await echo('3EB01');
    expect(standing(id)).toBe('sent/refunded');
    expect(world.message(id).resentAs).toBeDefined();
    expect(world.invariants.violations).toEqual([]);
  });

  test('is told by a run that was suspended until then', async () => {
    world.zombies = true;
    world.provider.behave = () => ({ ...unsure, outcome: { kind: 'accepted', providerId: '' } });
    once(world, atCall('provider', 'after'), { stallMs: 3 * HOUR });
    const id = await world.sendNow('a', { recipient });
    await world.run(2 * HOUR);
    expect(standing(id)).toBe('expired/refunded');
    await world.run(2 * HOUR);
    expect(standing(id)).toBe('sent/refunded');
    expect(world.message(id).parts[0]).toMatchObject({ providerId: '3EB01' });
    expect(world.invariants.violations).toEqual([]);
  });

  test('has failed where a suspended run knows that it was refused', async () => {
    world.zombies = true;
    world.provider.behave = () => ({ outcome: { kind: 'rejected', reason: 'too long' }, latencyMs: 50, takes: false });
    once(world, atCall('provider', 'after'), { stallMs: 3 * HOUR });
    const id = await world.sendNow('a', { recipient });
    await world.run(5 * HOUR);
    expect(standing(id)).toBe('failed/refunded');
    expect(available()).toBe(10);
    expect(world.invariants.violations).toEqual([]);
  });
});

describe('a message that was sent again and went out after all', () => {
  const unanswered = { ...unsure, latencyMs: 50 } as const;
  const text = (id: string) => JSON.stringify(world.message(id).history);

  /** The one is unknown, the other waits on an account that is paused. */
  async function sentAgain(): Promise<[original: string, again: string]> {
    world.provider.behave = () => unanswered;
    const original = await world.sendNow('a', { recipient });
    await world.run(10 * SECOND);
    await ask((ports) => pause(ports, 'a', 'a test', world.config));
    const answer = await resending(original);
    if (answer.kind !== 'accepted') throw new Error(answer.kind);
    expect(available()).toBe(8);
    world.provider.behave = () => obliging;
    return [original, answer.messageId];
  }
  async function goOn(): Promise<void> {
    await ask((ports) => resume(ports, 'a', world.config));
    await world.run(MINUTE);
    expect(world.invariants.violations).toEqual([]);
  }

  test('is not sent a second time where that one still waits', async () => {
    const [original, again] = await sentAgain();
    await echo('3EB01');
    expect(standing(original)).toBe('sent/spent');
    await goOn();
    expect(standing(again)).toBe('cancelled/refunded');
    expect(text(again)).toContain('it repeats went out after all');
    expect(available()).toBe(9);
    expect(world.provider.calls.length).toBe(1);
  });

  /** The second is unknown as well, and a third waits. */
  async function sentThrice() {
    const [original, again] = await sentAgain();
    world.provider.behave = () => unanswered;
    await ask((ports) => resume(ports, 'a', world.config));
    await world.run(10 * SECOND);
    await ask((ports) => pause(ports, 'a', 'a test', world.config));
    const third = await resending(again);
    if (third.kind !== 'accepted') throw new Error(third.kind);
    world.provider.behave = () => obliging;
    return [original, again, third.messageId] as const;
  }
  const wentOut = (id: string) =>
    ask((ports) => {
      const { intentAt = 0 } = world.message(id).parts[0] ?? {};
      return settleLate(ports, { send: world.message(id), index: 0 }, intentAt, { kind: 'sent', providerId: '3EB01' });
    });
  test('is not sent a third time either', async () => {
    const ids = await sentThrice();
    await wentOut(ids[0]);
    await goOn();
    expect(ids.map(standing)).toEqual(['sent/spent', 'unknown/reserved', 'cancelled/refunded']);
    expect(world.provider.calls.length).toBe(2);
  });

  test.each([
    ['a second', wentOut, sentAgain],
    ['a third', wentOut, sentThrice],
  ])('is not sent %s time though whoever learned of it died at once', async (_, learn, sending) => {
    const ids = await sending();
    const isLearned = (write: Write) => write.kind === 'update' && write.key.pk === `MSG#${ids[0]}`;
    once(world, at(isLearned, 'after'), 'kill');
    world.begin(learn(ids[0]));
    await world.run(10 * SECOND);
    const last = ids.at(-1) ?? '';
    expect(standing(last)).toBe('queued/reserved');
    const calls = world.provider.calls.length;
    await goOn();
    expect(standing(last)).toBe('cancelled/refunded');
    expect(world.provider.calls.length).toBe(calls);
  });

  test('is told of where the other one is under way already', async () => {
    const [original, again] = await sentAgain();
    world.provider.behave = () => ({ ...obliging, latencyMs: 5 * SECOND });
    await ask((ports) => resume(ports, 'a', world.config));
    await world.run(3 * SECOND);
    expect(standing(again)).toBe('sending/reserved');
    await wentOut(original);
    await goOn();
    expect([standing(original), standing(again)]).toEqual(['sent/spent', 'sent/spent']);
  });

  test('is not sent a second time once it has an id, though nobody knows whether it went out', async () => {
    const [original, again] = await sentAgain();
    await world.store.write(update(sendKey(original), [set(['parts', 0, 'providerId'], '3EB01')]));
    await goOn();
    expect([standing(original), standing(again)]).toEqual(['unknown/reserved', 'cancelled/refunded']);
  });

  test('is not sent a second time where it counted as failed in between', async () => {
    const [original, again] = await sentAgain();
    const { intentAt = 0 } = world.message(original).parts[0] ?? {};
    const ending = { kind: 'failed', reason: 'it says so', providerId: '3EB01' } as const;
    await ask((ports) => settleLate(ports, { send: world.message(original), index: 0 }, intentAt, ending));
    expect([standing(original), standing(again)]).toEqual(['failed/refunded', 'queued/reserved']);
    await told('3EB01', 'delivered');
    await goOn();
    expect([standing(original), standing(again)]).toEqual(['delivered/refunded', 'cancelled/refunded']);
  });

  test('of a file and its text, only what went out is taken out of the queue', async () => {
    world.provider.behave = () => unanswered;
    const parts = [
      { kind: 'file', url: 'https://files.test/a.pdf', name: 'a.pdf' },
      { kind: 'text', text: 'hello' },
    ] as const;
    const original = await world.sendNow('a', { recipient, parts });
    await world.run(10 * SECOND);
    await ask((ports) => pause(ports, 'a', 'a test', world.config));
    const answer = await resending(original);
    if (answer.kind !== 'accepted') throw new Error(answer.kind);
    await echo('3EB02');
    world.provider.behave = () => obliging;
    await goOn();
    expect(world.message(answer.messageId).parts.map(({ state }) => state)).toEqual(['sent', 'cancelled']);
  });

  test('is not sent a second time where that is asked while it turns out', async () => {
    world.provider.behave = () => unanswered;
    const original = await world.sendNow('a', { recipient });
    await world.run(10 * SECOND);
    await ask((ports) => pause(ports, 'a', 'a test', world.config));
    const isLearned = (write: Write) => write.kind === 'update' && write.key.pk === `MSG#${original}`;
    once(world, at(isLearned, 'before'), { stallMs: 5 * SECOND });
    world.begin(wentOut(original));
    await world.run(SECOND);
    const answer = await resending(original);
    if (answer.kind !== 'accepted') throw new Error(answer.kind);
    await world.run(10 * SECOND);
    await goOn();
    expect(standing(answer.messageId)).toBe('cancelled/refunded');
  });
});

test('what was erased takes no name any more', async () => {
  const id = await expired();
  const { parts } = world.message(id);
  await ask((ports) =>
    ports.store.write({
      kind: 'update',
      key: { pk: `MSG#${id}`, sk: 'META' },
      changes: [{ kind: 'set', path: 'erased', value: true }],
    }),
  );
  const ending = { kind: 'sent', providerId: '3EB01' } as const;
  const settled = await ask((ports) =>
    settleLate(ports, { send: { messageId: id }, index: 0 }, parts[0]?.intentAt ?? 0, ending),
  );
  expect(settled).toBeUndefined();
  expect(world.message(id).parts[0]).not.toHaveProperty('providerId');
});

describe('what is erased while it is given a name', () => {
  const isNaming = (write: Write) =>
    write.kind === 'update' && write.key.pk.startsWith('PID#') && write.changes.some(({ path }) => path === 'send');
  const _isEmptying = (write: Write) =>
    write.kind === 'update' && write.changes.some(({ path, kind }) => path === 'erased' && kind === 'set');
  const erasing = (id: string) =>
    world.spawn('erase', undefined, ({ store, random, log }) =>
      emptySend(
        {
          ...{ store, random, log, workspace: 'main', names: [], counts: { ...NONE }, left: [] },
          ...{ mentions: () => false, mentionsOrFounded: () => false, isTimeUp: () => false },
          nowSeconds: Math.floor(world.now / 1000),
        },
        id,
      ),
    );
  const answered = (id: string, intentAt: number) =>
    world.spawn('answer', undefined, (ports) =>
      takeAnswer({ send: id, part: 0, intentAt, providerId: '3EB01' }, ports),
    );
  const startedAt = (id: string) => world.message(id).parts[0]?.intentAt ?? 0;

  function expectNothingOf(id: string): void {
    expect(world.message(id)).toMatchObject({ erased: true, recipient: {} });
    expect(world.message(id).parts[0]).not.toHaveProperty('providerId');
    expect(world.store.all().filter(({ pk, send }) => pk.startsWith('PID#') && send !== undefined)).toEqual([]);
    expect(world.store.peek({ pk: `EVT#${sentEventId(id, 0)}`, sk: 'META' })).toBeUndefined();
  }

  test('is not settled by its echo', async () => {
    const id = await expired();
    once(world, at(isNaming, 'before'), { stallMs: 5 * SECOND }, () => world.begin(erasing(id)));
    const said = hello(world, '3EB01', { text: 'hello', phone: recipient.phone });
    await world.until(world.echo({ ...said, at: startedAt(id) + SECOND }));
    expectNothingOf(id);
  });

  test('takes no id from an answer that was kept', async () => {
    const id = await expired();
    once(world, at(isNaming, 'before'), { stallMs: 5 * SECOND }, () => world.begin(erasing(id)));
    await world.until(answered(id, startedAt(id)));
    expectNothingOf(id);
  });
});

test('each part of a send expires at its own limit', async () => {
  world.provider.behave = () => unsure;
  const file = { kind: 'file', url: 'https://files.test/a.pdf', name: 'a.pdf' } as const;
  const id = await world.sendNow('a', { recipient, parts: [file, { kind: 'text', text: 'hello' }] });
  await world.run(SECOND);
  await ask((ports) => pause(ports, 'a', 'a test', world.config));
  await world.run(10 * MINUTE);
  await ask((ports) => resume(ports, 'a', world.config));
  await world.run(10 * SECOND);
  const states = () => world.message(id).parts.map(({ state }) => state);
  expect(states()).toEqual(['unknown', 'unknown']);
  await world.run(52 * MINUTE);
  expect(states()).toEqual(['expired', 'unknown']);
  await world.run(10 * MINUTE);
  expect(states()).toEqual(['expired', 'expired']);
});

test('the echo of what has expired is found a day later', async () => {
  const id = await expired();
  const { intentAt = 0 } = world.message(id).parts[0] ?? {};
  await world.run(DAY);
  await world.until(world.echo({ ...hello(world, 'P1', { phone: recipient.phone }), at: intentAt }));
  expect(world.message(id).parts[0]).toMatchObject({ state: 'sent', providerId: 'P1' });
});

describe('a message that has an id, and nobody knows whether it went out', () => {
  const ID = '3EB01';
  async function traced(): Promise<string> {
    world.provider.behave = () => ({ ...unsure, outcome: { kind: 'unknown', reason: 'http 500', providerId: ID } });
    const id = await world.sendNow('a', { recipient });
    await world.run(5 * SECOND);
    expect(standing(id)).toBe('unknown/reserved');
    expect(world.message(id).parts[0]).toMatchObject({ providerId: ID });
    return id;
  }

  test('is not sent again, neither before its limit nor after it', async () => {
    const id = await traced();
    expect(await resending(id)).toEqual({ kind: 'named' });
    await world.run(2 * HOUR);
    expect(standing(id)).toBe('expired/refunded');
    expect(await resending(id)).toEqual({ kind: 'named' });
    expect(world.provider.calls.length).toBe(1);
  });

  test.each<[Status, string]>([
    ['sent', 'sent/spent'],
    ['delivered', 'delivered/spent'],
    ['failed', 'failed/refunded'],
  ])('is %s once that is told', async (status, after) => {
    const id = await traced();
    await told(ID, status);
    expect(standing(id)).toBe(after);
    expect(world.store.all().filter(({ sk }) => sk.startsWith('U#'))).toEqual([]);
    await told(ID, 'read');
    expect(standing(id)).toBe(after === 'failed/refunded' ? 'read/refunded' : 'read/spent');
    expect(world.invariants.violations).toEqual([]);
  });

  test('is delivered though it had expired', async () => {
    const id = await traced();
    await world.run(2 * HOUR);
    await told(ID, 'delivered');
    expect(standing(id)).toBe('delivered/refunded');
    expect(world.invariants.violations).toEqual([]);
  });

  test('takes no echo of another message', async () => {
    const id = await traced();
    await echo('3EB02');
    expect(standing(id)).toBe('unknown/reserved');
  });

  test.each<[string, Candidate, string]>([
    ['sent', { providerId: ID }, 'sent/spent'],
    ['failed', { providerId: ID, failed: 'it says so' }, 'failed/refunded'],
    ['unknown still', { providerId: '3EB02' }, 'unknown/reserved'],
  ])('is %s where the provider lists it so', async (_, listed, after) => {
    const id = await traced();
    world.provider.lists = () => [listed];
    await world.run(10 * MINUTE);
    expect(standing(id)).toBe(after);
    await told(ID, 'delivered');
    expect(standing(id)).toBe(after === 'failed/refunded' ? 'delivered/refunded' : 'delivered/spent');
    expect(world.invariants.violations).toEqual([]);
  });
});

test('what the provider lists as failed is delivered where that is told later', async () => {
  world.provider.behave = () => unsure;
  const id = await world.sendNow('a', { recipient });
  world.provider.lists = () => [{ providerId: '3EB01', failed: 'it says so' }];
  await world.run(10 * MINUTE);
  expect(standing(id)).toBe('failed/refunded');
  await told('3EB01', 'delivered');
  expect(standing(id)).toBe('delivered/refunded');
  expect(world.invariants.violations).toEqual([]);
});

describe('a message that has failed', () => {
  async function failed(): Promise<string> {
    const id = await world.sendNow('a', { recipient });
    await world.run(5 * SECOND);
    await told('3EB01', 'sent');
    await told('3EB01', 'failed', 2 * SECOND);
    expect(standing(id)).toBe('failed/refunded');
    return id;
  }

  test('is sent where the provider says so later, by its own clock', async () => {
    const id = await failed();
    await told('3EB01', 'sent', 3 * SECOND);
    expect(standing(id)).toBe('sent/refunded');
    expect(history(id)).toEqual(['queued', 'sending', 'sent', 'failed', 'sent']);
    expect(available()).toBe(10);
    expect(world.invariants.violations).toEqual([]);
  });

  test('stays failed where an earlier report of it comes late', async () => {
    const id = await failed();
    await told('3EB01', 'sent', SECOND);
    expect(standing(id)).toBe('failed/refunded');
  });

  test('stays failed where only the time of its arrival makes a report later, until the provider says so', async () => {
    const id = await world.sendNow('a', { recipient });
    await world.run(5 * SECOND);
    await told('3EB01', 'failed');
    await told('3EB01', 'sent', 3 * SECOND, false);
    expect(standing(id)).toBe('failed/refunded');
    await told('3EB01', 'sent', 2 * SECOND);
    expect(standing(id)).toBe('sent/refunded');
  });

  test('is not taken for failed by words that have run out', async () => {
    const expiresAt = Math.floor(world.now / 1000);
    await world.store.write(put({ ...key('3EB01'), at_failed: world.now - 40 * DAY, expiresAt }));
    const id = await world.sendNow('a', { recipient });
    await world.run(5 * SECOND);
    expect(standing(id)).toBe('sent/spent');
    expect(world.store.peek(key('3EB01'))).toEqual({ ...key('3EB01'), send: id, part: 0 });
  });

  test('is delivered where that is told', async () => {
    const id = await failed();
    await told('3EB01', 'delivered', 3 * SECOND);
    expect(standing(id)).toBe('delivered/refunded');
    expect(world.message(id).parts[0]).not.toHaveProperty('error');
  });

  test.each<[string, readonly (readonly [Status, number])[], string]>([
    [
      'sent, failed, sent',
      [
        ['sent', 0],
        ['failed', 1],
        ['sent', 2],
      ],
      'sent',
    ],
    [
      'the same in another order',
      [
        ['sent', 2],
        ['failed', 1],
        ['sent', 0],
      ],
      'sent',
    ],
    [
      'sent, failed, sent, failed',
      [
        ['sent', 0],
        ['failed', 1],
        ['sent', 2],
        ['failed', 3],
      ],
      'failed',
    ],
    [
      'the last failure first',
      [
        ['failed', 3],
        ['sent', 2],
        ['failed', 1],
        ['sent', 0],
      ],
      'failed',
    ],
    [
      'both at the same time',
      [
        ['sent', 1],
        ['failed', 1],
      ],
      'failed',
    ],
  ])('%s: the send and its event say the same', async (_, reports, state) => {
    const id = await world.sendNow('a', { recipient });
    await world.run(5 * SECOND);
    const now = world.now;
    for (const [status, second] of reports) await told('3EB01', status, now + second * SECOND - world.now);
    const item = world.store.peek(key('3EB01'));
    expect([sendState(world.message(id).parts), item && deliveryReport(item)?.state]).toEqual([state, state]);
  });
});
