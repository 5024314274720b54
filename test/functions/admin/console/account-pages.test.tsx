// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/preact';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { session } from '../../../../functions/admin/console/api.ts';
import { Accounts } from '../../../../functions/admin/console/pages/accounts.tsx';

const ZENDER = {
  properties: {
    provider: { const: 'zender' },
    channel: { enum: ['whatsapp'] },
    credentials: { properties: { secret: { type: 'string' } }, required: ['secret'] },
  },
};

let calls: { readonly what: string; readonly body: unknown }[];
let asked: string[];
let answers: Record<string, unknown>;
beforeEach(() => {
  location.hash = '#/accounts/new';
  session.value = { workspace: 'main', admin: false, scope: 'all' };
  calls = [];
  asked = [];
  answers = { 'GET /openapi.json': { components: { schemas: { NewAccount: { oneOf: [ZENDER] } } } } };
  vi.stubGlobal('fetch', async (given: Request | string) => {
    const request = new Request(given);
    const { pathname } = new URL(request.url);
    const what = `${request.method} ${pathname.replace('//', '/')}`;
    asked.push(what);
    if (request.method !== 'GET') calls.push({ what, body: JSON.parse(await request.text()) });
    return Response.json(answers[what] ?? {});
  });
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

it('tests credentials before an account is made of them, and forgets the verdict with the next letter', async () => {
  const message = 'It cannot send: give an API key that may';
  answers['POST /api/accounts/test'] = { ok: false, message };
  render(<Accounts id="new" />);
  const secret = await screen.findByLabelText('API secret');
  fireEvent.input(secret, { target: { value: 's3cret' } });
  fireEvent.click(screen.getByRole('button', { name: 'Test the connection' }));
  await screen.findByText(message);
  expect(calls).toEqual([
    {
      what: 'POST /api/accounts/test',
      body: { provider: 'zender', channel: 'whatsapp', credentials: { secret: 's3cret' } },
    },
  ]);
  expect(location.hash).toBe('#/accounts/new');
  fireEvent.input(secret, { target: { value: 's3cret2' } });
  await waitFor(() => expect(screen.queryByText(message)).toBeNull());
});

it('does not test what lacks something', async () => {
  render(<Accounts id="new" />);
  await screen.findByLabelText('API secret');
  fireEvent.click(screen.getByRole('button', { name: 'Test the connection' }));
  await Promise.resolve();
  expect(calls).toEqual([]);
});

const ACCOUNT = {
  ...{ id: 'acc_1', provider: 'zender', channel: 'whatsapp', name: 'Desk', pending: 0 },
  ...{ pacing: { minMs: 1000, maxMs: 2000 }, createdAt: '2026-03-01T12:00:00.000Z' },
};

async function openCredentials(account: object) {
  answers['GET /api/accounts/acc_1'] = account;
  render(<Accounts id="acc_1" />);
  const summary = await screen.findByText('New credentials');
  expect(asked).not.toContain('GET /openapi.json');
  const details = summary.closest('details');
  if (details) details.open = true;
}

it('asks which credentials a provider takes only of whom gives new ones', async () => {
  await openCredentials(ACCOUNT);
  fireEvent.input(await screen.findByLabelText('API secret'), { target: { value: 's3cret' } });
  const [, save] = screen.getAllByRole('button', { name: 'Save', hidden: true });
  if (save) fireEvent.click(save);
  await waitFor(() =>
    expect(calls).toEqual([{ what: 'PATCH /api/accounts/acc_1', body: { credentials: { secret: 's3cret' } } }]),
  );
});

it('says so where a provider takes no credentials', async () => {
  await openCredentials({ ...ACCOUNT, provider: 'sandbox' });
  await screen.findByText('This provider asks for none.');
});

it('leads from how many wait to what waits', async () => {
  answers['GET /api/accounts/acc_1'] = { ...ACCOUNT, pending: 3 };
  render(<Accounts id="acc_1" />);
  const link = await screen.findByRole('link', { name: '3' });
  expect(link.getAttribute('href')).toBe('#/sends?account=acc_1&state=queued%2Csending');
});

it('tells of each account in the list whether it is connected, when it is asked again, and its pace', async () => {
  const probeAt = '2026-03-01T12:30:00.000Z';
  const held = { ...ACCOUNT, id: 'acc_2', name: 'Shop', held: true, holdReason: 'notAuthorized', probeAt };
  const even = { ...ACCOUNT, pacing: { minMs: 2000, maxMs: 2000 } };
  answers['GET /api/accounts'] = { items: [even, held], damaged: ['a damaged item in the table: ACC#3'] };
  render(<Accounts />);
  const [, first, second] = (await screen.findAllByRole('row')).map(({ textContent }) => textContent ?? '');
  expect(first).toMatch(/connected2\ss/);
  expect(second).toMatch(/held.*logged out.*asked again.*1\sto\s2\ss/);
  screen.getByText('a damaged item in the table: ACC#3');
});
