// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/preact';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { session } from '../../../../functions/admin/console/api.ts';
import { Rules } from '../../../../functions/admin/console/pages/rules.tsx';

const AT = '2026-03-01T12:00:00.000Z';
const RULE = {
  id: 'rule_1',
  name: 'Price list',
  enabled: true,
  on: ['message.received'],
  failures: 0,
  createdAt: AT,
  updatedAt: AT,
  ...{ timeZone: 'UTC', order: 100, stop: false, guard: {} },
  when: { all: [{ field: 'text', words: ['price', 'preis'] }, { not: { field: 'hasFile', is: true } }] },
  do: [{ action: 'reply', text: 'Hi' }],
};
const MUTED = {
  chatId: 'chat_1',
  rule: 'rule_1',
  title: 'Answering machine Ltd',
  phone: '+15550100',
  since: '2099-02-28T12:00:00.000Z',
  why: 'a machine seems to answer there',
  until: '2099-03-01T12:00:00.000Z',
};

let answers: Record<string, unknown>;
let calls: { readonly what: string; readonly body: unknown }[];
beforeEach(() => {
  location.hash = '';
  session.value = { workspace: 'main', admin: false, scope: 'all' };
  calls = [];
  answers = {
    'GET /api/rules?last24h=true': { items: [{ ...RULE, last24h: { total: 200, failed: 3, guarded: 0, more: true } }] },
    'GET /api/rules/muted': { items: [] },
    'GET /api/rules/rule_1': RULE,
    'GET /api/rules/rule_1/runs': { items: [] },
    'GET /api/rules/recipes': { items: [] },
    'GET /api/accounts?limit=200': { items: [{ id: 'acc_1', provider: 'sandbox', channel: 'sms', name: 'Shop' }] },
    'GET /api/endpoints': { items: [] },
  };
  vi.stubGlobal('fetch', async (request: Request) => {
    const { pathname, search } = new URL(request.url);
    const what = `${request.method} ${pathname}${search}`;
    const text = await request.text();
    if (request.method !== 'GET') calls.push({ what, body: text === '' ? undefined : JSON.parse(text) });
    const answer = answers[what];
    return answer === undefined ? new Response(null, { status: 204 }) : Response.json(answer);
  });
});
afterEach(() => {
  cleanup();
  session.value = null;
  vi.unstubAllGlobals();
});

it('lists where rules are muted, and lets them answer again', async () => {
  answers['GET /api/rules/muted'] = { items: [MUTED] };
  render(<Rules />);
  const table = await screen.findByRole('table', { name: 'Muted chats' });
  expect(within(table).getByText(MUTED.why)).toBeTruthy();
  const links = within(table).getAllByRole('link');
  expect(links.map((link) => [link.textContent, link.getAttribute('href')])).toEqual([
    [MUTED.title, `#/inbox/${MUTED.chatId}`],
    ['Price list', `#/rules/${MUTED.rule}`],
  ]);
  expect(within(table).getByText(MUTED.phone)).toBeTruthy();
  fireEvent.click(within(table).getByRole('button', { name: 'Let rules answer again' }));
  await waitFor(() => expect(calls).toEqual([{ what: 'DELETE /api/rules/muted?chat=chat_1', body: undefined }]));
});

it('says that no rule sends, and why, and lets them send again', async () => {
  answers['GET /api/rules?last24h=true'] = { items: [RULE], paused: { at: AT, why: 'more than 60 in a minute' } };
  render(<Rules />);
  await screen.findByText('No rule sends: more than 60 in a minute');
  fireEvent.click(screen.getByRole('button', { name: 'Let them send again' }));
  await waitFor(() => expect(calls).toEqual([{ what: 'POST /api/rules/resume', body: undefined }]));
});

it('says how much a rule did in the last day, and what went wrong', async () => {
  render(<Rules />);
  const row = await screen.findByRole('row', { name: /Price list/ });
  expect(row.textContent).toContain('200 runs or more3 failed');
  expect(row.textContent).not.toContain('held back');
});

it('switches a rule off', async () => {
  render(<Rules />);
  fireEvent.click(await screen.findByRole('button', { name: 'Switch off' }));
  await waitFor(() => expect(calls).toEqual([{ what: 'PATCH /api/rules/rule_1', body: { enabled: false } }]));
});

it('says of a rule that is switched off that it takes up nothing, and names an account as elsewhere', async () => {
  answers['GET /api/rules/rule_1'] = { ...RULE, enabled: false };
  answers['GET /api/accounts?limit=200'] = { items: [{ id: 'acc_1', provider: 'sandbox', channel: 'sms' }] };
  render(<Rules id="rule_1" />);
  expect(await screen.findByText(/It is switched off, and takes up nothing/)).toBeTruthy();
  expect(await screen.findByLabelText('Sandbox (sms)')).toBeTruthy();
});

it('tells what a rule did, action by action', async () => {
  const actions = [
    { action: 'reply', result: 'done', send: 'wa_backend:1' },
    { action: 'call', result: 'failed', why: 'it cannot be rendered' },
  ];
  answers['GET /api/rules/rule_1/runs'] = { items: [{ event: 'evt_1', at: AT, result: 'failed', actions }] };
  render(<Rules id="rule_1" />);
  const runs = within(await screen.findByRole('table', { name: 'What it did' }));
  expect(runs.getAllByRole('listitem').map(({ textContent }) => textContent)).toEqual([
    'Reply in the chat: done the send',
    'Call a URL: failed, it cannot be rendered',
  ]);
  expect(runs.getByRole('link', { name: 'the send' }).getAttribute('href')).toBe('#/sends/wa_backend%3A1');
});

it('tries a rule condition by condition, with what was compared and found, and what it would do', async () => {
  const trace = [
    { at: 'all.0', field: 'text', operator: 'words', found: 'the price?', holds: true },
    { at: 'all.1.not', field: 'hasFile', operator: 'is', holds: false },
  ];
  const would = { action: 'send', chat_id: 'chat_1', text: 'Hi Ana' };
  answers['POST /api/rules/try'] = {
    items: [
      { event: 'evt_0', type: 'message.sent', matched: false, trace: [], actions: [] },
      {
        ...{ event: 'evt_1', type: 'message.received', matched: true, trace },
        ...{ guard: { may: false, why: 'it is too old' }, actions: [{ action: 'reply', would }] },
      },
    ],
  };
  render(<Rules id="rule_1" />);
  fireEvent.click(await screen.findByRole('button', { name: 'Try it' }));
  await screen.findByText('Fits 1 of 2 events');
  const findings = [...document.querySelectorAll('.findings li')].map(({ textContent }) => textContent);
  expect(findings).toEqual(['Text has one of the words price, preisthe price?', 'Has a file is yesnothing there']);
  expect([...document.querySelectorAll('.findings svg')].map((icon) => icon.getAttribute('aria-label'))).toEqual([
    'yes',
    'no',
  ]);
  screen.getByText('It would be kept from sending: it is too old');
  screen.getByText('Hi Ana');
  const [tried] = calls;
  expect(tried).toMatchObject({ body: { last: 50, rule: { name: 'Price list', when: RULE.when } } });
});

it('points to what is not filled in yet, and tries nothing', async () => {
  answers['GET /api/rules/rule_1'] = { ...RULE, when: { field: 'text', words: [] } };
  const pointedAt = vi.fn();
  render(<Rules id="rule_1" />);
  const act = await screen.findByRole('button', { name: 'Try it' });
  document.querySelector('.rule textarea')?.addEventListener('invalid', pointedAt);
  fireEvent.click(act);
  expect(pointedAt).toHaveBeenCalledOnce();
  expect(calls).toEqual([]);
});

it('shows the secret of a rule that calls, which is told this once', async () => {
  location.hash = '#/rules/new';
  answers['POST /api/rules'] = { ...RULE, secret: 'whsec_once' };
  render(<Rules id="new" />);
  fireEvent.input(await screen.findByRole('textbox', { name: 'Name' }), { target: { value: 'A' } });
  fireEvent.input(screen.getByRole('textbox', { name: /^Text/ }), { target: { value: 'Hi' } });
  fireEvent.click(screen.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(location.hash).toBe('#/rules/rule_1'));
  cleanup();
  render(<Rules id="rule_1" />);
  await screen.findByText('whsec_once');
});

it('offers all accounts for a rule, and not the first page of them', async () => {
  render(<Rules id="rule_1" />);
  await screen.findByText('Shop (sms)');
});

it('says so where the recipes cannot be had, and begins with nothing', async () => {
  location.hash = '#/rules/new?recipe=auto-reply';
  answers['GET /api/rules/recipes'] = undefined;
  render(<Rules id="new" />);
  await screen.findByText(/^The hub answered 204/);
  screen.getByRole('textbox', { name: 'Name' });
});

it('shows a rule to whom only reads, without a way to change it', async () => {
  session.value = { workspace: 'main', admin: false, scope: 'read' };
  render(<Rules id="rule_1" />);
  await screen.findByRole('heading', { name: 'Price list' });
  expect(screen.queryByRole('button', { name: 'Save' })).toBeNull();
  expect(document.querySelector('pre.code')?.textContent).toContain('"preis"');
});

it('leads from how many runs failed to the runs', async () => {
  render(<Rules />);
  const link = (await screen.findByText('3 failed')).closest('a');
  expect(link?.getAttribute('href')).toBe('#/rules/rule_1');
});
