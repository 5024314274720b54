import { beforeEach, describe, expect, it } from 'vitest';
import { readers } from '#functions/providers.ts';
import { chunkOf, chunksOf, envelopeOf } from '#lib/aws/queues.ts';
import { sha256 } from '#lib/domain/ids.ts';
import type { SendOutcome } from '#lib/domain/send/outcome.ts';
import { collectChunks, forgetChunks, storeEnvelope } from '#lib/inbox/fallback.ts';
import { type Account, readAccount, readSend } from '#lib/sender/items.ts';
import { sendReports } from '#lib/sender/reports.ts';
import { tick } from '#lib/sender/tick.ts';
import { accountKey, sendKey } from '#lib/store/keys.ts';
import { del, set, update } from '#lib/store/store.ts';
import { AdminBench } from '#test/functions/admin/admin-bench.ts';
import { incoming, report, textData } from '#test/functions/green-api/payloads.ts';
import { fixture, varied } from '#test/functions/timelinesai/fixtures.ts';
import { LONG } from '#test/support/long.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
import { underRole } from '#test/support/under-role.ts';

const PHONE = '+15550100099';
const ID = 'their-id-1';

/** What a provider reports of the message `hello` to PHONE, in its own words. `account` is the hub's, `at` in seconds. */
interface Reporting {
  readonly name: string;
  readonly account: object;
  readonly echo: (account: string, at: number) => object;
  readonly failure?: (account: string, at: number) => object;
  readonly connection?: (isUp: boolean, at: number) => object;
}

const greenApi: Reporting = {
  name: 'green-api',
  account: { credentials: { apiUrl: 'https://x.example', idInstance: '7999000111', apiTokenInstance: 'a1' } },
  echo: (_, timestamp) =>
    incoming(
      { ...textData, textMessageData: { textMessage: 'hello' } },
      {
        typeWebhook: 'outgoingAPIMessageReceived',
        idMessage: ID,
        timestamp,
        senderData: { chatId: '15550100099@c.us', sender: '12025550100@c.us' },
      },
    ),
  // The account is restricted, and so the message has failed.
  failure: (_, timestamp) =>
    report('outgoingMessageStatus', { chatId: '15550100099@c.us', idMessage: ID, status: 'yellowCard', timestamp }),
  connection: (isUp, timestamp) =>
    report('stateInstanceChanged', { stateInstance: isUp ? 'authorized' : 'notAuthorized', timestamp }),
};

const sandbox: Reporting = {
  name: 'sandbox',
  account: { credentials: {} },
  echo: (account, at) => ({
    event: 'message',
    direction: 'outbound',
    id: ID,
    account,
    chat: PHONE,
    text: 'hello',
    at,
  }),
  failure: (account, at) => ({ event: 'status', id: ID, account, status: 'failed', at }),
};

const timelinesAi: Reporting = {
  name: 'timelinesai',
  account: { credentials: { apiToken: 'a-token' }, phone: '+15550100001' },
  echo: () => varied(fixture('message-sent-by-api'), 'message', { text: 'hello', message_uid: ID }),
  connection: (isUp) => ({
    ...fixture('account-connected'),
    event_type: `whatsapp:account:${isUp ? 'resumed' : 'suspended'}`,
  }),
};

let memory: MemoryStore;
let hub: AdminBench;
beforeEach(() => {
  memory = new MemoryStore();
  hub = new AdminBench({ store: memory });
});

/** As functions/fallback does, under its role: a delivery that the table did not take when it came. */
async function takeUp(name: string, body: object, webhook: Parameters<typeof chunksOf>[0]['webhook']): Promise<void> {
  const provider = readers.get(name);
  if (!provider) throw new Error(`no provider ${name}`);
  const ports = { ...hub.ports, store: underRole(memory, 'fallback') };
  const sends = sendReports(ports, hub.ports.config);
  const raw = Buffer.from(JSON.stringify(body));
  const receivedAt = hub.bench.now;
  const delivery = { webhook, provider: name, contentType: 'application/json', bodyHash: sha256(raw), receivedAt };
  for (const piece of chunksOf({ ...delivery, raw })) {
    const chunk = chunkOf(JSON.stringify(piece));
    const data = await collectChunks(ports.store, chunk, Math.floor(receivedAt / 1000));
    if (!data) continue;
    await storeEnvelope(provider, { ...ports, sends }, envelopeOf(chunk, data.join('')));
    await forgetChunks(ports.store, chunk.parcel, chunk.count);
  }
}

const ROUTES = ['its own function', 'the fallback function'] as const;

/** An account of the provider, a webhook that is tied to none unless it says so, and a message that was tried once. */
async function tried({ name, account }: Reporting, outcome: SendOutcome, isTied = false) {
  const body = { provider: name, channel: 'whatsapp', ...account };
  const id = String((await hub.done('POST', '/api/accounts', { body })).id);
  const receiving = await hub.webhook({ provider: name, ...(isTied && { accountId: id }) });
  const sending = await hub.webhook({ kind: 'send', provider: undefined });
  const messageId = await hub.send(sending.url, { phone: PHONE });
  await run(outcome);
  return {
    id,
    part: () => readSend(memory.peek(sendKey(messageId)) ?? missing()).parts[0],
    account: (): Account => readAccount(memory.peek(accountKey(id)) ?? missing()),
    deliver: async (route: (typeof ROUTES)[number], report: object) => {
      if (route === 'the fallback function') {
        const account = isTied ? { accountId: id } : {};
        return takeUp(name, report, { webhookId: receiving.id, workspace: 'main', ...account });
      }
      expect(await hub.post(receiving.url, report)).toMatchObject({ status: 200, body: { status: 'stored' } });
    },
  };
}

function missing(): never {
  throw new Error('it is not stored');
}

async function run(outcome: SendOutcome): Promise<void> {
  const due = hub.ticks.pop();
  if (!due) throw new Error('no tick is due');
  hub.bench.now = Math.max(hub.bench.now, due.at);
  const ports = {
    ...hub.ports,
    store: underRole(memory, 'sender'),
    sender: { send: async () => outcome },
    attachments: { fetch: async () => ({ kind: 'refused', reason: 'no files here' }) as const },
  };
  const received = { times: 1, firstAt: hub.bench.now };
  await tick(due, { id: 'run', endsAt: hub.bench.now + 45_000, received }, ports, hub.ports.config);
}

const now = () => Math.floor(hub.bench.now / 1000);

describe.each(ROUTES)('under the role of %s', (route) => {
  it.each([greenApi, sandbox, timelinesAi])('an echo of $name settles what nobody knew of', async (reporting) => {
    const sent = await tried(reporting, { kind: 'unknown', reason: 'http 500' });
    expect(sent.part()).toMatchObject({ state: 'unknown' });
    await sent.deliver(route, reporting.echo(sent.id, now()));
    expect(sent.part()).toMatchObject({ state: 'sent', creditState: 'spent', providerId: ID });
  });

  it('an echo settles and counts what an account left behind that is gone', async () => {
    const sent = await tried(sandbox, { kind: 'unknown', reason: 'http 500' }, true);
    await hub.done('DELETE', `/api/accounts/${sent.id}`);
    await sent.deliver(route, sandbox.echo(sent.id, now()));
    expect(sent.part()).toMatchObject({ state: 'sent', creditState: 'spent', providerId: ID });
    expect(await hub.done('GET', '/api/credits')).toMatchObject({ available: 999, reserved: 0, spent: 1 });
  });

  it.each([greenApi, sandbox])('a failure that $name reports gives the credit back', async (reporting) => {
    const sent = await tried(reporting, { kind: 'accepted', providerId: ID });
    await sent.deliver(route, reporting.failure?.(sent.id, now()) ?? {});
    expect(sent.part()).toMatchObject({ state: 'failed', creditState: 'refunded' });
    expect(sent.account().held).toBe(reporting === greenApi);
  });

  it.each([greenApi, timelinesAi])('$name stops the account and lets it go on', async (reporting) => {
    const sent = await tried(reporting, { kind: 'accepted', providerId: ID });
    for (const isUp of [false, true]) {
      await sent.deliver(route, reporting.connection?.(isUp, now()) ?? {});
      expect(sent.account().held).toBe(!isUp);
    }
    expect(hub.ticks).toMatchObject([{ account: sent.id }]);
  });
});

it.each(ROUTES)('an echo that no send holds is marked under the role of %s, and when it is replayed', async (route) => {
  const body = { provider: 'green-api', channel: 'whatsapp', ...greenApi.account };
  const account = String((await hub.done('POST', '/api/accounts', { body })).id);
  const { id, url } = await hub.webhook({ provider: 'green-api' });
  const echo = greenApi.echo(account, now());
  const marks = () => memory.all().filter(({ pk }) => pk.startsWith(`ECHO#${account}#`));
  if (route === 'the fallback function') await takeUp('green-api', echo, { webhookId: id, workspace: 'main' });
  else await hub.post(url, echo);
  expect(marks()).toHaveLength(1);
  const [mark] = marks();
  if (mark) await memory.write(del({ pk: mark.pk, sk: mark.sk }));
  const [event] = (await hub.walk('/api/messages')).items;
  // As a release that read it otherwise has left it: only what has changed is looked at again.
  await memory.write(update({ pk: `EVT#${event?.id}`, sk: 'META' }, [set('contentHash', 'of an older release')]));
  expect(await hub.done('POST', `/api/events/${event?.id}/replay`)).toMatchObject({ result: 'updated' });
  expect(marks()).toHaveLength(1);
});

describe('under the role of the fallback function', () => {
  const webhook = { webhookId: 'wh_1', workspace: 'main' };

  it('a body in pieces is stored, and its pieces are forgotten', async () => {
    await takeUp('sandbox', { event: 'message', id: 'm', from: PHONE, text: LONG }, webhook);
    const [event] = (await hub.walk('/api/messages')).items;
    expect(event).toMatchObject({ message: { content: { text: LONG } } });
    expect(memory.all().filter(({ pk }) => pk.startsWith('FALLBACK#'))).toEqual([]);
  });

  it('a long body that is told again with newer data renews what is stored', async () => {
    const told = { event: 'message', id: 'm', from: PHONE, text: LONG };
    await takeUp('sandbox', { ...told, name: 'Ana' }, webhook);
    hub.bench.now += 1000;
    await takeUp('sandbox', { ...told, name: 'Ana Ruiz' }, webhook);
    const { items } = await hub.walk('/api/messages');
    expect(items).toMatchObject([{ message: { content: { text: LONG }, sender: { name: 'Ana Ruiz' } } }]);
  });

  it('what is not understood is counted', async () => {
    await takeUp('zender', { type: 'dance' }, webhook);
    expect(await hub.done('GET', '/api/events/quarantine')).toMatchObject({ items: [{ type: 'dance', seen: 1 }] });
  });

  it('a chat is found by its other ids', async () => {
    await takeUp('timelinesai', fixture('chat-assigned'), webhook);
    expect(memory.all().map(({ sk }) => sk)).toContainEqual('ALIAS#15550100099@c.us');
  });

  it('the hub reports for an account that has no webhook', async () => {
    const sent = await tried(sandbox, { kind: 'accepted', providerId: ID });
    await takeUp('sandbox', { event: 'status', id: ID, status: 'read', at: now() }, { ownAccount: sent.id });
    expect(sent.part()).toMatchObject({ state: 'read' });
  });
});
