// @vitest-environment happy-dom
import { act, cleanup, render, screen } from '@testing-library/preact';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { replace } from '../../../../functions/admin/console/address.ts';
import { api, asked, done, findSession, session, signOut } from '../../../../functions/admin/console/api.ts';
import { useLive } from '../../../../functions/admin/console/live.ts';

/** What was asked for, as `changes` or `sends`, with `304` where nothing was sent back. */
const calls: string[] = [];
/** What the hub has: how often something has changed, and how many sends there are. */
const hub = { changes: 0, sends: 1, isAway: false };
let drawn = 0;
/** Each test is an hour after the one before. */
let now = Date.parse('2026-03-01T00:00:00Z');

function answer(request: Request): Response {
  if (hub.isAway) throw new TypeError('no connection');
  const { pathname, searchParams } = new URL(request.url);
  if (pathname === '/api/session') return new Response(null, { status: 204 });
  if (pathname === '/api/changes') {
    calls.push('changes');
    const mark = `0.0.${hub.changes}.0`;
    if (searchParams.get('after') === mark) return new Response(null, { status: 204 });
    return Response.json({ mark, changed: ['sends', 'accounts'] });
  }
  const etag = `W/"${hub.sends}"`;
  const isSame = request.headers.get('if-none-match') === etag;
  calls.push(isSame ? 'sends 304' : 'sends');
  return isSame
    ? new Response(null, { status: 304, headers: { etag } })
    : Response.json({ items: Array.from({ length: hub.sends }) }, { headers: { etag } });
}

function List({ name = 'sends' }: { readonly name?: string }) {
  const live = useLive(name, () => asked(api.GET('/api/sends')), { of: ['sends'] });
  drawn += 1;
  return (
    <>
      <input aria-label="Search" />
      <output>{live.data?.items.length ?? 0}</output>
      <p>{live.error ? live.error.message : `${live.data?.items.length} sends`}</p>
    </>
  );
}

const pass = (seconds: number) =>
  act(async () => {
    await vi.advanceTimersByTimeAsync(seconds * 1000);
  });
const visibility = (state: string) => {
  Object.defineProperty(document, 'visibilityState', { configurable: true, value: state });
  document.dispatchEvent(new Event('visibilitychange'));
};

beforeEach(async () => {
  now += 3_600_000;
  vi.useFakeTimers({ now });
  vi.stubGlobal('fetch', async (request: Request) => answer(request));
  session.value = { workspace: 'main', admin: false, scope: 'all' };
  Object.assign(hub, { changes: hub.changes + 1, sends: 1, isAway: false });
  await signOut();
  session.value = { workspace: 'main', admin: false, scope: 'all' };
  visibility('visible');
  dispatchEvent(new Event('keydown'));
  calls.splice(0);
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** A list that has settled: what was still new to the page has been told. */
async function opened() {
  render(<List />);
  await pass(10);
  calls.splice(0);
  drawn = 0;
}

it('loads a list at once, and draws it', async () => {
  render(<List />);
  await pass(0.1);
  expect(calls).toEqual(['sends']);
  expect(screen.getByText('1 sends')).toBeDefined();
});

it('asks every 3 s whether anything has changed, and for nothing else', async () => {
  await opened();
  await pass(9);
  expect(calls).toEqual(['changes', 'changes', 'changes']);
  expect(drawn).toBe(0);
});

it('loads it again when something has, and once more for a list that lags behind', async () => {
  await opened();
  Object.assign(hub, { changes: hub.changes + 1, sends: 2 });
  await pass(3);
  expect(calls).toEqual(['changes', 'sends']);
  expect(screen.getByText('2 sends')).toBeDefined();
  await pass(6);
  expect(calls.slice(2)).toEqual(['changes', 'sends 304', 'changes']);
  expect(drawn).toBe(1);
});

it('keeps what is being typed, and where the focus is', async () => {
  await opened();
  const field = screen.getByLabelText('Search');
  if (!(field instanceof HTMLInputElement)) throw new Error('a field is none');
  field.focus();
  field.value = 'half a wo';
  Object.assign(hub, { changes: hub.changes + 1, sends: 3 });
  await pass(3);
  expect(screen.getByText('3 sends')).toBeDefined();
  expect(screen.getByLabelText('Search')).toBe(field);
  expect([field.value, document.activeElement === field]).toEqual(['half a wo', true]);
});

it('asks every 15 s once nobody has done anything for a minute', async () => {
  await opened();
  await pass(75);
  calls.splice(0);
  await pass(60);
  expect(calls.filter((call) => call === 'changes')).toHaveLength(4);
  // Once a minute the list is asked for anyhow.
  expect(calls.filter((call) => call === 'sends 304')).toHaveLength(1);
});

it('asks for nothing while nobody can see it, and at once when somebody can', async () => {
  await opened();
  visibility('hidden');
  await pass(3);
  calls.splice(0);
  await pass(600);
  expect(calls).toEqual([]);
  visibility('visible');
  await pass(0.1);
  expect(calls).toContain('changes');
});

it('says that the hub does not answer, and that it does again', async () => {
  await opened();
  hub.isAway = true;
  await pass(3);
  expect(screen.getByText(/does not answer/)).toBeDefined();
  hub.isAway = false;
  await pass(3);
  expect(screen.getByText('1 sends')).toBeDefined();
});

it.each([
  ['another list', () => undefined, 'failed sends'],
  ['another workspace', () => replace('#/sends?workspace=ws_2'), 'sends'],
])('shows nothing of a list under the name of %s, which cannot be loaded', async (_, change, name) => {
  session.value = { workspace: 'main', admin: true, scope: 'all' };
  const { rerender } = render(<List />);
  await pass(10);
  hub.isAway = true;
  act(change);
  rerender(<List name={name} />);
  await pass(3);
  expect(screen.queryByText('1 sends')).toBeNull();
  expect(document.querySelector('output')?.textContent).toBe('0');
  screen.getByText(/does not answer/);
  act(() => replace('#/sends'));
});

it.each([
  ['what is read', () => asked(api.GET('/api/sends'))],
  ['what answers with nothing', () => done(api.DELETE('/api/session'))],
  ['who is signed in', findSession],
])('says so of %s as well', async (_what, ask) => {
  hub.isAway = true;
  await expect(ask()).rejects.toThrow('The hub does not answer');
});
