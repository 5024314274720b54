// @vitest-environment happy-dom
import { cleanup, render, screen } from '@testing-library/preact';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { session } from '../../../../functions/admin/console/api.ts';
import { Overview } from '../../../../functions/admin/console/pages/overview.tsx';

const NOW = new Date(2026, 2, 1, 15, 30);
const QUARANTINE = [
  { provider: 'green-api', type: 'newKind', waiting: 2 },
  { provider: 'zender', type: 'unreadable', waiting: 1 },
];
const DAMAGED = ['a damaged item in the table: WORKSPACE#main RULE#rule_01: rule'];
const MIDNIGHT = new Date(2026, 2, 1);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  session.value = { workspace: 'main', admin: false, scope: 'all' };
  const day = { received: 1, sent: 2, failed: 3, hours: [] };
  const needs = {
    accounts: [],
    unknown: 0,
    quarantine: QUARANTINE,
    endpoints: [],
    rules: [],
    muted: 0,
    credits: false,
    damaged: DAMAGED,
  };
  const steps = { webhook: true, event: true, account: true, send: true, rule: true };
  const summary = { steps, needs, today: day, lastWeek: day, waiting: 4, credits: { available: 5, granted: 9 } };
  vi.stubGlobal('fetch', async ({ url }: Request) =>
    Response.json(new URL(url).pathname === '/api/summary' ? summary : { items: [] }),
  );
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('asks for all at once', async () => {
  const answer = fetch;
  const asked: Request[] = [];
  let begin: () => void = () => undefined;
  const all = new Promise<void>((done) => {
    begin = done;
  });
  vi.stubGlobal('fetch', async (request: Request) => {
    if (asked.push(request) === 2) begin();
    await all;
    return answer(request);
  });
  render(<Overview />);
  await screen.findByText('Received today');
  expect(asked.map(({ url }) => new URL(url).pathname)).toEqual(['/api/summary', '/api/events']);
});

it('leads from each figure of today to what it counts: of the day of who looks', async () => {
  render(<Overview />);
  await screen.findByText('Received today');
  const queryOf = (name: string) => {
    const [page, query] = (screen.getByText(name).closest('a')?.getAttribute('href') ?? '').split('?');
    return [page, Object.fromEntries(new URLSearchParams(query))];
  };
  const after = MIDNIGHT.toISOString();
  expect(['Received today', 'Sent today', 'Failed today', 'Waiting', 'Credits left'].map(queryOf)).toEqual([
    ['#/events', { kind: 'message', direction: 'inbound', after }],
    ['#/sends', { state: 'sent,delivered,read,partially_sent', after }],
    ['#/sends', { state: 'failed,partially_sent', after }],
    ['#/sends', { state: 'queued,sending' }],
    ['#/credits', {}],
  ]);
  expect(
    [/: newKind$/, /: unreadable$/].map((name) => screen.getByText(name).closest('a')?.getAttribute('href')),
  ).toEqual(['#/events?quarantined=true&provider=green-api&type=newKind', '#/events?quarantined=true&provider=zender']);
});

it('leads from what is damaged to the list that leaves it out', async () => {
  render(<Overview />);
  const link = (await screen.findByText(/^a damaged item/)).closest('a');
  expect(link?.getAttribute('href')).toBe('#/rules');
});
