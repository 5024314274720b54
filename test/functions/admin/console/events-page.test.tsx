// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/preact';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { address } from '../../../../functions/admin/console/address.ts';
import { session } from '../../../../functions/admin/console/api.ts';
import { Events } from '../../../../functions/admin/console/pages/events.tsx';
import { Toasts } from '../../../../functions/admin/console/parts/toast.tsx';

const REPLAY = 'POST /api/events/replay';
const EVENT = {
  ...{ id: 'evt_1', workspace: 'main', provider: 'green-api', webhookId: 'wh_1' },
  ...{ occurredAt: '2026-03-01T12:00:00.000Z', receivedAt: '2026-03-01T12:00:00.000Z' },
  kind: 'unknown',
  type: 'newKind',
  quarantined: true,
  issues: [{ path: 'typeWebhook', message: 'is not known' }],
};
const LATE = { id: 'evt_2', result: 'quarantined', issues: EVENT.issues };

let answers: Record<string, object[]>;
let calls: unknown[];
beforeEach(() => {
  session.value = { workspace: 'main', admin: false, scope: 'all' };
  calls = [];
  answers = {
    'GET /api/events?quarantined=true': [{ items: [EVENT] }],
    'GET /api/events/quarantine': [{ items: [] }],
    'GET /api/events': [{ items: [] }],
  };
  vi.stubGlobal('fetch', async (request: Request) => {
    const { pathname, search } = new URL(request.url);
    const what = `${request.method} ${pathname}${search}`;
    if (what === REPLAY) calls.push(await request.json());
    const [answer, ...rest] = answers[what] ?? [];
    if (what === REPLAY) answers[what] = rest;
    return answer === undefined ? new Response(null, { status: 204 }) : Response.json(answer);
  });
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function open(query: string): void {
  address.value = { page: 'events', query: new URLSearchParams(query) };
  render(
    <>
      <Events />
      <Toasts />
    </>,
  );
}

it('replays all that is in quarantine, call by call, and says what is understood now', async () => {
  answers[REPLAY] = [{ items: [{ id: 'evt_1', result: 'replayed' }], cursor: 'next' }, { items: [LATE] }];
  open('quarantined=true');
  fireEvent.click(await screen.findByRole('button', { name: 'Replay everything' }));
  await screen.findByText('1 understood now, 1 still not');
  expect(calls).toEqual([{}, { cursor: 'next' }]);
});

it('does not say that what is still not understood was mended', async () => {
  answers[REPLAY] = [{ items: [LATE] }];
  open('quarantined=true');
  fireEvent.click(await screen.findByRole('button', { name: 'Replay everything' }));
  await waitFor(() => screen.getByText('None is understood yet: 1 stays in quarantine'));
});

it('shows by what it is filtered, by days of who looks, and leads to all again', async () => {
  const after = new Date(2026, 2, 1).toISOString();
  const query = `kind=message&direction=inbound&after=${encodeURIComponent(after)}`;
  answers[`GET /api/events?${query}`] = [{ items: [{ ...EVENT, id: 'evt_9' }] }];
  open(`${query}&quarantined=no`);
  await screen.findByRole('table');
  const shown = ['Kind', 'Direction', 'From', 'Before'].map((name) => screen.getByLabelText(name));
  expect(shown.map((field) => 'value' in field && field.value)).toEqual(['message', 'inbound', '2026-03-01', '']);
  fireEvent.change(screen.getByLabelText('Before'), { target: { value: '2026-03-03' } });
  expect(new URLSearchParams(location.hash.split('?')[1]).get('before')).toBe(new Date(2026, 2, 3).toISOString());
  expect(screen.getByRole('link', { name: 'Show all' }).getAttribute('href')).toBe('#/events');
});

it('tells where nothing has come in yet what would stand here, and how it begins', async () => {
  open('');
  const link = await screen.findByRole('link', { name: 'Make a webhook' });
  expect(link.getAttribute('href')).toBe('#/webhooks/new');
});

it('names the webhook, the account and the chat of an event, and not their ids', async () => {
  answers['GET /api/events/evt_3'] = [
    {
      ...EVENT,
      id: 'evt_3',
      kind: 'call',
      accountId: 'acc_1',
      chatId: 'chat_1',
      call: { direction: 'inbound', state: 'missed' },
    },
  ];
  answers['GET /api/webhooks/wh_1'] = [{ id: 'wh_1', name: 'Support line', provider: 'green-api' }];
  answers['GET /api/accounts/acc_1'] = [{ id: 'acc_1', phone: '+15550100001', provider: 'green-api' }];
  answers['GET /api/chats/chat_1'] = [{ id: 'chat_1', title: 'Ana Ruiz', providerChatId: '15550100@c.us' }];
  render(<Events id="evt_3" />);
  for (const [name, href] of [
    ['Support line', '#/webhooks/wh_1'],
    ['+15550100001', '#/accounts/acc_1'],
    ['Ana Ruiz', '#/inbox/chat_1'],
  ] as const) {
    expect((await screen.findByRole('link', { name })).getAttribute('href')).toBe(href);
  }
});

it('keeps the id of a webhook that is gone', async () => {
  answers['GET /api/events/evt_1'] = [EVENT];
  render(<Events id="evt_1" />);
  expect((await screen.findByRole('link', { name: 'wh_1' })).getAttribute('href')).toBe('#/webhooks/wh_1');
});

it('counts what waits of a type, and leads to it', async () => {
  const type = { provider: 'zender', firstAt: EVENT.receivedAt, events: '' };
  answers['GET /api/events/quarantine'] = [
    {
      items: [
        { ...type, type: 'odd', seen: 9, replayed: 2, dismissed: 3 },
        { ...type, type: 'read since', seen: 4, replayed: 4, dismissed: 0 },
      ],
    },
  ];
  open('quarantined=true');
  const link = await screen.findByRole('link', { name: 'odd' });
  expect(link.getAttribute('href')).toBe('#/events?quarantined=true&provider=zender&type=odd');
  screen.getByRole('cell', { name: '4' });
  expect(screen.queryByText('read since')).toBeNull();
});
