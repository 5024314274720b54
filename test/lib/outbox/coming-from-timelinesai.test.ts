import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { SendBench } from '#test/support/send-bench.ts';

const page = readFileSync(new URL('../../../docs/coming-from-timelinesai.md', import.meta.url), 'utf8');
const fields = JSON.parse(/```json\n(.*?)```/s.exec(page)?.[1] ?? '');

/** The two columns of the table below a headline, without the marks of code. */
function rowsBelow(headline: string): [string, string][] {
  const section = page.split('\n## ').find((text) => text.startsWith(headline)) ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .slice(2, -2)
        .split(' | ')
        .map((cell) => cell.replace(/^`(.*)`$/, '$1')),
    )
    .map(([posted = '', answer = '']) => [posted, answer]);
}

/** Some fields, or a whole body. */
const bodyOf = (posted: string): string =>
  /^"\w[^"]*": /.test(posted)
    ? JSON.stringify({ ...fields, ...JSON.parse(`{${posted}}`) })
    : posted.replaceAll('⏎', '\n');

let bench: SendBench;
beforeEach(async () => {
  bench = new SendBench();
  await bench.addWebhook();
  await bench.addCredits(10);
  await bench.addAccount('acc_1', { phone: '+15105566777' });
});

describe('what the page says is taken', () => {
  const rows = rowsBelow('Taken');
  it('is a table', () => expect(rows.length).toBeGreaterThan(15));

  it.each(rows)('%s', async (posted, answer) => {
    expect(answer).toBe('sent');
    const { status, body } = await bench.post(bodyOf(posted));
    expect([status, body]).toEqual([
      200,
      { status: 'success', data: { message_id: expect.stringMatching(/^wa_backend:3EB0[0-9A-F]{16}$/) } },
    ]);
    expect(bench.sends()).toHaveLength(1);
  });
});

describe('what the page says is refused', () => {
  const rows = rowsBelow('Refused');
  it('is a table', () => expect(rows.length).toBeGreaterThan(20));

  it.each(rows)('%s', async (posted, message) => {
    const { status, body } = await bench.post(bodyOf(posted));
    expect([status, body]).toEqual([400, { status: 400, data: {}, message }]);
    expect(bench.sends()).toEqual([]);
    expect(await bench.credits()).toMatchObject({ available: 10 });
  });
});

describe('a form', () => {
  const multipart = (parts: string, boundary = 'x-1') =>
    bench.post(parts.replaceAll('\n', '\r\n'), { 'content-type': `multipart/form-data; boundary=${boundary}` });
  const part = (name: string, value: string) => `--x-1\nContent-Disposition: form-data; name="${name}"\n\n${value}\n`;
  const NOT_UTF8 =
    'the body is not valid UTF-8: send it in that encoding, not compressed, and without Content-Encoding';
  const sent = (body: { data: { message_id: string } }) => bench.send(body.data.message_id);

  it('of several parts is taken, its texts as they are', async () => {
    const { status, body } = await multipart(
      `${part('action', 'send')}${part('phone', '+14155550123')}${part('text', 'one & two=ü')}${part('jid', '')}--x-1--\n`,
    );
    expect(status).toBe(200);
    expect(sent(body)).toMatchObject({ recipient: { phone: '+14155550123' }, parts: [{ text: 'one & two=ü' }] });
  });

  it.each(['multipart/form-data; boundary=x-1', 'multipart/form-data', 'application/x-www-form-urlencoded'])(
    'that is JSON is read as that: %s',
    async (type) => {
      const json = `\ufeff ${JSON.stringify({ ...fields, text: 'a=b&c' })}`;
      const { status, body } = await bench.post(json, { 'content-type': type });
      expect(status).toBe(200);
      expect(sent(body)).toMatchObject({ parts: [{ text: 'a=b&c' }] });
    },
  );

  it('in which no file was chosen is taken', async () => {
    const none = '--x-1\nContent-Disposition: form-data; name="file"; filename=""\nContent-Type: text/plain\n\n\n';
    const text = `${part('action', 'send')}${part('phone', '+14155550123')}${part('text', 'hi')}`;
    expect((await multipart(`${text}${none}--x-1--\n`)).status).toBe(200);
    const empty = none.replace('filename=""', 'filename="a.txt"');
    expect((await multipart(`${text}${empty}--x-1--\n`)).status).toBe(400);
  });

  it('with a file says how files are given', async () => {
    const file = '--x-1\nContent-Disposition: form-data; name="file"; filename="a.pdf"\n\n%PDF\n--x-1--\n';
    const { body } = await multipart(part('action', 'send') + file);
    expect(body.message).toBe('file is a file: give a link to it as file_url, and its name as file_name');
  });

  it('of several parts is UTF-8, whatever its parts say', async () => {
    const parts = (text: string) =>
      `${part('action', 'send')}${part('phone', '+14155550123')}${part('text', text)}--x-1--\n`;
    const body = Buffer.from(parts('café').replaceAll('\n', '\r\n'), 'latin1');
    const headers = { 'content-type': 'multipart/form-data; boundary=x-1' };
    expect((await bench.post(body, headers)).body.message).toBe(NOT_UTF8);
  });

  it('of several parts is told of what stands in the wrong place as JSON is', async () => {
    const { body } = await multipart(`${part('payload', '{"action": "send"}')}--x-1--\n`);
    expect(body.message).toBe('the fields must stand in the body itself, and not below "payload"');
  });

  it('that is none says so', async () => {
    const { status, body } = await multipart(`${part('action', 'send')}--x-1--\n`, 'other');
    expect([status, body.message]).toEqual([400, expect.stringContaining('is not the multipart form')]);
  });

  it('keeps the plus sign of a number, and blanks and line breaks of a text', async () => {
    const { body } = await bench.post('action=send&phone=+15550100099&text=a+b%0Ac%2Bd', {
      'content-type': 'application/x-www-form-urlencoded',
    });
    expect(sent(body)).toMatchObject({ recipient: { phone: '+15550100099' }, parts: [{ text: 'a b\nc+d' }] });
  });

  it('that is no UTF-8 is refused, and one that only says so is JSON', async () => {
    const latin = Buffer.from('action=send&phone=%2B14155550123&text=café', 'latin1');
    for (const body of ['action=send&phone=%2B14155550123&text=caf%E9', latin]) {
      expect((await bench.post(body)).body.message).toBe(NOT_UTF8);
    }
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await bench.post(fields, headers)).status).toBe(200);
  });
});

describe('JSON', () => {
  const json = JSON.stringify(fields);
  const utf16 = (mark: string) => Buffer.from(mark + json, 'utf16le');

  it.each([
    ['a mark of its encoding before it', Buffer.from(`\ufeff${json}`)],
    ['the digits of a number as they are', Buffer.from(json.replace('"+14155550123"', '1.4155550123e10'))],
  ])('is taken with %s', async (_, body) => expect((await bench.post(body)).status).toBe(200));

  it.each([
    ['UTF-16', utf16('\ufeff')],
    ['UTF-16 the other way round', utf16('\ufeff').swap16()],
    ['UTF-16 without its mark', utf16('')],
    ['Latin-1', Buffer.from(json.replace('Hello', 'café'), 'latin1')],
    ['a compressed one', gzipSync(json)],
  ])('in another encoding is refused: %s', async (_, body) => {
    const { status, body: answer } = await bench.post(body, { 'content-type': 'application/json; charset=utf-16' });
    expect([status, answer.message]).toEqual([400, expect.stringMatching(/^the body is not valid UTF-8: send it in/)]);
    expect(bench.sends()).toEqual([]);
  });

  it.each([
    ['1e400', 'text must be a text in double quotes, or a whole number that can be told exactly'],
    ['-9007199254740993', 'text must be a text in double quotes, or a whole number that can be told exactly'],
    ['9007199254740991', undefined],
    ['0', undefined],
    ['12.5', undefined],
  ])('keeps a number in the place of a text as it is, or says that it cannot: %s', async (number, message) => {
    const { body } = await bench.post(json.replace('"Hello"', number));
    expect(body.message).toBe(message);
    if (message === undefined) expect(bench.sends()).toMatchObject([{ parts: [{ text: number }] }]);
  });
});

it('counts a request with empty fields as it was posted: the same key takes it once', async () => {
  const first = await bench.post({ ...fields, jid: '' }, { 'idempotency-key': 'k' });
  const second = await bench.post({ ...fields, jid: '' }, { 'idempotency-key': 'k' });
  expect(second.body).toEqual(first.body);
  expect(bench.sends()).toHaveLength(1);
});
