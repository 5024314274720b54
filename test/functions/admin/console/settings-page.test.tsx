// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/preact';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { session } from '../../../../functions/admin/console/api.ts';
import { Settings } from '../../../../functions/admin/console/pages/settings.tsx';

let changes: unknown[];
beforeEach(() => {
  changes = [];
  vi.stubGlobal('fetch', async (request: Request) => {
    const { pathname } = new URL(request.url);
    if (request.method !== 'GET') changes.push(JSON.parse(await request.text()));
    const workspace = { id: 'main', name: 'Shop', retentionDays: 90, defaultCountry: 'GB' };
    if (pathname === '/api/workspaces/main') return Response.json(workspace);
    if (pathname === '/api/workspaces') return Response.json({ items: [workspace] });
    return Response.json(pathname === '/health' ? { status: 'ok', version: '1.2.3' } : { items: [] });
  });
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function show(admin: boolean) {
  session.value = { workspace: 'main', admin, scope: 'all' };
  render(<Settings />);
}

it('asks before a shorter retention lets go of what is stored, and not before a longer one', async () => {
  show(true);
  const days = await screen.findByLabelText('Days to keep what comes in');
  const save = screen.getByRole('button', { name: 'Save' });
  fireEvent.input(days, { target: { value: '120' } });
  fireEvent.click(save);
  await waitFor(() => expect(changes).toMatchObject([{ retentionDays: 120 }]));
  fireEvent.input(days, { target: { value: '30' } });
  fireEvent.click(save);
  await screen.findByText(/of Shop that are older than 30 days go/);
  expect(changes).toHaveLength(1);
  const [, confirm] = screen
    .getAllByRole('button', { name: 'Save', hidden: true })
    .toSorted((a, b) => Number(b.getAttribute('type') === 'submit') - Number(a.getAttribute('type') === 'submit'));
  if (confirm) fireEvent.click(confirm);
  await waitFor(() => expect(changes[1]).toMatchObject({ retentionDays: 30 }));
});

it('keeps in the browser that media are loaded at once', async () => {
  show(false);
  const box = await screen.findByLabelText<HTMLInputElement>('Load pictures and sounds at once');
  expect(box.checked).toBe(false);
  fireEvent.click(box);
  expect(localStorage.getItem('load-media')).toBe('yes');
});

it('is there, and loads media as long as the page is open, where the browser refuses to keep anything', async () => {
  vi.resetModules();
  vi.spyOn(globalThis, 'localStorage', 'get').mockImplementation(() => {
    throw new DOMException('refused', 'SecurityError');
  });
  const { MediaSetting } = await import('../../../../functions/admin/console/parts/content.tsx');
  render(<MediaSetting />);
  const box = await screen.findByLabelText<HTMLInputElement>('Load pictures and sounds at once');
  fireEvent.click(box);
  await waitFor(() => expect(box.checked).toBe(true));
  vi.restoreAllMocks();
});

it('shows to a key of the workspace what counts there', async () => {
  show(false);
  for (const text of ['Shop', 'GB', '90', 'The one connected last']) await screen.findByText(text);
  expect(screen.queryByRole('button', { name: 'Save' })).toBeNull();
});
