// @vitest-environment happy-dom
import { act as acting, cleanup, fireEvent, render, screen, waitFor } from '@testing-library/preact';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { replace } from '../../../../functions/admin/console/address.ts';
import { Refusal, session } from '../../../../functions/admin/console/api.ts';
import { type Act, Acts } from '../../../../functions/admin/console/parts/acts.tsx';
import { Toasts } from '../../../../functions/admin/console/parts/toast.tsx';

beforeEach(() => {
  location.hash = '';
  session.value = { workspace: 'main', admin: false, scope: 'all' };
});
afterEach(cleanup);

const calls: string[] = [];
beforeEach(() => calls.splice(0));

function show(act: Partial<Act>) {
  const run = async () => calls.push('run');
  render(
    <>
      <Acts acts={[false, { label: 'Delete', run, ...act }]} onDone={async () => calls.push('done')} />
      <Toasts />
    </>,
  );
  return screen.getByRole('button', { name: 'Delete' });
}

it('does it, asks anew, and says so', async () => {
  fireEvent.click(show({ said: 'Deleted' }));
  await screen.findByText('Deleted');
  expect(calls).toEqual(['run', 'done']);
});

it('keeps an error until it is closed, with the id of its line in the log to copy', async () => {
  const fault = new Refusal(500, 'It failed, at this requestId:', 'line-7');
  fireEvent.click(show({ run: () => Promise.reject(fault) }));
  await screen.findByRole('button', { name: 'Copy: line-7' });
  fireEvent.click(screen.getByRole('button', { name: 'Close' }));
  expect(screen.queryByText(/It failed/)).toBeNull();
  fireEvent.click(screen.getByRole('button', { name: 'Delete' }));
  await screen.findByText(/It failed/);
  acting(() => replace('#/events'));
  expect(screen.queryByText(/It failed/)).toBeNull();
});

it('does it once however often it is clicked', async () => {
  let end: () => void = () => undefined;
  const button = show({
    run: () => {
      calls.push('run');
      return new Promise<void>((resolve) => {
        end = resolve;
      });
    },
  });
  fireEvent.click(button);
  fireEvent.click(button);
  end();
  await waitFor(() => expect(calls).toEqual(['run', 'done']));
});

it('says how far it is, and nothing any more once it is done', async () => {
  let end: () => void = () => undefined;
  const run: Act['run'] = (say) => {
    say('40 cancelled so far …');
    return new Promise<void>((resolve) => {
      end = resolve;
    });
  };
  const button = show({ run });
  fireEvent.click(button);
  await screen.findByText('40 cancelled so far …');
  expect(button.getAttribute('aria-disabled')).toBe('true');
  end();
  await waitFor(() => expect(screen.queryByText('40 cancelled so far …')).toBeNull());
  expect(button.getAttribute('aria-disabled')).toBe('false');
});

it('asks before what cannot be undone, and does nothing when it is closed', async () => {
  fireEvent.click(show({ asks: 'All of it goes' }));
  await screen.findByText('All of it goes');
  fireEvent.click(screen.getByRole('button', { name: 'Cancel', hidden: true }));
  expect(calls).toEqual([]);
  fireEvent.click(screen.getByRole('button', { name: 'Delete', hidden: true }));
  await screen.findByText('All of it goes');
  const [, confirm] = screen.getAllByRole('button', { name: 'Delete', hidden: true });
  if (confirm) fireEvent.click(confirm);
  await waitFor(() => expect(calls).toEqual(['run', 'done']));
});

it('leads on once it is done, and stays where it was refused', async () => {
  const refuse = async () => {
    throw new Error('Sends wait in its queue');
  };
  fireEvent.click(show({ run: refuse, leadsTo: '#/accounts' }));
  await screen.findByText('Sends wait in its queue');
  expect([location.hash, calls]).toEqual(['', ['done']]);
  cleanup();
  fireEvent.click(show({ leadsTo: '#/accounts' }));
  await waitFor(() => expect(location.hash).toBe('#/accounts'));
});

it('offers nothing to whom only reads', () => {
  session.value = { workspace: 'main', admin: false, scope: 'read' };
  expect(() => show({})).toThrow('Unable to find');
});

it('takes no place where there is nothing to do', () => {
  const { container } = render(<Acts isSmall acts={[false]} />);
  expect(container.innerHTML).toBe('');
});
