import { beforeEach, describe, expect, it } from 'vitest';
import { recordOf } from '#lib/inbox/event-item.ts';
import { feedFill, HORIZON_MS } from '#lib/inbox/feed.ts';
import { keptThread } from '#lib/sender/sent-event.ts';
import { remove, update } from '#lib/store/store.ts';
import { fillOn, isFilled } from '#lib/store/walk.ts';
import { allWorkspaces } from '#lib/tenants/workspaces.ts';
import { ErasureHub } from '#test/lib/privacy/hub.ts';
import { underRole } from '#test/support/under-role.ts';
import { itemsOf, message } from './admin-bench.ts';

let hub: ErasureHub;
beforeEach(async () => {
  hub = new ErasureHub();
  await fill();
});

const fill = (isTimeUp = () => false) => {
  const ports = { ...hub.ports, store: underRole(hub.memory, 'watchdog') };
  return fillOn(ports, feedFill, () => allWorkspaces(ports.store), isTimeUp);
};

const pass = (ms = HORIZON_MS + 1) => {
  hub.bench.now += ms;
};

/** What a reader that asks now gets, and how it goes on. */
async function read(query = '', cursor?: string, list = 'events') {
  const from = cursor === undefined ? '' : `&cursor=${cursor}`;
  const page = await hub.done('GET', `/api/${list}?order=received${query}${from}`);
  return { ids: itemsOf(page).map(({ id }) => id), cursor: String(page.cursor), more: page.more, page };
}

describe('events in order of arrival', () => {
  it('come oldest first, with a cursor that holds at the end', async () => {
    const { url } = await hub.webhook();
    const empty = await read();
    expect(empty).toMatchObject({ ids: [], more: false });
    const ids: unknown[] = [];
    for (const n of [5, 1, 9]) {
      pass(1);
      ids.push((await hub.post(url, message(n))).body.id);
    }
    expect((await read('', empty.cursor)).ids).toEqual([]);
    pass();
    const first = await read('&limit=2', empty.cursor);
    expect(first).toMatchObject({ ids: ids.slice(0, 2), more: true });
    const rest = await read('', first.cursor);
    expect(rest).toMatchObject({ ids: ids.slice(2), more: false });
    const late = await hub.post(url, message(-500));
    pass();
    expect((await read('', rest.cursor)).ids).toEqual([late.body.id]);
    expect(rest.page).not.toHaveProperty('complete');
  });

  it('begin after a time, and end before one, by when they were stored', async () => {
    const { url } = await hub.webhook();
    const times: string[] = [];
    const ids: unknown[] = [];
    for (const n of [3, 2, 1]) {
      ids.push((await hub.post(url, message(n))).body.id);
      times.push(new Date(hub.bench.now).toISOString());
      pass(1000);
    }
    pass();
    expect((await read(`&after=${times[0]}`)).ids).toEqual(ids.slice(1));
    expect((await read(`&before=${times[1]}`)).ids).toEqual(ids.slice(0, 1));
  });

  it('are filtered as the other lists are', async () => {
    const { url } = await hub.webhook();
    const one = await hub.post(url, message(1, { chat: '+15550101' }));
    const two = await hub.post(url, message(2, { chat: '+15550102', direction: 'outbound' }));
    const status = await hub.post(url, { event: 'status', id: 'm2', status: 'read' });
    const odd = await hub.post(url, { event: 'odd' });
    pass();
    const { chatId } = await hub.done('GET', `/api/messages/${one.body.id}`);
    expect((await read()).ids).toHaveLength(4);
    expect((await read('&kind=status')).ids).toEqual([status.body.id]);
    expect((await read('&quarantined=true')).ids).toEqual([odd.body.id]);
    expect((await read('&type=odd')).ids).toEqual([odd.body.id]);
    expect((await read('&provider=zender')).ids).toEqual([]);
    expect((await read(`&chat=${chatId}`, undefined, 'messages')).ids).toEqual([one.body.id]);
    expect((await read('&direction=outbound', undefined, 'messages')).ids).toEqual([two.body.id]);
  });

  it('show a redelivery once, and an event of another workspace never', async () => {
    const { url } = await hub.webhook();
    const { body } = await hub.post(url, message(1));
    pass(50);
    await hub.post(url, message(1));
    const { key } = await hub.workspaceWithKey();
    pass();
    expect((await read()).ids).toEqual([body.id]);
    expect(itemsOf(await hub.done('GET', '/api/events?order=received', { key }))).toEqual([]);
  });

  it('keep their place when they are read again', async () => {
    const { url } = await hub.webhook();
    const { body } = await hub.post(url, message(1));
    pass();
    const { cursor } = await read();
    await hub.memory.write(update({ pk: `EVT#${body.id}`, sk: 'META' }, [remove('stateKey')]));
    await hub.done('POST', `/api/events/${body.id}/replay`);
    pass();
    expect((await read('', cursor)).ids).toEqual([]);
    expect((await read()).ids).toEqual([body.id]);
  });
});

describe('a message of ours', () => {
  const PHONE = '+15550199';
  const echo = (chat: string) => message(1, { id: 'P1', chat, direction: 'outbound', via: 'api', text: 'hello' });

  async function sent(account: string): Promise<void> {
    const thread = keptThread({ chat: 'chat_1', providerChatId: PHONE });
    await hub.accepted(account, { phone: PHONE, ...thread }, 'hello', { kind: 'sent', providerId: 'P1' });
  }

  it.each(['the send', 'the echo'])('comes once, whichever is first: %s', async (first) => {
    const account = await hub.account();
    const { url } = await hub.webhook({ accountId: account });
    const steps = [() => sent(account), () => hub.post(url, echo(PHONE))];
    for (const step of first === 'the send' ? steps : steps.reverse()) {
      await step();
      pass(100);
    }
    pass();
    const all = await read();
    expect(all.ids).toHaveLength(1);
    expect(itemsOf(all.page)[0]).toMatchObject({ kind: 'message', message: { id: 'P1' } });
  });

  it('comes once where the echo was stored and nothing more', async () => {
    const account = await hub.account();
    const { url } = await hub.webhook({ accountId: account });
    const { body } = await hub.post(url, echo(PHONE));
    const stateKey = hub.memory.peek({ pk: `EVT#${body.id}`, sk: 'META' })?.stateKey;
    const left = [remove('fed'), remove('echo')];
    await hub.memory.write(update({ pk: String(stateKey), sk: 'META' }, left));
    pass();
    const first = await read();
    await sent(account);
    pass();
    expect((await read('', first.cursor)).ids).toEqual([]);
    expect(first.ids).toEqual([body.id]);
  });

  it('keeps what leads to its send, also where an earlier release linked them and a reader comes first', async () => {
    await hub.done('PATCH', '/api/workspaces/main', { body: { retentionDays: 30 } });
    const account = await hub.account();
    const { url } = await hub.webhook({ accountId: account });
    await sent(account);
    const { body } = await hub.post(url, echo(PHONE));
    const stateKey = hub.memory.peek({ pk: `EVT#${body.id}`, sk: 'META' })?.stateKey;
    const state = { pk: String(stateKey), sk: 'META' };
    await hub.memory.write(update(state, [remove('fed'), remove('echo')]));
    pass();
    await read();
    expect(hub.memory.peek(state)).toMatchObject({ fed: expect.any(String), send: expect.any(String) });
    expect(hub.memory.peek(state)).not.toHaveProperty('expiresAt');
  });
});

describe('what an earlier release stored', () => {
  async function old(n: number): Promise<string> {
    const { url } = await hub.webhook();
    const { body } = await hub.post(url, message(n));
    const head = hub.memory.peek({ pk: `EVT#${body.id}`, sk: 'META' });
    if (!head) throw new Error('not stored');
    const row = hub.memory.all().find(({ sk }) => sk === `${head.storedAt}#${body.id}`);
    if (row) await hub.memory.write({ kind: 'delete', key: row });
    await hub.memory.write(update(head, [remove('storedAt')]));
    return String(body.id);
  }

  it('is added step by step, and until then not all is shown', async () => {
    hub = new ErasureHub();
    const ids = [await old(3), await old(1), await old(2)];
    expect((await read()).page.complete).toBe(false);
    for (let step = 0; !(await isFilled(hub.memory, feedFill)); step++) {
      if (step > 20) throw new Error('it does not come to an end');
      await fill(() => true);
    }
    pass();
    const { ids: shown, page } = await read();
    expect(shown).toEqual([ids[1], ids[2], ids[0]]);
    expect(page).not.toHaveProperty('complete');
  });
});

describe('privacy', () => {
  const rows = () => hub.memory.all().filter(({ pk }) => pk.startsWith('FEED#'));

  it('a place goes with its event', async () => {
    const { url } = await hub.webhook();
    await hub.post(url, message(1, { chat: '+79876543210' }));
    expect(rows()).toHaveLength(1);
    await hub.done('DELETE', '/api/contacts/79876543210');
    expect(rows()).toEqual([]);
  });

  it('a place ends with its event, also under another retention', async () => {
    const { url } = await hub.webhook();
    const { body } = await hub.post(url, message(1));
    await hub.done('PATCH', '/api/workspaces/main', { body: { retentionDays: 30 } });
    await hub.done('POST', '/api/workspaces/main/retention/apply');
    const head = hub.memory.peek({ pk: `EVT#${body.id}`, sk: 'META' });
    if (!head) throw new Error('not stored');
    const { expiresAt } = await recordOf(hub.memory, head);
    expect(expiresAt).toBeDefined();
    expect(rows().map((row) => row.expiresAt)).toEqual([expiresAt]);
  });
});
