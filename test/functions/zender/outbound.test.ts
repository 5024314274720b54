import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lineOf, zenderAccount } from '#functions/zender/account.ts';
import { withoutSpintax, zenderOutbound } from '#functions/zender/outbound.ts';
import { describeOutbound } from '#test/support/describe-outbound.ts';
import { answer, page } from '#test/support/providers/fake-http.ts';
import { FakeZender } from '#test/support/providers/fake-zender.ts';
import { formOf } from '#test/support/providers/form.ts';
import { BYTES, fileNamed, openFor, outgoing, within } from '#test/support/providers/outbound-bench.ts';

const SECRET = '9f1c0d3e5a7b2c4d6e8f00112233445566778899';
let server: FakeZender;
const whatsapp = () => openFor(zenderOutbound, server.whatsapp());
const sms = (credentials: object = server.sms()) => openFor(zenderOutbound, credentials, { channel: 'sms' });
const send = (over: Parameters<typeof outgoing>[0] = {}) => whatsapp().send(outgoing(over), within(2000));

beforeEach(async () => {
  server = new FakeZender(SECRET);
  await server.http.start();
});
afterEach(async () => {
  await server.http.stop();
});

describe('by WhatsApp', () => {
  it('a text goes as multipart, line breaks as they were', async () => {
    expect(await send()).toEqual({ kind: 'accepted', providerId: '1' });
    const [seen] = server.http.seen;
    expect(seen?.path).toBe('/api/send/whatsapp');
    expect(seen && formOf(seen)?.fields).toEqual({
      secret: SECRET,
      account: 'wa-unique-1',
      recipient: '+12025550142',
      type: 'text',
      message: 'Line one\nLine two ☀',
    });
  });

  it.each([
    [{ phone: '12025550142' }, '+12025550142'],
    [{ jid: '12025550142@s.whatsapp.net' }, '+12025550142'],
    [{ chat_id: '+12025550142' }, '+12025550142'],
    [{ jid: '120363000000000042@g.us' }, '120363000000000042@g.us'],
  ])('%j is %s to it', async (recipient, to) => {
    expect((await send({ recipient })).kind).toBe('accepted');
    expect(server.taken[0]?.fields.recipient).toBe(to);
  });

  it.each([{ jid: '199988877766655@lid' }, { chat_id: '199988877766655@lid' }])(
    '%j is refused without a call',
    async (recipient) => {
      expect((await send({ recipient })).kind).toBe('rejected');
      expect(server.http.seen).toEqual([]);
    },
  );

  it.each([
    ['a.jpg', 'media'],
    ['a.png', 'media'],
    ['a.gif', 'media'],
    ['a.mp4', 'media'],
    ['a.mp3', 'media'],
    ['a.ogg', 'media'],
    ['a.pdf', 'document'],
    ['a.xml', 'document'],
    ['a.xls', 'document'],
    ['a.xlsx', 'document'],
    ['a.doc', 'document'],
    ['a.docx', 'document'],
  ])('%s goes as %s', async (name, type) => {
    expect((await send({ content: fileNamed(name, 'application/octet-stream') })).kind).toBe('accepted');
    const [taken] = server.taken;
    expect(taken?.fields.type).toBe(type);
    expect(taken?.files).toEqual([{ field: `${type}_file`, name, type: 'application/octet-stream', bytes: BYTES }]);
    expect(taken?.fields.message, 'an empty one is refused').toBe(' ');
    expect(taken?.fields.document_name).toBe(type === 'document' ? name : undefined);
  });

  it.each([
    ['a.jpg', 'media'],
    ['a.pdf', 'document'],
  ])('%s goes with its caption, in which nothing is expanded', async (name, type) => {
    const content = { ...fileNamed(name, 'application/octet-stream'), caption: 'Dear {name|friend}' };
    expect((await send({ content })).kind).toBe('accepted');
    expect(server.taken.map(({ fields }) => [fields.type, fields.message])).toEqual([[type, 'Dear ❴name|friend❵']]);
  });

  it('a .jpeg goes under the one spelling that it knows', async () => {
    await send({ content: fileNamed('me.JPEG', 'image/jpeg') });
    expect(server.taken[0]?.files[0]?.name).toBe('me.jpg');
  });

  it.each(['a.zip', 'a.webp', 'a.txt', 'pdf', 'a.'])('%s is refused without a call', async (name) => {
    expect((await send({ content: fileNamed(name, 'application/zip') })).kind).toBe('rejected');
    expect(server.http.seen).toEqual([]);
  });
});

describe('by SMS', () => {
  it('a text goes out by a phone', async () => {
    expect((await sms().send(outgoing(), within(2000))).kind).toBe('accepted');
    expect(server.taken[0]?.path).toBe('send/sms');
    expect(server.taken[0]?.fields).toEqual({
      secret: SECRET,
      mode: 'devices',
      device: '0000-d57d',
      sim: '2',
      phone: '+12025550142',
      message: 'Line one\nLine two ☀',
    });
  });

  it('a text goes out by a gateway, for credits', async () => {
    const credentials = { baseUrl: server.http.url, secret: SECRET, mode: 'credits', gateway: '5' };
    expect((await sms(credentials).send(outgoing(), within(2000))).kind).toBe('accepted');
    expect(server.taken[0]?.fields).toMatchObject({ mode: 'credits', gateway: '5', phone: '+12025550142' });
    expect(server.taken[0]?.fields.sim).toBeUndefined();
  });

  it('a group is refused without a call', async () => {
    const recipient = { chat_id: '120363000000000042@g.us' };
    expect((await sms().send(outgoing({ recipient }), within(2000))).kind).toBe('rejected');
    expect(server.http.seen).toEqual([]);
  });
});

describe('braces', () => {
  it('arrive looking as they were written', async () => {
    await send({ content: { kind: 'text', text: 'Dear {name|friend}, {{a}} } { {' } });
    expect(server.taken[0]?.fields.message).toBe('Dear ❴name|friend❵, ❴❴a❵❵ ❵ ❴ ❴');
    await send({ content: { kind: 'text', text: 'so :-} it is {' } });
    expect(server.taken[1]?.fields.message).toBe('so :-} it is {');
  });

  it('leave nothing that it could expand, and change nothing else', () => {
    const text = fc.string({ unit: fc.constantFrom('{', '}', '|', 'a', ' ', '☀') });
    fc.assert(
      fc.property(text, (written) => {
        const sent = withoutSpintax(written);
        expect(sent).not.toMatch(/\{[^{}]*\}/);
        expect(sent.replaceAll('❴', '{').replaceAll('❵', '}')).toBe(written);
      }),
    );
  });
});

const says = (status: unknown, message: string, data: unknown = false) => answer(200, { status, message, data });

describeOutbound(zenderAccount, zenderOutbound, {
  server: () => new FakeZender(SECRET),
  credentials: (fake, channel) => (channel === 'sms' ? fake.sms() : fake.whatsapp()),
  secrets: [SECRET],
  taken: (fake) =>
    fake.taken.map(({ messageId, fields, files }) => ({
      id: String(messageId),
      to: fields.recipient ?? fields.phone ?? '',
      text: fields.message,
      file: files[0]?.bytes,
    })),
  accepted: (messageId) => ({ status: 200, message: 'ok', data: { messageId } }),
  refusal: (words) => says(400, words),
  answers: [
    ['an id by its other name', says(200, 'ok', { id: '7' }), 'accepted'],
    ['a word for success, as old copies have it', says('success', 'ok', { messageId: 7 }), 'accepted'],
    ['an id, with the status as a text', says('200', 'queued', { messageId: '77' }), 'accepted'],
    ['a word for success in capitals', says(' Success ', 'ok', { messageId: 7 }), 'accepted'],
    ...[true, 'OK', 'ok ', '200 OK', ' 200 '].map(
      (status) =>
        [`an id, with the status ${JSON.stringify(status)}`, says(status, 'ok', { messageId: 7 }), 'accepted'] as const,
    ),
    ['an id without a status', answer(200, { message: 'queued', data: { messageId: 7 } }), 'accepted'],
    ...[false, '', [], {}, [{}], null, 'a b', { id: false }].map(
      (data) => [`no id in ${JSON.stringify(data)}`, says(200, 'ok', data), 'unknown'] as const,
    ),
    ['a refusal whose status is more than its code', says('400 Bad Request', 'Invalid Parameters!'), 'rejected'],
    ['a status that says false', says(false, 'Hm'), 'unknown'],
    ['a refusal, with the status as a text', says('400', 'Invalid Parameters!'), 'rejected'],
    ['a wrong secret, with the status as a text', says('401', 'Invalid API secret'), 'hold'],
    ['a status in words that nobody knows', says('queued', 'ok'), 'unknown'],
    ['200 without an id', says(200, 'ok'), 'unknown'],
    ['200 with other data', says(200, 'ok', []), 'unknown'],
    ['a wrong secret', says(401, 'Invalid API secret'), 'hold'],
    ['no permission or quota', says(403, 'Maximum allowed'), 'hold'],
    ['an account that is not there', says(404, "WhatsApp account doesn't exist!"), 'hold'],
    ['an account that is disconnected', says(500, 'WhatsApp account is disconnected!'), 'hold'],
    ...['false', 'NULL', '0', 0, false, null, 'failed'].map(
      (data) => [`no id but ${JSON.stringify(data)}`, says(429, 'Slow down', data), 'retry'] as const,
    ),
    ['an id, and yet disconnected', says(500, 'disconnected', { messageId: 9 }), 'unknown'],
    ['another fault', says(500, 'Server is unreachable'), 'unknown'],
    ['a throttle', says(429, 'Slow down'), 'retry'],
    ['a page that says 404', page(404), 'hold'],
  ],
  probe: {
    ok: says(200, 'Found!', [{ unique: 'wa-unique-1', status: 'connected' }]),
    held: says(200, 'Found!', [{ unique: 'wa-unique-1', status: 'disconnected' }]),
  },
  evidence: {
    list: (fake, messages) => {
      const rows = messages.map(({ id, text, at, failed }) => ({
        id,
        status: failed ? 'failed' : 'sent',
        recipient: '+12025550142',
        message: text,
        created: at / 1000,
      }));
      fake.lists['wa.pending'] = rows;
      fake.lists['wa.sent'] = rows;
    },
  },
});

it.each(['/api', '/api/', '/api/send/whatsapp'])(
  'calls the same address where %s was stored behind it',
  async (path) => {
    const credentials = { ...server.whatsapp(), baseUrl: `${server.http.url}${path}` };
    expect((await openFor(zenderOutbound, credentials).send(outgoing(), within(2000))).kind).toBe('accepted');
    expect(server.http.seen[0]?.path).toBe('/api/send/whatsapp');
    expect(lineOf(credentials)).toEqual(lineOf(server.whatsapp()));
  },
);

it.each([
  ['connected', 'ok'],
  ['disconnected', 'held'],
])('a probe reads a list whose status is a text: %s', async (status, kind) => {
  server.next.push(says('200', 'Found!', [{ unique: 'wa-unique-1', status }]));
  expect((await whatsapp().probe(within(2000))).kind).toBe(kind);
});

describe('an answer with something before it', () => {
  const json = JSON.stringify({ status: 200, message: 'queued', data: { messageId: 83 } });
  const warned = '<br />\n<b>Warning</b>: Undefined array key {x} in <b>/a.php</b> on line <b>3</b><br />\n';
  const inWords = '\nWarning: Undefined array key {x} in /a.php on line 3\n';
  it.each([`\ufeff${json}`, `${warned}${json}`, `${inWords}${json}`, `\ufeff${warned}${json}`])(
    'is read: %j',
    async (text) => {
      server.next.push(answer(200, text));
      expect(await send()).toEqual({ kind: 'accepted', providerId: '83' });
    },
  );

  it.each([`<html><script>\n${json}\n</script></html>`, `${json}\n${json}`, `${warned}${json} `.slice(0, -3)])(
    'is none where more comes after it or some is missing: %j',
    async (text) => {
      server.next.push(answer(200, text));
      expect((await send()).kind).toBe('unknown');
    },
  );

  it('holds where that says so', async () => {
    server.next.push(
      answer(200, `${warned}${JSON.stringify({ status: 401, message: 'Invalid API secret', data: false })}`),
    );
    expect((await send()).kind).toBe('hold');
  });
});

it.each([
  ['its own fault', says(500, 'Server is unreachable', { messageId: 9 })],
  ['a status that nobody knows', says(202, 'Hm', { messageId: '9' })],
  ['a status in words that nobody knows', says('queued', 'Hm', { messageId: '9' })],
  ['a page in front of it', answer(502, { status: 200, message: 'ok', data: { messageId: 9 } })],
])('an id that comes with %s is kept', async (_, behaviour) => {
  server.next.push(behaviour);
  expect(await send()).toMatchObject({ kind: 'unknown', providerId: '9' });
});

describe('a probe', () => {
  it.each([
    ['connected', 'ok'],
    ['disconnected', 'held'],
    ['syncing', 'unknown'],
    [1, 'ok'],
    [false, 'held'],
  ])('finds an account that is %s %s', async (status, kind) => {
    server.lists['wa.accounts'] = [
      { unique: 'other', status: 'connected' },
      { unique: 'wa-unique-1', status },
    ];
    expect((await whatsapp().probe(within(2000))).kind).toBe(kind);
  });

  it('holds on where the account is not listed', async () => {
    expect((await whatsapp().probe(within(2000))).kind).toBe('held');
  });

  it('finds a phone in the list of devices', async () => {
    server.lists.devices = [{ unique: '0000-d57d' }];
    expect((await sms().probe(within(2000))).kind).toBe('ok');
  });

  it('knows nothing by a fault in the body', async () => {
    server.next.push(says(500, 'oops'));
    expect((await whatsapp().probe(within(2000))).kind).toBe('unknown');
  });
});

describe('evidence', () => {
  const since = 1_767_225_700_000;
  const attempted = {
    messageId: 'm',
    part: 0,
    recipient: { phone: '+15550100099' },
    content: { kind: 'text', text: 'hello {you}' } as const,
    since,
  };
  const row = {
    id: 12,
    status: 'sent',
    recipient: '+15550100099',
    message: 'hello ❴you❵',
    attachment: false,
    created: 1_767_225_700,
  };

  it('counts a message once that moved from waiting to sent', async () => {
    server.lists['wa.pending'] = [{ ...row, status: 'pending' }];
    server.lists['wa.sent'] = [row, 'not a row', { ...row, id: 11, message: 'other' }];
    expect(await whatsapp().find(attempted, within(2000))).toEqual([{ providerId: '12' }]);
  });

  it.each([
    ['sent', [{ providerId: '12' }]],
    ['pending', [{ providerId: '12' }]],
    ['failed', [{ providerId: '12', failed: 'Zender says that it failed' }]],
  ])('of a message whose id is known, which is %s, is asked by the id', async (status, found) => {
    server.next.push(says(200, 'Message was found!', { ...row, status, message: 'changed' }));
    expect(await whatsapp().find({ ...attempted, providerId: '12' }, within(2000))).toEqual(found);
    expect(server.http.seen.map(({ path, query }) => [path, query.type, query.id])).toEqual([
      ['/api/get/wa.message', 'sent', '12'],
    ]);
  });

  it('of a message whose id is known is none where there is no such row', async () => {
    expect(await whatsapp().find({ ...attempted, providerId: '12' }, within(2000))).toEqual([]);
  });

  it('is a row to the other spelling of the number', async () => {
    server.lists['wa.sent'] = [{ ...row, recipient: '5215550000099' }];
    const found = await whatsapp().find({ ...attempted, recipient: { phone: '+525550000099' } }, within(2000));
    expect(found).toEqual([{ providerId: '12' }]);
  });

  it('is no row to somebody else', async () => {
    server.lists['wa.sent'] = [{ ...row, recipient: '+15550100098' }];
    expect(await whatsapp().find(attempted, within(2000))).toEqual([]);
  });

  it('knows a file by being one without words', async () => {
    server.lists['wa.sent'] = [
      { ...row, message: ' ', attachment: 'https://gw.example/1.pdf' },
      { ...row, id: 13, message: '' },
      { ...row, id: 15, message: ' ' },
    ];
    const found = await whatsapp().find({ ...attempted, content: { kind: 'file', name: 'a.pdf' } }, within(2000));
    expect(found).toEqual([{ providerId: '12', isNameless: true }]);
  });

  it('knows a file with a caption by both', async () => {
    server.lists['wa.sent'] = [
      { ...row, message: 'look ❴here❵', attachment: 'https://gw.example/1.pdf' },
      { ...row, id: 13, message: 'look ❴here❵' },
      { ...row, id: 15, message: ' ', attachment: 'https://gw.example/1.pdf' },
    ];
    const content = { kind: 'file', name: 'a.pdf', caption: 'look {here}' } as const;
    const found = await whatsapp().find({ ...attempted, content }, within(2000));
    expect(found).toEqual([{ providerId: '12', isNameless: true }]);
  });

  it('of an SMS is in the lists of SMS', async () => {
    server.lists['sms.sent'] = [{ ...row, recipient: undefined, phone: '+15550100099' }];
    expect(await sms().find(attempted, within(2000))).toEqual([{ providerId: '12' }]);
  });
});
