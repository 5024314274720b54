// @vitest-environment happy-dom
import { cleanup, render, screen } from '@testing-library/preact';
import { afterEach, expect, it, vi } from 'vitest';
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
