import { Webhook } from 'standardwebhooks';
import * as v from 'valibot';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { feedFill } from '#lib/inbox/feed.ts';
import { rowOf, waitingItem } from '#lib/reactions/delivery.ts';
import { accountPhoneOf, beginBatch, toldOf } from '#lib/reactions/dispatch.ts';
import { bareEvent } from '#lib/reactions/target.ts';
import type { Reply } from '#lib/sender/provider.ts';
import { endpointKey, eventKey, fillKey, healthKey, mailHourKey, ruleKey, ruleRefusedKey } from '#lib/store/keys.ts';
import { del, put, type Store, set, update } from '#lib/store/store.ts';
import { AdminBench, itemsOf, message } from '#test/functions/admin/admin-bench.ts';
import { messageEvent } from '#test/lib/domain/reaction/events.ts';
import { ReactionBench } from '#test/support/reactions.ts';
import { underRole } from '#test/support/under-role.ts';

const HOUR = 3600;
const SANDBOX = { provider: 'sandbox', channel: 'whatsapp', phone: '+15550199001', credentials: {} };
const PRICES = {
  name: 'Price list',
  on: ['message.received'],
  when: { field: 'text', words: ['price'] },
  do: [{ action: 'reply', text: "Hi {{ sender.name | default: 'there' }}, see our list" }],
};

let bench: ReactionBench;
let hook: string;
let account: string;
let n: number;
beforeEach(async () => {
  bench = new ReactionBench();
  account = String((await bench.admin.done('POST', '/api/accounts', { body: SANDBOX })).id);
  hook = (await bench.admin.webhook({ accountId: account })).url;
  n = 0;
});

async function receive(text: string, more: object = {}): Promise<string> {
  n += 1;
  bench.now += 1000;
  const at = new Date(bench.now).toISOString();
  const { body } = await bench.admin.post(hook, message(n, { text, at, from: '+15550100', ...more }));
  await bench.settle();
  return String(body.id);
}
const rule = async (more: object = {}) =>
  String((await bench.admin.done('POST', '/api/rules', { body: { ...PRICES, ...more } })).id);
const runs = async (id: string) => itemsOf(await bench.admin.done('GET', `/api/rules/${id}/runs`));
const sends = async () => itemsOf(await bench.admin.done('GET', '/api/sends')).toReversed();
const texts = async () =>
  (await sends()).map(({ parts }) => v.parse(v.array(v.looseObject({ text: v.string() })), parts)[0]?.text);

test('a rule that is written anew while it is switched off is written and off', async () => {
  const id = await rule();
  const store = underRole(bench.store, 'admin');
  let isFirst = true;
  const write: Store['write'] = async (...given) => {
    if (isFirst) {
      isFirst = false;
      bench.now += 1;
      await bench.admin.done('PUT', `/api/rules/${id}`, { body: { ...PRICES, name: 'New prices' } });
    }
    return store.write(...given);
  };
  const slow = new AdminBench({ store: { ...store, write } });
  await slow.done('PATCH', `/api/rules/${id}`, { body: { enabled: false } });
  expect(await bench.admin.done('GET', `/api/rules/${id}`)).toMatchObject({ name: 'New prices', enabled: false });
});

describe('a rule that answers', () => {
  it('sends its text, rendered, into the chat, and says so in its runs', async () => {
    const id = await rule();
    const event = await receive('what is the PRICE?', { name: 'Ana' });
    expect(await texts()).toEqual([expect.stringMatching(/^Hi .+, see our list$/)]);
    expect(await sends()).toMatchObject([{ accountId: account, state: 'queued' }]);
    expect(await runs(id)).toMatchObject([
      {
        event,
        result: 'done',
        actions: [{ action: 'reply', result: 'done', send: expect.stringMatching(/^wa_backend:/) }],
      },
    ]);
  });

  it('leaves alone what does not match', async () => {
    const id = await rule({ accounts: [account] });
    await receive('hello');
    expect([await sends(), await runs(id)]).toEqual([[], []]);
  });

  it('says nothing of what was erased since the stream has told of it', async () => {
    const id = await rule();
    const sent = await bench.admin.post(hook, message(1, { text: 'price', at: new Date(bench.now).toISOString() }));
    await bench.store.write(del(eventKey(String(sent.body.id))));
    await bench.settle();
    expect([await sends(), await runs(id)]).toEqual([[], []]);
  });

  it('answers once, however often the stream tells of the event, and whatever becomes of its content', async () => {
    const id = await rule({ guard: { perContact: { max: 9, seconds: 1 } } });
    await bench.admin.post(
      hook,
      message(1, { text: 'price', at: new Date(bench.now).toISOString(), from: '+15550100' }),
    );
    const [first] = bench.stream;
    if (!first?.after) throw new Error('nothing was stored');
    bench.stream.push(first, {
      before: { ...first.after, placeholder: true },
      after: { ...first.after, contentHash: 'another', storedAt: '2099-01-01T00:00:00.000Z' },
    });
    await bench.settle();
    expect(await sends()).toHaveLength(1);
    expect(await runs(id)).toHaveLength(1);
  });

  it('that died before it wrote its run down accepts nothing twice', async () => {
    const id = await rule();
    await bench.admin.post(
      hook,
      message(1, { text: 'price', at: new Date(bench.now).toISOString(), from: '+15550100' }),
    );
    const again = [...bench.stream];
    await bench.settle();
    await bench.forgetRuns(id);
    bench.stream.push(...again);
    await bench.settle();
    expect(await sends()).toHaveLength(1);
    expect(await runs(id)).toMatchObject([{ result: 'done' }]);
  });

  it('pauses towards a contact, and says why', async () => {
    const id = await rule();
    await receive('price?');
    bench.now += 60_000;
    await receive('price, please');
    expect(await sends()).toHaveLength(1);
    expect((await runs(id))[0]).toMatchObject({
      result: 'guarded',
      actions: [{ why: expect.stringContaining('often enough') }],
    });
    bench.now += 600_000;
    await receive('the price');
    expect(await sends()).toHaveLength(2);
    const ofDay = async () => itemsOf(await bench.admin.done('GET', '/api/rules?last24h=true'))[0]?.last24h;
    expect(await ofDay()).toEqual({ total: 3, guarded: 1, failed: 0, more: false });
    bench.now += 25 * HOUR * 1000;
    expect(await ofDay()).toEqual({ total: 0, guarded: 0, failed: 0, more: false });
    expect(itemsOf(await bench.admin.done('GET', '/api/rules'))[0]).not.toHaveProperty('last24h');
  });

  it('is silent after a person has answered', async () => {
    const id = await rule();
    await receive('let me look', { direction: 'outbound', via: 'phone', chat: '+15550100', from: SANDBOX.phone });
    await receive('price?', { chat: '+15550100' });
    expect((await runs(id))[0]).toMatchObject({
      result: 'guarded',
      actions: [{ why: 'a person has answered in this chat' }],
    });
    bench.now += HOUR * 1000;
    await receive('price, anybody?', { chat: '+15550100' });
    expect((await runs(id))[0]).toMatchObject({ result: 'done' });
  });

  it('mutes a chat in which the same words come again and again, until somebody lets it go on', async () => {
    const id = await rule({ guard: { perContact: { max: 9, seconds: 1 } } });
    for (let i = 0; i < 4; i++) {
      await receive('price', { title: 'Ana' });
      bench.now += 30_000;
    }
    const list = itemsOf(await bench.admin.done('GET', '/api/rules/muted'));
    expect(Date.parse(String(list[0]?.until)) - Date.parse(String(list[0]?.since))).toBe(24 * HOUR * 1000);
    expect(bench.now - Date.parse(String(list[0]?.since))).toBeLessThan(120_000);
    expect(list).toMatchObject([
      { rule: id, why: expect.stringContaining('machine'), title: 'Ana', phone: '+15550100' },
    ]);
    const count = (await sends()).length;
    expect(count).toBeLessThanOrEqual(2);
    bench.now += 2 * HOUR * 1000;
    await receive('a price');
    expect(await sends()).toHaveLength(count);
    expect((await bench.admin.call('DELETE', `/api/rules/muted?chat=${list[0]?.chatId}`)).status).toBe(204);
    await receive('the price of it');
    expect(await sends()).toHaveLength(count + 1);
  });

  it('is refused without credits', async () => {
    const id = await rule();
    await bench.admin.done('PUT', '/api/credits/quota', { body: { kind: 'monthly', credits: 0 } });
    await receive('price?');
    expect((await runs(id))[0]).toMatchObject({
      result: 'refused',
      actions: [{ why: expect.stringContaining('credit') }],
    });
  });

  it('says once an hour that it lacks credits', async () => {
    const { id: endpoint } = await bench.endpoint({ types: ['rule.*'] });
    const id = await rule({ guard: { perContact: { max: 100, seconds: 1 } } });
    await bench.admin.done('PUT', '/api/credits/quota', { body: { kind: 'monthly', credits: 0 } });
    const told = async () => itemsOf(await bench.admin.done('GET', '/api/events?kind=rule'));
    const refused = { kind: 'rule', rule: { id, state: 'refused', reason: expect.stringContaining('credit') } };
    for (let i = 0; i < 3; i++) await receive(`price ${i}?`, { from: `+1555010${i}`, chat: `+1555010${i}` });
    expect(await runs(id)).toMatchObject(Array.from({ length: 3 }, () => ({ result: 'refused' })));
    expect(await told()).toMatchObject([refused]);
    expect(bench.told).toMatchObject([{ type: 'rule.refused', data: { rule: { id } } }]);
    bench.now += 3590_000;
    await receive('price, still?', { from: '+15550104', chat: '+15550104' });
    expect(await told()).toHaveLength(1);
    bench.now += 10_000;
    await receive('price, an hour later?', { from: '+15550105', chat: '+15550105' });
    expect(await told()).toMatchObject([refused, refused]);
    expect(await bench.show(endpoint)).toMatchObject({ state: 'active' });
  });

  it('that died between noting that it lacks credits and saying so says so after all', async () => {
    const id = await rule();
    await bench.admin.done('PUT', '/api/credits/quota', { body: { kind: 'monthly', credits: 0 } });
    await bench.store.write(put({ ...ruleRefusedKey(id), at: bench.now }));
    await receive('price?');
    expect(itemsOf(await bench.admin.done('GET', '/api/events?kind=rule'))).toMatchObject([
      { rule: { id, state: 'refused' } },
    ]);
  });
});

test.each([
  ['its title', { chat_name: 'Back office' }],
  ["the provider's id", { chat_id: '+15550300' }],
])('a rule that writes to a chat by %s finds it, and accepts nothing twice when the account is gone', async (_, to) => {
  await receive('hello', { chat: '+15550300', title: 'Back office' });
  const id = await rule({ do: [{ action: 'send', to, text: '{{ text }}' }] });
  await bench.admin.post(
    hook,
    message(9, { text: 'price?', at: new Date(bench.now).toISOString(), from: '+15550100' }),
  );
  const again = [...bench.stream];
  await bench.settle();
  expect(await runs(id)).toMatchObject([{ result: 'done' }]);
  await bench.admin.done('POST', `/api/accounts/${account}/cancel`);
  expect((await bench.admin.call('DELETE', `/api/accounts/${account}`)).status).toBe(204);
  await bench.forgetRuns(id);
  bench.stream.push(...again);
  await bench.settle();
  expect(await runs(id)).toMatchObject([{ result: 'done' }]);
  expect(await sends()).toHaveLength(1);
});

test('rules are asked in their order, and one that stops keeps the later ones from being asked', async () => {
  const [last, first, second] = [
    await rule({ order: 300 }),
    await rule({ order: 100, do: [{ action: 'send', to: { phone: '+15550300' }, text: 'one' }] }),
    await rule({ order: 200, stop: true, do: [{ action: 'send', to: { phone: '+15550300' }, text: 'two' }] }),
  ];
  await receive('price?');
  expect(await texts()).toEqual(['one', 'two']);
  expect((await Promise.all([last, first, second].map(runs))).map(({ length }) => length)).toEqual([0, 1, 1]);
});

test('a switched off rule does nothing, and one that is switched on again does', async () => {
  const id = await rule({ enabled: false });
  await receive('price?');
  expect(await sends()).toEqual([]);
  await bench.admin.done('PATCH', `/api/rules/${id}`, { body: { enabled: true } });
  await receive('price?');
  expect(await sends()).toHaveLength(1);
});

test('a send to somebody else needs no chat to be quiet, but is not made of what is old', async () => {
  const id = await rule({ do: [{ action: 'send', to: { phone: '+15550300' }, text: '{{ text }}' }] });
  await receive('price?', { at: new Date(bench.now - HOUR * 1000).toISOString() });
  expect((await runs(id))[0]).toMatchObject({ result: 'guarded', actions: [{ why: 'it is too old' }] });
  for (let i = 0; i < 3; i++) await receive(`price ${i}`);
  expect(await texts()).toEqual(['price 0', 'price 1', 'price 2']);
});

test('more than sixty messages in a minute pause all rules of the workspace, until somebody lets them go on', async () => {
  await rule({ do: [{ action: 'send', to: { phone: '+15550300' }, text: '{{ text }}' }] });
  for (let i = 0; i < 62; i++) {
    bench.now -= 999;
    await receive(`price ${i}`);
  }
  expect(await sends()).toHaveLength(50);
  const all = await bench.admin.walk('/api/sends');
  expect(all.items).toHaveLength(60);
  expect(await bench.admin.done('GET', '/api/rules')).toMatchObject({ paused: { why: expect.stringContaining('60') } });
  bench.now += 120_000;
  await receive('price again');
  expect((await bench.admin.walk('/api/sends')).items).toHaveLength(60);
  expect((await bench.admin.call('POST', '/api/rules/resume')).status).toBe(204);
  await receive('price at last');
  expect((await bench.admin.walk('/api/sends')).items).toHaveLength(61);
});

test('rules that are let go on within the minute in which they came to pause do so', async () => {
  await rule({ do: [{ action: 'send', to: { phone: '+15550300' }, text: '{{ text }}' }] });
  const minute = Math.ceil(bench.now / 60_000) * 60_000;
  const ask = async (i: number) => {
    bench.now = minute;
    await receive(`price ${i}`);
  };
  for (let i = 0; i < 61; i++) await ask(i);
  const paused = async () => (await bench.admin.done('GET', '/api/rules')).paused;
  expect(await paused()).toMatchObject({ why: expect.stringContaining('60') });
  await bench.admin.done('POST', '/api/rules/resume');
  await ask(61);
  expect(await paused()).toBeUndefined();
  expect((await bench.admin.walk('/api/sends')).items).toHaveLength(61);
});

describe('a rule that calls', () => {
  const CALL = {
    do: [
      {
        action: 'call',
        url: 'https://crm.example/lead',
        method: 'PUT',
        headers: { 'x-key': 'k' },
        json: { who: '{{ sender.phone }}', said: '{{ text }}', list: [1, true] },
      },
    ],
  };
  it('calls, signed, with each string rendered', async () => {
    const made = await bench.admin.done('POST', '/api/rules', { body: { ...PRICES, ...CALL } });
    const event = await receive('the "price", please');
    const [request] = bench.admin.posted;
    if (request?.body?.kind !== 'raw') throw new Error('nothing was called');
    expect(request).toMatchObject({ method: 'PUT', url: 'https://crm.example/lead' });
    expect(JSON.parse(request.body.text)).toEqual({ who: '+15550100', said: 'the "price", please', list: [1, true] });
    const signature = new Webhook(String(made.secret)).sign(`${event}_0`, new Date(bench.now), request.body.text);
    expect(request.headers).toMatchObject({ 'webhook-id': `${event}_0`, 'webhook-signature': signature, 'x-key': 'k' });
  });

  it('keeps the value of a header at the same host alone', async () => {
    const id = await rule(CALL);
    const to = (url: string, key: string) => ({
      body: { ...PRICES, do: [{ action: 'call', url, headers: { 'x-key': key } }] },
    });
    const put = (url: string, key = '') => bench.admin.call('PUT', `/api/rules/${id}`, to(url, key));
    expect((await put('https://crm.example/other')).status).toBe(200);
    await receive('the price');
    expect(bench.admin.posted.at(-1)).toMatchObject({ url: 'https://crm.example/other', headers: { 'x-key': 'k' } });
    expect((await put('https://crm2.example/lead')).json.issues).toEqual([
      { path: 'do.0.headers.x-key', message: expect.stringContaining('needs its value again') },
    ]);
    expect((await put('https://crm2.example/lead', 'new')).status).toBe(200);
    bench.now += HOUR * 1000;
    await receive('price');
    expect(bench.admin.posted.at(-1)).toMatchObject({ url: 'https://crm2.example/lead', headers: { 'x-key': 'new' } });
  });

  it('has headers that fit into what keeps them, those of all its calls together', async () => {
    const call = (names: string, value: string) => ({
      ...{ action: 'call', url: 'https://crm.example/' },
      headers: Object.fromEntries([...names].map((name) => [`x-${name}`, value])),
    });
    const long = 'v'.repeat(1000);
    const done = await bench.admin.done('POST', '/api/rules', { body: { ...PRICES, do: [call('abc', long)] } });
    const issues = [{ path: 'do', message: expect.stringContaining('3500 bytes') }];
    const refused = async (method: string, path: string, actions: object[]) =>
      (await bench.admin.call(method, path, { body: { ...PRICES, do: actions } })).json.issues;
    expect(await refused('POST', '/api/rules', [call('ab', long), call('cd', long)])).toEqual(issues);
    expect(await refused('PUT', `/api/rules/${done.id}`, [call('abc', ''), call('d', long)])).toEqual(issues);
  });

  it('tries again by the schedule of endpoints', async () => {
    await rule(CALL);
    bench.admin.answer = () => ({ kind: 'answered', status: 500, headers: {}, text: '' });
    await receive('price');
    await bench.wait(7);
    expect(bench.admin.posted).toHaveLength(2);
    bench.admin.answer = () => ({ kind: 'answered', status: 200, headers: {}, text: '' });
    await bench.wait(400);
    expect(bench.admin.posted).toHaveLength(3);
    await bench.wait(4000);
    expect(bench.admin.posted).toHaveLength(3);
  });

  describe('to a URL that fails', () => {
    const hanging: Reply = { kind: 'broken', breakdown: 'unanswered' };
    const well: Reply = { kind: 'answered', status: 200, headers: {}, text: '' };
    const item = (id: string) => bench.store.get(healthKey('main', id));
    async function failing(more: object = {}) {
      const id = await rule({ ...CALL, ...more });
      bench.admin.answer = () => hanging;
      for (let i = 0; i < 8; i++) await receive(`price ${i}`);
      return id;
    }

    it('spares it after five failures, asks it, and calls with all that waited once it answers', async () => {
      const id = await failing();
      expect(bench.admin.posted).toHaveLength(5);
      expect(await bench.admin.done('GET', `/api/rules/${id}`)).toMatchObject({
        callsFailingSince: expect.any(String),
      });
      await bench.wait(70);
      expect(bench.admin.posted).toHaveLength(6);
      await bench.wait(110);
      expect(bench.admin.posted).toHaveLength(7);
      bench.admin.answer = () => well;
      await bench.wait(900);
      const told = new Set(bench.admin.posted.slice(7).map(({ headers }) => headers?.['webhook-id']));
      expect([told.size, bench.admin.posted.length]).toEqual([8, 7 + 8]);
      expect(await bench.admin.done('GET', `/api/rules/${id}`)).not.toHaveProperty('callsFailingSince');
      await receive('price at once');
      expect(bench.admin.posted).toHaveLength(7 + 8 + 1);
    });

    it('asks it each quarter of an hour at most, and gives nothing up', async () => {
      const id = await failing();
      for (let hour = 0; hour < 5; hour++) await bench.wait(HOUR);
      expect(bench.admin.posted.length).toBeLessThan(5 + 5 * 4 + 4);
      bench.now += 125 * HOUR * 1000;
      await bench.wait(HOUR);
      const calls = bench.admin.posted.length;
      expect(calls).toBeLessThan(5 + 6 * 4 + 4);
      expect(await bench.admin.done('GET', `/api/rules/${id}`)).toMatchObject({ enabled: true });
      bench.admin.answer = () => well;
      await bench.wait(HOUR);
      expect(bench.admin.posted).toHaveLength(calls + 8);
    });

    it('holds up neither another rule nor its own mails', async () => {
      await failing({ do: [...CALL.do, { action: 'email', to: ['ana@example.com'], subject: 'a', text: 'b' }] });
      expect(bench.mails).toHaveLength(8);
      await rule({ do: [{ action: 'call', url: 'https://other.example/' }] });
      bench.admin.answer = ({ url }) => (url.includes('other') ? well : hanging);
      await receive('price');
      expect(bench.admin.posted.at(-1)).toMatchObject({ url: 'https://other.example/' });
    });

    it('asks soon once the rule is written anew', async () => {
      const id = await failing();
      await bench.wait(600);
      bench.loseTasks();
      bench.admin.answer = ({ url }) => (url.includes('new') ? well : hanging);
      const [action] = CALL.do;
      const body = { ...PRICES, do: [{ ...action, url: 'https://new.example/lead' }] };
      await bench.admin.done('PUT', `/api/rules/${id}`, { body });
      await bench.watch();
      await bench.wait(5);
      expect(bench.admin.posted.filter(({ url }) => url.includes('new'))).toHaveLength(8);
    });

    it('leaves nothing that is asked once the rule is deleted', async () => {
      const id = await failing();
      await bench.admin.call('DELETE', `/api/rules/${id}`);
      expect(await item(id)).toBeUndefined();
      const calls = bench.admin.posted.length;
      await bench.wait(HOUR);
      await bench.watch();
      expect(bench.admin.posted).toHaveLength(calls);
      expect(await item(id)).toBeUndefined();
    });
  });

  it('turns nothing that waits into a mail where that has taken the place of the call', async () => {
    const email = { action: 'email', to: ['boss@example.com'], subject: 'came', text: '{{ text }}' };
    const id = await rule({ do: [...CALL.do, email] });
    bench.admin.answer = () => ({ kind: 'answered', status: 500, headers: {}, text: '' });
    for (let i = 0; i < 8; i++) await receive(`price ${i}`);
    expect(bench.mails).toHaveLength(8);
    await bench.admin.done('PUT', `/api/rules/${id}`, { body: { ...PRICES, do: [email] } });
    await bench.wait(20 * 60);
    await bench.watch();
    expect(bench.mails).toHaveLength(8);
    await receive('price again');
    expect(bench.mails).toHaveLength(9);
  });

  it.each([
    ['does not call any more once it is changed', 'PUT', PRICES, 1],
    ['does not call any more once it is deleted', 'DELETE', undefined, 1],
    ['goes on with what it has taken on once it is switched off', 'PATCH', { enabled: false }, 3],
    ['goes on with what waits once it is renamed', 'PATCH', { name: 'New' }, 3],
  ])('%s', async (_what, method, body, calls) => {
    const id = await rule(CALL);
    bench.admin.answer = () => ({ kind: 'answered', status: 500, headers: {}, text: '' });
    await receive('price');
    expect((await bench.admin.call(method, `/api/rules/${id}`, body && { body })).status).toBeLessThan(300);
    await bench.wait(400);
    expect(bench.admin.posted).toHaveLength(calls);
  });

  it('makes what an earlier version put off while the rule was off, once that is on again', async () => {
    const email = { action: 'email', to: ['boss@example.com'], subject: 'came', text: '{{ text }}' };
    const id = await rule({ do: [...CALL.do, email] });
    await bench.admin.post(hook, message(1, { text: 'price' }));
    await bench.dispatchAll();
    const tasks = bench.takeTasks();
    await bench.admin.done('PATCH', `/api/rules/${id}`, { body: { enabled: false } });
    for (const task of tasks)
      if (task.kind === 'action') await bench.store.write(put(waitingItem(rowOf(task, undefined, bench.now))));
    await bench.wait(HOUR);
    await bench.watch();
    expect([bench.admin.posted, bench.mails]).toEqual([[], []]);
    await bench.admin.done('PATCH', `/api/rules/${id}`, { body: { enabled: true } });
    await bench.wait(10);
    expect([bench.admin.posted, bench.mails]).toEqual([[expect.anything()], [expect.anything()]]);
  });
});

describe('the number of the account, of which the provider says nothing', () => {
  const OF_IT = { field: 'account.phone', is: SANDBOX.phone };

  it('is known to conditions and texts of rules, in a trial too', async () => {
    const call = { action: 'call', url: 'https://crm.example/in', json: { at: '{{ account.phone }}' } };
    const mail = { action: 'email', to: ['boss@example.com'], subject: '{{ account.phone }}', text: 'a' };
    const reply = { action: 'reply', text: 'You wrote to {{ account["phone"] }}' };
    const asking = { ...PRICES, when: OF_IT, do: [call, mail, reply] };
    await rule(asking);
    const event = await receive('hello');
    const { items } = await bench.admin.done('POST', '/api/rules/try', { body: { rule: asking, eventIds: [event] } });
    expect(items).toMatchObject([
      {
        matched: true,
        actions: [{ would: { body: `{"at":"${SANDBOX.phone}"}` } }, { would: { subject: SANDBOX.phone } }, {}],
      },
    ]);
    expect(bench.admin.posted.map(({ body }) => body)).toMatchObject([{ text: `{"at":"${SANDBOX.phone}"}` }]);
    expect(bench.mails).toMatchObject([{ subject: SANDBOX.phone }]);
    expect(await texts()).toEqual([`You wrote to ${SANDBOX.phone}`]);
  });

  it('is known to the condition of an endpoint, and to its replay', async () => {
    await bench.store.write(put({ ...fillKey(feedFill.name), workspace: '', done: true }));
    const { id } = await bench.endpoint({ where: OF_IT });
    await bench.endpoint({ where: { ...OF_IT, is: '+15550000000' } });
    const event = await receive('hello');
    expect(bench.told.map((one) => one.id)).toEqual([event]);
    bench.now += 60_000;
    const since = new Date(bench.now - HOUR * 1000).toISOString();
    await bench.admin.done('POST', `/api/endpoints/${id}/replay`, { body: { since, only: 'all' } });
    await bench.wait(30);
    expect(bench.told.map((one) => one.id)).toEqual([event, event]);
  });

  it('is nobody else’s where the account is another workspace’s, and not looked up where nobody asks', async () => {
    const event = { workspace: 'main', kind: 'notification', accountId: account } as const;
    const { store } = bench;
    const of = (more: object) =>
      accountPhoneOf(store, {
        ...{ id: 'evt_1', provider: 'zender', webhookId: 'wh_1', occurredAt: '', receivedAt: '' },
        ...{ ...event, notification: { device: 'd', package: 'p' } },
        ...more,
      });
    expect(await of({})).toBe(SANDBOX.phone);
    expect(await of({ workspace: 'other' })).toBeUndefined();
    expect(
      await toldOf(store, [{ text: 'accounts of {{ text }}' }], { ...messageEvent(), accountId: account }),
    ).toEqual({
      event: { ...messageEvent(), accountId: account },
    });
  });
});

test('a call without json and text posts the event without thumbnails, and over 256 kB its ids', () => {
  const { message: told, ...event } = messageEvent();
  const of = (more: object) => JSON.parse(bareEvent({ ...event, message: { ...told, ...more } }));
  const file = { type: 'image', file: { url: 'https://files.example/1' }, thumbnail: 'x'.repeat(10) };
  expect(of({ content: file })).toMatchObject({ id: 'evt_1', message: { content: { type: 'image' } } });
  expect(of({ content: file }).message.content).not.toHaveProperty('thumbnail');
  const large = of({ content: { type: 'text', text: 'x'.repeat(256 * 1024) } });
  expect(large).toMatchObject({ id: 'evt_1', chatId: 'chat_1', truncated: true });
  expect(large).not.toHaveProperty('message');
});

test('an event that the stream tells of again takes no mail off the hour and counts no failure twice', async () => {
  const mail = { action: 'email', to: ['boss@example.com'], subject: 'came', text: '{{ text }}' };
  const failing = { action: 'reply', text: 'a', fileUrl: '{{ text }}', fileName: 'a.pdf' };
  const id = await rule({ do: [mail, failing] });
  await bench.admin.post(hook, message(1, { text: 'price', at: new Date(bench.now).toISOString(), from: '+15550100' }));
  const [change] = bench.stream;
  if (!change) throw new Error('nothing was stored');
  bench.stream.push(change, change);
  await bench.settle();
  expect(await runs(id)).toMatchObject([{ result: 'failed' }]);
  expect(await bench.admin.done('GET', `/api/rules/${id}`)).toMatchObject({ failures: 1 });
  expect(await bench.store.get(mailHourKey(id, Math.floor(bench.now / 3_600_000)))).toMatchObject({ count: 1 });
});

test('an event that two runs act on at the same time counts one failure', async () => {
  const id = await rule({ do: [{ action: 'reply', text: 'a', fileUrl: '{{ text }}', fileName: 'a.pdf' }] });
  await bench.admin.post(hook, message(1, { text: 'price', at: new Date(bench.now).toISOString(), from: '+15550100' }));
  const [change] = bench.stream.splice(0);
  if (!change) throw new Error('nothing was stored');
  const both = [1, 2].map(() => beginBatch(bench.dispatching).dispatch(change));
  await Promise.all(both);
  expect(await runs(id)).toMatchObject([{ result: 'failed' }]);
  expect(await bench.admin.done('GET', `/api/rules/${id}`)).toMatchObject({ failures: 1 });
});

test('a rule and an endpoint whose items are damaged hold up no other', async () => {
  const [broken, whole] = [await rule(), await rule({ guard: { perContact: { max: 9, seconds: 600 } } })];
  const { id: endpoint } = await bench.endpoint();
  const { id: heard } = await bench.endpoint();
  await bench.store.write(update(ruleKey('main', broken), [set('rule', '{}')]));
  await bench.store.write(update(endpointKey('main', endpoint), [set('types', 'all')]));
  await receive('price');
  expect(await runs(whole)).toMatchObject([{ result: 'done' }]);
  expect(bench.told).toMatchObject([{ type: 'message.received' }]);
  expect(bench.store.all().filter(({ pk, sk }) => pk === `EP#${heard}` && sk.startsWith('DLV#'))).toHaveLength(1);
  const lines = bench.admin.logged.filter((line) => line.includes('left out'));
  expect(lines).toHaveLength(2);
  expect(lines.join()).toContain(broken.slice(-20));
});

test('of two messages of a chat that are asked about at the same time, one uses up what the rule may say', async () => {
  const id = await rule();
  const say = (k: number) =>
    bench.admin.post(
      hook,
      message(k, { text: `price ${k}`, at: new Date(bench.now).toISOString(), from: '+15550100' }),
    );
  await say(1);
  await say(2);
  const [first, second] = bench.stream.splice(0);
  if (!first || !second) throw new Error('nothing was stored');
  const dispatch = async (ports: typeof bench.dispatching, change: typeof first) => {
    const batch = beginBatch(ports);
    await batch.dispatch(change);
    await batch.end();
  };
  const { store } = bench.dispatching;
  let isFirst = true;
  const get: typeof store.get = async (key, ...given) => {
    const item = await store.get(key, ...given);
    if (isFirst && key.pk.startsWith('AUTO#chat')) {
      isFirst = false;
      await dispatch(bench.dispatching, second);
    }
    return item;
  };
  await dispatch({ ...bench.dispatching, store: { ...store, get } }, first);
  expect(isFirst).toBe(false);
  expect(await sends()).toHaveLength(1);
  expect((await runs(id)).map(({ result }) => result).toSorted()).toEqual(['done', 'guarded']);
});

test('a rule that forwards to an endpoint which was deleted since says so', async () => {
  const { id: endpoint } = await bench.endpoint();
  const id = await rule({ do: [{ action: 'forward', endpoint }] });
  await bench.admin.call('DELETE', `/api/endpoints/${endpoint}`);
  await receive('price');
  expect(await runs(id)).toMatchObject([
    {
      result: 'failed',
      actions: [{ action: 'forward', result: 'failed', why: expect.stringContaining('was deleted') }],
    },
  ]);
});

test('a rule that sends by an account which was deleted since says so', async () => {
  const other = String(
    (await bench.admin.done('POST', '/api/accounts', { body: { ...SANDBOX, phone: '+15550199002' } })).id,
  );
  const id = await rule({ do: [{ action: 'send', to: { phone: '+15550300' }, accountId: other, text: 'a' }] });
  expect((await bench.admin.call('DELETE', `/api/accounts/${other}`)).status).toBe(204);
  await receive('price');
  expect(await runs(id)).toMatchObject([
    {
      result: 'failed',
      actions: [{ result: 'failed', why: expect.stringMatching(/^account_id matches no account/) }],
    },
  ]);
});

test('a rule that forwards tells an endpoint, whatever types that asks for', async () => {
  const { id: endpoint } = await bench.endpoint({ types: ['ussd.answered'] });
  await rule({ do: [{ action: 'forward', endpoint }] });
  const event = await receive('price');
  expect(bench.told).toMatchObject([{ id: event, type: 'message.received' }]);
});

test('a rule that fails ten times in a row is switched off, and says so', async () => {
  const id = await rule({ on: ['message.received'], do: [{ action: 'send', to: { phone: '{{ text }}' }, text: 'a' }] });
  for (let i = 0; i < 10; i++) await receive(`price ${i} is no number`);
  expect(await bench.admin.done('GET', `/api/rules/${id}`)).toMatchObject({
    enabled: false,
    disabledBecause: expect.stringContaining('10 times'),
  });
  const events = itemsOf(await bench.admin.done('GET', '/api/events?kind=rule'));
  expect(events).toMatchObject([{ kind: 'rule', rule: { id, state: 'paused' } }]);
});

test('what is no message is not answered, and no rule is switched off for it', async () => {
  const { when: _when, ...anything } = PRICES;
  const asked = { ...anything, on: ['message.received', 'reaction.added'] };
  const { id } = await bench.admin.done('POST', '/api/rules', { body: asked });
  await receive('hello');
  for (let i = 0; i < 10; i++)
    await bench.admin.post(hook, { event: 'reaction', id: 'm-1', from: '+15550100', emoji: '👍', at: bench.now + i });
  await bench.settle();
  const [run, ...others] = await runs(String(id));
  expect(others).toHaveLength(10);
  const why = 'only a message that came in is answered';
  expect(run).toMatchObject({ result: 'guarded', actions: [{ result: 'guarded', why }] });
  expect(await bench.admin.done('GET', `/api/rules/${id}`)).toMatchObject({ enabled: true });
  const trial = { rule: asked, eventIds: [run?.event] };
  const { items } = await bench.admin.done('POST', '/api/rules/try', { body: trial });
  expect(items).toMatchObject([{ matched: true, guard: { may: false, why } }]);
});

describe('a trial', () => {
  it('shows each comparison, the verdict of the guard and the message as it would go out, and sends nothing', async () => {
    await receive('hello');
    await receive('the price?');
    const { items } = await bench.admin.done('POST', '/api/rules/try', { body: { rule: PRICES, last: 2 } });
    expect(items).toMatchObject([
      {
        matched: true,
        trace: [{ field: 'text', operator: 'words', found: 'the price?', holds: true }],
        guard: { may: true },
        actions: [{ action: 'reply', would: { action: 'send', text: expect.stringContaining('see our list') } }],
      },
      { matched: false, trace: [{ found: 'hello', holds: false }], actions: [] },
    ]);
    expect(await sends()).toEqual([]);
  });

  it.each([
    [{ json: { said: '{{ text }}' } }, 'application/json', '{"said":"price?"}'],
    [{ text: 'said: {{ text }}' }, 'text/plain; charset=utf-8', 'said: price?'],
    [{}, 'application/json', expect.stringMatching(/^\{"id":"evt_.*"text":"price\?"/)],
    [
      { text: '{% for i in (1..1000) %}{{ text }}{% endfor %}' },
      'text/plain; charset=utf-8',
      expect.stringMatching(/^(?:price\?){666}pric…$/),
    ],
  ])('shows what a call would post: %#', async (asked, contentType, body) => {
    const event = await receive('price?');
    const rule = { ...PRICES, do: [{ action: 'call', url: 'https://crm.example/', method: 'PUT', ...asked }] };
    const { items } = await bench.admin.done('POST', '/api/rules/try', { body: { rule, eventIds: [event] } });
    const would = { url: 'https://crm.example/', method: 'PUT', contentType, body };
    const bytes = 'text' in asked && asked.text?.includes('for') ? { bytes: 6000 } : {};
    expect(items).toMatchObject([{ actions: [{ action: 'call', would: { ...would, ...bytes } }] }]);
    expect(bench.admin.posted).toEqual([]);
  });

  it('shows what a forward would post', async () => {
    const { id: endpoint } = await bench.endpoint({ payload: 'thin' });
    const event = await receive('price?');
    await bench.settle();
    const rule = { ...PRICES, do: [{ action: 'forward', endpoint }] };
    const { items } = await bench.admin.done('POST', '/api/rules/try', { body: { rule, eventIds: [event] } });
    const [request] = bench.admin.posted;
    const body = request?.body?.kind === 'raw' ? request.body.text : '';
    expect(body).toContain(event);
    expect(items).toMatchObject([{ actions: [{ action: 'forward', would: { endpoint, body } }] }]);
  });

  it('says of an event that was replayed that it is not answered', async () => {
    const event = await receive('price?');
    await bench.store.write(update(eventKey(event), [set('receipt', 'replay_abc')]));
    const trial = async (action: object) => {
      const body = { rule: { ...PRICES, do: [action] }, eventIds: [event] };
      return (await bench.admin.done('POST', '/api/rules/try', { body })).items;
    };
    const refused = [{ matched: true, guard: { may: false, why: 'it was replayed' } }];
    expect(await trial({ action: 'reply', text: 'a' })).toMatchObject(refused);
    expect(await trial({ action: 'send', to: { phone: '+15550300' }, text: 'a' })).toMatchObject(refused);
  });

  it('says of a call what makes it too large', async () => {
    const event = await receive(`price ${'x'.repeat(60_000)}`);
    const json = Object.fromEntries(Array.from({ length: 5 }, (_, i) => [i, '{{ text }}']));
    const rule = { ...PRICES, do: [{ action: 'call', url: 'https://crm.example/', json }] };
    const { items } = await bench.admin.done('POST', '/api/rules/try', { body: { rule, eventIds: [event] } });
    expect(items).toMatchObject([{ actions: [{ would: {}, why: expect.stringContaining('more than 256 kB') }] }]);
  });

  it('says why the guard would refuse', async () => {
    const event = await receive('price?', { at: new Date(bench.now - HOUR * 1000).toISOString() });
    const { items } = await bench.admin.done('POST', '/api/rules/try', { body: { rule: PRICES, eventIds: [event] } });
    expect(items).toMatchObject([{ matched: true, guard: { may: false, why: 'it is too old' } }]);
  });
});

test('what is no rule is refused with the path of the field', async () => {
  const refused = async (body: object) =>
    (await bench.admin.call('POST', '/api/rules', { body: { ...PRICES, ...body } })).json.issues;
  expect(await refused({ do: [{ action: 'reply', text: '{{ text | shout }}' }] })).toMatchObject([
    { path: 'do.0.text', message: expect.stringContaining('undefined filter') },
  ]);
  expect(await refused({ when: { field: 'text', matches: '(' } })).toMatchObject([{ path: 'when.matches' }]);
  expect(await refused({ do: [{ action: 'reply' }] })).toMatchObject([{ path: 'do.0' }]);
});

describe('accounts of a rule', () => {
  const none = 'acc_00000000000000000000000000000000';
  const refusal = (path: string) => ({ path, message: expect.stringContaining('no account of this workspace') });
  const send = { action: 'send', to: { phone: '+15550300' }, accountId: none, text: 'a' };
  const issuesOf = async (method: string, path: string, body: object) =>
    (await bench.admin.call(method, path, { body })).json.issues;

  it('are there when it is written, tried, written anew or changed', async () => {
    const id = await rule();
    const both = { ...PRICES, accounts: [account, none], do: [...PRICES.do, send] };
    const refusals = [refusal('accounts.1'), refusal('do.1.accountId')];
    expect(await issuesOf('POST', '/api/rules', both)).toEqual(refusals);
    expect(await issuesOf('PUT', `/api/rules/${id}`, both)).toEqual(refusals);
    expect(await issuesOf('POST', '/api/rules/try', { rule: both })).toEqual([
      refusal('rule.accounts.1'),
      refusal('rule.do.1.accountId'),
    ]);
    expect(await issuesOf('PATCH', `/api/rules/${id}`, { accounts: [none] })).toEqual([refusal('accounts.0')]);
    expect(await issuesOf('PATCH', `/api/rules/${id}`, { do: [send] })).toEqual([refusal('do.0.accountId')]);
  });

  it('are those of its own workspace', async () => {
    const { key } = await bench.admin.workspaceWithKey();
    const { json } = await bench.admin.call('POST', '/api/rules', { key, body: { ...PRICES, accounts: [account] } });
    expect(json.issues).toEqual([refusal('accounts.0')]);
  });

  it('may be gone by the time it is switched off', async () => {
    const other = String(
      (await bench.admin.done('POST', '/api/accounts', { body: { ...SANDBOX, phone: '+15550199002' } })).id,
    );
    const id = await rule({ accounts: [other] });
    await bench.admin.call('DELETE', `/api/accounts/${other}`);
    expect(await bench.admin.done('PATCH', `/api/rules/${id}`, { body: { enabled: false } })).toMatchObject({
      enabled: false,
    });
  });
});

describe('a change of a rule', () => {
  it('leaves as it is what it does not name, and takes away what is null', async () => {
    const id = await rule({ accounts: [account], order: 7, stop: true, guard: { maxAgeSeconds: 60 } });
    const before = await bench.admin.done('GET', `/api/rules/${id}`);
    const patch = (body: object) => bench.admin.done('PATCH', `/api/rules/${id}`, { body });
    expect(await patch({ name: 'New' })).toMatchObject({ ...before, name: 'New', updatedAt: expect.any(String) });
    const bare = await patch({ when: null, accounts: null });
    expect([Object.hasOwn(bare, 'when'), Object.hasOwn(bare, 'accounts')]).toEqual([false, false]);
    expect(await patch({ guard: { groups: true } })).toMatchObject({
      order: 7,
      stop: true,
      guard: { groups: true, maxAgeSeconds: 900 },
    });
    const called = await patch({ do: [{ action: 'call', url: 'https://crm.example/in' }], order: 8 });
    expect(called).toMatchObject({ order: 8, secret: expect.stringMatching(/^whsec_/) });
  });

  it.each([
    [{}, ''],
    [{ name: '' }, 'name'],
    [{ timeZone: 'Mars/Base' }, 'timeZone'],
    [{ when: { field: 'text', matches: '(' } }, 'when.matches'],
    [{ do: [] }, 'do'],
    [{ nothing: 1 }, 'nothing'],
  ])('is refused with the path of the field: %j', async (body, path) => {
    const id = await rule();
    expect((await bench.admin.call('PATCH', `/api/rules/${id}`, { body })).json.issues).toMatchObject([{ path }]);
  });
});

test('more than 200 rules, or 50 endpoints, are refused with what to do', async () => {
  const put200 = async (kind: 'RULE' | 'ENDPOINT', id: string, count: number) => {
    const [one] = bench.store.all().filter(({ sk }) => sk === `${kind}#${id}`);
    if (!one) throw new Error('not there');
    for (let i = 1; i < count; i++)
      await bench.store.write(put({ ...one, sk: `${kind}#${id.slice(0, -3)}${String(i).padStart(3, '0')}` }));
  };
  await put200('RULE', await rule(), 200);
  await put200('ENDPOINT', (await bench.endpoint()).id, 50);
  const refused = async (path: string, body: object) => {
    const { status, json } = await bench.admin.call('POST', path, { body });
    return [status, json.message];
  };
  expect(await refused('/api/rules', PRICES)).toEqual([
    422,
    'The request is not valid: a workspace has 200 rules at most: delete one first',
  ]);
  expect(await refused('/api/endpoints', { url: 'https://crm.example/' })).toEqual([
    422,
    'The request is not valid: a workspace has 50 endpoints at most: delete one first',
  ]);
});

describe('a call that may lead nowhere good is refused when the rule is written, tried or written anew', () => {
  const calling = (url: string) => ({ rule: { ...PRICES, do: [{ action: 'call', url }] } });
  it.each([
    ['https://hub.example/hooks/sandbox/x', 'the hub itself'],
    ['https://hub.example./send/x', 'the hub itself'],
    ['http://crm.example/', 'https'],
    ['https://169.254.169.254/latest', 'public internet'],
    ['https://crm.example:8443/', '443'],
  ])('%s', async (url, words) => {
    const id = await rule();
    const { rule: body } = calling(url);
    const refusal = (path: string) => ({ path, message: expect.stringContaining(words) });
    const issues = async (method: string, path: string, given: object) =>
      (await bench.admin.call(method, path, { body: given })).json.issues;
    expect(await issues('POST', '/api/rules', body)).toEqual([refusal('do.0.url')]);
    expect(await issues('PUT', `/api/rules/${id}`, body)).toEqual([refusal('do.0.url')]);
    expect(await issues('POST', '/api/rules/try', { rule: body })).toEqual([refusal('rule.do.0.url')]);
  });
});

test.each([
  [{ headers: { 'x-key': 'k', Trailer: 'x' } }, 'do.0.headers.Trailer', 'that the hub sets itself'],
  [{ json: { list: Array.from({ length: 101 }, () => '{{ text }}') } }, 'do.0.json', 'at most 100 texts'],
])('a call that could not be made, or would take too long, is refused: %#', async (more, path, words) => {
  const body = { ...PRICES, do: [{ action: 'call', url: 'https://crm.example/', ...more }] };
  const { status, json } = await bench.admin.call('POST', '/api/rules', { body });
  expect(status).toBe(422);
  expect(json.issues).toEqual([{ path, message: expect.stringContaining(words) }]);
});

test('a rule that forwards names an endpoint of its own workspace', async () => {
  const { key } = await bench.admin.workspaceWithKey();
  const { json } = await bench.admin.call('POST', '/api/endpoints', { key, body: { url: 'https://crm.example/' } });
  const body = { ...PRICES, do: [{ action: 'forward', endpoint: String(json.id) }] };
  const refusal = { path: 'do.0.endpoint', message: expect.stringContaining('no endpoint of this workspace') };
  expect((await bench.admin.call('POST', '/api/rules', { body })).json.issues).toEqual([refusal]);
  expect((await bench.admin.call('POST', '/api/rules', { key, body })).status).toBe(201);
});

test('a trial asks of a message to somebody else only what a run would ask', async () => {
  const event = await receive('price?', {
    direction: 'outbound',
    via: 'phone',
    chat: '+15550100',
    from: SANDBOX.phone,
  });
  const to = { phone: '+15550300' };
  const body = {
    rule: { ...PRICES, on: ['message.sent'], do: [{ action: 'send', to, text: 'a' }] },
    eventIds: [event],
  };
  expect(await bench.admin.done('POST', '/api/rules/try', { body })).toMatchObject({
    items: [{ matched: true, guard: { may: true } }],
  });
});

test('another workspace neither sees the rules nor has them act on its events', async () => {
  const id = await rule();
  const { key } = await bench.admin.workspaceWithKey();
  expect((await bench.admin.call('GET', `/api/rules/${id}`, { key })).status).toBe(404);
  const other = await bench.admin.webhook({}, { key });
  await bench.admin.post(other.url, message(1, { text: 'price', at: new Date(bench.now).toISOString() }));
  await bench.settle();
  expect(await runs(id)).toEqual([]);
});
