// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from '@testing-library/preact';
import { afterEach, expect, it, vi } from 'vitest';
import { address } from '../../../../functions/admin/console/address.ts';
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

it('leads from what was spent in a month to the sends of that month', async () => {
  session.value = { workspace: 'main', admin: false, scope: 'read' };
  const quota = { kind: 'monthly', credits: 100 };
  vi.stubGlobal('fetch', async (request: Request) =>
    request.url.includes('/ledger')
      ? Response.json({ items: [] })
      : Response.json({ available: 95, reserved: 0, spent: 5, granted: 100, quota, epoch: '2026-11' }),
  );
  render(<Credits />);
  const { hash } = new URL((await screen.findByRole<HTMLAnchorElement>('link', { name: /Spent/ })).href);
  const query = new URLSearchParams(hash.slice(hash.indexOf('?')));
  expect(query.get('after')).toBe('2026-11-01T00:00:00.000Z');
});

it('leads from what was granted to the grants, and from what is left to the whole ledger', async () => {
  session.value = { workspace: 'main', admin: false, scope: 'read' };
  address.value = { page: 'credits', query: new URLSearchParams('kind=grant') };
  const asked: string[] = [];
  vi.stubGlobal('fetch', async ({ url }: Request) => {
    const { pathname, search } = new URL(url);
    asked.push(pathname + search);
    if (pathname.endsWith('/ledger')) return Response.json({ items: [] });
    return Response.json({ available: 5, reserved: 0, spent: 0, granted: 5, quota: { kind: 'prepaid' }, epoch: 'all' });
  });
  render(<Credits />);
  const granted = await screen.findByRole('link', { name: /Granted/ });
  expect(granted.getAttribute('href')).toBe('#/credits?kind=grant');
  expect(screen.getByRole('link', { name: /Available/ }).getAttribute('href')).toBe('#/credits');
  expect(asked).toContain('/api/credits/ledger?kind=grant');
});
