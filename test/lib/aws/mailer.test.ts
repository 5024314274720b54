import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { OwnEngine } from '#infra/local/engines/local-aws.ts';
import { startSes } from '#infra/local/engines/ses.ts';
import { sesClient } from '#lib/aws/clients.ts';
import { sesMailer } from '#lib/aws/outgoing.ts';
import { settingsFor, settingsOver } from '#test/support/aws-wire.ts';

const folder = mkdtempSync(join(tmpdir(), 'hookline-outbox-'));
const outbox = join(folder, 'outbox');
let engine: OwnEngine;
beforeAll(async () => {
  engine = await startSes(outbox);
});
afterAll(async () => {
  await engine.stop();
  rmSync(folder, { recursive: true });
});

const MAIL = {
  from: 'hub@example.com',
  to: ['ana@example.com', 'ops@example.org'],
  subject: 'Grüße 👋',
  text: 'Hello,\nthis is all.',
  id: 'evt_1_0',
};
const filesOf = (ending: string) => readdirSync(outbox).filter((name) => name.endsWith(ending));
const read = (name = '') => readFileSync(join(outbox, name), 'utf8');

it('hands a mail with its attachment to the mail service, which keeps it here as JSON and as text', async () => {
  const mailer = sesMailer(sesClient(settingsFor(engine.endpoint)));
  const attachment = { name: 'evt_1.json', contentType: 'application/json', content: Buffer.from('{"a":"ü"}') };
  const { result, answer } = await mailer.send({ ...MAIL, attachment });
  expect(result).toEqual({ kind: 'answered', status: 200 });
  const [[json, ...moreJson], [text, ...moreText]] = [filesOf('.json'), filesOf('.txt')];
  expect([moreJson, moreText]).toEqual([[], []]);
  expect(JSON.parse(read(json))).toMatchObject({
    MessageId: answer,
    FromEmailAddress: MAIL.from,
    Destination: { ToAddresses: MAIL.to },
    Content: {
      Simple: {
        Subject: { Data: MAIL.subject },
        Body: { Text: { Data: MAIL.text } },
        Attachments: [{ FileName: 'evt_1.json', RawContent: Buffer.from('{"a":"ü"}').toString('base64') }],
      },
    },
  });
  expect(read(text)).toBe(
    'From: hub@example.com\nTo: ana@example.com, ops@example.org\nSubject: Grüße 👋\nX-Hookline-Id: evt_1_0\n\n' +
      'Hello,\nthis is all.\n\n--- evt_1.json (application/json)\n{"a":"ü"}\n',
  );
  expect(statSync(join(outbox, String(text))).mode & 0o077).toBe(0);
});

it('keeps mails no longer than the hub, where the hub keeps nothing', async () => {
  const passing = await startSes();
  await sesMailer(sesClient(settingsFor(passing.endpoint))).send(MAIL);
  expect(readdirSync(passing.outbox)).toHaveLength(3);
  await passing.stop();
  expect(existsSync(passing.outbox)).toBe(false);
});

it('takes no mail that SES would not take', async () => {
  const mailer = sesMailer(sesClient(settingsFor(engine.endpoint)));
  const { result, answer } = await mailer.send({ ...MAIL, subject: 'one\ntwo' });
  expect([result, answer]).toEqual([
    { kind: 'answered', status: 400 },
    expect.stringMatching(/^BadRequestException: .*line end/s),
  ]);
});

it('says what the mail service said no for, and asks once', async () => {
  let asked = 0;
  const ses = sesClient(
    settingsOver(async () => {
      asked += 1;
      return { status: 429, text: JSON.stringify({ __type: 'TooManyRequestsException', message: 'slow down' }) };
    }),
  );
  expect(await sesMailer(ses).send(MAIL)).toEqual({
    result: { kind: 'answered', status: 429 },
    answer: 'TooManyRequestsException: slow down',
  });
  expect(asked).toBe(1);
});

it('tells a mail service that is away from one that takes too long', async () => {
  const failing = (name: string) => {
    const wire = async () => {
      throw Object.assign(new Error('no'), { name });
    };
    return sesMailer(sesClient(settingsOver(wire))).send(MAIL);
  };
  expect(await failing('Error')).toEqual({ result: { kind: 'failed', reason: 'connection' }, answer: '' });
  expect(await failing('TimeoutError')).toEqual({ result: { kind: 'failed', reason: 'timeout' }, answer: '' });
});
