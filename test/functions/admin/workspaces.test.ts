import { describe, expect, it } from 'vitest';
import { applyNightly } from '#lib/privacy/retention.ts';
import { directoryKey, workspaceKey } from '#lib/store/keys.ts';
import { put } from '#lib/store/store.ts';
import { createAccount } from '#lib/tenants/accounts.ts';
import { createKey } from '#lib/tenants/api-keys.ts';
import { ErasureHub, OTHER, PERSON } from '#test/lib/privacy/hub.ts';
import { underRole } from '#test/support/under-role.ts';
import { message } from './admin-bench.ts';

const DAY_MS = 86_400_000;

describe('a workspace', () => {
  it('is shown to the admin key and to its own keys, and to nobody else', async () => {
    const hub = new ErasureHub();
    const { id, key } = await hub.workspaceWithKey();
    const { key: other } = await hub.workspaceWithKey();
    const shown = { id, name: 'Another', createdAt: expect.any(String) };
    expect(await hub.done('GET', `/api/workspaces/${id}`)).toEqual(shown);
    expect(await hub.done('GET', `/api/workspaces/${id}`, { key })).toEqual(shown);
    expect(await hub.done('GET', '/api/workspaces/main')).toEqual({ id: 'main', name: 'main' });
    for (const call of [{ key: other }, { key }]) {
      const path = call.key === key ? '/api/workspaces/main' : `/api/workspaces/${id}`;
      expect((await hub.call('GET', path, call)).status).toBe(404);
    }
    expect((await hub.call('GET', '/api/workspaces/ws_0')).status).toBe(404);
  });

  it('shows itself to a key that only reads, and not to one that only sends', async () => {
    const hub = new ErasureHub();
    const { id } = await hub.workspaceWithKey();
    const statusOf = async (scope: string) => {
      const { key } = await hub.done('POST', `/api/workspaces/${id}/keys`, { body: { scope } });
      return (await hub.call('GET', `/api/workspaces/${id}`, { key: String(key) })).status;
    };
    expect([await statusOf('read'), await statusOf('send')]).toEqual([200, 403]);
  });
});

/** A workspace in which something has happened, and whose account is gone. */
async function used() {
  const hub = new ErasureHub();
  const { id, key } = await hub.workspaceWithKey();
  const account = await hub.account(id);
  const receiving = await hub.webhook({}, { workspace: id });
  const { url: sending } = await hub.done('POST', '/api/webhooks', { workspace: id, body: { kind: 'send' } });
  await hub.done('POST', '/api/endpoints', { workspace: id, body: { url: 'https://crm.example/in' } });
  const rule = { name: 'r', on: ['message.received'], do: [{ action: 'reply', text: 'hi' }] };
  await hub.done('POST', '/api/rules', { workspace: id, body: rule });
  await hub.post(receiving.url, message(1, { chat: PERSON }));
  const sent = await hub.accepted(account, { phone: OTHER }, 'hello', { kind: 'sent', providerId: 'P1' }, id);
  return { hub, id, key, account, receiving, sending: String(sending), sent };
}

async function deleted() {
  const made = await used();
  await made.hub.done('DELETE', `/api/accounts/${made.account}`, { workspace: made.id });
  const answer = await made.hub.done('DELETE', `/api/workspaces/${made.id}`);
  return { ...made, answer };
}

describe('deleting a workspace', () => {
  it('is refused while it has accounts, which is said, and changes nothing', async () => {
    const { hub, id, key, account } = await used();
    const before = hub.memory.peek(workspaceKey(id));
    const refused = await hub.call('DELETE', `/api/workspaces/${id}`);
    expect(refused.status).toBe(409);
    expect(refused.json.message).toBe('It still has an account: delete it first, which cancels what waits there');
    expect(hub.memory.peek(workspaceKey(id))).toEqual(before);
    expect(await hub.done('GET', `/api/accounts/${account}`, { key })).toMatchObject({ id: account });
    await hub.account(id, { phone: '+15550112' });
    expect((await hub.call('DELETE', `/api/workspaces/${id}`)).json.message).toContain('still has 2 accounts');
  });

  it('says what is gone and when the rest ends', async () => {
    const { hub, id, answer } = await deleted();
    const now = hub.bench.now;
    expect(answer).toEqual({
      ...{ id, name: 'Another', deletedAt: new Date(now).toISOString() },
      deleted: { keys: 1, webhooks: 2, endpoints: 1, rules: 1 },
      kept: { until: new Date(now + 30 * DAY_MS).toISOString(), what: expect.stringContaining('Events') },
    });
  });

  it('kills its keys and URLs, and leaves none of what acts in it', async () => {
    const { hub, id, key, receiving, sending } = await deleted();
    expect((await hub.call('GET', '/api/events', { key })).status).toBe(401);
    expect((await hub.post(receiving.url, message(2))).status).toBe(404);
    await expect(hub.send(sending)).rejects.toThrow('404');
    for (const path of ['webhooks', 'endpoints', 'rules', 'accounts']) {
      expect(await hub.done('GET', `/api/${path}`, { workspace: id })).toMatchObject({ items: [] });
    }
    expect(hub.secretValues.size).toBe(1);
  });

  it('takes it out of the lists, once', async () => {
    const { hub, id } = await deleted();
    const ids = async (query = '') => (await hub.walk(`/api/workspaces${query}`)).items.map((one) => one.id);
    expect(await ids()).toEqual(['main']);
    expect(await ids('?deleted=true')).toEqual([id]);
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['GET', '/keys'],
      ['POST', '/keys'],
      ['POST', '/retention/apply'],
    ] as const) {
      expect((await hub.call(method, `/api/workspaces/${id}${path}`)).status, path).toBe(404);
    }
    const renamed = await hub.call('PATCH', `/api/workspaces/${id}`, { body: { name: 'Back' } });
    expect(renamed.status).toBe(404);
  });

  it('lets what it holds be read, and persons erased, and nothing come into being', async () => {
    const { hub, id } = await deleted();
    const workspace = { workspace: id };
    expect((await hub.walk('/api/messages', workspace)).items).not.toEqual([]);
    for (const [path, body] of [
      ['accounts', { provider: 'sandbox', channel: 'whatsapp', credentials: {} }],
      ['webhooks', { kind: 'send' }],
      ['endpoints', { url: 'https://crm.example/in' }],
      ['credits/grants', { credits: 1, reason: 'a gift' }],
    ] as const) {
      const { status, json } = await hub.call('POST', `/api/${path}`, { ...workspace, body });
      expect([status, json.message]).toEqual([403, expect.stringContaining('was deleted')]);
    }
    expect(await hub.done('DELETE', `/api/contacts/${PERSON}`, workspace)).toMatchObject({ erased: { events: 1 } });
  });

  it('ends what it holds within 30 days, also where it was kept for ever, and leaves the figures', async () => {
    const { hub, id, sent } = await deleted();
    const night = () =>
      applyNightly({ ...hub.ports, store: underRole(hub.memory, 'watchdog') }, Number.POSITIVE_INFINITY);
    hub.bench.now += 31 * DAY_MS;
    expect(await night()).toEqual([]);
    expect((await hub.walk('/api/events', { workspace: id })).items).toEqual([]);
    expect((await hub.walk('/api/chats', { workspace: id })).items).toEqual([]);
    const send = await hub.done('GET', `/api/sends/${sent}`, { workspace: id });
    expect(JSON.stringify(send)).not.toContain('hello');
    expect(await hub.done('GET', '/api/credits/audit', { workspace: id })).toMatchObject({ ok: true });
  });

  it('keeps a shorter life of what it holds, and is not for `main`', async () => {
    const hub = new ErasureHub();
    const { id } = await hub.done('POST', '/api/workspaces', { body: { name: 'Long', retentionDays: 400 } });
    await hub.done('DELETE', `/api/workspaces/${id}`);
    expect(hub.memory.peek(workspaceKey(String(id)))).toMatchObject({ retentionDays: 30 });
    const refused = await hub.call('DELETE', '/api/workspaces/main');
    expect([refused.status, refused.json.message]).toEqual([409, '`main` is always there: it cannot be deleted']);
    const { key } = await hub.workspaceWithKey();
    expect((await hub.call('DELETE', '/api/workspaces/main', { key })).status).toBe(403);
    expect((await hub.call('DELETE', '/api/workspaces/ws_0')).status).toBe(404);
  });

  it('goes on where it broke off, when it is repeated', async () => {
    const { hub, id, account, key, receiving } = await used();
    await hub.done('DELETE', `/api/accounts/${account}`, { workspace: id });
    const transact = hub.memory.transact.bind(hub.memory);
    let done = 0;
    hub.memory.transact = async (writes, token) => {
      if (done === 1) throw new Error('a crash');
      done += 1;
      return transact(writes, token);
    };
    expect((await hub.call('DELETE', `/api/workspaces/${id}`)).status).toBe(500);
    expect((await hub.call('GET', `/api/workspaces/${id}`)).status).toBe(404);
    hub.memory.transact = transact;
    expect(await hub.done('DELETE', `/api/workspaces/${id}`)).toMatchObject({ deleted: { keys: 0, webhooks: 2 } });
    expect((await hub.call('GET', '/api/events', { key })).status).toBe(401);
    expect((await hub.post(receiving.url, message(2))).status).toBe(404);
    expect((await hub.call('DELETE', `/api/workspaces/${id}`)).status).toBe(404);
  });

  it('is not done where an account came into being in the same moment', async () => {
    const hub = new ErasureHub();
    const { id, key } = await hub.workspaceWithKey();
    const write = hub.memory.write.bind(hub.memory);
    hub.memory.write = async (wanted, options) => {
      if (wanted.kind === 'update' && wanted.key.sk === id) {
        hub.memory.write = write;
        await write(put({ ...directoryKey(id, 'ACCOUNT', 'acc_1') }));
      }
      return write(wanted, options);
    };
    expect((await hub.call('DELETE', `/api/workspaces/${id}`)).status).toBe(409);
    expect(await hub.done('GET', `/api/workspaces/${id}`, { key })).toMatchObject({ id, name: 'Another' });
    expect(hub.memory.peek(workspaceKey(id))).not.toHaveProperty('retentionDays');
  });

  it('lets nothing come into being in it that was asked for before', async () => {
    const { hub, id } = await deleted();
    const provider = hub.ports.providers.find(({ account }) => account.name === 'sandbox')?.account;
    if (!provider) throw new Error('no provider');
    const wanted = { channel: 'whatsapp', credentials: {} } as const;
    expect(await createAccount(hub.ports, id, provider, wanted)).toEqual({ kind: 'no workspace' });
    expect(await createKey(hub.ports, id)).toBeUndefined();
    expect(hub.memory.all().filter(({ pk }) => /^(?:ACC|KEY)#/.test(pk))).toEqual([]);
  });
});
