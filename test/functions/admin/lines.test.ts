import { describe, expect, it } from 'vitest';
import { accountKey, probeKey } from '#lib/store/keys.ts';
import { put, remove, type Store, set, update } from '#lib/store/store.ts';
import { claimOf } from '#lib/tenants/account.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
import { AdminBench, type Answer, itemsOf } from './admin-bench.ts';

const greenApi = (idInstance: string, more: object = {}) => ({
  provider: 'green-api',
  channel: 'whatsapp',
  credentials: { apiUrl: 'https://7103.api.greenapi.com', idInstance, apiTokenInstance: 'abc' },
  ...more,
});
const timelines = (apiToken: string, phone?: string) => ({
  provider: 'timelinesai',
  channel: 'whatsapp',
  credentials: { apiToken },
  ...(phone !== undefined && { phone }),
});
const zender = (account: string, baseUrl = 'https://gw.example') => ({
  provider: 'zender',
  channel: 'whatsapp',
  credentials: { baseUrl, secret: 's3cret', account },
});
const sms = (more: object, secret = 's3cret') => ({
  provider: 'zender',
  channel: 'sms',
  credentials: { baseUrl: 'https://gw.example', secret, ...more },
});
const sandbox = { provider: 'sandbox', channel: 'whatsapp', phone: '+15550100001', credentials: {} };

const connect = (hub: AdminBench, body: object, workspace?: string): Promise<Answer> =>
  hub.call('POST', '/api/accounts', { body, ...(workspace !== undefined && { workspace }) });
const connected = async (hub: AdminBench, body: object) =>
  String((await hub.done('POST', '/api/accounts', { body })).id);
const patch = (hub: AdminBench, id: string, body: object) => hub.call('PATCH', `/api/accounts/${id}`, { body });
const claims = (store: Store) => store.query({ pk: 'WS#main', prefix: 'LINE#', limit: 10, consistent: true });

/** Something happens before a write, once. */
class Interrupted extends MemoryStore {
  before: { readonly is: (write: Write) => boolean; readonly happens: () => Promise<unknown> } | undefined;

  override async transact(...given: Parameters<MemoryStore['transact']>) {
    const { before } = this;
    if (before && given[0].some(before.is)) {
      this.before = undefined;
      await before.happens();
    }
    return super.transact(...given);
  }
}
type Write = Parameters<Store['transact']>[0][number];
const isOf = (id: string) => (write: Write) => write.kind === 'update' && write.key.pk === accountKey(id).pk;

describe('a line is one account’s of a workspace', () => {
  it.each([
    [
      'an instance of GREEN-API',
      greenApi('7103000000'),
      greenApi('7103000000', { name: 'Twin', phone: '+15550100002' }),
    ],
    ['a number at TimelinesAI', timelines('abc', '15550100002'), timelines('def', '+15550100002')],
    ['a number in its two spellings', timelines('abc', '+5215550000099'), timelines('def', '+525550000099')],
    ['an instance whose number is pasted', greenApi('7103000000'), greenApi(' 07103 000\u00a0000\n')],
    ['a Zender with a path pasted behind it', zender('a'), zender(' a ', ' https://gw.example/api/send/whatsapp ')],
    ['a WhatsApp account of Zender', zender('a'), zender('a', 'https://GW.example:443/')],
    [
      'a phone of Zender',
      sms({ mode: 'devices', device: 'd' }),
      sms({ mode: 'devices', device: 'd', sim: 1 }, 'other'),
    ],
    ['a gateway of Zender', sms({ mode: 'credits', gateway: 7 }), sms({ mode: 'credits', gateway: '7' })],
  ])('%s', async (_what, one, twin) => {
    const hub = new AdminBench();
    const id = await connected(hub, one);
    const { status, json } = await connect(hub, twin);
    expect([status, json.message]).toEqual([409, expect.stringContaining(id)]);
    expect([...hub.secretValues.keys()]).toEqual(['admin-key', `accounts/${id}`]);
    await hub.done('DELETE', `/api/accounts/${id}`, {});
    expect((await claims(hub.store)).items).toEqual([]);
    expect((await connect(hub, twin)).status).toBe(201);
  });

  it.each([
    ['instances', greenApi('7103000000'), greenApi('7103000001')],
    ['numbers of one TimelinesAI workspace', timelines('abc', '15550100002'), timelines('abc', '15550100003')],
    ['WhatsApp accounts of one Zender', zender('a'), zender('b')],
    ['Zenders', zender('a'), zender('a', 'https://gw.example/other')],
    ['slots of one phone', sms({ mode: 'devices', device: 'd' }), sms({ mode: 'devices', device: 'd', sim: 2 })],
    ['ways of one Zender', sms({ mode: 'devices', device: '7' }), sms({ mode: 'credits', gateway: '7' })],
    ['accounts of the sandbox, which is nobody’s', sandbox, sandbox],
  ])('other %s are others', async (_what, one, other) => {
    const hub = new AdminBench();
    await connected(hub, one);
    expect((await connect(hub, other)).status).toBe(201);
  });

  it('and another workspace may have it as well', async () => {
    const hub = new AdminBench();
    const workspace = String((await hub.done('POST', '/api/workspaces', { body: { name: 'Other' } })).id);
    await connected(hub, greenApi('7103000000'));
    expect((await connect(hub, greenApi('7103000000'), workspace)).status).toBe(201);
  });

  it('of two that are connected at once, one gets it', async () => {
    const hub = new AdminBench();
    const answers = await Promise.all([1, 2, 3].map(() => connect(hub, greenApi('7103000000'))));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    expect(hub.secretValues.size).toBe(2);
  });

  it('and is nowhere shown', async () => {
    const hub = new AdminBench();
    const made = await hub.done('POST', '/api/accounts', { body: greenApi('7103000000') });
    expect(Object.keys(made)).not.toEqual(expect.arrayContaining([expect.stringMatching(/line|claim|version/i)]));
  });
});

describe('an account that changes', () => {
  it('takes its new line and leaves the old one to others', async () => {
    const hub = new AdminBench();
    const id = await connected(hub, greenApi('7103000000'));
    const { credentials } = greenApi('7103000001');
    expect((await patch(hub, id, { credentials })).status).toBe(200);
    expect((await connect(hub, greenApi('7103000001'))).status).toBe(409);
    expect((await connect(hub, greenApi('7103000000'))).status).toBe(201);
  });

  it('is refused the line of another, and stays as it was', async () => {
    const hub = new AdminBench();
    const one = await connected(hub, greenApi('7103000000'));
    const other = await connected(hub, greenApi('7103000001'));
    const before = [await hub.store.get(accountKey(other)), new Map(hub.secretValues)];
    const { status, json } = await patch(hub, other, { name: 'Mine', credentials: greenApi('7103000000').credentials });
    expect([status, json.message]).toEqual([409, expect.stringContaining(one)]);
    expect([await hub.store.get(accountKey(other)), hub.secretValues]).toEqual(before);
  });

  it('is refused the number of another where numbers are lines', async () => {
    const hub = new AdminBench();
    await connected(hub, timelines('abc', '15550100002'));
    const other = await connected(hub, timelines('abc', '15550100003'));
    expect((await patch(hub, other, { phone: '+15550100002' })).status).toBe(409);
    expect((await patch(hub, other, { phone: '+15550100004' })).status).toBe(200);
    expect((await connect(hub, timelines('abc', '15550100003'))).status).toBe(201);
  });

  it('of two that move to one line at once, one does', async () => {
    const hub = new AdminBench();
    const ids = [await connected(hub, greenApi('1')), await connected(hub, greenApi('2'))];
    const { credentials } = greenApi('3');
    const answers = await Promise.all(ids.map((id) => patch(hub, id, { credentials })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect((await claims(hub.store)).items).toHaveLength(2);
  });

  it('twice at once has the line of the change that stands, and no other', async () => {
    const hub = new AdminBench();
    const id = await connected(hub, greenApi('1'));
    const changes = ['2', '3'].map((instance) => patch(hub, id, { credentials: greenApi(instance).credentials }));
    expect((await Promise.all(changes)).map(({ status }) => status)).toEqual([200, 200]);
    const { items } = await claims(hub.store);
    const item = await hub.store.get(accountKey(id));
    expect(items.map(({ sk }) => sk)).toEqual([`LINE#${item?.claim}`]);
  });

  it('while it is deleted leaves no claim behind', async () => {
    const store = new Interrupted();
    const hub = new AdminBench({ store });
    const id = await connected(hub, greenApi('1'));
    const happens = () => patch(hub, id, { credentials: greenApi('2').credentials });
    store.before = { is: (write) => write.kind === 'delete' && write.key.pk === accountKey(id).pk, happens };
    await hub.done('DELETE', `/api/accounts/${id}`, {});
    expect((await claims(store)).items).toEqual([]);
  });

  it('keeps its former names, by which messages of old are told of', async () => {
    const hub = new AdminBench();
    const id = await connected(hub, greenApi('1'));
    const formerNames = async () => (await hub.store.get(accountKey(id)))?.formerScopes;
    await patch(hub, id, { name: 'Shop', credentials: greenApi('1').credentials });
    expect(await formerNames()).toBeUndefined();
    for (const instance of ['2', '3', '2']) await patch(hub, id, { credentials: greenApi(instance).credentials });
    expect(await formerNames()).toEqual(['1', '2', '3']);
    for (let n = 4; n < 20; n++) await patch(hub, id, { credentials: greenApi(String(n)).credentials });
    expect(await formerNames()).toHaveLength(10);
  });

  it('keeps its line when its token is renewed', async () => {
    const hub = new AdminBench();
    const id = await connected(hub, greenApi('7103000000'));
    const credentials = { ...greenApi('7103000000').credentials, apiTokenInstance: 'renewed' };
    expect((await patch(hub, id, { credentials })).status).toBe(200);
    expect((await claims(hub.store)).items).toMatchObject([{ account: id }]);
  });

  it('and is held is probed at once; one that is not held is not', async () => {
    const hub = new AdminBench();
    const id = await connected(hub, greenApi('7103000000'));
    const { credentials } = greenApi('7103000000');
    await patch(hub, id, { credentials });
    expect(await hub.store.get(probeKey(id))).toBeUndefined();
    await hub.store.write(update(accountKey(id), [set('held', true), set('failuresRunning', 2)]));
    await patch(hub, id, { name: 'Shop' });
    expect(await hub.store.get(probeKey(id))).toBeUndefined();
    await patch(hub, id, { credentials });
    const now = String(hub.bench.now).padStart(15, '0');
    expect(await hub.store.get(probeKey(id))).toMatchObject({ tries: 0, gsi3sk: `${now}#${id}` });
    const shown = await hub.done('GET', `/api/accounts/${id}`);
    expect(shown).toMatchObject({ held: true, probeAt: new Date(Number(now)).toISOString() });
    expect(itemsOf(await hub.done('GET', '/api/accounts'))).toEqual([shown]);
    expect(await hub.store.get(accountKey(id))).toMatchObject({ held: true, failuresRunning: 0 });
  });

  it('and is held in that very moment is probed at once', async () => {
    const store = new Interrupted();
    const hub = new AdminBench({ store });
    const id = await connected(hub, greenApi('7103000000'));
    const probe = { ...probeKey(id), kind: 'probe', account: id, tries: 2, gsi3sk: '999999999999999#later' };
    const happens = () =>
      store.writeMany([put(probe)]).then(() => store.write(update(accountKey(id), [set('held', true)])));
    store.before = { is: isOf(id), happens };
    await patch(hub, id, { credentials: greenApi('7103000000').credentials });
    const now = String(hub.bench.now).padStart(15, '0');
    expect(await store.get(probeKey(id))).toMatchObject({ tries: 0, gsi3sk: `${now}#${id}` });
  });

  it('and is held for the silence of its provider is held for that still', async () => {
    const hub = new AdminBench();
    const id = await connected(hub, greenApi('7103000000'));
    const { credentials } = greenApi('7103000000');
    await hub.store.write(update(accountKey(id), [set('held', true)]));
    const probe = { ...probeKey(id), kind: 'probe', account: id, tries: 2, silent: true, gsi3sk: '1' };
    await hub.store.write(put(probe));
    await patch(hub, id, { credentials });
    expect(await hub.store.get(probeKey(id))).toMatchObject({ tries: 0, silent: true });
  });
});

it('an account that an earlier release made claims its line when it is given its credentials', async () => {
  const hub = new AdminBench();
  const id = await connected(hub, zender('a'));
  await hub.store.write(update(accountKey(id), ['claim', 'line', 'credentialsVersion'].map(remove)));
  for (const key of (await claims(hub.store)).items) await hub.store.write({ kind: 'delete', key });
  expect((await patch(hub, id, { credentials: zender('a').credentials })).status).toBe(200);
  expect((await connect(hub, zender('a'))).status).toBe(409);
});

describe('the copies of an instance', () => {
  const delivery = (idInstance: string) => ({
    typeWebhook: 'stateInstanceChanged',
    instanceData: { idInstance: Number(idInstance), wid: '15550100999@c.us', typeInstance: 'whatsapp' },
    timestamp: 1772366400,
    stateInstance: 'authorized',
  });

  async function changedWhile(
    between: (hub: AdminBench, account: string, webhook: string) => Promise<{ url?: unknown }>,
  ) {
    const store = new Interrupted();
    const hub = new AdminBench({ store });
    const account = await connected(hub, greenApi('1'));
    const webhook = await hub.webhook({ provider: 'green-api', accountId: account });
    let url = String(webhook.url);
    const happens = async () => {
      url = String((await between(hub, account, String(webhook.id))).url ?? url);
    };
    store.before = { is: (write) => write.kind === 'update' && write.key.pk.startsWith('HOOK#'), happens };
    expect((await patch(hub, account, { credentials: greenApi('2').credentials })).status).toBe(200);
    return async (idInstance: string) => (await hub.post(url, delivery(idInstance))).status;
  }

  it('follow a webhook to its new URL', async () => {
    const post = await changedWhile((hub, _account, webhook) =>
      hub.done('POST', `/api/webhooks/${webhook}/rotate`, {}),
    );
    expect([await post('2'), await post('1')]).toEqual([200, 401]);
  });

  it('are those of the last of two changes', async () => {
    const post = await changedWhile(async (hub, account) => {
      await patch(hub, account, { credentials: greenApi('3').credentials });
      return {};
    });
    expect([await post('3'), await post('2')]).toEqual([200, 401]);
  });
});

it('a number counts as a line only where it names the account', () => {
  const told = { line: 'line_1', phone: '+15550100002' };
  expect(claimOf({ name: 'green-api' }, told)).toBe('line_1');
  expect(claimOf({ name: 'timelinesai', isNamedByPhone: true }, told)).not.toBe('line_1');
});
