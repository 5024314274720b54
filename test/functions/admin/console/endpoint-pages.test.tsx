// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from '@testing-library/preact';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { session } from '../../../../functions/admin/console/api.ts';
import { Endpoints } from '../../../../functions/admin/console/pages/endpoints.tsx';
import { Toasts } from '../../../../functions/admin/console/parts/toast.tsx';

const ENDPOINT = {
  ...{ id: 'end_1', name: 'Booking', url: 'https://booking.example/in', types: ['message.received'] },
  ...{ state: 'active', createdAt: '2026-03-01T12:00:00.000Z', updatedAt: '2026-03-01T12:00:00.000Z' },
};

let changed: Record<string, unknown>;
let bodies: unknown[];
beforeEach(() => {
  session.value = { workspace: 'main', admin: false, scope: 'all' };
  changed = ENDPOINT;
  bodies = [];
  vi.stubGlobal('fetch', async (request: Request) => {
    if (request.method === 'PATCH') {
      bodies.push(await request.json());
      return Response.json(changed);
    }
    return Response.json(new URL(request.url).pathname.endsWith('/deliveries') ? { items: [] } : ENDPOINT);
  });
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

async function save(url: string) {
  render(
    <>
      <Endpoints id="end_1" />
      <Toasts />
    </>,
  );
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
