import { beforeEach, describe, expect, test } from 'vitest';
import { pause } from '#lib/sender/account.ts';
import { unknownMarks } from '#lib/sender/evidence.ts';
import { readSend, type Send } from '#lib/sender/items.ts';
import { sendKey, stateKey } from '#lib/store/keys.ts';
import { type Item, put, set, update } from '#lib/store/store.ts';
import { obliging } from '#test/support/simulation/fake-provider.ts';
import type { Write } from '#test/support/simulation/faulty-store.ts';
import { at, isCharge, once } from '#test/support/simulation/landmarks.ts';
import { hello, PERSON, World } from '#test/support/simulation/world.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const unsure = { ...obliging, outcome: { kind: 'unknown', reason: 'http 502' }, takes: false } as const;

let world: World;
beforeEach(async () => {
  world = new World();
  await world.addAccount('a', 'main', 9);
});

const stateOf = (id: string) => world.message(id).parts[0]?.state;

async function sendUnsure(text = 'hello'): Promise<string> {
  world.provider.behave = () => unsure;
  const id = await world.sendNow('a', { parts: [{ kind: 'text', text }] });
  await world.run(5 * SECOND);
  expect(stateOf(id)).toBe('unknown');
  return id;
}

/** What lies in the table for as many more sends whose outcome is not known. */
async function crowd(example: string, count: number, change: (send: Send, index: number) => Partial<Send>) {
  world.invariants.balancing = false;
  const item = world.store.peek(sendKey(example));
  if (!item) throw new Error('there is no example');
  const made: Send[] = [];
  for (let i = 0; i < count; i += 1) {
    const messageId = `wa_backend:3EB0${String(i).padStart(16, '0')}`;
    const copy: Item = { ...item, ...sendKey(messageId), messageId };
    const like = { ...copy, ...change(readSend(copy), i) };
    await world.store.writeMany([put(like), ...unknownMarks(readSend(like), 0, world.now + HOUR)]);
    made.push(readSend(like));
  }
  return made;
}

/** Requests to the table while this goes on. */
async function requestsOf(work: () => Promise<unknown>): Promise<number> {
  let requests = 0;
  const earlier = world.scheduler.accident;
  const calls = new Set(['get', 'getMany', 'query', 'write', 'transact', 'writeMany']);
  world.scheduler.accident = (process, point) => {
    if (process.name === 'echo' && point.moment === 'before' && calls.has(point.call)) requests += 1;
    return earlier(process, point);
  };
  await world.until(work());
  world.scheduler.accident = earlier;
  return requests;
}

describe('among five thousand unknown sends of an account', () => {
  const CROWD = 5_000;
  const MOST = 5;
  const toOthers = (_: Send, i: number) => ({ recipient: { phone: `+1415200${String(i).padStart(4, '0')}` } });
  const otherWords = ({ parts }: Send, i: number) => ({
    parts: parts.map((part) => ({ ...part, text: `hello ${i}` })),
  });
  const HIDDEN = '190000000000042@lid';

  test.each<[string, typeof toOthers | typeof otherWords, Record<string, string>, string, number]>([
    ['the same words to as many people', toOthers, { phone: PERSON }, PERSON, MOST],
    ['other words to the same person', otherWords, { phone: PERSON }, PERSON, MOST],
    ['the same words, from a chat whose id tells no number', toOthers, { chat_id: 'c-77' }, 'c-77', MOST],
    ['other words, from a chat whose id tells no number', otherWords, { chat_id: 'c-77' }, 'c-77', MOST],
    // Somebody whose number is hidden is looked for as a second name, and seen first like this.
    ['other words, from one whose number is hidden', otherWords, { phone: PERSON }, HIDDEN, MOST + 1],
  ])('an echo costs five requests at most: %s', { timeout: 60_000 }, async (_, change, recipient, phone, most) => {
    world.provider.behave = () => unsure;
    const id = await world.sendNow('a', { recipient });
    await world.run(5 * SECOND);
    await crowd(id, CROWD, change);
    const own = await requestsOf(() => world.echo(hello(world, 'P1', { phone })));
    expect([stateOf(id), own]).toEqual(['sent', most]);
    const strange = await requestsOf(() => world.echo(hello(world, 'P0', { text: 'from elsewhere', phone })));
    expect(strange).toBe(most - 1);
  });

  test('an echo that fits none of them costs five at most, though others wait', { timeout: 60_000 }, async () => {
    const id = await sendUnsure();
    await crowd(id, CROWD, toOthers);
    await world.until(world.spawn('pause', 'main', (ports) => pause(ports, 'a', 'a test', world.config)));
    await world.sendNow('a', { parts: [{ kind: 'text', text: 'waits' }] });
    const strange = await requestsOf(() => world.echo(hello(world, 'P0', { text: 'from elsewhere' })));
    expect(strange).toBe(MOST);
    // It may be each of them, and says nothing.
    const hidden = await requestsOf(() => world.echo(hello(world, 'P1', { phone: HIDDEN })));
    expect(hidden).toBeLessThanOrEqual(MOST + 2);
    expect(stateOf(id)).toBe('unknown');
  });

  test('twenty echoes at once each find their own', { timeout: 60_000 }, async () => {
    const id = await sendUnsure();
    const others = await crowd(id, CROWD, toOthers);
    const echoed = others.slice(0, 20);
    const requests = await requestsOf(() =>
      Promise.all(echoed.map(({ recipient: { phone = '' } }, i) => world.echo(hello(world, `P${i}`, { phone })))),
    );
    expect(echoed.map(({ messageId }) => stateOf(messageId))).toEqual(echoed.map(() => 'sent'));
    expect(requests / 20).toBeLessThanOrEqual(MOST);
  });
});

describe('what is told of a message while its echo settles it', () => {
  const isNaming = (write: Write) =>
    write.kind === 'update' && write.key.pk.startsWith('PID#') && write.changes.some(({ path }) => path === 'send');

  test.each([
    ['delivered', 'delivered'],
    ['failed', 'failed'],
  ] as const)('counts: %s', async (status, state) => {
    const id = await sendUnsure();
    once(world, at(isNaming, 'before'), { stallMs: 2 * SECOND }, () =>
      world.status({ account: 'a', providerId: 'P1' }, status),
    );
    await world.until(world.echo(hello(world, 'P1')));
    expect(stateOf(id)).toBe(state);
  });

  test('keeps the message from its end, which another delivery gave it meanwhile', async () => {
    await sendUnsure();
    const key = stateKey({ workspace: 'main', provider: 'fake', scope: 'a' }, 'P1');
    once(world, at(isNaming, 'before'), undefined, () => {
      void world.store.write(update(key, [set('expiresAt', world.now / 1000 + 60)]));
    });
    await world.until(world.echo(hello(world, 'P1')));
    expect(world.store.peek(key)).toHaveProperty('send');
    expect(world.store.peek(key)).not.toHaveProperty('expiresAt');
  });

  test('is read of a message that was told of before', async () => {
    const id = await sendUnsure();
    world.status({ account: 'a', providerId: 'P1' }, 'read');
    await world.run(SECOND);
    await world.until(world.echo(hello(world, 'P1')));
    expect(stateOf(id)).toBe('read');
  });
});

describe('marks', () => {
  const marks = () => world.store.all().filter(({ pk }) => pk.startsWith('ECHO#'));

  test('hold nothing that can be read, and run out', async () => {
    await sendUnsure('a secret');
    await world.until(world.echo(hello(world, 'P0', { text: 'from elsewhere' })));
    expect(marks().length).toBe(3);
    const texts = marks().map((mark) => JSON.stringify(mark));
    for (const word of ['secret', 'elsewhere', PERSON.slice(1)])
      expect(texts.filter((t) => t.includes(word))).toEqual([]);
    for (const { expiresAt } of marks()) expect(Number(expiresAt) - world.now / 1000).toBeGreaterThan(24 * 3600);
  });

  test('that have run out count for nothing, though the table still has them', async () => {
    world.provider.behave = () => ({ ...unsure, latencyMs: 2 * SECOND });
    const id = await world.sendNow('a');
    await world.run(SECOND);
    await world.until(world.echo(hello(world, 'P1')));
    for (const mark of marks()) await world.store.write(put({ ...mark, expiresAt: Math.floor(world.now / 1000) }));
    await world.run(10 * MINUTE);
    expect(stateOf(id)).toBe('unknown');
  });

  test('are not written for what is known to be ours', async () => {
    await world.sendNow('a');
    await world.run(5 * SECOND);
    await world.until(world.echo(hello(world, '3EB01')));
    expect(marks()).toEqual([]);
  });

  test('lead from one name of a chat to the others', async () => {
    world.provider.behave = () => ({ ...unsure, latencyMs: 2 * SECOND });
    const [byNumber, byName] = [
      await world.sendNow('a'),
      await world.sendNow('a', { recipient: { chat_name: 'Ana' } }),
    ];
    await world.run(10 * SECOND);
    expect([stateOf(byNumber), stateOf(byName)]).toEqual(['unknown', 'unknown']);
    await world.until(world.echo({ ...hello(world, 'P1'), title: 'Ana' }));
    await world.run(HOUR);
    expect([stateOf(byNumber), stateOf(byName)]).toEqual(['unknown', 'unknown']);
    const [other] = [await sendUnsure('for Ana alone')];
    await world.until(world.echo({ ...hello(world, 'P2', { text: 'for Ana alone' }), title: 'Ana' }));
    expect(stateOf(other)).toBe('sent');
  });
});

test('what is being sent is found by its echo where another has got before it in the queue', async () => {
  const older = await sendUnsure();
  once(world, at(isCharge, 'before'), { stallMs: 2 * SECOND });
  world.begin(world.send('a', { parts: [{ kind: 'text', text: 'took its number first' }] }));
  await world.run(500);
  world.provider.behave = () => ({ ...obliging, latencyMs: 4 * SECOND });
  const later = await world.sendNow('a');
  await world.run(3 * SECOND);
  const queue = world.store.all().filter(({ kind }) => kind === 'pointer');
  expect(queue.toSorted((a, b) => (a.sk < b.sk ? -1 : 1))[1]).toMatchObject({ send: later });
  await world.until(world.echo(hello(world, '3EB02')));
  expect([stateOf(older), stateOf(later)]).toEqual(['unknown', 'sending']);
  await world.run(10 * SECOND);
  expect([stateOf(older), stateOf(later)]).toEqual(['unknown', 'sent']);
});

test('of two messages that one part may be, neither is taken, though the first came while it was being sent', async () => {
  world.provider.behave = () => ({ ...unsure, latencyMs: 2 * SECOND });
  const id = await world.sendNow('a');
  await world.run(SECOND);
  await world.until(world.echo(hello(world, 'P1')));
  await world.run(5 * SECOND);
  await world.until(world.echo(hello(world, 'P2')));
  await world.run(HOUR);
  expect(stateOf(id)).toBe('unknown');
});

describe('of people whose number the provider hides', () => {
  const hidden = (providerId: string) => hello(world, providerId, { phone: '190000000000042@lid' });

  test('one is who alone got these words', async () => {
    const id = await sendUnsure();
    await world.until(world.echo(hidden('P1')));
    expect(stateOf(id)).toBe('sent');
  });

  test.each([
    ['words', [{ kind: 'text', text: 'hello' }], { kind: 'text', text: 'hello' }],
    // Its text still waits, and leads to it however many others there are once another file to this one is unknown.
    [
      'a file',
      [
        { kind: 'file', url: 'https://files.test/a.pdf', name: 'a.pdf' },
        { kind: 'text', text: 'hello' },
      ],
      { kind: 'file', name: 'a.pdf' },
    ],
  ] as const)('none is told by %s that went to everybody', { timeout: 30_000 }, async (_, parts, said) => {
    world.provider.behave = () => unsure;
    const other = { kind: 'file', url: 'https://files.test/b.pdf', name: 'b.pdf' } as const;
    await world.sendNow('a', { recipient: { jid: '190000000000042@lid' }, parts: [other] });
    await world.run(2 * SECOND);
    const id = await world.sendNow('a', { parts });
    await world.run(2 * SECOND);
    await world.until(world.spawn('pause', 'main', (ports) => pause(ports, 'a', 'a test', world.config)));
    await crowd(id, 60, (_send, i) => ({ recipient: { phone: `+141520000${i + 10}` } }));
    await world.until(world.echo({ ...hidden('P1'), said }));
    expect(stateOf(id)).toBe('unknown');
    await world.until(world.echo({ ...hello(world, 'P2'), said }));
    expect(world.message(id).parts[0]).toMatchObject({ state: 'sent', providerId: 'P2' });
  });
});

test('an expired send keeps its echo from a later one of the same words', async () => {
  world = new World({ config: { unknownLimitMs: HOUR } });
  await world.addAccount('a', 'main', 9);
  const first = await sendUnsure();
  await world.run(HOUR + MINUTE);
  expect(stateOf(first)).toBe('expired');
  const second = await sendUnsure();
  await world.until(world.echo(hello(world, 'P1')));
  expect(stateOf(second)).toBe('unknown');
});

test('the mark of a file is of the file alone: another name is another file', async () => {
  world.provider.behave = () => unsure;
  const file = (name: string) => ({ parts: [{ kind: 'file', url: `https://files.test/${name}`, name }] }) as const;
  const [id, other] = [await world.sendNow('a', file('price list "new".pdf')), await world.sendNow('a', file('b.pdf'))];
  await world.run(10 * SECOND);
  // It went out under a name that is safe.
  await world.until(world.echo({ ...hello(world, 'P1'), said: { kind: 'file', name: 'price list new.pdf' } }));
  expect([stateOf(id), stateOf(other)]).toEqual(['sent', 'unknown']);
});

describe('files to one person', () => {
  const file = (name: string) => ({ parts: [{ kind: 'file', url: `https://files.test/${name}`, name }] }) as const;
  const heard = (providerId: string, name: string) =>
    world.until(world.echo({ ...hello(world, providerId), said: { kind: 'file', name } }));
  const unansweredAfter = (latencyMs: number) => {
    world.provider.behave = () => ({ ...unsure, latencyMs });
  };

  test('are not settled while they are being sent, though another is unknown', async () => {
    unansweredAfter(50);
    const other = await world.sendNow('a', file('b.pdf'));
    await world.run(5 * SECOND);
    unansweredAfter(4 * SECOND);
    const id = await world.sendNow('a', file('a.pdf'));
    await world.run(2 * SECOND);
    await heard('P1', 'a.pdf');
    expect([stateOf(other), stateOf(id)]).toEqual(['unknown', 'sending']);
    await world.run(5 * MINUTE);
    expect([stateOf(other), stateOf(id)]).toEqual(['unknown', 'sent']);
  });

  test('are told apart by what was heard before', async () => {
    unansweredAfter(50);
    const id = await world.sendNow('a', file('a.pdf'));
    await world.run(5 * SECOND);
    unansweredAfter(4 * SECOND);
    const other = await world.sendNow('a', file('b.pdf'));
    await world.run(2 * SECOND);
    await heard('P2', 'b.pdf');
    await world.run(5 * SECOND);
    await heard('P1', 'a.pdf');
    expect([stateOf(id), stateOf(other)]).toEqual(['sent', 'unknown']);
    await world.run(5 * MINUTE);
    expect(world.message(id).parts[0]).toMatchObject({ providerId: 'P1' });
    expect(world.message(other).parts[0]).toMatchObject({ providerId: 'P2' });
  });

  test('do not take what was heard of another', async () => {
    unansweredAfter(50);
    const id = await world.sendNow('a', file('a.pdf'));
    await world.run(40 * SECOND);
    unansweredAfter(4 * SECOND);
    const other = await world.sendNow('a', file('b.pdf'));
    await world.run(2 * SECOND);
    await heard('P2', 'b.pdf');
    await world.run(30 * MINUTE);
    expect([stateOf(id), stateOf(other)]).toEqual(['unknown', 'sent']);
  });
});

test('a part that has its id takes no other', async () => {
  const id = await sendUnsure();
  await world.store.write(update(sendKey(id), [set(['parts', 0, 'providerId'], 'P0')]));
  await world.until(world.echo(hello(world, 'P1')));
  expect(world.message(id).parts[0]).toMatchObject({ state: 'unknown', providerId: 'P0' });
});

test('a file that the provider lists without its name may be any file of the chat', async () => {
  world.provider.behave = () => unsure;
  const file = (name: string) => ({ parts: [{ kind: 'file', url: `https://files.test/${name}`, name }] }) as const;
  const ids = [await world.sendNow('a', file('a.png')), await world.sendNow('a', file('b.png'))];
  await world.run(10 * SECOND);
  world.provider.lists = () => [{ providerId: 'P1', isNameless: true }];
  await world.run(10 * MINUTE);
  expect(ids.map(stateOf)).toEqual(['unknown', 'unknown']);
});

test('an outcome that becomes unknown while its echo is looked at is settled by it', async () => {
  world.provider.behave = () => ({ ...unsure, latencyMs: 2 * SECOND });
  const id = await world.sendNow('a');
  await world.run(1.9 * SECOND);
  const isMark = at(
    (write) => write.kind === 'put' && write.item.pk.startsWith('ECHO#') && write.item.sk.startsWith('E#'),
    'before',
  );
  once(world, isMark, { stallMs: SECOND });
  await world.until(world.echo(hello(world, 'P1')));
  expect(stateOf(id)).toBe('sent');
});

test('a file and the same file with a caption are told apart by what was written below it', async () => {
  world.provider.behave = () => unsure;
  const file = { kind: 'file', url: 'https://files.test/a.pdf', name: 'a.pdf' } as const;
  const bare = await world.sendNow('a', { parts: [file] });
  const captioned = await world.sendNow('a', { parts: [{ ...file, caption: 'hello', credits: 2 }] });
  await world.run(20 * SECOND);
  expect([bare, captioned].map(stateOf)).toEqual(['unknown', 'unknown']);
  const echo = (providerId: string, said: object) =>
    world.until(world.echo({ ...hello(world, providerId), said: { kind: 'file', name: 'a.pdf', ...said } }));
  await echo('P2', { caption: 'hello' });
  expect([bare, captioned].map(stateOf)).toEqual(['unknown', 'sent']);
  await echo('P1', {});
  expect([bare, captioned].map((id) => world.message(id).parts[0]?.providerId)).toEqual(['P1', 'P2']);
});
