// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from '@testing-library/preact';
import { afterEach, expect, it, vi } from 'vitest';
import { session } from '../../../../functions/admin/console/api.ts';
import { Credits } from '../../../../functions/admin/console/pages/credits.tsx';
import { Toasts } from '../../../../functions/admin/console/parts/toast.tsx';

afterEach(() => {
  cleanup();
  session.value = null;
  vi.unstubAllGlobals();
});

it('empties the form once credits are corrected, so that a second click corrects nothing again', async () => {
  const keys: (string | null)[] = [];
  session.value = { workspace: 'main', admin: true, scope: 'all' };
  vi.stubGlobal('fetch', async (request: Request) => {
    if (request.method === 'POST') keys.push(request.headers.get('idempotency-key'));
    if (request.url.includes('/ledger')) return Response.json({ items: [] });
    return Response.json({ available: 5, reserved: 0, spent: 0, granted: 5, quota: { kind: 'prepaid' }, epoch: 'all' });
  });
  render(<Credits />);
  render(<Toasts />);
  expect((await screen.findByText('Reserved')).closest('a')?.getAttribute('href')).toBe(
    '#/sends?state=queued%2Csending%2Cunknown',
  );
  fireEvent.input(await screen.findByLabelText('Credits'), { target: { value: '-5' } });
  fireEvent.input(screen.getByLabelText('Why'), { target: { value: 'Booked twice' } });
  const form = screen.getByRole('button', { name: 'Grant credits' }).closest('form');
  if (form) fireEvent.submit(form);
  await screen.findByText('5 credits taken away');
  expect(screen.getByLabelText('Credits')).toHaveProperty('value', '');
  expect(screen.getByLabelText('Why')).toHaveProperty('value', '');
  expect(keys).toHaveLength(1);
});
