// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen, within } from '@testing-library/preact';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Account, Chat } from '../../../../functions/admin/console/api.ts';
import { accountOf, session } from '../../../../functions/admin/console/api.ts';
import { Contact } from '../../../../functions/admin/console/pages/contact.tsx';
import { Toasts } from '../../../../functions/admin/console/parts/toast.tsx';

const AT = '2026-03-01T12:00:00.000Z';
const chatOf = (id: string, more: Partial<Chat>): Chat => ({
  ...{ id, workspace: 'main', provider: 'green-api', providerChatId: `${id}@c.us`, kind: 'individual' },
  ...{ createdAt: AT, lastAt: AT, unread: false },
  ...more,
});
const made = (id: string, more: Pick<Account, 'name' | 'provider' | 'channel'>): Account => ({
  ...{ id, workspace: 'main', paused: false, held: false, pending: 0, canQuote: true, createdAt: AT, connectedAt: AT },
  pacing: { minMs: 2_000, maxMs: 3_000 },
  ...more,
});

const SAM = chatOf('chat_1', { title: 'Sam', phone: '+447700900164', accountId: 'acc_1' });
const ACCOUNTS = [
  made('acc_1', { name: 'Rentals', provider: 'green-api', channel: 'whatsapp' }),
  made('acc_2', { name: 'Front desk', provider: 'zender', channel: 'sms' }),
];

let asked: string[];
let answer: object;
beforeEach(() => {
  session.value = { workspace: 'main', admin: false, scope: 'all' };
  [asked, answer] = [[], { items: [] }];
  vi.stubGlobal('fetch', async (request: Request) => {
    const { pathname, search } = new URL(request.url);
    if (pathname === '/api/chats') {
      asked.push(search);
      return Response.json(answer);
    }
    if (request.method === 'DELETE') {
      const why = 'It is queued, being sent, or its outcome is not known';
      const left = ['wa_1', 'wa_2'].map((id) => ({ kind: 'send', id, why }));
      return Response.json({ erased: { events: 13, chats: 1, sends: 0 }, left });
    }
    return Response.json({ items: [] });
  });
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const shown = async (chat: Chat) => {
  render(<Contact chat={chat} account={ACCOUNTS[0]} accounts={ACCOUNTS} />);
  await screen.findByRole('link', { name: /What was sent/ });
};

it('leads to the conversations that the same person has on other accounts and providers', async () => {
  const sms = chatOf('chat_2', { provider: 'zender', accountId: 'acc_2', unread: true });
  answer = { items: [SAM, sms, chatOf('chat_3', { provider: 'cooby' })] };
  await shown(SAM);
  expect(asked).toEqual(['?phone=%2B447700900164&brief=true&limit=200']);
  const section = screen.getByRole('heading', { name: 'Other conversations with them' }).parentElement;
  const links = [...(section?.querySelectorAll('a') ?? [])];
  expect(links.map((link) => [link.getAttribute('href'), link.textContent])).toEqual([
    ['#/inbox/chat_2', 'Front desk · SMSunread'],
    ['#/inbox/chat_3', 'Cooby'],
  ]);
});

it('says nothing of others where there are none', async () => {
  answer = { items: [SAM] };
  await shown(SAM);
  expect(screen.queryByRole('heading', { name: /Other conversations/ })).toBeNull();
});

it('takes a chat that names no account for one of the only account of its provider', () => {
  const idOf = (chat: Chat, accounts: readonly Account[]) => accountOf(chat, accounts)?.id;
  const unbound = chatOf('chat_6', {});
  const second = made('acc_3', { name: 'Tours', provider: 'green-api', channel: 'whatsapp' });
  expect(idOf(unbound, ACCOUNTS)).toBe('acc_1');
  expect(idOf(unbound, [...ACCOUNTS, second])).toBeUndefined();
  expect(idOf(chatOf('chat_7', { accountId: 'acc_gone' }), ACCOUNTS)).toBeUndefined();
});

it('looks for a group by its id, and not for what only its provider understands', async () => {
  await shown(chatOf('chat_4', { kind: 'group', providerChatId: '120363@g.us' }));
  expect(asked).toEqual(['?jid=120363%40g.us&brief=true&limit=200']);
  cleanup();
  asked = [];
  await shown(chatOf('chat_5', { providerChatId: '510234' }));
  expect(asked).toEqual([]);
});

it('says what an erasure leaves, and why, before and after', async () => {
  render(<Toasts />);
  await shown(SAM);
  fireEvent.click(screen.getByRole('button', { name: 'Erase this person' }));
  const dialog = within(await screen.findByRole('dialog', { hidden: true }));
  dialog.getByText(/A message that still waits is not erased: cancel it first/);
  fireEvent.click(dialog.getByRole('button', { name: 'Erase this person', hidden: true }));
  await screen.findByText(
    'Erased: 13 events, 1 conversation; emptied: 0 sends. Not yet erased, send: It is queued, being sent, or its outcome is not known',
  );
});
