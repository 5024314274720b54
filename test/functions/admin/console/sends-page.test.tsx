// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from '@testing-library/preact';
import { afterEach, expect, it, vi } from 'vitest';
import { replace } from '../../../../functions/admin/console/address.ts';
import { session } from '../../../../functions/admin/console/api.ts';
import { Sends } from '../../../../functions/admin/console/pages/sends.tsx';

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

it.each([
  ['says that there are more unknown ones, and leads to all', { items: [], cursor: 'older' }, true],
  ['says nothing where it shows all', { items: [] }, false],
])('%s', async (_, unknown, leads) => {
  session.value = { workspace: 'main', admin: false, scope: 'read' };
  vi.stubGlobal('fetch', async ({ url }: Request) =>
    Response.json(new URL(url).searchParams.get('state') === 'unknown' ? unknown : { items: [] }),
  );
  render(<Sends />);
  await screen.findByText('Nothing was sent yet');
  const link = screen.queryByRole('link', { name: 'Show all of them' });
  expect(link?.getAttribute('href')).toBe(leads ? '#/sends?state=unknown' : undefined);
});

it.each([
  ['wa_backend:3EB0D96C95881371FAE5', 'sends/wa_backend%3A3EB0D96C95881371FAE5'],
  ['+15550100410', 'sends?recipient=%2B15550100410'],
])('leads to a send by its id, and filters by anybody else: %s', async (value, to) => {
  session.value = { workspace: 'main', admin: false, scope: 'read' };
  vi.stubGlobal('fetch', async () => Response.json({ items: [] }));
  replace('#/sends');
  render(<Sends />);
  fireEvent.change(await screen.findByRole('searchbox'), { target: { value } });
  expect(location.hash).toBe(`#/${to}`);
});
