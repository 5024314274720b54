import * as v from 'valibot';
import { beforeEach, describe, expect, it } from 'vitest';
import { clearHold, hold, resume } from '#lib/sender/account.ts';
import { defaultConfig } from '#lib/sender/config.ts';
import { itemsOf, message } from '#test/functions/admin/admin-bench.ts';
import { ReactionBench } from '#test/support/reactions.ts';

const SANDBOX = { provider: 'sandbox', channel: 'whatsapp', phone: '+15550199001', credentials: {} };

let bench: ReactionBench;
let account: string;
beforeEach(async () => {
  bench = new ReactionBench();
  account = String((await bench.admin.done('POST', '/api/accounts', { body: SANDBOX })).id);
});

const hand = async (more: object = {}) =>
  String(
    (await bench.admin.done('POST', '/api/sends', { body: { phone: '+15550100', text: 'hello', ...more } })).messageId,
  );
const told = async (kind: string) => itemsOf(await bench.admin.done('GET', `/api/events?kind=${kind}`));
const fed = async () => {
  bench.now += 60_000;
  const page = await bench.admin.done('GET', '/api/events?order=received');
  return itemsOf(page).map(({ id }) => id);
};

describe('a send that does not go out', () => {
  it('is told once to whoever asks for it, and stands in list and feed', async () => {
    await bench.endpoint({ types: ['send.*'] });
    const messageId = await hand();
    await bench.admin.done('POST', `/api/sends/${messageId}/cancel`);
    await bench.settle();
    const [event, ...others] = await told('send');
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      ...{ provider: 'hookline', accountId: account },
      send: { messageId, state: 'cancelled', recipient: { kind: 'phone', address: '+15550100' } },
    });
    expect(bench.told).toMatchObject([{ type: 'send.cancelled', id: event?.id, data: { send: { messageId } } }]);
    expect(await fed()).toContain(event?.id);
  });

  it('is one event for a file and its text that end together', async () => {
    const messageId = await hand({ file_url: 'https://files.example/a.pdf', file_name: 'a.pdf' });
    await bench.admin.done('POST', `/api/sends/${messageId}/cancel`);
    const events = await told('send');
    expect(events).toHaveLength(1);
    expect(v.parse(v.looseObject({ send: v.looseObject({}) }), events[0]).send).not.toHaveProperty('part');
  });

  it('is left as it is by a replay: no provider has told it', async () => {
    const messageId = await hand();
    await bench.admin.done('POST', `/api/sends/${messageId}/cancel`);
    const [event] = await told('send');
    expect(await bench.admin.done('POST', `/api/events/${event?.id}/replay`)).toMatchObject({ result: 'unchanged' });
  });

  it('is forgotten with its recipient, also one whose chat does not tell the number', async () => {
    const { url } = await bench.admin.webhook({ accountId: account });
    const at = new Date(bench.now).toISOString();
    await bench.admin.post(
      url,
      message(1, { chat: 'room-1', title: 'Ana', phone: '+15550100', from: '+15550100', at }),
    );
    const chat = itemsOf(await bench.admin.done('GET', '/api/chats'))[0];
    for (const to of [{}, { phone: undefined, chat_id: chat?.id }])
      await bench.admin.done('POST', `/api/sends/${await hand(to)}/cancel`);
    expect(await told('send')).toHaveLength(2);
    await bench.admin.done('DELETE', '/api/contacts/+15550100');
    expect(await told('send')).toEqual([]);
    expect(await fed()).toEqual([]);
  });
});

describe('an account', () => {
  const ports = () => bench.admin.ports;

  it('that is held and goes on is told at each turn, and once', async () => {
    await bench.endpoint({ types: ['account.*'] });
    expect(await hold(ports(), account, 'not authorized', defaultConfig)).toBe('changed');
    expect(await hold(ports(), account, 'not authorized', defaultConfig)).toBe('unchanged');
    await bench.settle();
    bench.now += 1000;
    expect(await clearHold(ports(), account, defaultConfig)).toBe('changed');
    expect(await clearHold(ports(), account, defaultConfig)).toBe('unchanged');
    await bench.settle();
    expect(bench.told.map(({ type, data }) => [type, data.accountId, data.account])).toEqual([
      ['account.held', account, { state: 'held', reason: 'not authorized' }],
      ['account.resumed', account, { state: 'resumed' }],
    ]);
    expect(await told('account')).toHaveLength(2);
  });

  it('that was paused by its operator alone has nothing to tell', async () => {
    await bench.admin.done('POST', `/api/accounts/${account}/pause`);
    expect(await resume(ports(), account, defaultConfig)).toBe('changed');
    expect(await told('account')).toEqual([]);
  });
});

it('tells that an endpoint was switched off, together with that', async () => {
  const { id } = await bench.endpoint({ types: ['*'] });
  bench.admin.answer = () => ({ kind: 'answered', status: 410, headers: {}, text: '' });
  await bench.admin.done('POST', `/api/sends/${await hand()}/cancel`);
  await bench.settle();
  expect(await bench.show(id)).toMatchObject({ state: 'disabled' });
  expect((await told('endpoint')).map(({ endpoint }) => endpoint)).toEqual([{ id, state: 'disabled', reason: 'gone' }]);
});
