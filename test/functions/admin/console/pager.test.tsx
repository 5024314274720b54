// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from '@testing-library/preact';
import { afterEach, expect, it } from 'vitest';
import { type Listed, Pager, useOlder } from '../../../../functions/admin/console/parts/pager.tsx';

afterEach(cleanup);

/** The pages of a list, by cursor: as where a filter leaves nothing of most. */
const pages: Readonly<Record<string, Listed<string>>> = {
  two: { items: ['a'], cursor: 'three' },
  three: { items: [], cursor: 'four' },
  four: { items: ['b'], cursor: 'five' },
  five: { items: [] },
};
let loaded: string[] = [];

function List({ name = 'list' }: { readonly name?: string }) {
  const first = { items: ['a'], cursor: 'two' };
  const { items, next } = useOlder(
    name,
    first,
    (item) => item,
    async (cursor) => {
      loaded.push(cursor);
      return pages[cursor] ?? { items: [] };
    },
  );
  return (
    <>
      <p>{items.join(', ')}</p>
      <Pager next={next} />
    </>
  );
}

it('looks on until there is an older one that is not shown yet, and asks for each page once', async () => {
  loaded = [];
  render(<List />);
  const older = screen.getByRole('button', { name: 'Show older' });
  fireEvent.click(older);
  fireEvent.click(older);
  await screen.findByText('a, b');
  expect(loaded).toEqual(['two', 'three', 'four']);
  fireEvent.click(await screen.findByRole('button', { name: 'Show older' }));
  await screen.findByText('a, b');
  await expect.poll(() => screen.queryByRole('button')).toBeNull();
});

it('looks no further once another list is shown', async () => {
  loaded = [];
  const { rerender } = render(<List />);
  fireEvent.click(screen.getByRole('button', { name: 'Show older' }));
  rerender(<List name="another" />);
  await screen.findByRole('button', { name: 'Show older' });
  expect(loaded).toEqual(['two']);
  screen.getByText('a');
});
