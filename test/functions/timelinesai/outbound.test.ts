import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { timelinesAiAccount } from '#functions/timelinesai/account.ts';
import { timelinesAiOutbound } from '#functions/timelinesai/outbound.ts';
import { recipientOf } from '#lib/domain/send/recipient.ts';
import { describeOutbound } from '#test/support/describe-outbound.ts';
import { answer, type Behaviour, page } from '#test/support/providers/fake-http.ts';
import { FakeTimelinesAi, fault } from '#test/support/providers/fake-timelinesai.ts';
import { formOf } from '#test/support/providers/form.ts';
import { BYTES, fileNamed, inShort, openFor, outgoing, within } from '#test/support/providers/outbound-bench.ts';

const TOKEN = 'made-up-token-of-a-workspace-0123456789';
const numbers = (status: string) =>
  answer(200, { status: 'ok', data: { whatsapp_accounts: [{ phone: '+15550100001', status }] } });
let server: FakeTimelinesAi;
const open = (account = {}) => openFor(timelinesAiOutbound, server.credentials(), account);
const send = (over: Parameters<typeof outgoing>[0] = {}, account = {}) =>
  open(account).send(outgoing(over), within(5000));
const file = fileNamed('offer.pdf', 'application/pdf');

beforeEach(async () => {
  server = new FakeTimelinesAi(TOKEN);
  await server.http.start();
});
afterEach(async () => {
  await server.http.stop();
});

describe('a text', () => {
  it('goes out under the token, from the number of the account', async () => {
    expect(await send()).toEqual({ kind: 'accepted', providerId: '3f1c2b7e-1111-4222-8333-000000000001' });
    const [seen] = server.http.seen;
    expect(seen?.headers.authorization).toBe(`Bearer ${TOKEN}`);
    expect(seen?.raw.toString('utf8')).toBe(
      '{"phone":"+12025550142","whatsapp_account_phone":"+15550100001","text":"Line one\\nLine two ☀"}',
    );
  });

  it.each([
    [{ phone: '12025550142' }, 'messages', { phone: '+12025550142', whatsapp_account_phone: '+15550100001' }],
    [{ jid: '12025550142@s.whatsapp.net' }, 'messages/to_jid', { jid: '12025550142@s.whatsapp.net' }],
    [{ jid: '120363000000000042@g.us' }, 'messages/to_jid', { jid: '120363000000000042@g.us' }],
    [{ chat_name: 'Night shift' }, 'messages/to_chat_name', { chat_name: 'Night shift' }],
    [{ chat_id: '48211' }, 'chats/48211/messages', {}],
    [{ jid: '12025550142@c.us' }, 'messages/to_jid', { jid: '12025550142@s.whatsapp.net' }],
    [{ chat_id: '15550100099@c.us' }, 'messages/to_jid', { jid: '15550100099@s.whatsapp.net' }],
    [{ chat_id: '190000000000042@lid' }, 'messages/to_jid', { jid: '190000000000042@lid' }],
    [{ chat_id: '+15550100099' }, 'messages', { phone: '+15550100099' }],
  ])('to %j goes to %s', async (recipient, path, to) => {
    expect((await send({ recipient })).kind).toBe('accepted');
    expect(server.taken[0]?.path).toBe(path);
    expect(server.taken[0]?.body).toMatchObject(to);
  });

  it('to a chat names no number, for a chat has one', async () => {
    await send({ recipient: { chat_id: '48211' } });
    expect(server.taken[0]?.body).toEqual({ text: 'Line one\nLine two ☀' });
  });

  it.each([{ jid: '199988877766655@lid' }, { jid: 'nobody' }, { chat_id: '../quotas' }])(
    'to %j is refused without a call',
    async (recipient) => {
      expect((await send({ recipient })).kind).toBe('rejected');
      expect(server.http.seen).toEqual([]);
    },
  );
});

describe('a message that quotes another', () => {
  const quoted = '3f1c2b7e-1111-4222-8333-000000000042';
  it.each([
    [{ jid: '12025550142@s.whatsapp.net' }, true],
    [{ chat_id: '48211' }, true],
    [{ chat_id: '15550100099@c.us' }, true],
    [{ phone: '+12025550142' }, false],
    [{ chat_id: '+15550100099' }, false],
    [{ chat_name: 'Night shift' }, false],
  ])('to %j: %s', async (kept, can) => {
    const recipient = recipientOf(kept);
    expect(recipient && timelinesAiOutbound.canQuote?.(quoted, recipient)).toBe(can);
    if (!can) return;
    expect((await send({ recipient: kept, quoted })).kind).toBe('accepted');
    expect(server.taken[0]?.body).toMatchObject({ reply_to: quoted });
  });
});

describe('a file', () => {
  it('is uploaded first, then named by the message', async () => {
    expect((await send({ content: file })).kind).toBe('accepted');
    const [upload, message] = server.http.seen;
    expect([upload?.path, message?.path]).toEqual(['/integrations/api/files_upload', '/integrations/api/messages']);
    const form = upload && formOf(upload);
    expect(form?.fields).toEqual({ filename: 'offer.pdf', content_type: 'application/pdf' });
    expect(form?.files).toEqual([{ field: 'file', name: 'offer.pdf', type: 'application/pdf', bytes: BYTES }]);
    expect(server.taken[0]?.body).toEqual({
      phone: '+12025550142',
      whatsapp_account_phone: '+15550100001',
      file_uid: '0b9d7a52-0000-4000-8000-000000000001',
    });
  });

  it.each<[string, Behaviour, string]>([
    ['times out on the way', { kind: 'hang' }, 'retry'],
    ['breaks off', { kind: 'reset' }, 'retry'],
    ['meets a 502', page(502), 'retry'],
    ['gets no id', answer(200, { status: 'ok', data: {} }), 'retry'],
    ['is throttled', page(403), 'retry, held after 3'],
    ['is refused', fault(400, 'type is not allowed'), 'rejected'],
    ['is refused under 200', fault(200, 'type is not allowed'), 'rejected'],
    ['meets a wrong token', fault(401, 'Invalid token'), 'hold'],
  ])('that %s has reached nobody', async (_, behaviour, outcome) => {
    server.next.push(behaviour);
    const got = await open().send(outgoing({ content: file }), within(2150));
    expect(inShort(got)).toBe(outcome);
    expect(server.http.seen).toHaveLength(1);
    expect(server.taken).toEqual([]);
  });

  it('that leaves too little time for its message is tried again rather than half sent', async () => {
    server.next.push({ kind: 'answer', status: 200, body: { status: 'ok', data: { uid: 'u' } }, afterMs: 400 });
    expect(inShort(await open().send(outgoing({ content: file }), within(2150)))).toBe('retry');
    expect(server.http.seen).toHaveLength(1);
  });

  it('whose message gets no answer may have been sent', async () => {
    server.next.push(answer(200, { status: 'ok', data: { uid: 'u' } }), { kind: 'reset' });
    expect((await send({ content: file })).kind).toBe('unknown');
  });
});

describeOutbound(timelinesAiAccount, timelinesAiOutbound, {
  server: () => new FakeTimelinesAi(TOKEN),
  credentials: (fake) => fake.credentials(),
  secrets: [TOKEN],
  taken: (fake) =>
    fake.taken.map(({ uid, path, body, file: sent }) => ({
      id: uid,
      to: String(body.phone ?? body.jid ?? body.chat_name ?? path),
      ...(typeof body.text === 'string' && { text: body.text }),
      file: sent?.bytes,
    })),
  accepted: (uid) => ({ status: 'ok', data: { message_uid: uid } }),
  refusal: (words) => fault(400, words),
  answers: [
    ['an id in digits, with a word in capitals', answer(200, { status: 'OK', data: { message_uid: 7 } }), 'accepted'],
    ['a failure under 200', fault(200, 'phone is not valid'), 'rejected'],
    ['a failure under 200 without words', answer(200, { status: 'error' }), 'rejected'],
    ['a failure under 200 about the account', fault(200, 'WhatsApp account is disconnected'), 'hold'],
    ['a failure about the quota', fault(400, 'Message sending quota exceeded'), 'hold'],
    ['a wrong token', fault(401, 'Invalid token'), 'hold'],
    // Their firewall's throttle.
    ['403', page(403), 'retry, held after 3'],
    ['403 with a time', answer(403, '', { 'retry-after': '4' }), 'retry, held after 3, wait 4000'],
    ['a chat that is not there', fault(404, 'Chat not found'), 'rejected'],
    ['an account that is not there', fault(404, 'WhatsApp account +1 not found'), 'hold'],
    ['a page in the place of a path', page(404), 'hold'],
    ['422', fault(422, 'no'), 'rejected'],
    ['200 without an id', answer(200, { status: 'ok', data: {} }), 'unknown'],
  ],
  probe: { ok: numbers('active'), held: numbers('disconnected') },
  evidence: {
    recipient: { chat_id: '48211' },
    list: (fake, messages) => {
      fake.history = messages.map(({ id, text, at, failed }) => ({
        uid: id,
        timestamp: new Date(at).toISOString(),
        from_me: true,
        text,
        origin: 'Public API',
        status: failed ? 'Failed' : 'Sent',
      }));
    },
  },
});

describe('a probe', () => {
  it.each([
    ['active', 'ok'],
    ['connected', 'ok'],
    ['disconnected', 'held'],
    ['suspended', 'held'],
  ])('finds a number that is %s %s', async (status, kind) => {
    server.accounts = [
      { phone: '15550100001', status },
      { phone: '+15550100002', status: 'active' },
    ];
    expect((await open().probe(within(2000))).kind).toBe(kind);
  });

  it('finds a number in its other spelling', async () => {
    server.accounts = [{ phone: '+525550000001', status: 'active' }];
    expect((await open({ phone: '+5215550000001' }).probe(within(2000))).kind).toBe('ok');
  });

  it('holds on where the number is not there, or the token turned away', async () => {
    expect((await open({ phone: '+15550100003' }).probe(within(2000))).kind).toBe('held');
    server.next.push(fault(401, 'Invalid token'));
    expect((await open().probe(within(2000))).kind).toBe('held');
  });

  it('knows nothing where it is throttled', async () => {
    server.next.push(page(403));
    expect((await open().probe(within(2000))).kind).toBe('unknown');
  });
});

describe('evidence', () => {
  const message = {
    uid: 'u-1',
    timestamp: '2026-03-02 09:15:00 +0100',
    from_me: true,
    text: 'hello',
    origin: 'Public API',
    status: 'Delivered',
  };
  const attempted = {
    messageId: 'm',
    part: 0,
    recipient: { chat_id: '48211' },
    content: { kind: 'text', text: 'hello' } as const,
    since: Date.parse('2026-03-02T08:15:00Z'),
  };

  it.each([
    ['the same', {}, 1],
    ['received', { from_me: false }, 0],
    ['typed in the app', { origin: 'WhatsApp' }, 0],
  ])('in the chat: %s', async (_, over, count) => {
    server.history = [{ ...message, ...over }];
    expect(await open().find(attempted, within(2000))).toHaveLength(count);
  });

  it('is asked for in the chat that is known of whom it went to', async () => {
    server.history = [message];
    const recipient = { phone: '+15550100099', provider_chat: '48211' };
    expect(await open().find({ ...attempted, recipient }, within(2000))).toHaveLength(1);
  });

  it('is not asked for where the chat is not known by its number', async () => {
    expect(await open().find({ ...attempted, recipient: { phone: '+15550100099' } }, within(2000))).toEqual([]);
    expect(server.http.seen).toEqual([]);
  });
});
