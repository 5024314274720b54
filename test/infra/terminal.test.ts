import { expect, test } from 'vitest';
import { lineOfAnswer, type Paint, readable } from '#infra/local/terminal.ts';

const marked: Paint = (colour, text) => (colour === 'dim' ? text : `<${colour}>${text.trimEnd()}</>`);
const AT = new Date(2026, 2, 1, 9, 5, 7).getTime();
const answered = (routeKey: string, status: number, body: object) =>
  lineOfAnswer({ routeKey, at: AT, status, body: Buffer.from(JSON.stringify(body)), milliseconds: 8 }, marked);

test.each([
  [200, { status: 'stored', id: 'evt_1' }, '<green>stored</> sandbox evt_1 8 ms'],
  [200, { status: 'stored', ids: ['evt_1', 'evt_2'] }, '<green>stored</> sandbox evt_1 evt_2 8 ms'],
  [200, { status: 'quarantined', id: 'evt_1', issues: [] }, '<yellow>quarantined</> sandbox evt_1 8 ms'],
  [404, { status: 404, data: {}, message: 'Webhook not found' }, '<red>refused 404</> sandbox 8 ms'],
])('shows a delivery that was answered %i', (status, body, shown) => {
  expect(answered('POST /hooks/sandbox/{token+}', status, body)).toBe(`09:05:07 received  ${shown}`);
});

test('shows a message that was refused, without what was wrong with it', () => {
  const shown = answered('POST /send/{token+}', 400, { message: 'file_name is missing: salary.pdf' });
  expect(shown).toBe('09:05:07 send      <red>refused 400</> 8 ms');
});

test('leaves requests of people to themselves', () => {
  expect(answered('ANY /api/{proxy+}', 200, {})).toBeUndefined();
  expect(answered('$default', 404, {})).toBeUndefined();
});

const log = (fields: object) =>
  readable(`${JSON.stringify({ timestamp: new Date(AT).toISOString(), level: 'INFO', ...fields })}\n`, marked);
const message = { correlationId: 'wa_backend:3EB0', account: 'acc_1', requestId: 'r', service: 'hookline' };

test('shows what becomes of a message, a line each', () => {
  expect(log({ message: 'accepted a message', ...message })).toBe(
    '09:05:07 send      <green>accepted</> wa_backend:3EB0 acc_1\n',
  );
  const call = { message: 'called the provider', ...message, provider: 'sandbox', outcome: 'hold', milliseconds: 371 };
  expect(log(call)).toBe('09:05:07 sent      <yellow>hold</> sandbox wa_backend:3EB0 371 ms\n');
});

test('shows what went wrong with why and where, and not how the code came there', () => {
  const error = { name: 'Error', message: 'no answer', stack: 'at somewhere' };
  expect(log({ level: 'ERROR', message: 'a send could not be kept', ...message, error })).toBe(
    '09:05:07 error     <red>ERROR</> a send could not be kept (Error: no answer) correlationId=wa_backend:3EB0 account=acc_1\n',
  );
});

test('hides metrics, but for the calls of endpoints', () => {
  const metric = (fields: object) => JSON.stringify({ _aws: { Timestamp: AT }, service: 'hookline', ...fields });
  const written = `${metric({ HeldAccounts: 0 })}\n${metric({ Deliveries: 1, result: 'dead' })}\nas it is {\n`;
  expect(readable(written, marked)).toBe('09:05:07 notice    <red>dead</>\nas it is {\n');
});

test('shows nothing of a line that the line about its request makes superfluous', () => {
  expect(log({ level: 'WARN', message: 'a delivery was not taken as usual', provider: 'sandbox' })).toBe('');
});
