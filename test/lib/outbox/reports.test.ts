import * as v from 'valibot';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseJson } from '#lib/domain/json.ts';
import { known } from '#lib/domain/schema.ts';
import type { SendOutcome } from '#lib/domain/send/outcome.ts';
import { listEvents } from '#lib/inbox/events.ts';
import { type ReceivingProvider, readByName, reader } from '#lib/inbox/provider.ts';
import { receiver } from '#lib/inbox/receive.ts';
import { empty } from '#lib/privacy/forget.ts';
import { providerProber } from '#lib/sender/open-accounts.ts';
import type { Candidate } from '#lib/sender/provider.ts';
import { sendReports } from '#lib/sender/reports.ts';
import { settlePart } from '#lib/sender/settle.ts';
import { tick } from '#lib/sender/tick.ts';
import { accountKey, sendKey, stateKey } from '#lib/store/keys.ts';
import { append, set, update } from '#lib/store/store.ts';
import { watchdog } from '#lib/watchdog/watchdog.ts';
import { LONG } from '#test/support/long.ts';
import { SendBench } from '#test/support/send-bench.ts';
import { tasksBy } from '#test/support/tasks.ts';
import { underRole } from '#test/support/under-role.ts';

const Text = v.looseObject({
  id: v.string(),
  chat: v.optional(v.string(), '+14151231234'),
  text: v.optional(v.string(), 'hello'),
  via: v.optional(v.picklist(['phone', 'api', 'unknown']), 'api'),
  instance: v.exactOptional(v.string()),
});
const Progress = v.looseObject({
  id: v.string(),
  state: v.picklist(['sent', 'delivered', 'read', 'failed']),
  detail: v.exactOptional(v.string()),
  restricted: v.exactOptional(v.boolean()),
});
const Link = v.looseObject({
  state: v.picklist(['connected', 'disconnected', 'connecting', 'blocked']),
  instance: v.exactOptional(v.string()),
  at: v.optional(v.number(), 0),
});

/** The provider of the bench's accounts, as it reports. */
const courier: ReceivingProvider = {
  name: 'courier',
  parse: (body) => parseJson(body),
  read: readByName('event', {
    echo: reader(Text, ({ id, chat, text, via, instance }) => ({
      identity: { type: 'echo', chat, id },
      payload: {
        kind: 'message',
        message: {
          id,
          chat: { id: chat, kind: 'individual' },
          direction: 'outbound',
          via,
          channel: 'whatsapp',
          sender: {},
          account: known({ instance }),
          content: { type: 'text', text },
        },
      },
    })),
    progress: reader(Progress, ({ id, ...said }) => ({
      identity: { type: 'progress', id, status: said.state },
      payload: { kind: 'status', status: { messageId: id, ...known(said) } },
    })),
    link: reader(Link, ({ state, instance, at }) => ({
      identity: { type: 'link' },
      occurredAt: bench.now - at,
      payload: { kind: 'connection', connection: { state, account: known({ instance }) } },
    })),
  }),
};

let bench: SendBench;
let receive: ReturnType<typeof receiver>;
beforeEach(async () => {
  bench = new SendBench();
  const ports = { ...bench.ports(), store: underRole(bench.memory, 'green-api') };
  const sends = sendReports(ports, bench.config);
  receive = receiver(courier, { ...ports, sends, fallback: { send: async () => false }, maxBytes: 1_000_000 });
  await bench.addWebhook();
  await bench.addWebhook({ webhookId: 'wh_in', kind: 'receive', provider: 'courier', accountId: 'acc_1' }, 'hook');
  await bench.addAccount('acc_1', { instance: 'i-1' });
  await bench.addCredits(10);
});

async function report(body: object, token = 'hook', status = 'stored'): Promise<void> {
  const answer = await receive(token, { headers: {}, body: Buffer.from(JSON.stringify(body)) });
  expect(answer.body).toMatchObject({ status });
}

const accept = async (more: object = {}): Promise<string> =>
  (await bench.post({ action: 'send', phone: '+14151231234', text: 'hello', ...more })).body.data.message_id;

let runs = 0;
/** Runs the tick that is due; `during` happens while the provider is called. */
async function run(outcome: SendOutcome, during?: () => Promise<void>): Promise<void> {
  const due = bench.ticks.pop();
  if (!due) throw new Error('no tick is due');
  bench.now = Math.max(bench.now, due.at);
  const ports = {
    ...bench.ports(),
    store: underRole(bench.memory, 'sender'),
    sender: {
      send: async () => {
        await during?.();
        return outcome;
      },
    },
    attachments: {
      fetch: async (_: string, name: string) =>
        ({ kind: 'ok', name, mimeType: 'application/pdf', bytes: new Uint8Array(1) }) as const,
    },
  };
  const received = { times: 1, firstAt: bench.now };
  await tick(due, { id: `run-${++runs}`, endsAt: bench.now + 45_000, received }, ports, bench.config);
}

const stateOf = (messageId: string, providerId: string) => stateKey(bench.send(messageId), providerId);

/** Runs the watchdog when it looks for evidence; answers what the provider was asked for. */
async function watch(listed: readonly Candidate[]): Promise<string[]> {
  bench.now += 5 * 60_000;
  const asked: string[] = [];
  const ports = { ...bench.ports(), store: underRole(bench.memory, 'watchdog') };
  const account = {
    send: async () => taken('p'),
    probe: async () => ({ kind: 'ok' }) as const,
    find: async ({ messageId }: { readonly messageId: string }) => {
      asked.push(messageId);
      return listed;
    },
  };
  const accounts = { open: async () => ({ kind: 'open', account }) as const, forget: () => undefined };
  const looking = { openAccounts: accounts, prober: providerProber(accounts, ports.clock) };
  await watchdog({ ...ports, tasks: tasksBy(), ...looking }, Number.POSITIVE_INFINITY, bench.config);
  return asked;
}

const taken = (providerId: string): SendOutcome => ({ kind: 'accepted', providerId });
const part = (messageId: string) => bench.send(messageId).parts[0];

/** What the history of chats shows. */
async function history() {
  const { items } = await listEvents(bench.memory, 'main', { kind: 'message' }, { limit: 50 }, bench.now / 1000);
  return items.map((event) => (event.kind === 'message' ? { id: event.message.id, sendId: event.sendId } : undefined));
}

describe('a status', () => {
  it('moves the send on, and never back', async () => {
    const id = await accept();
    await run(taken('p1'));
    for (const state of ['read', 'delivered', 'sent']) await report({ event: 'progress', id: 'p1', state });
    expect(part(id)).toMatchObject({ state: 'read', creditState: 'spent' });
  });

  it('that comes before the provider has answered counts all the same', async () => {
    const id = await accept();
    await run(taken('p1'), () => report({ event: 'progress', id: 'p1', state: 'delivered' }));
    expect(part(id)).toMatchObject({ state: 'delivered', creditState: 'spent' });
  });

  it('that says it failed gives the credit back, once', async () => {
    const id = await accept();
    await run(taken('p1'));
    await report({ event: 'progress', id: 'p1', state: 'failed', detail: 'noAccount' });
    expect(part(id)).toMatchObject({ state: 'failed', creditState: 'refunded', error: 'noAccount' });
    expect(bench.available()).toBe(10);
    expect(bench.account('acc_1').held).toBe(false);
  });

  it('that says the account may not send holds the account', async () => {
    await accept();
    await run(taken('p1'));
    await report({ event: 'progress', id: 'p1', state: 'failed', detail: 'yellowCard', restricted: true });
    expect(bench.account('acc_1')).toMatchObject({ held: true, holdReason: 'yellowCard' });
  });

  it('of another workspace moves nothing', async () => {
    await bench.addWebhook(
      { webhookId: 'wh_x', workspace: 'ws_other', kind: 'receive', provider: 'courier', accountId: 'acc_1' },
      'theirs',
    );
    const id = await accept();
    await run(taken('p1'));
    await report({ event: 'progress', id: 'p1', state: 'failed' }, 'theirs');
    expect(part(id)).toMatchObject({ state: 'sent', creditState: 'spent' });
  });
});

describe('a message that was sent', () => {
  it('stands in the history of its chat from then on, in the chat that the answer will come in to', async () => {
    const chat = await bench.addChat('14151231234@c.us', { accountId: 'acc_1' });
    const id = await accept();
    expect(await history()).toEqual([]);
    await run(taken('p1'));
    expect(await history()).toEqual([{ id: 'p1', sendId: id }]);
    const { items } = await listEvents(bench.memory, 'main', { chat }, { limit: 50 }, bench.now / 1000);
    expect(items).toMatchObject([{ chatId: chat, message: { chat: { id: '14151231234@c.us' }, via: 'api' } }]);
  });

  it.each(['refused', 'not known'])('is not there when it was %s', async (what) => {
    await accept();
    await run(what === 'refused' ? { kind: 'rejected', reason: 'no' } : { kind: 'unknown', reason: 'http 500' });
    expect(await history()).toEqual([]);
  });

  it.each([
    ['after the answer', ['answer', 'echo']],
    ['before the answer', ['echo', 'answer']],
    ['twice', ['answer', 'echo', 'echo']],
  ])('is there once when its echo comes %s', async (_, order) => {
    const id = await accept();
    const echo = () => report({ event: 'echo', id: 'p1' }).catch(() => undefined);
    await run(taken('p1'), order[0] === 'echo' ? echo : undefined);
    for (const _again of order.filter((what, index) => what === 'echo' && index > 0)) await echo();
    expect(await history()).toEqual([{ id: 'p1', sendId: id }]);
  });

  it('is there once when two webhooks echo it', async () => {
    await bench.addWebhook({ webhookId: 'wh_2', kind: 'receive', provider: 'courier', accountId: 'acc_1' }, 'second');
    const id = await accept();
    await run(taken('p1'));
    await report({ event: 'echo', id: 'p1' });
    await report({ event: 'echo', id: 'p1' }, 'second', 'duplicate');
    expect(await history()).toEqual([{ id: 'p1', sendId: id }]);
  });

  it('is told from what somebody types on the phone', async () => {
    await accept();
    await run(taken('p1'));
    await report({ event: 'echo', id: 'p2', via: 'phone' });
    expect((await history()).map((entry) => entry?.id).sort()).toEqual(['p1', 'p2']);
  });
});

describe('an echo', () => {
  const unanswered: SendOutcome = { kind: 'unknown', reason: 'http 500' };

  it('settles what nobody knew of, and stands in the history for it', async () => {
    const id = await accept();
    await run(unanswered);
    expect(part(id)).toMatchObject({ state: 'unknown', creditState: 'reserved' });
    await report({ event: 'echo', id: 'p1' });
    expect(part(id)).toMatchObject({ state: 'sent', creditState: 'spent', providerId: 'p1' });
    expect(await history()).toEqual([{ id: 'p1', sendId: id }]);
  });

  it('that settles a send keeps what leads to it, though the event ends with the retention', async () => {
    const thirtyDays = { webhookId: 'wh_30', kind: 'receive', provider: 'courier', accountId: 'acc_1' } as const;
    await bench.addWebhook({ ...thirtyDays, retentionDays: 30 }, 'ending');
    const id = await accept();
    await run(unanswered);
    await report({ event: 'echo', id: 'p1' }, 'ending');
    const state = bench.memory.peek(stateOf(id, 'p1'));
    expect(state).toMatchObject({ send: id, part: 0 });
    expect(state).not.toHaveProperty('expiresAt');
    // And so do those that nobody has sent through the hub.
    await report({ event: 'echo', id: 'p2', text: 'from elsewhere' }, 'ending');
    expect(bench.memory.peek(stateOf(id, 'p2'))).toHaveProperty('expiresAt');
  });

  it.each([
    ['says something else', { text: 'other' }],
    ['went to somebody else', { chat: '+14151239999' }],
    ['was typed on the phone', { via: 'phone' }],
  ])('settles nothing if it %s', async (_, more) => {
    const id = await accept();
    await run(unanswered);
    await report({ event: 'echo', id: 'p1', ...more });
    expect(part(id)).toMatchObject({ state: 'unknown' });
  });

  it('that came while its message was still being sent is found later', async () => {
    const id = await accept();
    await run(unanswered, () => report({ event: 'echo', id: 'p1' }));
    expect(part(id)).toMatchObject({ state: 'unknown' });
    expect(await watch([])).toEqual([]);
    expect(part(id)).toMatchObject({ state: 'sent', providerId: 'p1' });
    const other = await accept({ text: 'another' });
    await run(unanswered);
    expect(await watch([])).toEqual([other]);
  });

  it('of another workspace settles nothing', async () => {
    const theirs = { workspace: 'ws_other', kind: 'receive', provider: 'courier', accountId: 'acc_1' } as const;
    await bench.addWebhook({ webhookId: 'wh_x', ...theirs }, 'theirs');
    const id = await accept();
    await run(unanswered);
    await report({ event: 'echo', id: 'p1' }, 'theirs');
    expect(part(id)).toMatchObject({ state: 'unknown' });
  });

  it('is found however much else was sent since', async () => {
    const id = await accept();
    await run(unanswered, async () => {
      await report({ event: 'echo', id: 'p1' });
      for (let i = 0; i < 250; i += 1) {
        bench.now += 1;
        await report({ event: 'echo', id: `other ${i}`, text: `other ${i}` });
      }
    });
    await watch([]);
    expect(part(id)).toMatchObject({ state: 'sent', providerId: 'p1' });
  });

  it('is not asked for at a provider that knows the account by another name by now', async () => {
    const id = await accept();
    await run(unanswered);
    await bench.memory.write(update(accountKey('acc_1'), [set('scope', 'moved')]));
    expect(await watch([{ providerId: 'p1' }])).toEqual([]);
    expect(part(id)).toMatchObject({ state: 'unknown' });
  });

  it('of words that are under way settles no older send, whenever it is asked about', async () => {
    const older = await accept();
    await run(unanswered);
    const id = await accept();
    await run(taken('p2'), async () => {
      await report({ event: 'echo', id: 'p2' });
      await watch([]);
      await watch([{ providerId: 'p2' }]);
    });
    for (const listed of [[], [{ providerId: 'p2' }]]) await watch(listed);
    await report({ event: 'echo', id: 'p2' }).catch(() => undefined);
    expect([part(older), part(id)]).toMatchObject([{ state: 'unknown' }, { state: 'sent', providerId: 'p2' }]);
  });

  it.each([
    ['what came before', async () => watch([])],
    ['what the provider lists', async () => watch([{ providerId: 'p1' }])],
    ['what the provider says of a failure', async () => watch([{ providerId: 'p1', failed: 'noAccount' }])],
  ])('that fits two settles neither, by %s', async (_, look) => {
    const ids = [await accept(), await accept()];
    await run(unanswered, () => report({ event: 'echo', id: 'p1' }));
    await run(unanswered);
    await look();
    for (const id of ids) expect(part(id)).toMatchObject({ state: 'unknown' });
  });

  it('tells of the other once the id of one is known', async () => {
    const first = await accept();
    await run(unanswered, () => report({ event: 'echo', id: 'p1' }));
    const second = await accept();
    await run(taken('p2'), () => report({ event: 'echo', id: 'p2' }));
    await watch([]);
    expect([part(first), part(second)]).toMatchObject([{ providerId: 'p1' }, { providerId: 'p2' }]);
  });

  it('is no sign for what began a minute after it', async () => {
    await report({ event: 'echo', id: 'p0' });
    bench.now += 10 * 60_000;
    const id = await accept();
    await run(unanswered);
    await watch([]);
    expect(part(id)).toMatchObject({ state: 'unknown' });
    await report({ event: 'echo', id: 'p1' });
    expect(part(id)).toMatchObject({ state: 'sent', providerId: 'p1' });
  });

  it.each(['an echo that came while it was being sent', 'what the provider lists'])(
    'that settled nothing is made up for by the watchdog, with %s',
    async (proof) => {
      const id = await accept();
      const isEchoed = proof.startsWith('an echo');
      await run(unanswered, async () => {
        await report({ event: 'echo', id: 'p0', text: LONG });
        if (isEchoed) await report({ event: 'echo', id: 'p1' });
      });
      await bench.memory.write(update(stateOf(id, 'p1'), [set('at_delivered', bench.now)]));
      await watch([{ providerId: 'p1' }]);
      expect(part(id)).toMatchObject({ state: 'delivered', creditState: 'spent', providerId: 'p1' });
      expect((await history()).map((entry) => entry?.id)).toContain('p1');
    },
  );

  it.each([
    ['when it comes', false],
    ['by the watchdog, where it came too early', true],
  ])('under a new name of the account is followed by what was told under that name, %s', async (_, early) => {
    const { scope } = bench.account('acc_1');
    await bench.memory.write(update(accountKey('acc_1'), [set('scope', 'old')]));
    const id = await accept();
    const echo = () => report({ event: 'echo', id: 'p1' });
    await run(unanswered, early ? echo : undefined);
    await bench.memory.write(update(accountKey('acc_1'), [set('scope', scope), set('formerScopes', ['old'])]));
    await report({ event: 'progress', id: 'p1', state: 'delivered' });
    if (early) await watch([]);
    else await echo();
    expect(part(id)).toMatchObject({ state: 'delivered', creditState: 'spent', providerId: 'p1' });
    expect(await history()).toEqual([{ id: 'p1', sendId: id }]);
    await report({ event: 'progress', id: 'p1', state: 'read' });
    expect(part(id)).toMatchObject({ state: 'read' });
    expect(part(id)?.scope).toBe(scope);
  });

  it.each([
    ['has an id', { state: 'sent', creditState: 'spent', providerId: 'p0' }],
    ['is unknown, and not looked for where nobody knows of it', { state: 'unknown', creditState: 'reserved' }],
  ])('is followed under its own name where another part of the send %s', async (_, other) => {
    const { scope } = bench.account('acc_1');
    const id = await accept();
    await run(unanswered);
    const also = { kind: 'text', text: 'more', attempts: 1, intentAt: bench.now, unknownAt: bench.now, ...other };
    await bench.memory.write(update(sendKey(id), [set('scope', 'old'), append('parts', also)]));
    await bench.memory.write(update(accountKey('acc_1'), [set('scope', scope), set('formerScopes', ['old'])]));
    await report({ event: 'echo', id: 'p1' });
    await report({ event: 'progress', id: 'p1', state: 'delivered' });
    expect(bench.send(id)).toMatchObject({
      scope: 'old',
      parts: [{ state: 'delivered', providerId: 'p1', scope }, {}],
    });
    expect(await watch([])).toEqual([]);
  });

  it('of a message that got its id meanwhile leaves it where it is filed', async () => {
    const id = await accept();
    await run({ kind: 'unknown', reason: 'http 500', providerId: 'p1' });
    const { pk } = stateKey({ ...bench.send(id), scope: 'another' }, 'p1');
    const ending = { kind: 'sent', providerId: 'p1', inferred: true, state: pk } as const;
    const ports = { ...bench.ports(), store: underRole(bench.memory, 'green-api') };
    await settlePart(ports, { send: { messageId: id }, index: 0 }, () => ending);
    expect(part(id)).toMatchObject({ state: 'sent', providerId: 'p1' });
    expect(bench.memory.all().filter((item) => item.pk.startsWith('PID#'))).toMatchObject([stateOf(id, 'p1')]);
  });

  it('leaves nothing behind that leads to a send of two parts, when it is erased', async () => {
    const { scope } = bench.account('acc_1');
    await bench.memory.write(update(accountKey('acc_1'), [set('scope', 'old')]));
    const id = await accept({ file_url: 'https://files.test/a.pdf', file_name: 'a.pdf' });
    await run(taken('p1'));
    await bench.memory.write(update(accountKey('acc_1'), [set('scope', scope), set('formerScopes', ['old'])]));
    await run(taken('p2'));
    await report({ event: 'progress', id: 'p1', state: 'delivered' });
    expect(bench.send(id).parts).toMatchObject([{ state: 'delivered' }, { state: 'sent' }]);
    const states = () => bench.memory.all().filter(({ pk }) => pk.startsWith('PID#'));
    expect(states()).toHaveLength(2);
    expect(await empty(bench.ports(), bench.send(id))).toBe(true);
    expect(states()).toEqual([]);
  });

  it('settles neither of two that it fits', async () => {
    const ids = [await accept(), await accept()];
    await run(unanswered);
    await run(unanswered);
    await report({ event: 'echo', id: 'p1' });
    for (const id of ids) expect(part(id)).toMatchObject({ state: 'unknown' });
  });

  it('finds the account by the provider’s name for it, where its webhook names none', async () => {
    await bench.addWebhook({ webhookId: 'wh_3', kind: 'receive', provider: 'courier' }, 'loose');
    const id = await accept();
    await run(unanswered);
    await report({ event: 'echo', id: 'p1', instance: 'i-1' }, 'loose');
    expect(part(id)).toMatchObject({ state: 'sent' });
  });
});

describe('a report on the connection', () => {
  it('holds the account, and lets it go on', async () => {
    await accept();
    await report({ event: 'link', state: 'disconnected' });
    expect(bench.account('acc_1')).toMatchObject({ held: true, holdReason: 'disconnected' });
    await report({ event: 'link', state: 'connecting' });
    expect(bench.account('acc_1')).toMatchObject({ held: true });
    bench.ticks.length = 0;
    await report({ event: 'link', state: 'connected' });
    expect(bench.account('acc_1')).toMatchObject({ held: false });
    expect(bench.ticks).toMatchObject([{ account: 'acc_1' }]);
  });

  it('does not undo an operator’s pause', async () => {
    await bench.addAccount('acc_2', { paused: true });
    await bench.addWebhook({ webhookId: 'wh_4', kind: 'receive', provider: 'courier', accountId: 'acc_2' }, 'other');
    await report({ event: 'link', state: 'blocked' }, 'other');
    await report({ event: 'link', state: 'connected' }, 'other');
    expect(bench.account('acc_2')).toMatchObject({ held: false, paused: true });
  });

  it('says nothing about now if it is old', async () => {
    await report({ event: 'link', state: 'disconnected', at: 11 * 60_000 });
    expect(bench.account('acc_1')).toMatchObject({ held: false });
  });

  it('finds the account by the provider’s name for it', async () => {
    await bench.addWebhook({ webhookId: 'wh_3', kind: 'receive', provider: 'courier' }, 'loose');
    await report({ event: 'link', state: 'blocked', instance: 'i-9' }, 'loose');
    expect(bench.account('acc_1')).toMatchObject({ held: false });
    await report({ event: 'link', state: 'disconnected', instance: 'i-1' }, 'loose');
    expect(bench.account('acc_1')).toMatchObject({ held: true });
  });
});
