import { describe, expect, it } from 'vitest';
import { findChat } from '#lib/chats/list.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { eventOf, recordOf } from '#lib/inbox/event-item.ts';
import { countQuarantined } from '#lib/inbox/quarantine.ts';
import { accountsNamed, findChats } from '#lib/outbox/resolve.ts';
import { readAccount, readProviderMessage, readSend } from '#lib/sender/items.ts';
import { shownKey } from '#lib/store/items.ts';
import { type Item, put } from '#lib/store/store.ts';
import { findKey } from '#lib/tenants/api-keys.ts';
import { lastAttempts } from '#lib/tenants/attempts.ts';
import { webhookOf } from '#lib/tenants/webhooks.ts';
import { findWorkspace } from '#lib/tenants/workspaces.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
import { NOW } from '#test/support/receiving.ts';

const PRIVATE = { name: 'Ana Private', phone: '+491701234567', text: 'private words', enabled: 'private words' };
const chat = `chat_${'a'.repeat(32)}`;
const whole = (store: MemoryStore, item: Item) => store.write(put({ ...PRIVATE, ...item }));

/** Each reads one item that holds what is private and lacks what it needs. */
const READERS: Readonly<Record<string, (store: MemoryStore) => unknown>> = {
  'an account': () => readAccount({ pk: 'ACC#acc_1', sk: 'META', ...PRIVATE }),
  'a webhook': () => webhookOf({ pk: 'HOOK#1', sk: 'META', ...PRIVATE }),
  'a send': () => readSend({ pk: 'MSG#1', sk: 'META', ...PRIVATE, recipient: PRIVATE, parts: [PRIVATE] }),
  "a message's delivery": () =>
    readProviderMessage({ pk: 'PID#main#zender#+491701234567#9', sk: 'META', ...PRIVATE, part: 'private words' }),
  'a workspace': async (store) => {
    await whole(store, { pk: 'WORKSPACES', sk: 'ws_1', name: 1 });
    return findWorkspace(store, 'ws_1');
  },
  'a key': async (store) => {
    await whole(store, { pk: `KEY#${sha256('key')}`, sk: 'META' });
    return findKey(store, sha256('key'));
  },
  'a chat in a list': async (store) => {
    await whole(store, { pk: `CHAT#${chat}`, sk: 'META', workspace: 'main' });
    return findChat(store, 'main', chat);
  },
  'a chat to send to': async (store) => {
    await whole(store, { pk: `CHAT#${chat}`, sk: 'META', workspace: 'main' });
    return findChats(store, 'main', { kind: 'chat', id: chat });
  },
  'an account to send from': async (store) => {
    await whole(store, { pk: 'ACC#acc_1', sk: 'META', workspace: 'main' });
    return accountsNamed(store, 'main', ['acc_1']);
  },
  'a quarantine counter': async (store) => {
    await whole(store, { pk: 'QUAR#main', sk: 'zender#private words' });
    return countQuarantined(store, 'main');
  },
  'an attempt': async (store) => {
    const attempt = JSON.stringify({ ...PRIVATE, request: { body: 'private words' } });
    await whole(store, { pk: 'ATT#wh_1', sk: '2026-03-01T12:00:00.000Z#x', attempt, expiresAt: NOW });
    return lastAttempts(store, 'wh_1', NOW);
  },
  'an attempt that is no JSON': async (store) => {
    const attempt = '{"text":"private words", Ana';
    await whole(store, { pk: 'ATT#wh_1', sk: '2026-03-01T12:00:00.000Z#x', attempt, expiresAt: NOW });
    return lastAttempts(store, 'wh_1', NOW);
  },
  'an event that is no JSON': (store) =>
    eventOf(store, {
      pk: 'EVT#evt_1',
      sk: 'META',
      event: { bytes: Buffer.from('{"text": private words}'), zipped: false },
    }),
  'an event without what it needs': (store) =>
    recordOf(store, {
      pk: 'EVT#evt_1',
      sk: 'META',
      ...PRIVATE,
      event: { bytes: Buffer.from('{}'), zipped: false },
      raw: { bytes: Buffer.from('private words'), zipped: false },
    }),
};

describe('an item that is damaged', () => {
  it.each(Object.entries(READERS))('is named by key and paths, with nothing of what it holds: %s', async (_, read) => {
    const error = await Promise.resolve()
      .then(() => read(new MemoryStore()))
      .then(() => undefined)
      .catch((cause: unknown) => cause);
    if (!(error instanceof Error)) throw new TypeError('it was read as if it were whole');
    const everything = JSON.stringify({ ...error, message: error.message, stack: error.stack, cause: error.cause });
    expect(everything).not.toMatch(/[Pp]rivate|Ana|491701234567/);
  });
});

describe('the key of an item in a log', () => {
  it.each([
    ['MSG#wa_backend:3EB0A1B2C3D4E5F60718', 'META', 'MSG#wa_backend:3EB0A1B2C3D4E5F60718 META'],
    [`EVT#evt_${'0a'.repeat(16)}`, 'META', `EVT#evt_${'0a'.repeat(16)} META`],
    ['WS#main', 'LEDGER#2026-03-01T12:00:00.000Z#x', 'WS#main LEDGER#2026-03-01T12:00:00.000Z#…x'],
    ['PID#main#zender#+491701234567#491709876543@c.us', 'META', 'PID#main#…nder#…4567#…c.us META'],
    [`CHAT#${chat}`, 'ALIAS#491709876543@c.us', `CHAT#${chat} ALIAS#…c.us`],
  ])('keeps what is ours and no number: %s %s', (pk, sk, shown) => {
    expect(shownKey({ pk, sk })).toBe(shown);
  });
});
