import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ownEventId, tellEvent } from '#lib/inbox/event-store.ts';
import { onceKey } from '#lib/reactions/auto.ts';
import {
  autoKey,
  deliveryKey,
  eventKey,
  idempotencyKey,
  mutedKey,
  personPartition,
  runKey,
  sendKey,
} from '#lib/store/keys.ts';
import { type Item, put, set, update } from '#lib/store/store.ts';
import { message } from '#test/functions/admin/admin-bench.ts';
import { LONG } from '#test/support/long.ts';
import { DIGITS, ErasureHub, OTHER, PERSON, textsByPartition } from './hub.ts';

/** What becomes of each kind of item when a person is erased. `erased`: this test makes one, and finds it gone. */
const KINDS: Readonly<Record<string, string>> = {
  'ATT#': 'erased where it quotes them; of what was taken in, when, and the id of its event, a hash, for 90 days',
  'AUTO#': 'erased',
  'CHAT#': 'erased',
  'ECHO#': 'erased with its send; of an echo a hash of its words and to whom, for four days at most',
  'EP#': 'erased',
  'EVT#': 'erased',
  'FEED#': 'erased',
  'FIND#': 'erased',
  'IDEM#': 'erased',
  'MSG#': 'emptied: credits are counted by sends',
  'PERSON#': 'erased',
  'PID#': 'erased',
  'QUAR#': 'erased',
  'RULE#': 'erased',
  'WS# ALIAS#': 'erased',
  'WS# LEDGER#': 'erased',
  'WS# MUTED#': 'erased',
  'ACC#': 'is ours, and of nobody else; an own number is refused',
  'ACC# PROBE': 'asks after an account',
  'ACC# Q#': 'leads to a send that waits, which is left and told; gone once it does not',
  'FALLBACK#': 'a delivery on its way: minutes, 14 days at most. Its events are erased by another call then',
  'FILL#': 'positions in lists',
  'HOOK#': 'a URL of ours',
  'KEY#': 'a key of ours',
  'STAT#': 'figures',
  'SESS#': 'a browser that signed in, or an address that tried, as hashes, for 12 hours at most',
  'SESS# TRIES': 'the same',
  WORKSPACES: 'a tenant',
  'WS# ACCOUNT#': 'of our own things',
  'WS# WEBHOOK#': 'of our own things',
  'WS# KEY#': 'of our own things',
  'WS# FORMER#': 'of our own things',
  'WS# AUDIT': 'sums, and ids of sends',
  'WS# AUDITED': 'the same',
  'WS# CHANGES': 'figures',
  'WS# UNKNOWN#': 'the id of a send, which stays; gone once its outcome is known',
  'RULE# MAILS#': 'how many mails went out in an hour',
  'WS# ENDPOINT#': 'what an operator wrote',
  'WS# CALLS#': 'of our own things',
  'WS# LINE#': 'a hash of an account of ours',
  'WS# QUOTA#': 'figures',
  'WS# QUOTAKIND': 'figures',
  'WS# RETENTION': 'a position in lists, and figures',
  'WS# REPLAY#': 'positions in lists, and figures',
  'WS# RULE#': 'what an operator wrote',
  'WS# RULESPAUSED': 'figures',
};

/** Pieces of an item above, beside it or in an index. */
const PARTS = [
  'META',
  'RAW#',
  'TOLD#',
  'EVT#',
  'E#',
  'U#',
  'RUN#',
  'MAILS#',
  'REFUSED',
  'DLV#',
  'MINUTE#',
  'SECOND#',
  'RATE',
  'SEND#',
  'TITLE#',
  'WORD#',
  'END#',
  'PCHAT#',
];
const LISTS = ['DISMISSED#', 'QUAR#', 'CHAT#', 'RESERVED#', 'WAIT#', 'DUE#', 'WS#'];

it('says of every key of the table what becomes of it when a person is erased', () => {
  const source = readFileSync(new URL('../../../lib/store/keys.ts', import.meta.url), 'utf8');
  const literals = [...source.matchAll(/['`]([A-Z]+(?:#[^'`\n]*)?)['`]/g)].map(([, text = '']) => text);
  const words = new Set(literals.flatMap((text) => text.match(/(?:^|(?<=#))[A-Z]+(?:#|$)/g) ?? []));
  // The entries of a directory are named without what stands around them.
  const named = new Set([...Object.keys(KINDS).flatMap((kind) => kind.split(' ')), ...PARTS, ...LISTS]);
  expect(words.size).toBeGreaterThan(35);
  expect([...words].filter((word) => !named.has(word) && !named.has(`${word}#`))).toEqual([]);
});

/** Everything that a person can leave behind in a workspace, and a bystander of whom all must stay. */
async function lived() {
  const hub = new ErasureHub();
  const { memory } = hub;
  const account = await hub.account();
  const { url } = await hub.webhook({ accountId: account });
  const { id: endpoint } = await hub.done('POST', '/api/endpoints', { body: { url: 'https://crm.example/in' } });
  const rule = async () => {
    const body = { name: 'r', on: ['message.received'], do: [{ action: 'reply', text: 'hi' }] };
    return String((await hub.done('POST', '/api/rules', { body })).id);
  };
  const [kept, deleted] = [await rule(), await rule()];
  const { id: old } = await hub.done('POST', '/api/endpoints', { body: { url: 'https://crm.example/old' } });
  const tell = async (n: number, more: object) => String((await hub.post(url, message(n, more))).body.id);
  const theirs = await tell(1, { chat: PERSON, text: LONG });
  const inGroup = await tell(2, { chat: '120363@g.us', from: PERSON });
  const others = await tell(3, { chat: OTHER });
  await hub.post(url, { event: `from ${PERSON}` });
  await hub.post(url, { ...message(4, { chat: PERSON }), id: 'P1', direction: 'outbound' });
  const failed = { kind: 'failed', reason: `${PERSON} is gone` } as const;
  const send = await hub.accepted(account, { phone: PERSON }, 'hello', failed);
  const chats = (await hub.walk('/api/chats')).items;
  const chatOf = (name: string) => String(chats.find(({ providerChatId }) => providerChatId === name)?.id);
  const [chat, group, other] = [PERSON, '120363@g.us', OTHER].map(chatOf);
  if (!chat || !group || !other) throw new Error('no chats');
  const at = '2026-03-01T12:00:00.000Z';
  const ran = async (one: string, event: string) => {
    const actions = [{ action: 'reply', result: 'done', send }];
    const run = { rule: one, workspace: 'main', event, at, result: 'done', actions };
    await memory.write(put({ ...runKey(one, at, event), ...run }));
    await memory.write(put({ ...idempotencyKey('main', one, onceKey(one, event, 0)), messageId: send }));
  };
  for (const one of [kept, deleted]) for (const event of [theirs, inGroup, others]) await ran(one, event);
  for (const one of [endpoint, old, kept]) {
    for (const event of [theirs, others]) await memory.write(put({ ...deliveryKey(String(one), at, event), event }));
  }
  for (const [one, event] of [
    [chat, theirs],
    [group, inGroup],
    [other, others],
  ] as const) {
    const answers = JSON.stringify([{ rule: kept, event, at: hub.bench.now }]);
    await memory.write(put({ ...autoKey(one), workspace: 'main', version: 1, answers, mutedBy: event }));
    await memory.write(put({ ...mutedKey('main', one), chatId: one, rule: kept, why: 'so', until: at }));
  }
  const muted = { id: kept, state: 'muted', chatId: chat, reason: 'a machine seems to answer there' } as const;
  await tellEvent(hub.ports, {
    workspace: 'main',
    payload: { kind: 'rule', rule: muted },
    identity: [kept, theirs],
  });
  await hub.done('DELETE', `/api/rules/${deleted}`);
  await hub.done('DELETE', `/api/endpoints/${old}`);
  return { hub, send, theirs, inGroup, others, chat, group, other, kept };
}

const kindOf = ({ pk, sk }: Item): string => {
  const [first = '', second] = [pk, sk].map((key) => `${key.split('#')[0]}#`);
  return first === 'WS#' ? `${first} ${second}` : first;
};

it('leaves no id, number or word of the person in any of them, and all of the others', async () => {
  const { hub, send, theirs, inGroup, others, chat, group, other, kept } = await lived();
  const marks = [DIGITS, theirs, inGroup, chat];
  // The call that brought a message says under which id it was stored: made of the message, and of no use without it.
  const isOfCalls = (pk: string) => pk.startsWith('ATT#');
  const naming = () =>
    [...textsByPartition(hub.memory.all())].flatMap(([pk, text]) =>
      marks.some((mark) => text.includes(mark) && !(isOfCalls(pk) && mark !== DIGITS)) ? [pk] : [],
    );
  expect([...textsByPartition(hub.memory.all())].some(([pk, text]) => isOfCalls(pk) && text.includes(DIGITS))).toBe(
    true,
  );
  const kinds = () => new Set(hub.memory.all().map(kindOf));
  const made = Object.entries(KINDS).flatMap(([kind, what]) => (what === 'erased' ? [kind] : []));
  const missing = made.filter((kind) => !kinds().has(kind));
  // Another id of a chat is made by providers that know one; marks, by a day in which one is sought.
  expect(missing).toEqual(['WS# ALIAS#']);
  expect((await hub.done('DELETE', `/api/contacts/${PERSON}`)).left).toEqual([]);
  expect(naming()).toEqual([]);
  const text = [...textsByPartition(hub.memory.all()).values()].join('\n');
  for (const stays of [others, group, other]) expect(text).toContain(stays);
  for (const key of [runKey(kept, '2026-03-01T12:00:00.000Z', others), autoKey(other), mutedKey('main', other)]) {
    expect(hub.memory.peek(key)).toBeDefined();
  }
  // A group goes on; what rules answered there still counts.
  expect(hub.memory.peek(autoKey(group))).toMatchObject({ answers: expect.stringContaining(kept), mutedBy: 'erased' });
  expect(hub.memory.peek(sendKey(send))).toMatchObject({ erased: true });
  expect(hub.memory.peek(eventKey(ownEventId('main', 'rule', [kept, theirs])))).toBeUndefined();
  expect(hub.memory.all().filter(({ pk }) => pk === personPartition('main', PERSON))).toEqual([]);
});

it('does not break a rule that answers in the same moment', async () => {
  const { hub, group, kept } = await lived();
  const write = hub.memory.write.bind(hub.memory);
  hub.memory.write = async (wanted, options) => {
    if (wanted.kind === 'update' && wanted.key.pk === autoKey(group).pk) {
      hub.memory.write = write;
      const answers = JSON.stringify([{ rule: kept, event: 'evt_new', at: 1 }]);
      await write(update(autoKey(group), [set('answers', answers), set('version', 2), set('mutedBy', 'evt_new')]));
    }
    return write(wanted, options);
  };
  await hub.done('DELETE', `/api/contacts/${PERSON}`);
  expect(hub.memory.peek(autoKey(group))).toMatchObject({ version: 2, answers: expect.stringContaining('evt_new') });
});
