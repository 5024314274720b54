import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { courier, SendBench } from '#test/support/send-bench.ts';

const fixture = (name: string) =>
  readFileSync(new URL(`../../functions/send/fixtures/${name}.json`, import.meta.url), 'utf8');

const text = { action: 'send', phone: '+14151231234', text: 'hello' };
const file = { file_url: 'https://files.example/offer.pdf', file_name: 'offer.pdf' };

let bench: SendBench;
beforeEach(async () => {
  bench = new SendBench();
  await bench.addWebhook();
  await bench.addAccount('acc_1', { phone: '+15105566777' });
  await bench.addCredits(10);
});

describe('a request that is right', () => {
  it('is charged, queued and answered with the id of its message', async () => {
    const { status, headers, body } = await bench.post(text);
    expect([status, headers]).toEqual([200, {}]);
    expect(JSON.stringify(body)).toMatch(
      /^\{"status":"success","data":\{"message_id":"wa_backend:3EB0[0-9A-F]{16}"\}\}$/,
    );
    const send = bench.send(body.data.message_id);
    expect(send).toMatchObject({ workspace: 'main', webhook: 'wh_1', accountId: 'acc_1' });
    expect(send.recipient).toMatchObject({ phone: '+14151231234', provider_chat: '+14151231234' });
    expect(send.parts).toMatchObject([{ kind: 'text', text: 'hello', state: 'queued', creditState: 'reserved' }]);
    expect(await bench.credits()).toMatchObject({ available: 9, reserved: 1 });
    expect(bench.ticks).toMatchObject([{ account: 'acc_1', gen: 1 }]);
  });

  it.each([
    ['a text', text, ['text']],
    ['a file without text', { ...text, ...file, text: '' }, ['file']],
    ['a file with text, the file first', { ...text, ...file }, ['file', 'text']],
    ['null for what is not meant', { ...text, file_url: null, file_name: null, jid: null }, ['text']],
    ['fields of the caller’s own', { ...text, campaign: { id: 7 } }, ['text']],
  ])('costs one credit for each message that goes out: %s', async (_, body, kinds) => {
    const answer = await bench.post(body);
    expect(answer.status).toBe(200);
    expect(bench.send(answer.body.data.message_id).parts.map(({ kind }) => kind)).toEqual(kinds);
    expect(await bench.credits()).toMatchObject({ reserved: kinds.length });
  });

  it('goes as one part of two credits where the provider takes captions, and as two where the text is too long', async () => {
    const captioned = { ...courier, longestCaption: () => 20 };
    bench = new SendBench(undefined, {}, new Map([['courier', captioned]]));
    await bench.addWebhook();
    await bench.addAccount('acc_1');
    await bench.addCredits(4);
    const { body } = await bench.post({ ...text, ...file, text: 'x'.repeat(20) });
    expect(bench.send(body.data.message_id).parts).toEqual([
      expect.objectContaining({ kind: 'file', name: 'offer.pdf', caption: 'x'.repeat(20), credits: 2 }),
    ]);
    expect(await bench.credits()).toMatchObject({ available: 2, reserved: 2 });
    expect(bench.account('acc_1')).toMatchObject({ pending: 1 });
    const longer = await bench.post({ ...text, ...file, text: 'x'.repeat(21) });
    expect(bench.send(longer.body.data.message_id).parts).toMatchObject([{ kind: 'file' }, { kind: 'text' }]);
    expect(await bench.post({ ...text, ...file })).toMatchObject({ status: 402 });
    expect(await bench.credits()).toMatchObject({ available: 0, reserved: 4 });
  });

  it('is accepted as the page of its format prints it, by phone', async () => {
    const { status, body } = await bench.post(fixture('timelinesai-send-phone'));
    expect(status).toBe(200);
    expect(bench.send(body.data.message_id)).toMatchObject({
      accountId: 'acc_1',
      recipient: { phone: '+14151231234' },
      parts: [{ text: 'lorem ipsum' }],
    });
  });

  it('is accepted as the page of its format prints it, with a file', async () => {
    const chat = await bench.addChat('77234', { accountId: 'acc_1' });
    const { status, body } = await bench.post(fixture('timelinesai-send-file'));
    expect(status).toBe(200);
    expect(bench.send(body.data.message_id)).toMatchObject({
      recipient: { chat_id: '77234', chat },
      parts: [{ kind: 'file', url: 'https://timelines.ai/logo.png', name: 'logo.png' }, { text: 'lorem ipsum' }],
    });
  });

  it('keeps a hostile file name harmless', async () => {
    const { body } = await bench.post({ ...text, ...file, file_name: '../../etc/pass\r\nwd\u202efdp.exe' });
    expect(bench.send(body.data.message_id).parts[0]?.name).toBe('passwdfdp.exe');
  });

  it('is accepted when the queue cannot be started: the watchdog will', async () => {
    bench.ticksFail = true;
    expect(await bench.post(text)).toMatchObject({ status: 200 });
    expect(bench.logged.join()).toContain('a queue could not be started');
  });
});

describe('a body that is wrong', () => {
  it('says where it is no JSON, and nothing of what it holds', async () => {
    const { status, body } = await bench.post(fixture('timelinesai-send-file.broken'));
    expect(status).toBe(400);
    expect(body).toEqual({
      status: 400,
      data: {},
      message: expect.stringMatching(/^not valid JSON at line 5, column 1: a comma or double quote is missing/),
    });
  });

  it.each([
    [
      'an empty body',
      ' \n',
      'the body must be a JSON object or a form: send it as {"action": "send", "phone": "+14155550123", "text": "Hello"}',
    ],
    ['a list', '[]', 'the body must be an object, and is a list: send it without the [ ] around it'],
    ['a body that is nested too deeply', `{"a":${'['.repeat(40)}${']'.repeat(40)}}`, 'nested deeper than 32 levels'],
    ['a key that reaches the prototype', '{"__proto__":{}}', 'has a key that is not allowed: __proto__'],
    ['no action', { ...text, action: undefined }, 'action is missing: it must be "send"'],
    ['another action', { ...text, action: 'delete' }, 'action must be "send"'],
    ['no text', { ...text, text: undefined }, 'text is missing or empty, and there is no file_url'],
    ['a text that is none', { ...text, text: [5] }, 'text must be a string or a number'],
    ['an empty text alone', { ...text, text: '' }, 'text is missing or empty, and there is no file_url'],
    ['a text of a zero-width space', { ...text, text: '\u200b' }, 'text is missing or empty, and there is no file_url'],
    [
      'a text of marks and blanks that nobody sees',
      { ...text, text: '\u2060\ufeff \u200d' },
      'text is missing or empty, and there is no file_url',
    ],
    ['a text of a filler', { ...text, text: '\u3164' }, 'text is missing or empty, and there is no file_url'],
    [
      'a text of a variation selector',
      { ...text, text: '\ufe0f' },
      'text is missing or empty, and there is no file_url',
    ],
    [
      'half a character',
      '{"action":"send","phone":"+14151231234","text":"\\ud83d"}',
      'text is not well-formed Unicode',
    ],
    [
      'a file without a name',
      { ...text, file_url: file.file_url },
      'file_name is missing: give the name that the recipient sees, as "offer.pdf"',
    ],
    [
      'a file with an empty name',
      { ...text, ...file, file_name: ' ' },
      'file_name is missing: give the name that the recipient sees, as "offer.pdf"',
    ],
    [
      'a file of another scheme',
      { ...text, ...file, file_url: 'ftp://files.example/a' },
      'file_url must be an http or https URL',
    ],
    [
      'a file on another port',
      { ...text, ...file, file_url: 'https://files.example:8443/a' },
      'file_url must be on port 80 or 443',
    ],
    [
      'a file behind credentials',
      { ...text, ...file, file_url: 'https://a:b@files.example/a' },
      'file_url must not hold credentials',
    ],
    [
      'a file without a URL',
      { ...text, ...file, file_url: 'offer.pdf' },
      'file_url is not a URL: write it whole, with https://',
    ],
    [
      'no recipient',
      { ...text, phone: undefined },
      'exactly one of chat_id, jid, phone, chat_name must be given; none is given',
    ],
    [
      'two recipients',
      { ...text, jid: '1@c.us' },
      'exactly one of chat_id, jid, phone, chat_name must be given; jid, phone are given',
    ],
    [
      'a phone that cannot be',
      { ...text, phone: '+1415' },
      'phone must have 7 to 15 digits, the first of them not a zero: its country code, area code and number',
    ],
    [
      'a phone in words',
      { ...text, phone: 'my friend' },
      'phone must be one phone number and nothing else: write it with + and its country code, as +14155550123',
    ],
    [
      'a phone of a country that nobody tells',
      { ...text, phone: '0812 0000 0099' },
      'phone does not tell its country: write it with + and its country code, as +14155550123',
    ],
    [
      'a jid of another service',
      { ...text, phone: undefined, jid: '14151231234@example.com' },
      'jid must be a number or group id that ends in @c.us, @g.us, @s.whatsapp.net or @lid',
    ],
    [
      'a jid with a path',
      { ...text, phone: undefined, jid: '../1@c.us' },
      'jid must be a number or group id that ends in @c.us, @g.us, @s.whatsapp.net or @lid',
    ],
    [
      'an empty chat_id',
      { ...text, phone: undefined, chat_id: '' },
      'exactly one of chat_id, jid, phone, chat_name must be given; none is given',
    ],
    [
      'an account_id that cannot be one',
      { ...text, account_id: 'x'.repeat(3000) },
      'account_id is no id of an account: give it as GET /api/accounts does, acc_…',
    ],
    [
      'an account’s phone that cannot be',
      { ...text, whatsapp_account_phone: '12' },
      'whatsapp_account_phone does not tell its country: write it with + and its country code, as +14155550123',
    ],
    [
      'two accounts',
      { ...text, whatsapp_account_phone: '+15105566777', 'whatsapp account phone': '+15105566778' },
      'whatsapp account phone does not say the same as whatsapp_account_phone',
    ],
    [
      'a text that the provider does not take',
      { ...text, text: 'a'.repeat(1001) },
      'text is longer than the 1000 characters that the provider takes',
    ],
    [
      'several faults',
      { action: 'send', text: '' },
      'exactly one of chat_id, jid, phone, chat_name must be given; none is given; text is missing or empty, and there is no file_url',
    ],
  ])('is refused with the name of the field: %s', async (_, body, message) => {
    const answer = await bench.post(body);
    expect(answer.body).toEqual({ status: 400, data: {}, message });
    expect(answer.status).toBe(400);
    expect(bench.sends()).toEqual([]);
    expect(await bench.credits()).toMatchObject({ available: 10 });
    expect((await bench.attempts())[0]).toMatchObject({ status: 400, outcome: 'refused', message });
  });

  it('is refused when it is very large', async () => {
    const answer = await bench.post({ ...text, text: 'a'.repeat(257 * 1024) });
    expect(answer).toMatchObject({
      status: 413,
      body: { status: 413, data: {}, message: 'The body is larger than 256 KB: give a link to a file as file_url' },
    });
    expect((await bench.attempts())[0]).toMatchObject({ outcome: 'too_large' });
  });
});

describe('a request that cannot be granted', () => {
  it('is refused without credits, and one that needs two when there is one', async () => {
    for (let i = 0; i < 9; i += 1) await bench.post(text);
    const answer = await bench.post({ ...text, ...file });
    expect(answer).toMatchObject({
      status: 402,
      body: { status: 402, data: {}, message: 'Not enough credits: this message needs 2, so have some granted first' },
    });
    expect(await bench.credits()).toMatchObject({ available: 1, reserved: 9 });
    expect(await bench.post(text)).toMatchObject({ status: 200 });
    expect(await bench.post(text)).toMatchObject({ status: 402 });
  });

  it('is refused for a while when the queue of the account is full', async () => {
    bench = new SendBench(undefined, { queueLimit: 2 });
    await bench.addWebhook();
    await bench.addAccount('acc_1');
    await bench.addCredits(10);
    await bench.post({ ...text, ...file });
    const answer = await bench.post(text);
    expect(answer).toMatchObject({
      status: 429,
      headers: { 'retry-after': '60' },
      body: {
        status: 429,
        data: {},
        message: "The account's queue is full: send it again when some of it has gone out",
      },
    });
    expect(await bench.credits()).toMatchObject({ available: 8 });
  });
});

describe('a URL', () => {
  it('answers alike whether it is unknown, replaced, switched off or for receiving', async () => {
    await bench.addWebhook({ webhookId: 'wh_old', rotated: true }, 'old');
    await bench.addWebhook({ webhookId: 'wh_off', enabled: false }, 'off');
    await bench.addWebhook({ webhookId: 'wh_in', kind: 'receive', provider: 'courier' }, 'in');
    for (const token of ['unknown', 'old', 'off', 'in']) {
      const answer = await bench.post(text, {}, token);
      expect(answer).toEqual({
        status: 404,
        headers: {},
        body: { status: 404, data: {}, message: 'Webhook not found' },
      });
    }
    expect(bench.counted).toEqual(['UnknownTokens']);
    expect(await bench.attempts('wh_old')).toMatchObject([
      { outcome: 'not_found', message: 'This URL was replaced by a newer one' },
    ]);
    expect(await bench.attempts('wh_off')).toMatchObject([{ message: 'The webhook is switched off' }]);
    expect(await bench.attempts('wh_in')).toMatchObject([{ message: 'The URL belongs to receiving' }]);
  });
});

describe('the log of attempts', () => {
  it('names the message of what was accepted, and keeps the body of what was refused without its secrets', async () => {
    const { body } = await bench.post(text);
    bench.now += 1;
    await bench.post({ ...text, ...file, phone: '1', file_url: 'https://files.example/a?X-Amz-Signature=abc123' });
    const [refused, accepted] = await bench.attempts();
    expect(accepted).toMatchObject({ status: 200, outcome: 'accepted', id: body.data.message_id });
    expect(accepted?.request).not.toHaveProperty('body');
    expect(refused?.request.body).toContain('"text":"hello"');
    expect(refused?.request.body).not.toContain('abc123');
  });
});
