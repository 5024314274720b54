import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { greenApiOutbound } from '#functions/green-api/outbound.ts';
import { providerHttp } from '#lib/adapters/http/provider-call.ts';
import { systemClock } from '#lib/adapters/system.ts';
import { FakeGreenApi } from '#test/support/providers/fake-green-api.ts';
import { answer, page } from '#test/support/providers/fake-http.ts';
import { formOf } from '#test/support/providers/form.ts';
import {
  BYTES,
  fileNamed,
  inShort,
  openFor,
  outboundTools,
  outgoing,
  within,
} from '#test/support/providers/outbound-bench.ts';

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
    { chat_name: 'Night shift' },
    { chat_id: 'ana' },
    {},
    { phone: '+12025550142', jid: '12025550142@c.us' },
  ])('%j is refused without a call', async (recipient) => {
    expect((await send({ recipient })).kind).toBe('rejected');
    expect(server.http.seen).toEqual([]);
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

const error = (statusCode: number, message: string) =>
  answer(statusCode, { statusCode, message, path: `/waInstance7999000111/sendMessage/${TOKEN}` });

describe('an answer', () => {
  it.each([
    ['validation', error(400, "Bad Request Validation failed. Details: 'message' is required"), 'rejected'],
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
    ['wrong token', error(401, 'Unauthorized'), 'hold'],
    ['wrong instance', error(403, 'Forbidden'), 'hold'],
    ['wrong path', error(404, 'Cannot POST /waInstance7999000111/sendMessage'), 'hold'],
    ['a page in the place of a path', page(404), 'hold'],
    ['404 about the message', error(404, 'no such chat'), 'rejected'],
    ['too large', error(413, 'too large'), 'rejected'],
    ['422', error(422, 'no'), 'rejected'],
    ['throttled', answer(429, ''), 'retry'],
    ['throttled with a time', answer(429, '', { 'retry-after': '7' }), 'retry, wait 7000'],
    ['throttled for a day', answer(429, '', { 'retry-after': '86400' }), 'retry, wait 900000'],
    ['quota of the month', answer(466, { invokeStatus: { status: 'QUOTE_EXCEEDED' } }), 'hold'],
    ['number checks', answer(469, ''), 'retry'],
    ['408', answer(408, ''), 'unknown'],
    ['499', answer(499, ''), 'unknown'],
    ['500', error(500, 'Internal'), 'unknown'],
    ['502', page(502), 'unknown'],
    ['503', page(503), 'unknown'],
    ['200 without an id', answer(200, {}), 'unknown'],
    ['200 with an empty id', answer(200, { idMessage: '' }), 'unknown'],
    ['200 with a refusal', answer(200, { status: false, reason: 'no' }), 'unknown'],
    ['200 with a page', page(200), 'unknown'],
    ['200 with broken JSON', answer(200, '{"idMessage":"BAE'), 'unknown'],
    ['200 that breaks off', { kind: 'half' } as const, 'unknown'],
    ['a redirect', answer(302, '', { location: '/' }), 'unknown'],
    ['a connection that breaks after the body', { kind: 'reset' } as const, 'unknown'],
  ])('%s', async (_, behaviour, outcome) => {
    server.next.push(behaviour);
    const got = await send();
    expect(inShort(got)).toBe(outcome);
    expect(JSON.stringify(got)).not.toContain(TOKEN);
    expect(server.http.seen).toHaveLength(1);
  });

  it('that does not come leaves the outcome open', async () => {
    server.next.push({ kind: 'hang' });
    expect((await open().send(outgoing(), within(100))).kind).toBe('unknown');
  });
});

describe('a connection', () => {
  it('that breaks before the file was written is tried again', async () => {
    server.http.resetsBeforeBody = true;
    const content = {
      kind: 'file',
      name: 'a.pdf',
      mimeType: 'application/pdf',
      bytes: new Uint8Array(12_000_000),
    } as const;
    expect(inShort(await send({ content }))).toBe('retry');
  });

  it('that cannot be made is tried again, five times', async () => {
    const credentials = { ...server.credentials(), apiUrl: 'http://127.0.0.1:1' };
    const got = await openFor(greenApiOutbound, credentials).send(outgoing(), within(1000));
    expect(inShort(got)).toBe('retry, held after 5');
  });
});

describe('an address that is not public', () => {
  it('holds the account before a connection is made', async () => {
    const http = providerHttp({ reach: { anyPort: false, privateHosts: false }, clock: systemClock });
    const account = openFor(greenApiOutbound, server.credentials(), {}, { ...outboundTools(), http });
    expect((await account.send(outgoing(), within(2000))).kind).toBe('hold');
    expect((await account.probe(within(2000))).kind).toBe('unknown');
    expect(server.http.connections).toBe(0);
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

  it('holds on where the token is turned away, and knows nothing where nobody answers', async () => {
    server.next.push(error(401, 'Unauthorized'), page(502), { kind: 'reset' });
    const kinds = [];
    for (let times = 0; times < 3; times += 1) kinds.push((await open().probe(within(2000))).kind);
    expect(kinds).toEqual(['held', 'unknown', 'unknown']);
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
    ['another text', { textMessage: 'hello!' }, []],
    ['one that came in', { type: 'incoming' }, []],
    ['one typed on the phone', { sendByApi: false }, []],
    ['an older one', { timestamp: 1_795_000_020 }, []],
    ['one without a time', { timestamp: undefined }, []],
  ])('in the journal: %s', async (_, over, found) => {
    server.journal = [{ ...entry, ...over }];
    expect(await find(text)).toEqual(found);
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

  it('is none where nobody answers', async () => {
    server.next.push(page(502), { kind: 'reset' });
    expect(await find(text)).toEqual([]);
  });
});
