import { beforeEach, describe, expect, test } from 'vitest';
import { sendState } from '#lib/domain/send/part.ts';
import { noteStatus } from '#lib/inbox/delivery-state.ts';
import { cancel } from '#lib/outbox/cancel.ts';
import { clearHold, hold, pause, probe, resume } from '#lib/sender/account.ts';
import { readProviderMessage } from '#lib/sender/items.ts';
import { onStatus, revisitStatuses, settleLate } from '#lib/sender/outcome.ts';
import { accountKey, dueListOf, dueSortKey, dueTime, probeKey, sendKey, stateKey } from '#lib/store/keys.ts';
import { put, remove, set, update } from '#lib/store/store.ts';
import { obliging } from '#test/support/simulation/fake-provider.ts';
import type { Write } from '#test/support/simulation/faulty-store.ts';
import { at, isIdling, once } from '#test/support/simulation/landmarks.ts';
import { hello, PERSON, World } from '#test/support/simulation/world.ts';

/** What changes between a look and the writing that follows from it, where only a condition stands between the two. */
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const unsure = { ...obliging, outcome: { kind: 'unknown', reason: 'reset' } } as const;

let world: World;
beforeEach(async () => {
  world = new World({ watchdog: false });
  await world.addAccount('a', 'main', 10);
  world.provider.behave = () => unsure;
});

const ask = <Result>(work: (ports: ReturnType<World['ports']>) => Promise<Result>) =>
  world.until(world.spawn('ask', 'main', work));
const changesOf = (write: Write) => (write.kind === 'update' ? write.changes : []);
const nameOf = (path: unknown) => String(path);
const isPostponing = (write: Write) => {
  const names = changesOf(write).map(({ path }) => nameOf(path));
  return names.some((name) => name.endsWith('reconcileAt')) && !names.some((name) => name.endsWith('state'));
};

test('a part that becomes unknown while another of its send is put off is looked at in its own time', async () => {
  const parts = [
    { kind: 'file', url: 'https://files.test/a.pdf', name: 'a.pdf' },
    { kind: 'text', text: 'hello' },
  ] as const;
  // Between the file's call and that of the text, the operator pauses the account.
  once(
    world,
    at((write) => write.kind === 'put' && write.item.pk.startsWith('ECHO#'), 'after'),
    undefined,
    () => world.begin(world.spawn('pause', 'main', (ports) => pause(ports, 'a', 'a test', world.config))),
  );
  const id = await world.sendNow('a', { parts });
  await world.run(2 * MINUTE);
  expect(world.message(id).parts.map(({ state }) => state)).toEqual(['unknown', 'queued']);
  once(world, at(isPostponing, 'before'), { stallMs: 9 * SECOND });
  world.begin(world.watch());
  await world.run(SECOND);
  await ask((ports) => resume(ports, 'a', world.config));
  await world.run(20 * SECOND);
  const { parts: now, gsi3sk = '' } = world.message(id);
  expect(now.map(({ state }) => state)).toEqual(['unknown', 'unknown']);
  expect(dueTime(gsi3sk)).toBeLessThanOrEqual(now[1]?.reconcileAt ?? 0);
});

test('of two runs at once only one looks', async () => {
  await world.sendNow('a');
  await world.run(2 * MINUTE);
  let looks = 0;
  world.provider.lists = () => {
    looks += 1;
    return [];
  };
  await world.until(Promise.all([world.watch(), world.watch(), world.watch()]));
  expect(looks).toBe(1);
});

test('what the provider lists as failed is not the message that another part is known to be', async () => {
  world.provider.behave = () => obliging;
  const known = await world.sendNow('a');
  await world.run(5 * SECOND);
  world.provider.behave = () => unsure;
  const unknown = await world.sendNow('a');
  await world.run(5 * SECOND);
  const { intentAt = 0 } = world.message(unknown).parts[0] ?? {};
  const { providerId = '' } = world.message(known).parts[0] ?? {};
  const failed = { kind: 'failed', reason: 'it says so', providerId } as const;
  expect(
    await ask((ports) => settleLate(ports, { send: world.message(unknown), index: 0 }, intentAt, failed)),
  ).toBeUndefined();
  expect([known, unknown].map((id) => sendState(world.message(id).parts))).toEqual(['sent', 'unknown']);
  const key = stateKey({ workspace: 'main', provider: 'fake', scope: 'a' }, providerId);
  expect(world.store.peek(key)).toMatchObject({ send: known });
});

test('a status that comes while an earlier one leaves the list stays on it', async () => {
  const key = stateKey({ workspace: 'main', provider: 'fake', scope: 'a' }, 'P1');
  const told = (state: 'sent' | 'delivered') =>
    ask(async (ports) => {
      const life = { isTheirs: true };
      const item = await noteStatus(ports.store, key, { state, messageId: 'P1' }, world.now, life);
      if (item) await onStatus(ports, key, readProviderMessage(item), world.config);
    });
  await told('sent');
  await world.run(3 * MINUTE);
  const isDelisting = (write: Write) =>
    changesOf(write).some(({ kind, path }) => kind === 'remove' && path === 'gsi3sk');
  once(world, at(isDelisting, 'before'), { stallMs: 5 * SECOND });
  const watching = world.watch();
  await world.run(SECOND);
  await told('delivered');
  await world.until(watching);
  expect(dueTime(String(world.store.peek(key)?.gsi3sk))).toBeGreaterThan(world.now);
});

test('a part that becomes unknown while the other of its send is settled is looked at again', async () => {
  const parts = [
    { kind: 'file', url: 'https://files.test/a.pdf', name: 'a.pdf' },
    { kind: 'text', text: 'hello' },
  ] as const;
  const id = await world.sendNow('a', { parts });
  await world.run(SECOND);
  world.provider.behave = () => ({ ...unsure, latencyMs: 3 * SECOND });
  await world.run(2 * SECOND);
  const states = () => world.message(id).parts.map(({ state }) => state);
  expect(states()).toEqual(['unknown', 'sending']);
  once(
    world,
    at((write) => changesOf(write).some(({ path }) => nameOf(path) === 'parts,0,providerId'), 'before'),
    { stallMs: 5 * SECOND },
  );
  await world.until(world.echo({ ...hello(world, 'P1'), said: { kind: 'file', name: 'a.pdf' } }));
  expect(states()).toEqual(['sent', 'unknown']);
  expect(world.message(id).gsi3sk).toBeDefined();
});

describe('of a file and its text', () => {
  const parts = [
    { kind: 'file', url: 'https://files.test/a.pdf', name: 'a.pdf' },
    { kind: 'text', text: 'hello' },
  ] as const;

  test('whichever is to be looked at first decides when, also where it is not the one that became unknown last', async () => {
    const id = await world.sendNow('a', { parts });
    await world.run(5 * SECOND);
    const { parts: after, gsi3sk = '' } = world.message(id);
    const [file = 0, text = 0] = after.map(({ reconcileAt }) => reconcileAt);
    expect(text).toBeGreaterThan(file);
    expect(dueTime(gsi3sk)).toBe(file);
  });

  test('the text is not cancelled while the file is being sent', async () => {
    world.provider.behave = () => ({ ...obliging, latencyMs: 3 * SECOND });
    const id = await world.sendNow('a', { parts });
    await world.run(SECOND);
    expect(await ask((ports) => cancel(ports, 'main', id, world.config))).toBe('too late');
    expect(world.message(id).parts.map(({ state }) => state)).toEqual(['sending', 'queued']);
  });
});

describe('a status that was told of a message', () => {
  const key = stateKey({ workspace: 'main', provider: 'fake', scope: 'a' }, 'P1');
  const apply = (item: object) =>
    ask((ports) => onStatus(ports, key, readProviderMessage({ ...key, ...item }), world.config));
  const FAILED = { at_failed: 1, detail_failed: 'old words' };

  test('is applied without taking newer words away', async () => {
    world.provider.behave = () => obliging;
    const send = await world.sendNow('a');
    await world.run(5 * SECOND);
    const newer = { ...key, send, part: 0, ...FAILED, detail_failed: 'newer words' };
    await world.store.write(put(newer));
    await apply({ ...newer, ...FAILED });
    expect(world.store.peek(key)).toMatchObject({ detail_failed: 'newer words' });
  });

  test('changes nothing where the send was erased', async () => {
    const send = await world.sendNow('a');
    await world.run(5 * SECOND);
    const changes = [set('erased', true), set(['parts', 0, 'providerId'], 'P1')];
    await world.store.write(update(sendKey(send), changes));
    await apply({ send, part: 0, at_delivered: 1 });
    expect(world.message(send).parts[0]?.state).toBe('unknown');
  });

  test('stays on the list where its send is named while it is looked at', async () => {
    const waiting = { ...key, at_delivered: 1, gsi3pk: dueListOf('status', key.pk), gsi3sk: dueSortKey(1, key.pk) };
    await world.store.write(put(waiting));
    const isUnlisting = (write: Write) => changesOf(write).some(({ path }) => path === 'gsi3sk');
    once(world, at(isUnlisting, 'before'), undefined, () => {
      void world.store.write(update(key, [set('send', 'wa_1'), set('part', 0)]));
    });
    await ask((ports) => revisitStatuses(ports, key));
    expect(world.store.peek(key)).toMatchObject({ send: 'wa_1', gsi3sk: waiting.gsi3sk });
  });
});

describe('while a held account is asked about', () => {
  const probing = async (meanwhile: () => void) => {
    await ask((ports) => hold(ports, 'a', 'no phone', world.config));
    world.probe = () => {
      meanwhile();
      return { kind: 'held', reason: 'still no phone' };
    };
    await ask((ports) => probe(ports, probeKey('a'), world.config));
  };

  test('what goes on meanwhile gets no reason for a hold', async () => {
    await probing(() => void world.store.write(update(accountKey('a'), [set('held', false), remove('holdReason')])));
    expect(world.account('a')).toMatchObject({ held: false });
    expect(world.account('a').holdReason).toBeUndefined();
  });

  test('new credentials have it asked again at once, and not by the distance of old ones', async () => {
    const due = dueSortKey(world.now, 'a');
    const isPutOff = (write: Write) => write.kind === 'put' && write.item.kind === 'probe' && write.if !== undefined;
    once(world, at(isPutOff, 'before'), undefined, () => {
      void world.store.write(update(probeKey('a'), [set('gsi3sk', due)]));
    });
    await probing(() => undefined);
    expect(world.store.peek(probeKey('a'))).toMatchObject({ gsi3sk: due });
  });
});

test('a provider that says that all is well, and does not answer, ends no hold', async () => {
  const unknownTimes = Array.from({ length: world.config.unknownPerHour }, () => world.now);
  await ask((ports) => hold(ports, 'a', 'silent', world.config));
  await world.store.write(update(accountKey('a'), [set('unknownTimes', unknownTimes)]));
  expect(await ask((ports) => clearHold(ports, 'a', world.config))).toBe('unchanged');
  expect(world.account('a')).toMatchObject({ held: true, holdReason: 'silent' });
});

test('a run gives up on five files at most, and leaves the rest of them to the next', async () => {
  await ask((ports) => pause(ports, 'a', 'a test', world.config));
  const ids: string[] = [];
  for (let i = 0; i < 7; i += 1) {
    const file = { kind: 'file', url: `https://files.test/${i}.pdf`, name: `${i}.pdf` } as const;
    ids.push(await world.sendNow('a', { parts: [file] }));
  }
  world.fetch = () => ({ kind: 'refused', reason: 'it is no file' });
  const fetched = new Map<unknown, number>();
  world.scheduler.accident = (process, { call, moment }) => {
    if (call === 'fetch' && moment === 'before') fetched.set(process, (fetched.get(process) ?? 0) + 1);
    return undefined;
  };
  await ask((ports) => resume(ports, 'a', world.config));
  await world.run(30 * SECOND);
  expect(ids.map((id) => sendState(world.message(id).parts))).toEqual(ids.map(() => 'failed'));
  expect([...fetched.values()]).toEqual([5, 2]);
});

test('an outcome is written down by its last try, though a message came in just before that', async () => {
  const places = new Set<unknown>();
  let later: Promise<string> | undefined;
  world.scheduler.accident = (_, point) => {
    if (later !== undefined || !at(isIdling, 'before')(point)) return undefined;
    // Each try has its own place in the feed. All but the last find no table.
    const writes = Array.isArray(point.detail) ? point.detail : [];
    for (const { kind, item } of writes) if (kind === 'put' && item.pk.startsWith('FEED#')) places.add(item.sk);
    world.awayUntil = places.size < 4 ? world.now + MINUTE : 0;
    if (places.size < 4) return undefined;
    later = world.sendNow('a', { recipient: { phone: PERSON } });
    return { stallMs: SECOND };
  };
  const id = await world.sendNow('a', { recipient: { phone: PERSON } });
  await world.run(MINUTE);
  const sent = [id, String(await later)].map((one) => sendState(world.message(one).parts));
  expect([sent, world.errors, world.provider.calls.length]).toEqual([['unknown', 'unknown'], [], 2]);
});
