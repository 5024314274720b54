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
