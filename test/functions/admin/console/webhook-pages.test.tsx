// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/preact';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { replace } from '../../../../functions/admin/console/address.ts';
import { session } from '../../../../functions/admin/console/api.ts';
import { Webhooks } from '../../../../functions/admin/console/pages/webhooks.tsx';

const AT = '2026-03-01T12:00:00.000Z';
const WEBHOOK = {
  ...{ id: 'wh_1', kind: 'receive', provider: 'sandbox', name: 'Door', enabled: true, hasSecret: false },
  ...{ tokenPrefix: 'abc', createdAt: AT },
};
const ATTEMPT = { at: AT, status: 200, outcome: 'stored', durationMs: 7, id: 'evt_1', request: { bytes: 12 } };

let attempts: object[];
let webhook: object;
let asked: { readonly what: string; readonly workspace: string | null }[];
beforeEach(() => {
  session.value = { workspace: 'main', admin: true, scope: 'all' };
  replace('#/webhooks?workspace=ws_2');
  [asked, attempts] = [[], [ATTEMPT]];
  webhook = WEBHOOK;
  const answers: Record<string, unknown> = {
    'POST /api/webhooks': { ...WEBHOOK, url: 'https://hub.example/hooks/sandbox/made' },
    'GET /api/accounts': { items: [{ id: 'acc_1', name: 'Shop', provider: 'green-api' }] },
    'GET /api/accounts/acc_1': { id: 'acc_1', name: 'Shop', provider: 'green-api' },
    'POST /api/webhooks/wh_1/rotate': { ...WEBHOOK, url: 'https://hub.example/hooks/sandbox/fresh' },
  };
  vi.stubGlobal('fetch', async (request: Request) => {
    const what = `${request.method} ${new URL(request.url).pathname}`;
    asked.push({ what, workspace: request.headers.get('x-workspace') });
    if (what.endsWith('.csv')) return new Response('at\r\n', { headers: { 'content-type': 'text/csv' } });
    if (what.endsWith('/attempts')) return Response.json({ items: attempts });
    if (what === 'GET /api/webhooks/wh_1') return Response.json(webhook);
    if (what === 'GET /api/webhooks') return Response.json({ items: [webhook] });
    return Response.json(answers[what] ?? {});
  });
});
afterEach(() => {
  cleanup();
  session.value = null;
  replace('#/');
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

it('downloads the log of the workspace that is worked in', async () => {
  const saved = vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(() => undefined);
  render(<Webhooks id="wh_1" />);
  fireEvent.click(await screen.findByRole('button', { name: 'CSV' }));
  await waitFor(() => expect(saved).toHaveBeenCalledOnce());
  expect(asked).toContainEqual({ what: 'GET /api/webhooks/wh_1/attempts.csv', workspace: 'ws_2' });
});

it('tells of a secret of the provider only where a provider posts', async () => {
  render(<Webhooks id="wh_1" />);
  await screen.findByText('Secret of the provider');
  cleanup();
  webhook = { ...WEBHOOK, kind: 'send' };
  render(<Webhooks id="wh_1" />);
  await screen.findByText('sending');
  expect(screen.queryByText('Secret of the provider')).toBeNull();
});

it('names the account of a webhook, also to who only reads', async () => {
  session.value = { workspace: 'main', admin: false, scope: 'read' };
  webhook = { ...WEBHOOK, accountId: 'acc_1' };
  render(<Webhooks id="wh_1" />);
  const link = await screen.findByRole('link', { name: 'Shop' });
  expect(link.getAttribute('href')).toContain('#/accounts/acc_1');
  cleanup();
  render(<Webhooks />);
  await screen.findByText('for Shop');
});

it('waits for the first call of a new URL, whatever came through the one before', async () => {
  render(<Webhooks id="wh_1" />);
  fireEvent.click(await screen.findByRole('button', { name: 'New URL' }));
  const [, confirm] = await screen.findAllByRole('button', { name: 'New URL', hidden: true });
  if (confirm) fireEvent.click(confirm);
  await screen.findByText('https://hub.example/hooks/sandbox/fresh');
  await screen.findByText('Waiting for the first call');
});

/** Makes one, and follows to its page. */
async function make() {
  render(<Webhooks id="new" />);
  fireEvent.click(await screen.findByRole('button', { name: 'Make a webhook' }));
  await waitFor(() => expect(location.hash).toBe('#/webhooks/wh_1?workspace=ws_2'));
  cleanup();
  render(<Webhooks id="wh_1" />);
  await screen.findByText('https://hub.example/hooks/sandbox/made');
}

it('leads from the first call to the inbox', async () => {
  attempts = [];
  vi.stubGlobal('fetch', sampling(fetch));
  await make();
  await screen.findAllByText('Waiting for the first call');
  attempts = [ATTEMPT];
  fireEvent.click(screen.getByRole('button', { name: 'Send a sample' }));
  const link = await screen.findByRole('link', { name: 'See the message' });
  expect(link.getAttribute('href')).toBe('#/inbox?workspace=ws_2');
});

it('asks who has the URL for it before anything has come in, until there is a new one', async () => {
  attempts = [];
  render(<Webhooks id="wh_1" />);
  const form = (await screen.findByLabelText('Its URL')).closest('details');
  expect(form?.open).toBe(true);
  fireEvent.click(screen.getByRole('button', { name: 'New URL' }));
  const confirm = (await screen.findAllByRole('button', { name: 'New URL', hidden: true })).at(-1);
  if (confirm) fireEvent.click(confirm);
  await screen.findByText('https://hub.example/hooks/sandbox/fresh');
  expect(screen.queryByLabelText('Its URL')).toBeNull();
  screen.getByRole('button', { name: 'Send a sample' });
});

it('sends a sample at once through a webhook that was just made, until somebody signs out', async () => {
  attempts = [];
  const posted = () => asked.filter(({ what }) => what.endsWith('/hooks/sandbox/made')).length;
  vi.stubGlobal('fetch', sampling(fetch));
  await make();
  fireEvent.click(await screen.findByRole('button', { name: 'Send a sample' }));
  await waitFor(() => expect(posted()).toBe(1));
  expect(screen.queryByLabelText('Its URL')).toBeNull();
  cleanup();
  session.value = null;
  session.value = { workspace: 'main', admin: true, scope: 'all' };
  render(<Webhooks id="wh_1" />);
  await screen.findByLabelText('Its URL');
  expect(screen.queryByText('https://hub.example/hooks/sandbox/made')).toBeNull();
});

/** A sample is posted by its address, as a provider does. */
const sampling = (calling: typeof fetch) => async (to: string | Request | URL, init?: RequestInit) =>
  calling(to instanceof Request ? to : new Request(to, init));
