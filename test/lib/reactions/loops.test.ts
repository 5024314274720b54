import * as v from 'valibot';
import { beforeEach, describe, expect, it } from 'vitest';
import { set, update } from '#lib/store/store.ts';
import { itemsOf, message } from '#test/functions/admin/admin-bench.ts';
import { ReactionBench } from '#test/support/reactions.ts';

const HOUR = 3_600_000;

/** A hub with one account and one rule that answers whatever comes in; its messages reach the other hub. */
class Hub {
  readonly bench = new ReactionBench();
  #hook = '';
  #carried = 0;
  readonly phone: string;

  constructor(phone: string) {
    this.phone = phone;
  }

  async prepare(text: string): Promise<void> {
    const { admin } = this.bench;
    const account = { provider: 'sandbox', channel: 'whatsapp', phone: this.phone, credentials: {} };
    const accountId = String((await admin.done('POST', '/api/accounts', { body: account })).id);
    this.#hook = (await admin.webhook({ accountId })).url;
    const rule = {
      ...{ name: 'Answers', on: ['message.received'], do: [{ action: 'reply', text }] },
      guard: { perContact: { max: 100, seconds: 1 } },
    };
    await admin.done('POST', '/api/rules', { body: rule });
  }

  async hear(from: string, text: string, n: string): Promise<void> {
    await this.#post({ id: n, text, from, chat: from });
    await this.bench.settle();
  }

  /** What was accepted since, as its provider echoes it: known as the send that it is. */
  async say(to: string): Promise<readonly string[]> {
    const sends = this.bench.store.all().filter(({ pk }) => pk.startsWith('MSG#'));
    const fresh = sends.slice(this.#carried);
    this.#carried = sends.length;
    const texts: string[] = [];
    for (const { messageId, parts } of fresh) {
      const [{ text }] = v.parse(v.tuple([v.looseObject({ text: v.string() })]), parts);
      const echo = { id: `out-${messageId}`, text, direction: 'outbound', via: 'api', from: this.phone, chat: to };
      const event = await this.#post(echo);
      const head = await this.bench.store.get({ pk: `EVT#${event}`, sk: 'META' });
      await this.bench.store.write(
        update({ pk: String(head?.stateKey), sk: 'META' }, [set('send', String(messageId)), set('part', 0)]),
      );
      await this.bench.settle();
      texts.push(text);
    }
    return texts;
  }

  async #post(more: object): Promise<string> {
    const at = new Date(this.bench.now).toISOString();
    const { body } = await this.bench.admin.post(this.#hook, message(1, { at, ...more }));
    return String(body.id);
  }

  get sent(): number {
    return this.#carried;
  }

  muted = async () => itemsOf(await this.bench.admin.done('GET', '/api/events?kind=rule'));
}

let hubs: readonly [Hub, Hub];
let n = 0;

/** Lets them talk, each answer taking so long, until nobody says anything more. */
async function talk(answerMs: number): Promise<void> {
  let said: readonly string[] = [`hello ${n}`];
  for (let turn = 0; said.length > 0; turn += 1) {
    expect(turn).toBeLessThan(200);
    const [from, to] = turn % 2 === 0 ? hubs : [hubs[1], hubs[0]];
    for (const hub of hubs) hub.bench.now += answerMs;
    for (const text of said) {
      n += 1;
      await to.hear(from.phone, text, `in-${n}`);
    }
    said = await to.say(from.phone);
  }
}

beforeEach(() => {
  hubs = [new Hub('+15550199001'), new Hub('+15550199002')];
});

describe('two hubs that answer each other', () => {
  it.each([
    ['with words of their own', ['Thanks for your message', 'We are closed']],
    ['with words that change each time', ['You said {{ event.id }}', 'I heard {{ event.id }}']],
  ])('stop by themselves %s, and say so', async (_name, [one = '', other = '']) => {
    await hubs[0].prepare(one);
    await hubs[1].prepare(other);
    await talk(2000);
    for (const hub of hubs) expect(hub.sent).toBeLessThanOrEqual(5);
    const told = (await Promise.all(hubs.map((hub) => hub.muted()))).flat();
    expect(told).toContainEqual(expect.objectContaining({ rule: expect.objectContaining({ state: 'muted' }) }));
  });

  it('stop at once where both say the same', async () => {
    for (const hub of hubs) await hub.prepare('Thanks for your message');
    await talk(2000);
    expect(hubs.map(({ sent }) => sent)).toEqual([1, 1]);
  });

  it('stay within the budget of a day where each answer takes a minute, whoever begins anew', async () => {
    for (const hub of hubs) await hub.prepare('It is {{ event.id }}');
    for (let hour = 0; hour < 24; hour += 1) {
      await talk(60_000);
      for (const hub of hubs) hub.bench.now += HOUR - 600_000;
    }
    for (const hub of hubs) expect(hub.sent).toBeLessThanOrEqual(20);
    expect(Math.max(...hubs.map(({ sent }) => sent))).toBeGreaterThanOrEqual(5);
  });
});

describe('a rule that writes to somebody else', () => {
  const BOSS = '+15550100300';
  const CUSTOMER = '+15550100200';
  let bench: ReactionBench;
  let hook: string;
  beforeEach(async () => {
    bench = new ReactionBench();
    const account = { provider: 'sandbox', channel: 'whatsapp', phone: '+15550199001', credentials: {} };
    const accountId = String((await bench.admin.done('POST', '/api/accounts', { body: account })).id);
    hook = (await bench.admin.webhook({ accountId })).url;
  });

  const rule = async (on: string, more: object = {}) => {
    const body = { name: 'Tells', on: [on], do: [{ action: 'send', to: { phone: BOSS }, text: 'a', ...more }] };
    return String((await bench.admin.done('POST', '/api/rules', { body })).id);
  };
  const post = async (n: number, more: object) => {
    const at = new Date(bench.now).toISOString();
    const { body } = await bench.admin.post(hook, message(n, { at, from: CUSTOMER, chat: CUSTOMER, ...more }));
    return String(body.id);
  };
  const sends = () => bench.store.all().filter(({ pk, sk }) => pk.startsWith('MSG#') && sk === 'META');
  const runs = async (id: string) => itemsOf(await bench.admin.done('GET', `/api/rules/${id}/runs`));
  /** As the message of a send is known once its provider has taken it. */
  const echo = async (messageId: unknown, more: object = {}) => {
    const event = await post(50, { direction: 'outbound', via: 'api', chat: BOSS, from: '+15550199001', ...more });
    const head = await bench.store.get({ pk: `EVT#${event}`, sk: 'META' });
    const state = { pk: String(head?.stateKey), sk: 'META' };
    await bench.store.write(update(state, [set('send', String(messageId)), set('part', 0)]));
  };
  const tells = (n: number, status: string) =>
    bench.admin.post(hook, { id: `m${n}`, event: 'status', chat: BOSS, status, at: new Date(bench.now).toISOString() });

  it.each([
    ['message.sent', async (send: unknown) => echo(send)],
    [
      'message.read',
      async (send: unknown) => {
        await echo(send);
        await tells(50, 'read');
      },
    ],
    [
      'send.cancelled',
      async (send: unknown) => {
        await bench.admin.done('POST', `/api/sends/${String(send)}/cancel`);
      },
    ],
  ])('does not write because of what a rule has sent: %s', async (on, happens) => {
    await rule('message.received');
    const id = await rule(on, { to: { phone: '+15550100400' } });
    await post(1, {});
    await bench.settle();
    const [first] = sends();
    expect(sends()).toHaveLength(1);
    await happens(first?.messageId);
    await bench.settle();
    expect(sends()).toHaveLength(1);
    expect(await runs(id)).toMatchObject([{ result: 'guarded', actions: [{ why: expect.stringMatching(/a rule/) }] }]);
  });

  it('does not write because of a message of ours of which nobody knows yet who sent it', async () => {
    const id = await rule('message.sent');
    await post(2, { direction: 'outbound', via: 'api', from: '+15550199001' });
    await bench.settle();
    expect(await runs(id)).toMatchObject([{ result: 'guarded' }]);
    await post(3, { direction: 'outbound', via: 'phone', from: '+15550199001' });
    await bench.settle();
    expect(sends()).toHaveLength(1);
  });

  it('does not write because another account of the workspace was written to', async () => {
    const id = await rule('message.received');
    const boss = { provider: 'sandbox', channel: 'whatsapp', phone: BOSS, credentials: {} };
    await bench.admin.done('POST', '/api/accounts', { body: boss });
    await post(4, { from: '+15550199001', chat: '+15550199001' });
    await bench.settle();
    expect([sends(), await runs(id)]).toMatchObject([[], [{ result: 'guarded' }]]);
  });

  it.each([
    ['its number with 00', { phone: '0015550100200' }],
    ['its number as at home', { phone: '{{ "5550100200" }}' }],
    ['its id in the other spelling', { jid: '15550100200@s.whatsapp.net' }],
    ['the title of its chat', { chat_name: 'Ana' }],
    ["the provider's id of its chat", { chat_id: CUSTOMER }],
  ])('answers where whoever wrote is named by %s', async (_name, to) => {
    const id = await rule('message.received', { to });
    await post(5, { title: 'Ana', direction: 'outbound', via: 'phone', from: '+15550199001' });
    bench.now += 1000;
    await post(6, {});
    await bench.settle();
    expect([sends(), await runs(id)]).toMatchObject([
      [],
      [{ result: 'guarded', actions: [{ why: expect.stringMatching(/a person has answered/) }] }],
    ]);
  });

  it('does not write to whoever reacted', async () => {
    const id = await rule('reaction.added', { to: { phone: CUSTOMER } });
    await post(7, {});
    await bench.admin.post(hook, {
      id: 'm7',
      event: 'reaction',
      from: CUSTOMER,
      emoji: '+',
      at: new Date(bench.now).toISOString(),
    });
    await bench.settle();
    expect([sends(), await runs(id)]).toMatchObject([[], [{ result: 'guarded' }]]);
  });
});
