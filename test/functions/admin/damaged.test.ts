import { beforeEach, expect, it } from 'vitest';
import { set, update } from '#lib/store/store.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
import { AdminBench, itemsOf, message } from './admin-bench.ts';

let store: MemoryStore;
let hub: AdminBench;
beforeEach(() => {
  store = new MemoryStore({ now: () => hub.bench.now });
  hub = new AdminBench({ store });
});

const RULE = { name: 'A', on: ['message.received'], do: [{ action: 'reply', text: 'hi' }] };
const ACCOUNT = { provider: 'sandbox', channel: 'whatsapp', credentials: {} };

const make = async (path: string, body: object) => String((await hub.done('POST', path, { body })).id);

interface Kind {
  readonly list: string;
  readonly make: () => Promise<string>;
  /** What its item cannot do without. */
  readonly lacks: string;
}

let numbers = 0;
const number = () => `+1555${String(++numbers).padStart(4, '0')}0100`;

const chat = async () => {
  const { url } = await hub.webhook();
  const phone = number();
  await hub.post(url, message(numbers, { id: phone, chat: phone, from: phone }));
  return String(itemsOf(await hub.done('GET', '/api/chats'))[0]?.id);
};
const send = async () => {
  const body = { phone: '+15550100099', text: 'hello' };
  return String((await hub.done('POST', '/api/sends', { body })).messageId);
};

const KINDS: Readonly<Record<string, Kind>> = {
  rules: { list: '/api/rules', make: () => make('/api/rules', RULE), lacks: 'rule' },
  endpoints: {
    list: '/api/endpoints',
    make: () => make('/api/endpoints', { url: 'https://a.example/' }),
    lacks: 'url',
  },
  accounts: {
    list: '/api/accounts',
    make: () => make('/api/accounts', { ...ACCOUNT, phone: number() }),
    lacks: 'pending',
  },
  webhooks: { list: '/api/webhooks', make: async () => (await hub.webhook()).id, lacks: 'provider' },
  keys: {
    list: '/api/workspaces/main/keys',
    make: () => make('/api/workspaces/main/keys', { name: 'A', scope: 'read' }),
    lacks: 'scope',
  },
  chats: { list: '/api/chats', make: chat, lacks: 'kind' },
  'sought chats': { list: '/api/chats?q=0100', make: chat, lacks: 'kind' },
  'unread chats': { list: '/api/chats?unread=true', make: chat, lacks: 'kind' },
  sends: { list: '/api/sends', make: send, lacks: 'parts' },
  'queued sends': { list: '/api/sends?state=queued', make: send, lacks: 'parts' },
};

const idOf = ({ id, messageId }: Record<string, unknown>) => id ?? messageId;

it.each(Object.entries(KINDS))(
  '%s: a damaged item is named, and hides no other',
  async (_, { list, make: another, lacks }) => {
    await make('/api/accounts', { ...ACCOUNT, phone: number() });
    const [broken, whole] = [await another(), await another()];
    expect(await hub.done('GET', list)).not.toHaveProperty('damaged');
    const item = store
      .all()
      .find((one) => [one.id, one.chatId, one.messageId, one.webhookId, one.keyId].includes(broken) && lacks in one);
    if (!item) throw new Error(`no item of ${broken} has ${lacks}`);
    await store.write(update({ pk: item.pk, sk: item.sk }, [set(lacks, { not: 'so' })]));
    const page = await hub.done('GET', list);
    const ids = itemsOf(page).map(idOf);
    expect(ids).toContain(whole);
    expect(ids).not.toContain(broken);
    expect(page.damaged).toEqual([expect.stringMatching(new RegExp(`damaged item.*: .*${lacks}`))]);
  },
);

it('the overview tells of what is damaged', async () => {
  for (const kind of ['rules', 'endpoints', 'accounts']) {
    const { make: another, lacks } = KINDS[kind] ?? {};
    const id = await another?.();
    const item = store.all().find((one) => one.id === id && lacks !== undefined && lacks in one);
    if (item && lacks) await store.write(update({ pk: item.pk, sk: item.sk }, [set(lacks, { not: 'so' })]));
  }
  const { needs } = await hub.done('GET', '/api/summary');
  expect(needs).toMatchObject({ damaged: [/ACC#/, /ENDPOINT#/, /RULE#/].map((key) => expect.stringMatching(key)) });
});
