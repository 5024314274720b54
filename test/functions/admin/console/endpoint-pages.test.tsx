// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/preact';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { session } from '../../../../functions/admin/console/api.ts';
import { Endpoints } from '../../../../functions/admin/console/pages/endpoints.tsx';
import { Toasts } from '../../../../functions/admin/console/parts/toast.tsx';

const ENDPOINT = {
  ...{ id: 'end_1', name: 'Booking', url: 'https://booking.example/in', types: ['message.received'] },
  ...{ state: 'active', createdAt: '2026-03-01T12:00:00.000Z', updatedAt: '2026-03-01T12:00:00.000Z' },
};

let shown: Record<string, unknown>;
let changed: Record<string, unknown>;
let bodies: unknown[];
let posted: string[];
/** By the state that is asked for. */
let deliveries: Record<string, object>;
beforeEach(() => {
  deliveries = {};
  session.value = { workspace: 'main', admin: false, scope: 'all' };
  shown = ENDPOINT;
  changed = ENDPOINT;
  bodies = [];
  posted = [];
  vi.stubGlobal('fetch', async (request: Request) => {
    if (request.method === 'PATCH') {
      bodies.push(await request.json());
      return Response.json(changed);
    }
    const { pathname, searchParams } = new URL(request.url);
    if (request.method === 'POST') posted.push(pathname);
    if (pathname.endsWith('/deliveries'))
      return Response.json(deliveries[searchParams.get('state') ?? ''] ?? { items: [] });
    return Response.json(shown);
  });
});
afterEach(() => {
  cleanup();
  location.hash = '';
  vi.unstubAllGlobals();
});

function show() {
  render(
    <>
      <Endpoints id="end_1" />
      <Toasts />
    </>,
  );
}

async function save(url: string) {
  show();
  fireEvent.input(await screen.findByLabelText('URL'), { target: { value: url } });
  fireEvent.click(screen.getByRole('button', { name: 'Save', hidden: true }));
}

it('says which headers another host does not get', async () => {
  changed = { ...ENDPOINT, url: 'https://other.example/in', headersDropped: ['x-key', 'x-shop'] };
  await save('https://other.example/in');
  await screen.findByText(/^Saved\. .*x-key, x-shop/);
  expect(bodies).toEqual([{ name: 'Booking', url: 'https://other.example/in', types: ['message.received'] }]);
});

it('says no more than that it is saved where all are kept', async () => {
  await save('https://booking.example/new');
  await screen.findByText('Saved');
});

it('calls one that is spared at once, where somebody asks for it', async () => {
  shown = { ...ENDPOINT, state: 'failing' };
  show();
  fireEvent.click(await screen.findByRole('button', { name: 'Try again now' }));
  await screen.findByText('What waits is posted, the oldest first');
  expect(posted).toEqual(['/api/endpoints/end_1/enable']);
});

it('says in words why nothing was answered', async () => {
  const at = '2026-03-01T12:00:00.000Z';
  shown = { ...ENDPOINT, state: 'failing', lastFailure: { at, failure: 'connection' } };
  show();
  await screen.findByText(/, no connection$/);
});

it('offers no call to one that is not spared', async () => {
  show();
  await screen.findByRole('button', { name: 'Switch off' });
  expect(screen.queryByRole('button', { name: 'Try again now' })).toBeNull();
});

it('keeps to deliveries of a state, by the address, and says that there may be older ones', async () => {
  const at = '2026-03-01T12:00:00.000Z';
  const given = { id: 'dlv_1', endpoint: 'end_1', event: 'evt_1', storedAt: at, attempts: [], state: 'dead' };
  shown = { ...ENDPOINT, waiting: 7 };
  deliveries = { dead: { items: [given] }, waiting: { items: [], cursor: 'next' } };
  show();
  await screen.findByText('Nothing was posted to it yet');
  expect(screen.getByRole('link', { name: '7' }).getAttribute('href')).toBe('#/endpoints/end_1?state=waiting');
  const choose = async (value: string) => {
    fireEvent.change(screen.getByRole('combobox', { name: 'State' }), { target: { value } });
    await waitFor(() => expect(location.hash).toBe(`#/endpoints/end_1?state=${value}`));
  };
  await choose('dead');
  await screen.findByRole('table', { name: 'Deliveries' });
  await choose('waiting');
  await screen.findByText('None among the newest');
  screen.getByRole('button', { name: 'Show older' });
  await choose('delivered');
  await screen.findByText('No delivery is in this state');
});
