// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/preact';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { chooseWorkspace, session } from '../../../../functions/admin/console/api.ts';
import { Webhooks } from '../../../../functions/admin/console/pages/webhooks.tsx';

const AT = '2026-03-01T12:00:00.000Z';
const WEBHOOK = {
  ...{ id: 'wh_1', kind: 'receive', provider: 'sandbox', name: 'Door', enabled: true, hasSecret: false },
  ...{ tokenPrefix: 'abc', createdAt: AT },
};
const ATTEMPT = { at: AT, status: 200, outcome: 'stored', durationMs: 7, id: 'evt_1', request: { bytes: 12 } };

let asked: { readonly what: string; readonly workspace: string | null }[];
beforeEach(() => {
  session.value = { workspace: 'main', admin: true, scope: 'all' };
  chooseWorkspace('ws_2');
  asked = [];
  const answers: Record<string, unknown> = {
    'GET /api/webhooks/wh_1': WEBHOOK,
    'GET /api/webhooks/wh_1/attempts': { items: [ATTEMPT] },
    'GET /api/accounts': { items: [] },
    'POST /api/webhooks/wh_1/rotate': { ...WEBHOOK, url: 'https://hub.example/hooks/sandbox/fresh' },
  };
  vi.stubGlobal('fetch', async (request: Request) => {
    const what = `${request.method} ${new URL(request.url).pathname}`;
    asked.push({ what, workspace: request.headers.get('x-workspace') });
    if (what.endsWith('.csv')) return new Response('at\r\n', { headers: { 'content-type': 'text/csv' } });
    return Response.json(answers[what] ?? {});
  });
});
afterEach(() => {
  cleanup();
  chooseWorkspace(undefined);
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

it('waits for the first call of a new URL, whatever came through the one before', async () => {
  render(<Webhooks id="wh_1" />);
  fireEvent.click(await screen.findByRole('button', { name: 'New URL' }));
  const [, confirm] = await screen.findAllByRole('button', { name: 'New URL', hidden: true });
  if (confirm) fireEvent.click(confirm);
  await screen.findByText('https://hub.example/hooks/sandbox/fresh');
  await screen.findByText('Waiting for the first call');
});
