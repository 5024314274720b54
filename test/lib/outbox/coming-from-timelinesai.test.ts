import { readFileSync } from 'node:fs';
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
  const sent = (body: { data: { message_id: string } }) => bench.send(body.data.message_id);

  it('of several parts is taken, its texts as they are', async () => {
    const { status, body } = await multipart(
      `${part('action', 'send')}${part('phone', '+14155550123')}${part('text', 'one & two=ü')}${part('jid', '')}--x-1--\n`,
    );
    expect(status).toBe(200);
    expect(sent(body)).toMatchObject({ recipient: { phone: '+14155550123' }, parts: [{ text: 'one & two=ü' }] });
  });

  it('with a file says how files are given', async () => {
    const file = '--x-1\nContent-Disposition: form-data; name="file"; filename="a.pdf"\n\n%PDF\n--x-1--\n';
    const { body } = await multipart(part('action', 'send') + file);
    expect(body.message).toBe('file is a file: give a link to it as file_url, and its name as file_name');
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
    expect((await bench.post('action=send&phone=%2B14155550123&text=caf%E9')).body.message).toBe(
      'the body is not valid UTF-8',
    );
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await bench.post(fields, headers)).status).toBe(200);
  });
});

it('counts a request with empty fields as it was posted: the same key takes it once', async () => {
  const first = await bench.post({ ...fields, jid: '' }, { 'idempotency-key': 'k' });
  const second = await bench.post({ ...fields, jid: '' }, { 'idempotency-key': 'k' });
  expect(second.body).toEqual(first.body);
  expect(bench.sends()).toHaveLength(1);
});
