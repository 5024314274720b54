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
let answers: Record<string, unknown>;
beforeEach(() => {
  location.hash = '#/accounts/new';
  session.value = { workspace: 'main', admin: false, scope: 'all' };
  calls = [];
  answers = { 'GET /openapi.json': { components: { schemas: { NewAccount: { oneOf: [ZENDER] } } } } };
  vi.stubGlobal('fetch', async (given: Request | string) => {
    const request = new Request(given);
    const { pathname } = new URL(request.url);
    const what = `${request.method} ${pathname.replace('//', '/')}`;
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
