import { describe, expect, it } from 'vitest';
import { sightChat } from '#lib/chats/people.ts';
import { audit } from '#lib/credits/audit.ts';
import { unknownMarks } from '#lib/sender/evidence.ts';
import { readSend } from '#lib/sender/items.ts';
import { deliveryKey, eventKey, sendKey, stateKey } from '#lib/store/keys.ts';
import { type Check, type Delete, del, type Put, put, set, type Update, update } from '#lib/store/store.ts';
import { message } from '#test/functions/admin/admin-bench.ts';
import { wrongRows } from '#test/support/found-rows.ts';
import { LONG } from '#test/support/long.ts';
import { DIGITS, ErasureHub, LONGER, names, OTHER, PERSON, snapshot, textsByPartition } from './hub.ts';

const erase = (hub: ErasureHub, query = '', workspace = 'main') =>
  hub.done('DELETE', `/api/contacts/${PERSON}${query}`, { workspace });

const traces = (hub: ErasureHub) =>
  [...textsByPartition(hub.memory.all())].filter(([, text]) => names(text)).map(([pk]) => pk);

describe('erasing a person deletes', () => {
  it.each([
    ['what they wrote', message(1, { chat: PERSON })],
    ['what was written to them', message(1, { chat: `${DIGITS}@c.us`, direction: 'outbound' })],
    ['what they wrote from another device', message(1, { chat: `${DIGITS}:3@s.whatsapp.net` })],
    ['what they wrote in a group', message(1, { chat: '120363@g.us', from: PERSON })],
    ['what speaks of them', message(1, { chat: OTHER, text: `call +7 (987) 654-32-10` })],
    ['what is in quarantine', { event: 'new thing', who: PERSON }],
    ['what somebody called a thing', { event: `from ${PERSON}` }],
    ['how far a message to them got', { event: 'status', id: 'm1', status: 'read', chat: PERSON, at: message(1).at }],
    ['a long message', message(1, { chat: PERSON, text: LONG })],
  ])('%s', async (_what, body) => {
    const hub = new ErasureHub();
    const { url } = await hub.webhook();
    const before = snapshot(hub.memory);
    expect((await hub.post(url, body)).status).toBe(200);
    expect(traces(hub)).not.toEqual([]);
    const answer = await erase(hub);
    expect(answer).toMatchObject({ erased: { events: 1 }, left: [] });
    expect(answer.cursor).toBeUndefined();
    expect(traces(hub)).toEqual([]);
    const kept = [...snapshot(hub.memory).keys()].filter((key) => !before.has(key) && key.startsWith('EVT#'));
    expect(kept).toEqual([]);
  });

  it.each([undefined, LONG])(
    'what a later delivery of a message says of them, with every body of it',
    async (padding) => {
      const hub = new ErasureHub();
      const { url } = await hub.webhook();
      const file = { url: 'https://files.example/a.png', mimeType: 'image/png' };
      await hub.post(url, message(1, { chat: OTHER, file }));
      const renewed = { ...file, url: 'https://files.example/b.png' };
      await hub.post(url, { ...message(1, { chat: OTHER, file: renewed }), note: `of ${PERSON}`, padding });
      await hub.post(url, message(2, { chat: OTHER }));
      expect((await hub.walk('/api/messages')).items).toHaveLength(2);
      expect(traces(hub)).not.toEqual([]);
      expect(await erase(hub)).toMatchObject({ erased: { events: 1 }, left: [] });
      expect(traces(hub)).toEqual([]);
      expect(hub.memory.all().filter(({ pk }) => pk.startsWith('EVT#'))).toHaveLength(1);
    },
  );

  it('the whole of their own chat, also what has no number in it', async () => {
    const hub = new ErasureHub();
    const { url } = await hub.webhook();
    await hub.post(url, message(1, { chat: 'chat-77', from: PERSON, title: 'Ana' }));
    await hub.post(url, message(2, { chat: 'chat-77', direction: 'outbound', title: 'Ana' }));
    await hub.post(url, message(3, { chat: 'chat-78', from: OTHER }));
    expect(await erase(hub)).toMatchObject({ erased: { events: 2, chats: 1 } });
    expect((await hub.walk('/api/messages')).items).toMatchObject([{ message: { id: 'm3' } }]);
    expect((await hub.walk('/api/chats')).items).toMatchObject([{ providerChatId: 'chat-78' }]);
  });

  it('what stands under an id that hides the number, everywhere, once the hub knows whose it is', async () => {
    const hub = new ErasureHub();
    const { url } = await hub.webhook();
    const lid = '190000000000042@lid';
    await hub.post(url, message(1, { chat: lid }));
    await hub.post(url, message(2, { chat: '1-2@g.us', from: lid }));
    await hub.post(url, message(3, { chat: '1-2@g.us', from: '190000000000043@lid' }));
    await hub.post(url, message(4, { chat: lid, from: PERSON }));
    expect(await erase(hub)).toMatchObject({ erased: { events: 3, chats: 1 }, left: [] });
    expect((await hub.walk('/api/messages')).items).toMatchObject([{ message: { id: 'm3' } }]);
    const left = hub.memory.all().map((item) => JSON.stringify(item));
    expect(left.filter((text) => text.includes('190000000000042'))).toEqual([]);
  });

  it('both spellings of a number, and chats that were merged, with what leads to them', async () => {
    const hub = new ErasureHub();
    const { url } = await hub.webhook();
    const [old, now] = ['+5215550000099', '+525550000099'];
    await hub.post(url, message(1, { chat: 'chat-77', from: undefined }));
    await hub.post(url, message(2, { chat: now, from: undefined }));
    await hub.post(url, message(3, { chat: 'chat-77', from: old }));
    expect((await hub.walk('/api/chats')).items).toHaveLength(1);
    const { erased } = await hub.done('DELETE', `/api/contacts/${now}`);
    expect(erased).toMatchObject({ events: 3, chats: 1 });
    const left = hub.memory.all().filter(({ pk }) => /^(?:CHAT|PERSON|EVT)#/.test(pk));
    expect(left).toEqual([]);
  });

  it('comes to the same where it breaks off before the last of what leads to the person', async () => {
    const hub = new ErasureHub();
    const { url } = await hub.webhook();
    await hub.post(url, message(1, { chat: '190000000000042@lid', from: PERSON }));
    const [row] = hub.memory.all().filter(({ pk }) => pk === 'PERSON#main#190000000000042@lid');
    if (!row) throw new Error('nothing is known of the person');
    await hub.memory.write(del(row));
    await hub.post(url, message(2, { chat: '1-2@g.us', from: '190000000000042@lid' }));
    expect(await erase(hub)).toMatchObject({ erased: { events: 2 } });
    expect(hub.memory.all().filter(({ pk }) => pk.startsWith('PERSON#'))).toHaveLength(1);
  });

  it('each message once, however many of a chat stand on one page of a list', async () => {
    const hub = new ErasureHub();
    const { url } = await hub.webhook();
    for (let n = 0; n < 20; n++) await hub.post(url, message(n, { chat: PERSON, ...(n % 4 === 0 && { text: LONG }) }));
    expect(await erase(hub)).toMatchObject({ erased: { events: 20, chats: 1 }, left: [] });
  });

  it('a chat whose own id hides the number, by another id of it, with what was said there', async () => {
    const hub = new ErasureHub();
    const { id, url } = await hub.webhook();
    await hub.post(url, message(1, { chat: '987@lid' }));
    const chat = { workspace: 'main', provider: 'sandbox', accountKey: id, providerChatId: '987@lid' };
    await sightChat(hub.memory, { ...chat, kind: 'individual', aliases: [`${DIGITS}@c.us`], at: hub.bench.now });
    expect(await erase(hub)).toMatchObject({ erased: { events: 1, chats: 1 } });
    expect(traces(hub)).toEqual([]);
  });

  const rowsIn = (hub: ErasureHub) => hub.memory.all().filter(({ pk }) => pk.startsWith('FIND#'));

  it('what their chats are found by, also a group whose title names them, and nothing of others', async () => {
    const hub = new ErasureHub();
    const { url } = await hub.webhook();
    await hub.post(url, message(1, { chat: OTHER, title: 'Bea Ruiz' }));
    const others = rowsIn(hub);
    await hub.post(url, message(2, { chat: PERSON, title: 'Ana Maria Ruiz 🎉' }));
    await hub.post(url, message(3, { chat: '120363@g.us', title: `Friends of ${PERSON}` }));
    expect(rowsIn(hub).length).toBeGreaterThan(others.length + 8);
    await erase(hub);
    expect(rowsIn(hub)).toEqual(others);
    const text = [...textsByPartition(hub.memory.all()).values()].join('\n');
    expect(text).not.toMatch(/ana|maria|friends/i);
    expect((await hub.walk('/api/chats?q=ruiz')).items).toHaveLength(1);
  });

  /** Right before the head of a chat is deleted, for the first time. */
  function atDeletionOf(hub: ErasureHub, meanwhile: () => Promise<unknown>) {
    const { write, transact } = hub.memory;
    const isHead = (wanted: Put | Update | Delete | Check) =>
      wanted.kind === 'delete' && wanted.key.pk.startsWith('CHAT#') && wanted.key.sk === 'META';
    const pass = async (writes: readonly (Put | Update | Delete | Check)[]) => {
      if (!writes.some(isHead)) return;
      Object.assign(hub.memory, { write, transact });
      await meanwhile();
    };
    hub.memory.write = (wanted, options) => pass([wanted]).then(() => write.call(hub.memory, wanted, options));
    hub.memory.transact = (writes, token) => pass(writes).then(() => transact.call(hub.memory, writes, token));
  }

  it.each([
    ['a person', PERSON, 'Ana'],
    ['a group', '120363@g.us', `Friends of ${PERSON}`],
  ])(
    '%s at another time, and till then all that leads there, where a run ends in the middle',
    async (_, chat, title) => {
      const hub = new ErasureHub();
      const { url } = await hub.webhook();
      await hub.post(url, message(1, { chat, title }));
      const leading = () => hub.memory.all().filter(({ pk }) => /^(?:FIND|PERSON)#/.test(pk));
      const before = leading();
      atDeletionOf(hub, () => Promise.reject(new Error('the run ends here')));
      await erase(hub).catch(() => undefined);
      expect(leading()).toEqual(before);
      await erase(hub);
      expect(leading()).toEqual([]);
      expect(traces(hub)).toEqual([]);
    },
  );

  it('what a chat is found by under a title that it gets in this very moment', async () => {
    const hub = new ErasureHub();
    const { url } = await hub.webhook();
    await hub.post(url, message(1, { chat: PERSON, title: 'Ana' }));
    const [chat] = hub.memory.all().filter(({ pk }) => pk.startsWith('CHAT#'));
    atDeletionOf(hub, () => hub.post(url, message(2, { chat: PERSON, title: 'Maria' })));
    await erase(hub);
    expect(hub.memory.peek({ pk: String(chat?.pk), sk: 'META' })).toBeUndefined();
    expect(wrongRows(hub.memory.all())).toEqual([]);
    expect(rowsIn(hub)).toEqual([]);
  });

  it('the messages that the hub itself recorded on sending, and the sends that only their chat tells of', async () => {
    const hub = new ErasureHub();
    const account = await hub.account();
    const { url } = await hub.webhook({ accountId: account });
    await hub.post(url, message(1, { chat: 'chat-77', from: PERSON }));
    const [chat] = (await hub.walk('/api/chats')).items;
    const unnamed = { chat: String(chat?.id), provider_chat: 'chat-77' };
    const named = { phone: PERSON, chat: 'chat_2', provider_chat: PERSON };
    const sent = [
      await hub.accepted(account, unnamed, 'no number', { kind: 'sent', providerId: 'P1' }),
      await hub.accepted(account, named, 'a number', { kind: 'sent', providerId: 'P2' }),
    ];
    expect(await erase(hub)).toMatchObject({ erased: { events: 3, sends: 2, deliveries: 2 }, left: [] });
    expect(traces(hub)).toEqual([]);
    for (const id of sent) expect(hub.memory.peek(sendKey(id))).toMatchObject({ recipient: {}, erased: true });
    expect((await hub.call('POST', `/api/sends/${sent[0]}/resend`)).status).toBe(404);
  });

  it('the marks of a send to them of which nobody knows what became', async () => {
    const hub = new ErasureHub();
    const account = await hub.account();
    const id = await hub.accepted(account, { phone: PERSON }, 'hello');
    const changes = [set(['parts', 0, 'state'], 'expired'), set(['parts', 0, 'unknownAt'], hub.bench.now)];
    await hub.memory.write(update(sendKey(id), changes));
    const item = hub.memory.peek(sendKey(id));
    if (!item) throw new Error('the send is gone');
    await hub.memory.writeMany(unknownMarks(readSend(item), 0, hub.bench.now + 60_000));
    const marks = () => hub.memory.all().filter(({ pk }) => pk.startsWith('ECHO#'));
    expect(marks()).toHaveLength(2);
    await erase(hub);
    expect(marks()).toEqual([]);
  });

  it('attempts, also of a webhook that is deleted', async () => {
    const hub = new ErasureHub();
    const { id, url } = await hub.webhook();
    await hub.done('PATCH', `/api/webhooks/${id}`, { body: { enabled: false } });
    await hub.post(url, message(1, { chat: PERSON }));
    await hub.post(url, message(2, { chat: OTHER }));
    expect((await hub.call('DELETE', `/api/webhooks/${id}`)).status).toBe(204);
    expect(traces(hub)).toEqual([`ATT#${id}`]);
    expect(await erase(hub)).toMatchObject({ erased: { attempts: 1, events: 0 } });
    expect(traces(hub)).toEqual([]);
    expect(hub.memory.all().filter(({ pk }) => pk === `ATT#${id}`)).toHaveLength(1);
  });
});

describe('erasing a person deletes what was told of them to others:', () => {
  it('what endpoints and rules called with their events were answered, and no more', async () => {
    const hub = new ErasureHub();
    const { url } = await hub.webhook();
    const told = async (n: number, chat: string, answer: string, called: string) => {
      const { body } = await hub.post(url, message(n, { chat }));
      const event = String(body.id);
      const storedAt = String(hub.memory.peek(eventKey(event))?.storedAt);
      const row = { workspace: 'main', endpoint: called, event, storedAt, state: 'delivered', tries: 1 };
      const attempts = [{ at: storedAt, ms: 1, status: 200, answer }];
      const expiresAt = hub.ports.clock.now() / 1000 + 86_400;
      const key = deliveryKey(called, storedAt, called === rule ? `${event}#0` : event);
      await hub.memory.write(put({ ...key, ...row, attempts, expiresAt }));
      return key;
    };
    const { id: endpoint } = await hub.done('POST', '/api/endpoints', { body: { url: 'https://crm.example/in' } });
    const call = { name: 'a', on: ['*'], do: [{ action: 'call', url: 'https://crm.example/' }] };
    const rule = String((await hub.done('POST', '/api/rules', { body: call })).id);
    const theirs = [
      await told(1, PERSON, 'noted: text 1', String(endpoint)),
      await told(2, PERSON, 'noted: text 2', rule),
      await told(3, OTHER, `a friend of ${PERSON}`, String(endpoint)),
    ];
    const others = await told(4, OTHER, 'noted', String(endpoint));
    expect(await erase(hub)).toMatchObject({ erased: { attempts: 3 } });
    expect(theirs.map((key) => hub.memory.peek(key))).toEqual([undefined, undefined, undefined]);
    expect(hub.memory.peek(others)).toBeDefined();
  });
});

describe('erasing a person keeps', () => {
  it('everything of others and of other workspaces, byte for byte', async () => {
    const hub = new ErasureHub();
    const { id: workspace } = await hub.workspaceWithKey();
    const { url: theirs } = await hub.webhook({}, { workspace });
    await hub.post(theirs, message(1, { chat: PERSON }));
    const { url } = await hub.webhook();
    await hub.post(url, message(1, { chat: OTHER }));
    await hub.post(url, message(2, { chat: LONGER }));
    await hub.post(url, message(3, { chat: `${DIGITS}@lid` }));
    const before = snapshot(hub.memory);
    expect(await erase(hub)).toMatchObject({ erased: { events: 0, chats: 0, attempts: 0 }, left: [] });
    expect(snapshot(hub.memory)).toEqual(before);
  });

  it('a group that they founded, and says so, unless it is asked for', async () => {
    const hub = new ErasureHub();
    const { url } = await hub.webhook();
    await hub.post(url, message(1, { chat: `${DIGITS}-1581234048@g.us`, from: OTHER }));
    const answer = await erase(hub);
    expect(answer).toMatchObject({
      erased: { events: 0 },
      left: [{ kind: 'group', id: expect.stringMatching(/^chat_/) }],
    });
    expect(await erase(hub, '?groups=true')).toMatchObject({ erased: { events: 1, chats: 1 }, left: [] });
    expect(traces(hub)).toEqual([]);
  });

  it('what leads to a send of somebody else, without the words that name the person', async () => {
    const hub = new ErasureHub();
    const account = await hub.account();
    const { url } = await hub.webhook();
    const send = await hub.accepted(account, { phone: OTHER }, 'hello', { kind: 'sent', providerId: 'P1' });
    const state = stateKey({ workspace: 'main', provider: 'sandbox', scope: account }, 'P1');
    await hub.memory.write(update(state, [set('detail_failed', `${PERSON} has left`), set('at_failed', 1)]));
    await hub.post(url, { event: 'status', id: 'P1', status: 'sent', account, chat: PERSON, at: message(1).at });
    expect(await erase(hub)).toMatchObject({ erased: { events: 1, sends: 0, deliveries: 0 } });
    expect(traces(hub)).toEqual([]);
    expect(hub.memory.peek(state)).toMatchObject({ send, part: 0, at_failed: 1 });
  });

  it('a send that waits, and the figures of one that is done', async () => {
    const hub = new ErasureHub();
    const account = await hub.account();
    const waiting = await hub.accepted(account, { phone: PERSON }, 'soon');
    const failed = await hub.accepted(account, { phone: PERSON }, 'hi', {
      kind: 'failed',
      reason: `${DIGITS} is unknown`,
    });
    const sent = await hub.accepted(account, { phone: OTHER }, `ask ${PERSON}`, { kind: 'sent', providerId: 'P1' });
    const other = await hub.accepted(account, { phone: OTHER }, 'hello', { kind: 'sent', providerId: 'P2' });
    const before = hub.memory.peek(sendKey(other));
    const answer = await erase(hub);
    expect(answer.left).toEqual([{ kind: 'send', id: waiting, why: expect.stringContaining('queued') }]);
    expect(answer.erased).toMatchObject({ sends: 2, ledgerEntries: 1, deliveries: 1 });
    expect(traces(hub)).toEqual([`MSG#${waiting}`]);
    expect(hub.memory.peek(sendKey(other))).toEqual(before);
    expect(hub.memory.peek(sendKey(failed))).toMatchObject({ parts: [{ state: 'failed', creditState: 'refunded' }] });
    expect(hub.memory.peek(sendKey(sent))).toMatchObject({ parts: [{ state: 'sent', creditState: 'spent' }] });
    expect(await audit({ ...hub.ports, store: hub.memory }, 'main')).toMatchObject({ ok: true, differences: [] });
    expect(await erase(hub)).toMatchObject({ erased: { sends: 0 } });
  });
});

describe('erasing a person', () => {
  it('is refused for the number of an own account', async () => {
    const hub = new ErasureHub();
    await hub.account('main', { phone: PERSON });
    expect((await hub.call('DELETE', `/api/contacts/${DIGITS}`)).status).toBe(409);
  });

  it.each([
    ['x', '', 'phone', 'must be an international number, as +15550100001'],
    ['112', '', 'phone', 'must be an international number, as +15550100001'],
    [PERSON, '?cursor=x', 'cursor', 'is not a cursor of this call: leave it out'],
    [PERSON, '?cursor=e30', 'cursor', 'is not a cursor of this call: leave it out'],
    [PERSON, '?groups=yes', 'groups', 'must be "true" or "false"'],
  ])('is refused for %s%s', async (phone, query, path, words) => {
    const { status, json } = await new ErasureHub().call('DELETE', `/api/contacts/${phone}${query}`);
    expect(status).toBe(422);
    expect(json).toMatchObject({ issues: [{ path, message: expect.stringContaining(words) }] });
  });

  it('writes the number into no log', async () => {
    const hub = new ErasureHub();
    const { url } = await hub.webhook();
    await hub.post(url, message(1, { chat: PERSON }));
    await erase(hub);
    expect(hub.logged).toHaveLength(1);
    expect(hub.logged.join()).not.toContain('9876543210');
  });

  it('says which event is damaged, and goes on', async () => {
    const hub = new ErasureHub();
    const { url } = await hub.webhook();
    const { body } = await hub.post(url, message(1, { chat: OTHER, text: LONG }));
    await hub.post(url, message(2, { chat: PERSON }));
    const [chunk] = hub.memory.all().filter(({ pk, sk }) => pk === `EVT#${body.id}` && sk !== 'META');
    if (!chunk) throw new Error('no chunk');
    await hub.memory.write({ kind: 'delete', key: chunk });
    const answer = await erase(hub);
    expect(answer).toMatchObject({ erased: { events: 1 }, left: [{ kind: 'event', id: body.id }] });
  });
});
