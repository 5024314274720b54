import fc from 'fast-check';
import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#lib/aws/runtime.ts';
import { toPhone } from '#lib/domain/person.ts';
import type { Breakdown } from '#lib/domain/send/outcome.ts';
import type { RecipientKind } from '#lib/domain/send/recipient.ts';
import { providerHttp } from '#lib/net/provider-call.ts';
import { defaultConfig } from '#lib/sender/config.ts';
import { readSend } from '#lib/sender/items.ts';
import type { OutboundProvider, OutboundTools, ProviderRequest, Reply } from '#lib/sender/provider.ts';
import { put } from '#lib/store/store.ts';
import type { AccountProvider, Channel } from '#lib/tenants/account.ts';
import { whatBecameOf } from '#lib/watchdog/reconcile.ts';
import { MemoryStore } from './memory-store.ts';
import { answer, type Behaviour, type FakeHttp, page } from './providers/fake-http.ts';
import {
  accountItem,
  fileNamed,
  inShort,
  openFor,
  outboundTools,
  outgoing,
  unknownSend,
  within,
} from './providers/outbound-bench.ts';

export interface FakeServer {
  readonly http: FakeHttp;
  /** What it does instead with the next requests, one each. */
  readonly next: Behaviour[];
}

/** A message that the fake server took. */
export interface Taken {
  readonly id: string;
  /** Whom it is for, in the provider's own words. */
  readonly to: string;
  readonly text?: string | undefined;
  readonly file?: Uint8Array | undefined;
}

/** A message as the provider's lists have it. */
export interface Listed {
  readonly id: string;
  readonly text: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly failed: boolean;
  /** Whether a list of those that the provider has not sent yet may have it. */
  readonly waiting: boolean;
}

export interface OutboundDuties<Server extends FakeServer> {
  readonly server: () => Server;
  /** Credentials with which an account of this channel reaches the server. */
  readonly credentials: (server: Server, channel: Channel) => object;
  /** Values among them that nobody may see. */
  readonly secrets: readonly [string, ...string[]];
  readonly taken: (server: Server) => readonly Taken[];
  /** The body of an answer that accepts a message under this id. */
  readonly accepted: (id: string) => object;
  /** Their error about a message that will never go, in these words. */
  readonly refusal: (words: string) => Behaviour;
  /** What their other answers mean. One whose title is that of a common one (`commonAnswers`) stands for it. */
  readonly answers: readonly AnswerRow[];
  readonly probe: { readonly ok: Behaviour; readonly held: Behaviour };
  readonly evidence: {
    /** Whose chat the provider can be asked for; left out: a phone's. */
    readonly recipient?: Readonly<Record<string, string>>;
    /** Puts messages into each list in which the provider looks: one id may stand in several. */
    readonly list: (server: Server, messages: readonly Listed[]) => void;
  };
}

/** What an answer to a message is called, the answer, and its outcome as `inShort` has it. */
export type AnswerRow = readonly [title: string, behaviour: Behaviour, outcome: string];

const TEXT = 'Line one\nLine two ☀ my account "has expired" \\ 100 %';
const PHONE = '+12025550142';
/** One recipient of each kind that no provider turns down for its form alone. */
const RECIPIENTS: Readonly<Record<RecipientKind, string>> = {
  phone: PHONE,
  jid: '12025550142@s.whatsapp.net',
  chat_id: PHONE,
  chat_name: 'Night shift',
};
const KINDS = ['phone', 'jid', 'chat_id', 'chat_name'] as const;
const NOBODY = [{}, { phone: 'ana' }, { phone: PHONE, jid: RECIPIENTS.jid }];
const PDF = fileNamed('offer.pdf', 'application/pdf');
/** Every byte there is, line ends in both spellings, and what looks like the end of a form. */
const BYTES = Buffer.concat([Uint8Array.from({ length: 256 }, (_, byte) => byte), Buffer.from('\r\n\n--x--\r\n')]);

/** Answers that mean the same at every provider, where its own table does not say otherwise. */
const commonAnswers: readonly AnswerRow[] = [
  ['401', page(401), 'hold'],
  ['403', page(403), 'hold'],
  ['429', answer(429, ''), 'retry'],
  ['429 with a time', answer(429, '', { 'retry-after': '7' }), 'retry, wait 7000'],
  ['429 for a day', answer(429, '', { 'retry-after': '86400' }), 'retry, wait 900000'],
  ...[408, 499, 500, 502, 503, 504].map((status): AnswerRow => [String(status), page(status), 'unknown']),
  ['200 with a page', page(200), 'unknown'],
  ['200 without a body', answer(200, ''), 'unknown'],
  ['200 with an empty object', answer(200, {}), 'unknown'],
  ['200 with null', answer(200, 'null'), 'unknown'],
  ['200 that breaks off', { kind: 'half' }, 'unknown'],
  ['a redirect', answer(302, '', { location: '/' }), 'unknown'],
  ['a redirect that keeps the method', answer(307, '', { location: '/' }), 'unknown'],
  ['a connection that breaks after the body', { kind: 'reset' }, 'unknown'],
];

const BREAKDOWNS: readonly (readonly [Breakdown, string])[] = [
  ['forbidden', 'hold'],
  ['dns', 'retry, held after 5'],
  ['refused', 'retry, held after 5'],
  ['tls', 'retry, held after 5'],
  ['unwritten', 'retry'],
  ['unanswered', 'unknown'],
];

/** Answers by which no probe and no list tells anything. */
const NO_ANSWERS: readonly (readonly [string, Behaviour])[] = [
  ['a page', page(200)],
  ['broken JSON', answer(200, '{"status":200,"data":[')],
  ['429', answer(429, '')],
  ['502', page(502)],
  ['a redirect', answer(302, '', { location: '/' })],
  ['a connection that breaks', { kind: 'reset' }],
  ['an answer that breaks off', { kind: 'half' }],
];

const TOKEN = fc.string({ unit: fc.constantFrom(...'abcXYZ0189-_'), minLength: 8, maxLength: 40 });
const STATUSES = fc.constantFrom(200, 400, 401, 403, 404, 422, 429, 466, 469, 500, 502);

/** Repeats everything that it was asked, in each place where a provider might. */
function echo(status: number, request: ProviderRequest): Reply {
  const all = `${request.url} ${JSON.stringify(request.headers ?? {})} ${JSON.stringify(request.body ?? {})}`;
  const body = { status: status === 200 ? 'error' : status, statusCode: status, path: request.url, message: all };
  const more = { error_code: all, errors: [{ fields: ['phone'], msg: all }], reason: all, stateInstance: all };
  const text = JSON.stringify({ ...body, ...more, error: all });
  return { kind: 'answered', status, headers: { 'retry-after': all }, text };
}

/** What every provider owes that can send. One that calls nobody hands over the credentials of an account alone. */
export function describeOutbound<Server extends FakeServer>(
  account: AccountProvider,
  outbound: OutboundProvider,
  duties: OutboundDuties<Server> | { readonly credentials: () => object },
): void {
  if ('server' in duties) describeCalls(account, outbound, duties);
  else describeDeclared(account, outbound, duties.credentials);
}

function describeCalls<Server extends FakeServer>(
  account: AccountProvider,
  outbound: OutboundProvider,
  duties: OutboundDuties<Server>,
): void {
  const { secrets } = duties;
  const [channel = 'whatsapp'] = account.channels;
  let server: Server;
  const open = (tools?: OutboundTools, by: Channel = channel) =>
    openFor(outbound, duties.credentials(server, by), { channel: by }, tools);
  const send = (over: Parameters<typeof outgoing>[0] = {}, by: Channel = channel) =>
    open(undefined, by).send(outgoing({ content: { kind: 'text', text: TEXT }, ...over }), within(5000));
  const taken = () => duties.taken(server);
  const contents = [outgoing().content, ...(outbound.takesFiles(channel) ? [PDF] : [])];

  beforeEach(async () => {
    server = duties.server();
    await server.http.start();
  });
  afterEach(async () => {
    await server.http.stop();
  });

  describeDeclared(account, outbound, (by) => duties.credentials(server, by), {
    send,
    taken,
    calls: () => server.http.seen.length,
  });

  describe(`an answer of ${account.name}`, () => {
    const words = `${secrets.join(' ')} in /api/${secrets[0]}: ${TEXT}`;
    const json = JSON.stringify(duties.accepted('an-id'));
    const rows: readonly AnswerRow[] = [
      ['200 with an id', answer(200, duties.accepted('an-id')), 'accepted'],
      ['200 with an empty id', answer(200, duties.accepted('')), 'unknown'],
      ['200 with half of the JSON', answer(200, json.slice(0, -1)), 'unknown'],
      ['502 with an id', answer(502, duties.accepted('an-id')), 'unknown'],
      ['a refusal that repeats the request', duties.refusal(words), 'rejected'],
      ...commonAnswers.filter(([title]) => !duties.answers.some(([own]) => own === title)),
      ...duties.answers,
    ];

    it.each(rows)('%s', async (_, behaviour, outcome) => {
      server.next.push(behaviour);
      const got = await send();
      expect(inShort(got)).toBe(outcome);
      expect(server.http.seen, 'one call, whatever comes').toHaveLength(1);
      for (const secret of [...secrets, TEXT]) expect('reason' in got ? got.reason : '').not.toContain(secret);
      expect('reason' in got ? got.reason : '').not.toContain('Line two');
    });

    it.each([400, 401, 403, 404, 429, 466, 500, 502])('%d with an id leaves it open, under that id', async (status) => {
      const accepted = duties.accepted('a1b2');
      const isInBody = 'status' in accepted && typeof accepted.status === 'number';
      server.next.push(answer(status, { ...accepted, ...(isInBody && { status }) }));
      expect(await send()).toMatchObject({ kind: 'unknown', providerId: 'a1b2' });
    });

    it('that does not come by the deadline leaves the outcome open', async () => {
      server.next.push({ kind: 'hang' });
      const before = systemClock.monotonic();
      expect((await open().send(outgoing(), within(150))).kind).toBe('unknown');
      expect(systemClock.monotonic() - before).toBeLessThan(1500);
    });
  });

  describe(`a call of ${account.name}`, () => {
    it.each(BREAKDOWNS)('that ends as %s: %s', async (breakdown, outcome) => {
      let calls = 0;
      const call = async (): Promise<Reply> => {
        calls += 1;
        return { kind: 'broken', breakdown };
      };
      const got = await open({ ...outboundTools(), http: { call } }).send(outgoing(), within(2000));
      expect([inShort(got), calls]).toEqual([outcome, 1]);
    });

    it('has ended by the deadline it was given, whatever it is for', async () => {
      const { tools, deadlines } = watched(outboundTools());
      const opened = open(tools);
      const deadline = within(5000);
      for (const content of contents) await opened.send(outgoing({ content }), deadline);
      await opened.probe(deadline);
      await opened.find(attempted(), deadline);
      expect(deadlines.length).toBeGreaterThanOrEqual(contents.length + 2);
      expect(Math.max(...deadlines)).toBeLessThanOrEqual(deadline);
    });

    it('leaves no token in an outcome, a probe or evidence, whatever the answer repeats', async () => {
      await fc.assert(
        fc.asyncProperty(TOKEN, STATUSES, async (token, status) => {
          const given = JSON.stringify(duties.credentials(server, channel)).replaceAll(secrets[0], token);
          const http = { call: async (request: ProviderRequest) => echo(status, request) };
          const opened = openFor(outbound, JSON.parse(given), { channel }, { ...outboundTools(), http });
          const found: unknown[] = [await opened.probe(within(5000)), await opened.find(attempted(), within(5000))];
          for (const content of contents) found.push(await opened.send(outgoing({ content }), within(5000)));
          expect(JSON.stringify(found)).not.toContain(token);
        }),
        { numRuns: 60 },
      );
    });

    it('is not made after the deadline, and then nothing was sent', async () => {
      expect((await open().send(outgoing(), within(-1))).kind).toBe('retry');
      expect(server.http.connections).toBe(0);
    });

    it('goes to no address that may not be called', async () => {
      const http = providerHttp({ reach: { anyPort: false, privateHosts: false }, clock: systemClock });
      const opened = open({ ...outboundTools(), http });
      for (const content of contents)
        expect((await opened.send(outgoing({ content }), within(2000))).kind).toBe('hold');
      expect((await opened.probe(within(2000))).kind).toBe('unknown');
      expect(await opened.find(attempted(), within(2000))).toEqual([]);
      expect(server.http.connections).toBe(0);
    });
  });

  describe(`a probe of ${account.name}`, () => {
    const probe = async (behaviour: Behaviour, milliseconds = 2000) => {
      server.next.push(behaviour);
      const got = await open().probe(within(milliseconds));
      for (const secret of secrets) expect(JSON.stringify(got)).not.toContain(secret);
      expect(taken(), 'nothing is sent').toEqual([]);
      return got.kind;
    };

    it('tells that the account can send, and that it cannot', async () => {
      expect(await probe(duties.probe.ok)).toBe('ok');
      expect(await probe(duties.probe.held)).toBe('held');
      expect(await probe(answer(401, { status: 'error', message: `${secrets[0]} is wrong` }))).toBe('held');
    });

    it.each([...NO_ANSWERS, ['500', page(500)] as const])('tells nothing by %s', async (_, behaviour) => {
      expect(await probe(behaviour)).toBe('unknown');
    });

    it('tells nothing by an answer that does not come', async () => {
      expect(await probe({ kind: 'hang' }, 150)).toBe('unknown');
    });
  });

  const attempted = () => ({
    messageId: 'm',
    part: 0,
    recipient: duties.evidence.recipient ?? { phone: PHONE },
    content: { kind: 'text', text: TEXT } as const,
    since: SINCE,
  });

  describe(`evidence of ${account.name}`, () => {
    const mine: Listed = { id: '101', text: TEXT, at: SINCE + 1000, failed: false, waiting: true };
    const list = (...messages: Partial<Listed>[]) =>
      duties.evidence.list(
        server,
        messages.map((message) => ({ ...mine, ...message })),
      );
    const find = () => open().find(attempted(), within(2000));
    const ids = async () => (await find()).map(({ providerId }) => providerId);
    /** What the hub makes of it. */
    const finding = async () => {
      const store = new MemoryStore();
      await store.write(put(accountItem(account.name)));
      await store.write(put(sent()));
      const openAccounts = { open: async () => ({ kind: 'open', account: open() }) as const };
      return whatBecameOf({ store, clock: systemClock, openAccounts }, readSend(sent()), 0, defaultConfig);
    };
    const sent = () => unknownSend(account.name, attempted().recipient, TEXT, SINCE);

    it('is none where nothing fits', async () => {
      expect(await ids()).toEqual([]);
      list({ text: 'another text' }, { at: SINCE - 60_000, waiting: false });
      expect(await ids()).toEqual([]);
      expect(await finding()).toBeUndefined();
    });

    it('is the one message that fits, once, however many lists have it', async () => {
      list({}, { id: '102', text: 'another text' });
      expect(await find()).toEqual([{ providerId: '101' }]);
      expect(await finding()).toEqual({ kind: 'sent', inferred: true, providerId: '101' });
    });

    it('tells that the message failed', async () => {
      list({ failed: true, waiting: false });
      expect(await find()).toEqual([{ providerId: '101', failed: expect.any(String) }]);
      expect((await finding())?.kind).toBe('failed');
    });

    it('settles nothing where two messages fit', async () => {
      list({}, { id: '102' });
      expect([...(await ids())].sort()).toEqual(['101', '102']);
      expect(await finding()).toBeUndefined();
    });

    it.each(NO_ANSWERS)('settles nothing where one of its lists answers %s', async (_, behaviour) => {
      list({});
      await find();
      const lists = server.http.seen.length;
      for (let failing = 0; failing < lists; failing += 1) {
        const http = failingAt(failing, server, behaviour);
        expect(await open(http).find(attempted(), within(2000)), `list ${failing + 1}`).toEqual([]);
      }
    });

    it('is none by an answer that does not come', async () => {
      list({});
      server.next.push({ kind: 'hang' });
      expect(await open().find(attempted(), within(150))).toEqual([]);
    });
  });
}

interface Sending {
  readonly send: (over?: Parameters<typeof outgoing>[0], by?: Channel) => Promise<{ readonly kind: string }>;
  readonly taken: () => readonly Taken[];
  /** How many requests were made. */
  readonly calls: () => number;
}

/** That a provider takes what it declares, and declares what it takes. */
function describeDeclared(
  account: AccountProvider,
  outbound: OutboundProvider,
  credentials: (channel: Channel) => object,
  sending?: Sending,
): void {
  const direct: Sending['send'] = (over, channel = 'whatsapp') =>
    openFor(outbound, credentials(channel), { channel }).send(outgoing(over), within(5000));
  const { send, taken, calls } = sending ?? { send: direct, taken: () => [], calls: () => 0 };
  const opens = (raw: unknown, channel: Channel) =>
    outbound.open({ id: 'acc_1', provider: account.name, channel }, raw, outboundTools()) !== undefined;

  describe.each(account.channels)(`an account of ${account.name} by %s`, (channel) => {
    it('opens with the credentials that it was created with', () => {
      const read = v.safeParse(account.credentials(channel), credentials(channel));
      expect(read.success && opens(read.output, channel)).toBe(true);
    });

    it('opens with none that are not of this provider and channel', () => {
      for (const raw of [undefined, null, 'secret', 7]) expect(opens(raw, channel), String(raw)).toBe(false);
      const good = credentials(channel);
      for (const key of Object.keys(good)) {
        const without = Object.fromEntries(Object.entries(good).filter(([name]) => name !== key));
        expect(opens(without, channel), `without ${key}`).toBe(
          v.safeParse(account.credentials(channel), without).success,
        );
        for (const wrong of [null, {}, []]) expect(opens({ ...good, [key]: wrong }, channel), key).toBe(false);
      }
      for (const other of account.channels.filter((by) => by !== channel)) {
        const foreign = credentials(other);
        expect(opens(foreign, channel), other).toBe(v.safeParse(account.credentials(channel), foreign).success);
      }
    });

    it.each(KINDS)('takes a recipient by its %s only where it says so', async (kind) => {
      const declared = outbound.recipients(channel).includes(kind);
      const got = await send({ recipient: { [kind]: RECIPIENTS[kind] } }, channel);
      expect(got.kind).toBe(declared ? 'accepted' : 'rejected');
      if (!declared) expect(calls()).toBe(0);
    });

    it.each(NOBODY)('rejects the recipient %j without a call', async (recipient) => {
      expect((await send({ recipient }, channel)).kind).toBe('rejected');
      expect(calls()).toBe(0);
    });

    it('calls a number and the chat with it the same', async () => {
      const phone = toPhone(PHONE);
      if (!outbound.chatOf || !phone || !outbound.recipients(channel).includes('chat_id')) return;
      await send({ recipient: { phone } }, channel);
      expect((await send({ recipient: { chat_id: outbound.chatOf(phone) } }, channel)).kind).toBe('accepted');
      const [first, second] = taken();
      expect(second?.to).toBe(first?.to);
    });

    it('sends the longest text that it allows, as it is', async () => {
      const longest = outbound.longestText(channel);
      for (const text of [TEXT, `${'x'.repeat(longest - 3)}☀\n!`, '☀️🙂'.repeat(longest / 4)]) {
        expect((await send({ content: { kind: 'text', text } }, channel)).kind).toBe('accepted');
        if (sending) expect(taken().at(-1)?.text).toBe(text);
      }
    });

    it('sends the bytes that were checked, or takes no file', async () => {
      const got = await send(
        { content: { kind: 'file', name: 'a.pdf', mimeType: 'application/pdf', bytes: BYTES } },
        channel,
      );
      expect(got.kind).toBe(outbound.takesFiles(channel) ? 'accepted' : 'rejected');
      if (!outbound.takesFiles(channel)) expect(calls()).toBe(0);
      else if (sending) expect(taken().map(({ file }) => file && Buffer.from(file))).toEqual([BYTES]);
    });

    it('names each message that it takes', async () => {
      const ids = [await send({}, channel), await send({ messageId: 'another:0A' }, channel)];
      expect(ids).toEqual(ids.map(() => ({ kind: 'accepted', providerId: expect.stringMatching(/./) })));
      expect(new Set(ids.map((id) => JSON.stringify(id))).size).toBe(2);
      if (sending) expect(ids).toMatchObject(taken().map(({ id }) => ({ providerId: id })));
    });
  });
}

const SINCE = Date.parse('2026-03-02T08:15:00.000Z');

function watched(tools: OutboundTools) {
  const deadlines: number[] = [];
  const call: OutboundTools['http']['call'] = (request, deadline) => {
    deadlines.push(deadline);
    return tools.http.call(request, deadline);
  };
  return { tools: { ...tools, http: { call } }, deadlines };
}

/** The server does this with the call of that number, from 0, and with the others what is right. */
function failingAt(failing: number, server: FakeServer, behaviour: Behaviour): OutboundTools {
  const tools = outboundTools();
  let calls = 0;
  const call: OutboundTools['http']['call'] = (request, deadline) => {
    if (calls === failing) server.next.push(behaviour);
    calls += 1;
    return tools.http.call(request, deadline);
  };
  return { ...tools, http: { call } };
}
