// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from '@testing-library/preact';
import { afterEach, expect, it } from 'vitest';
import { List, useList } from '../../../../functions/admin/console/parts/list.tsx';

afterEach(cleanup);

/** The pages of a list, by cursor: as where a filter leaves nothing of most. */
const pages: Readonly<Record<string, { readonly items: readonly string[]; readonly cursor?: string }>> = {
  '': { items: ['a'], cursor: 'two' },
  two: { items: ['a'], cursor: 'three' },
  three: { items: [], cursor: 'four' },
  four: { items: ['b'], cursor: 'five' },
  five: { items: [] },
};
let loaded: string[] = [];

function Shown({ name = 'list' }: { readonly name?: string }) {
  const list = useList({
    name,
    idOf: (item: string) => item,
    load: async (cursor = '') => {
      if (cursor) loaded.push(cursor);
      return pages[cursor] ?? { items: [] };
    },
    beside: async () => 'beside',
  });
  return <List of={list}>{(beside) => <p>{[beside, ...list.items].join(', ')}</p>}</List>;
}

it('looks on until there is an older one that is not shown yet, and asks for each page once', async () => {
  loaded = [];
  render(<Shown />);
  const older = await screen.findByRole('button', { name: 'Show older' });
  fireEvent.click(older);
  fireEvent.click(older);
  await screen.findByText('beside, a, b');
  expect(loaded).toEqual(['two', 'three', 'four']);
  fireEvent.click(await screen.findByRole('button', { name: 'Show older' }));
  await screen.findByText('beside, a, b');
  await expect.poll(() => screen.queryByRole('button')).toBeNull();
});

it('looks no further once another list is shown', async () => {
  loaded = [];
  const { rerender } = render(<Shown />);
  fireEvent.click(await screen.findByRole('button', { name: 'Show older' }));
  rerender(<Shown name="another" />);
  await screen.findByRole('button', { name: 'Show older' });
  expect(loaded).toEqual(['two']);
  screen.getByText('beside, a');
});
