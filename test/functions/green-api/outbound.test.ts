import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { greenApiAccount } from '#functions/green-api/account.ts';
import { greenApiOutbound } from '#functions/green-api/outbound.ts';
import { recipientOf } from '#lib/domain/send/recipient.ts';
import { describeOutbound } from '#test/support/describe-outbound.ts';
import { FakeGreenApi } from '#test/support/providers/fake-green-api.ts';
import { answer, page } from '#test/support/providers/fake-http.ts';
import { formOf } from '#test/support/providers/form.ts';
import { BYTES, fileNamed, openFor, outgoing, within } from '#test/support/providers/outbound-bench.ts';

const error = (statusCode: number, message: string) =>
  answer(statusCode, { statusCode, message, path: `/waInstance7999000111/sendMessage/${TOKEN}` });

const TOKEN = 'made-up-token-of-the-instance-0123456789';
let server: FakeGreenApi;
const open = () => openFor(greenApiOutbound, server.credentials());
const send = (over: Parameters<typeof outgoing>[0] = {}) => open().send(outgoing(over), within(2000));

beforeEach(async () => {
  server = new FakeGreenApi(TOKEN);
  await server.http.start();
});
afterEach(async () => {
  await server.http.stop();
});

describe('a text', () => {
  it('goes to sendMessage as JSON with two fields', async () => {
    expect(await send()).toEqual({ kind: 'accepted', providerId: 'BAE5000000000001' });
    const [seen] = server.http.seen;
    expect(seen?.method).toBe('POST');
    expect(seen?.path).toBe(`/waInstance7999000111/sendMessage/${TOKEN}`);
    expect(seen?.raw.toString('utf8')).toBe('{"chatId":"12025550142@c.us","message":"Line one\\nLine two ☀"}');
  });

  it.each([
    [{ phone: '+12025550142' }, '12025550142@c.us'],
    [{ phone: '12025550142' }, '12025550142@c.us'],
    [{ jid: '12025550142@s.whatsapp.net' }, '12025550142@c.us'],
    [{ jid: '12025550142:8@C.US' }, '12025550142@c.us'],
    [{ jid: '120363000000000042@g.us' }, '120363000000000042@g.us'],
    [{ jid: '12025550142-1600000000@g.us' }, '12025550142-1600000000@g.us'],
    [{ chat_id: '12025550142@c.us' }, '12025550142@c.us'],
    [{ chat_id: '199988877766655@lid' }, '199988877766655@lid'],
  ])('%j is the chat %s', async (recipient, chatId) => {
    expect((await send({ recipient })).kind).toBe('accepted');
    expect(server.taken[0]?.chatId).toBe(chatId);
  });

  it.each([
    { jid: '199988877766655@lid' },
    { jid: '0120363000000000@g.us' },
    { jid: 'status@broadcast' },
    { jid: '0@c.us' },
    { chat_id: 'ana' },
  ])('%j is refused without a call', async (recipient) => {
    expect((await send({ recipient })).kind).toBe('rejected');
    expect(server.http.seen).toEqual([]);
  });
});

describe('a message that quotes another', () => {
  const quoted = '3EB0C0FFEE00112233AA';
  it('names it, as a text and as a file', async () => {
    expect((await send({ quoted })).kind).toBe('accepted');
    expect((await send({ quoted, content: fileNamed('a.pdf', 'application/pdf') })).kind).toBe('accepted');
    const [text, file] = server.http.seen;
    expect(JSON.parse(text?.raw.toString('utf8') ?? '')).toMatchObject({ quotedMessageId: quoted });
    expect(file && formOf(file)?.fields).toMatchObject({ quotedMessageId: quoted });
  });

  it('is none where the id is shorter than they take', () => {
    const recipient = recipientOf({ chat_id: '12025550142@c.us' });
    expect(recipient && greenApiOutbound.canQuote?.(quoted, recipient)).toBe(true);
    expect(recipient && greenApiOutbound.canQuote?.('3EB0C0FFEE00112', recipient)).toBe(false);
  });
});

describe('a file', () => {
  it('goes to the media host as multipart, with its name twice and no other field', async () => {
    const content = fileNamed('Angebot ä.pdf', 'application/pdf');
    expect(await send({ content })).toEqual({ kind: 'accepted', providerId: 'BAE5000000000001' });
    const [seen] = server.http.seen;
    expect(seen?.path).toBe(`/media/waInstance7999000111/sendFileByUpload/${TOKEN}`);
    const form = seen && formOf(seen);
    expect(form?.names).toEqual(['chatId', 'fileName', 'file']);
    expect(form?.fields).toEqual({ chatId: '12025550142@c.us', fileName: 'Angebot ä.pdf' });
    expect(form?.files).toEqual([{ field: 'file', name: 'Angebot ä.pdf', type: 'application/pdf', bytes: BYTES }]);
  });

  it('goes to the one host of an instance that has no other', async () => {
    const { mediaUrl: _, ...credentials } = server.credentials();
    await openFor(greenApiOutbound, credentials).send(
      outgoing({ content: fileNamed('a.pdf', 'application/pdf') }),
      within(2000),
    );
    expect(server.http.seen[0]?.path).toBe(`/waInstance7999000111/sendFileByUpload/${TOKEN}`);
  });
});

const BEYOND = { correspondentsStatus: 'CORRESPONDENTS_QUOTE_EXCEEDED' };

/** 466, with the status of each quota. */
const exhausted = (quotas: Readonly<Record<string, string>>) => {
  const told = Object.entries(quotas).map(([name, status]) => {
    return [name, { used: '3', total: 3, status, description: `chats: 12025550199@c.us ${TOKEN}` }];
  });
  return answer(466, Object.fromEntries(told));
};

const quotas = (told: object, headers?: Record<string, string>) => answer(466, told, headers);

describeOutbound(greenApiAccount, greenApiOutbound, {
  server: () => new FakeGreenApi(TOKEN),
  credentials: (fake) => fake.credentials(),
  secrets: [TOKEN],
  taken: (fake) =>
    fake.taken.map(({ idMessage, chatId, text, form }) => ({
      id: idMessage,
      to: chatId,
      text,
      file: form?.files[0]?.bytes,
    })),
  accepted: (idMessage) => ({ idMessage }),
  refusal: (words) => error(400, `Bad Request Validation failed. Details: ${words}`),
  answers: [
    [
      'validation that names a word of ours',
      error(400, "Bad Request Validation failed. Details: 'deleted'"),
      'rejected',
    ],
    ['broken JSON', error(400, 'Unexpected token } in JSON at position 3'), 'rejected'],
    ['bad data', error(400, 'bad request data'), 'rejected'],
    ['400 without words', answer(400, 'null'), 'rejected'],
    ['starting', error(400, 'instance in starting process try later'), 'retry'],
    ['starting or not authorized', error(400, 'instance is starting or not authorized'), 'retry, held after 5'],
    ['not authorized', error(400, 'instance account not authorized'), 'hold'],
    [
      'not authorized, as plain text',
      answer(400, 'instance account not authorized', { 'content-type': 'text/plain' }),
      'hold',
    ],
    ['expired', error(400, 'Instance account is expired, pay for it'), 'hold'],
    ['deleted', error(400, 'Instance is deleted'), 'hold'],
    ['wrong path', error(404, 'Cannot POST /waInstance7999000111/sendMessage'), 'hold'],
    ['a page in the place of a path', page(404), 'hold'],
    ['404 about the message', error(404, 'no such chat'), 'rejected'],
    ['too large', error(413, 'too large'), 'rejected'],
    ['422', error(422, 'no'), 'rejected'],
    ['calls of the month', exhausted({ invokeStatus: 'QUOTE_EXCEEDED' }), 'hold'],
    ['calls of the month, spelled otherwise', exhausted({ invokeStatus: 'QUOTA_EXCEEDED' }), 'hold'],
    ['chats of the month', exhausted({ ...BEYOND, invokeStatus: 'QUOTE_ALLOWED' }), 'rejected'],
    [
      'chats of the month, spelled otherwise',
      exhausted({ correspondentsStatus: 'CORRESPONDENTS_QUOTA_EXCEEDED', invokeStatus: 'QUOTA_ALLOWED' }),
      'rejected',
    ],
    ['chats of the month, and nothing of calls', exhausted(BEYOND), 'rejected'],
    ['chats and calls of the month', exhausted({ ...BEYOND, invokeStatus: 'QUOTE_EXCEEDED' }), 'hold'],
    ['a quota of which nothing is told', answer(466, ''), 'retry, held after 5'],
    ['calls that are allowed', exhausted({ invokeStatus: 'QUOTE_ALLOWED' }), 'rejected'],
    ['chats that are allowed, and nothing of calls', exhausted({ correspondentsStatus: 'OK' }), 'retry, held after 5'],
    ['calls by their figures', quotas({ invokeStatus: { used: 1000, total: '1000' } }), 'hold'],
    [
      'chats by their figures',
      quotas({ correspondentsStatus: { used: 3, total: 3 }, invokeStatus: { used: 4, total: 1000 } }),
      'rejected',
    ],
    [
      'chats in lower case, as plain text',
      quotas(
        {
          correspondentsStatus: { status: 'correspondents_quote_exceeded' },
          invokeStatus: { status: 'quote_allowed', used: 9, total: 9 },
        },
        { 'content-type': 'text/plain' },
      ),
      'rejected',
    ],
    ['quotas that say nothing', quotas({ invokeStatus: null, correspondentsStatus: 'none' }), 'retry, held after 5'],
    ['number checks', answer(469, ''), 'retry'],
    ['200 with a refusal', answer(200, { status: false, reason: 'no' }), 'unknown'],
  ],
  probe: { ok: answer(200, { stateInstance: 'authorized' }), held: answer(200, { stateInstance: 'notAuthorized' }) },
  evidence: {
    list: (fake, messages) => {
      const chatId = '12025550142@c.us';
      fake.queue = messages
        .filter(({ waiting }) => waiting)
        .map(({ id, text }) => ({ messageID: id, type: 'sendMessage', body: { chatId, message: text } }));
      fake.journal = messages.map(({ id, text, at, failed }) => ({
        type: 'outgoing',
        idMessage: id,
        timestamp: at / 1000,
        chatId,
        textMessage: text,
        statusMessage: failed ? 'failed' : 'sent',
        sendByApi: true,
      }));
    },
  },
});

describe('a chat beyond the number of the plan', () => {
  it('is refused with a reason that names no other chat', async () => {
    server.next.push(exhausted({ ...BEYOND, invokeStatus: 'QUOTE_ALLOWED' }));
    const outcome = await send({ content: { kind: 'text', text: 'hello' } });
    expect(outcome).toEqual({
      kind: 'rejected',
      reason: "http 466: the plan's number of chats is used up, and this one is not among them",
    });
  });
});

describe('a probe', () => {
  it.each([
    ['authorized', 'ok'],
    ['notAuthorized', 'held'],
    ['blocked', 'held'],
    ['sleepMode', 'held'],
    ['yellowCard', 'held'],
    ['suspended', 'held'],
    ['starting', 'unknown'],
    [null, 'unknown'],
  ])('finds an instance that is %s %s', async (state, kind) => {
    server.state = state;
    expect((await open().probe(within(2000))).kind).toBe(kind);
  });
});

describe('evidence', () => {
  const since = 1_795_000_030_000;
  const attempted = { messageId: 'm', part: 0, recipient: { phone: '+12025550142' }, since };
  const text = { ...attempted, content: { kind: 'text', text: 'hello' } as const };
  const entry = {
    type: 'outgoing',
    idMessage: 'BAE1',
    timestamp: 1_795_000_031,
    typeMessage: 'extendedTextMessage',
    chatId: '12025550142@c.us',
    textMessage: 'hello',
    statusMessage: 'read',
    sendByApi: true,
  };
  const waiting = { messageID: 'BAE1', type: 'sendMessage', body: { chatId: '12025550142@c.us', message: 'hello' } };
  const find = (what: Parameters<ReturnType<typeof open>['find']>[0]) => open().find(what, within(2000));

  it('is found in the queue, and once only where the journal has it as well', async () => {
    server.queue = [waiting, { messagesIDs: ['BAE2'], type: 'ForwardMessages', body: {} }];
    server.journal = [entry];
    expect(await find(text)).toEqual([{ providerId: 'BAE1' }]);
  });

  it.each([
    ['the same', {}, [{ providerId: 'BAE1' }]],
    ['one that failed', { statusMessage: 'noAccount' }, [{ providerId: 'BAE1', failed: 'noAccount' }]],
    ['one of another chat', { chatId: '12025550143@c.us' }, []],
    ['one under the id that hides the number', { chatId: '190000000000042@lid' }, [{ providerId: 'BAE1' }]],
    [
      'one whose words stand in an object',
      { textMessage: '', extendedTextMessage: { text: 'hello' } },
      [{ providerId: 'BAE1' }],
    ],
    ['one whose time is a text', { timestamp: '1795000031' }, [{ providerId: 'BAE1' }]],
    ['one of other words in an object', { textMessage: undefined, extendedTextMessage: { text: 'hi' } }, []],
    ['one that came in', { type: 'incoming' }, []],
    ['one typed on the phone', { sendByApi: false }, []],
    ['one without a time', { timestamp: undefined }, []],
  ])('in the journal: %s', async (_, over, found) => {
    server.journal = [{ ...entry, ...over }];
    expect(await find(text)).toEqual(found);
  });

  it('is found in a chat under the other spelling of its number', async () => {
    server.journal = [{ ...entry, chatId: '5215550000099@c.us' }];
    expect(await find({ ...text, recipient: { phone: '+525550000099' } })).toEqual([{ providerId: 'BAE1' }]);
  });

  it('knows a document by its name and a picture by being one', async () => {
    const file = { ...attempted, content: { kind: 'file', name: 'a.pdf' } as const };
    const other = { ...entry, textMessage: undefined };
    server.journal = [
      { ...other, idMessage: '1', typeMessage: 'documentMessage', fileName: 'a.pdf' },
      { ...other, idMessage: '2', typeMessage: 'documentMessage', fileName: 'b.pdf' },
      { ...other, idMessage: '3', typeMessage: 'imageMessage', fileName: 'made-up.jpg' },
      entry,
    ];
    expect(await find(file)).toEqual([{ providerId: '1' }]);
    expect(await find({ ...file, content: { kind: 'file', name: 'map.PNG' } })).toEqual([
      { providerId: '3', isNameless: true },
    ]);
  });
});
