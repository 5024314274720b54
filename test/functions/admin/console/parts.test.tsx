// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from '@testing-library/preact';
import { afterEach, expect, it, vi } from 'vitest';
import { MarkedJson } from '../../../../functions/admin/console/pages/event.tsx';
import { isWeb, lineOf, MessageText } from '../../../../functions/admin/console/parts/content.tsx';
import { EventLine } from '../../../../functions/admin/console/parts/event-line.tsx';
import { Form, TextField } from '../../../../functions/admin/console/parts/form.tsx';
import { isWriting } from '../../../../functions/admin/console/parts/keys.ts';
import { Time, timeText } from '../../../../functions/admin/console/parts/small.tsx';
import { addressName, providerName, texts } from '../../../../functions/admin/console/texts.ts';

afterEach(cleanup);

const htmlOf = (text: string) => render(<MessageText text={text} />).container.querySelector('p')?.innerHTML;

it.each([
  ['a *bold* word', 'a <strong>bold</strong> word'],
  ['_one_ and ~two~', '<em>one</em> and <s>two</s>'],
  ['*_both_*', '<strong><em>both</em></strong>'],
  ['`a*b*`', '<code>a*b*</code>'],
  ['2 * 3 * 4', '2 * 3 * 4'],
  ['snake_case_name', 'snake_case_name'],
  ['<b>x</b>', '&lt;b&gt;x&lt;/b&gt;'],
])('reads the marks of WhatsApp in %s', (text, html) => {
  expect(htmlOf(text)).toBe(html);
});

it('makes links of http and https alone, which tell nobody where they were followed from', () => {
  render(<MessageText text="see https://a.example/x?y=1, http://b.example. javascript:alert(1) ftp://c.example" />);
  const links = screen.getAllByRole('link');
  expect(links.map((link) => link.getAttribute('href'))).toEqual(['https://a.example/x?y=1', 'http://b.example']);
  for (const link of links) expect(link.getAttribute('rel')).toBe('noreferrer noopener');
});

it.each(['javascript:alert(1)', 'data:text/html,x', 'blob:x', '//a.example', 'x', ''])('%s is no link', (url) => {
  expect(isWeb(url)).toBe(false);
});

it.each([
  ['<textarea></textarea>', {}, true],
  ['<dialog open><button></button></dialog>', {}, true],
  // Whoever closes it by Escape may go on at once: the focus leaves it a moment later.
  ['<dialog><button></button></dialog>', {}, false],
  ['<button></button>', {}, false],
  ['<button></button>', { ctrlKey: true }, true],
])('takes a key in %s %o for one that is written or the browser: %s', (html, keys, expected) => {
  document.body.innerHTML = html;
  let told: boolean | undefined;
  addEventListener(
    'keydown',
    (event) => {
      told = isWriting(event);
    },
    { once: true },
  );
  const target = document.querySelector('button, textarea');
  target?.dispatchEvent(new KeyboardEvent('keydown', { key: 'g', bubbles: true, ...keys }));
  document.body.innerHTML = '';
  expect(told).toBe(expected);
});

const NOW = Date.parse('2026-03-10T12:00:00Z');
it.each([
  [0, 'now'],
  [-30_000, 'now'],
  [30_000, 'in 30 sec.'],
  [-5 * 60_000, '5 min. ago'],
  [-3 * 3_600_000, '3 hr. ago'],
])('tells a time %i ms away as %s', (away, text) => {
  expect(timeText(NOW + away, NOW)).toBe(text);
});

it('tells a time anew while it stays on the screen', async () => {
  const shown = Date.now();
  vi.useFakeTimers({ toFake: ['Date'], now: shown });
  render(<Time at={new Date(shown).toISOString()} />);
  screen.getByText('now');
  vi.setSystemTime(shown + 5 * 60_000);
  document.dispatchEvent(new Event('visibilitychange'));
  await screen.findByText('5 min. ago');
  vi.useRealTimers();
});

it('marks in a body what could not be read, or what it is missing in', () => {
  const value = { event: 'x', data: { list: [{ id: 1 }], none: [] } };
  const { container } = render(<MarkedJson value={value} paths={['data.list.0.id', 'data.phone.number']} />);
  const marks = [...container.querySelectorAll('mark')].map(({ textContent }) => textContent?.trim());
  expect(marks).toEqual(['"data": {', '"id": 1']);
  expect(JSON.parse(container.textContent ?? '')).toEqual(value);
});

it('says what a message is in a line', () => {
  expect(lineOf({ type: 'text', text: 'hello' })).toBe('hello');
  expect(lineOf({ type: 'image', file: { name: 'a.jpg' }, caption: 'look' })).toBe('a.jpg: look');
  expect(lineOf({ type: 'poll', name: 'When?', options: ['now', 'later'] })).toBe('When?: now / later');
});

it('says of a report whose message it is about', () => {
  const event = {
    ...{ id: 'evt_1', workspace: 'main', provider: 'sandbox', webhookId: 'own_acc_1' },
    ...{ occurredAt: '2026-03-10T12:00:00Z', receivedAt: '2026-03-10T12:00:00Z', recipient: { phone: '+15550100099' } },
    ...{ kind: 'status' as const, status: { messageId: 'm1', state: 'failed' as const, detail: 'it is off' } },
  };
  const { container } = render(<EventLine event={event} />);
  expect(container.textContent).toBe('status failed · +15550100099, it is off');
});

it('shows the number of a person of whom there is a WhatsApp id alone', () => {
  expect(
    ['447700900187@c.us', '447700900187@s.whatsapp.net', '120363041234567890@g.us', '12345@lid'].map(addressName),
  ).toEqual([...['+447700900187', '+447700900187', '120363041234567890@g.us', '12345@lid']]);
});

it('says why an account is held in words, not in the code of its provider', () => {
  const event = {
    ...{ id: 'evt_1', workspace: 'main', provider: 'hookline', webhookId: 'hookline' },
    ...{ occurredAt: '2026-03-10T12:00:00Z', receivedAt: '2026-03-10T12:00:00Z' },
    ...{ kind: 'account' as const, account: { id: 'acc_1', state: 'held' as const, reason: 'notAuthorized' } },
  };
  const { container } = render(<EventLine event={event} />);
  expect(container.textContent).toBe('account held, its phone is logged out: link it again in the GREEN-API console');
});

it.each([
  ['green-api', 'GREEN-API'],
  ['hookline', 'This hub'],
  ['somebody-new', 'somebody-new'],
])('calls the provider %s %s', (id, name) => {
  expect(providerName(id)).toBe(name);
});

it.each([
  [1, '1 message may or may not have gone out'],
  [7, '7 messages may or may not have gone out'],
  [100, '100 or more messages may or may not have gone out'],
])('speaks of %i unknown sends in one sentence', (count, sentence) => {
  expect(texts.overview.unknown(count)).toBe(sentence);
});

it('sends a form once while it is under way, and says why it was refused', async () => {
  let calls = 0;
  let refuse: (error: Error) => void = () => undefined;
  const onSubmit = () => {
    calls++;
    return new Promise((_resolve, reject) => {
      refuse = reject;
    });
  };
  render(
    <Form act="Go" onSubmit={onSubmit}>
      <TextField name="name" label="Name" value=" Ana " />
    </Form>,
  );
  const form = screen.getByRole('button').closest('form');
  if (!form) throw new Error('no form');
  await fireEvent.submit(form);
  await fireEvent.submit(form);
  expect(calls).toBe(1);
  refuse(new Error('name is taken'));
  expect((await screen.findByRole('alert')).textContent).toBe('name is taken');
  await fireEvent.submit(form);
  expect(calls).toBe(2);
});
