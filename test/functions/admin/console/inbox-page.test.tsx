// @vitest-environment happy-dom
import { act, cleanup, fireEvent, render, screen, waitFor } from '@testing-library/preact';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { replace } from '../../../../functions/admin/console/address.ts';
import { session } from '../../../../functions/admin/console/api.ts';
import { Composer } from '../../../../functions/admin/console/pages/composer.tsx';
import { Inbox } from '../../../../functions/admin/console/pages/inbox.tsx';

interface Call {
  readonly what: string;
  readonly key: string | null;
  readonly body: unknown;
}

let calls: Call[];
/** What the hub says to the next send; it takes all after them. */
let refusals: (Error | Response | Promise<Response>)[];
/** The pages of the list, by cursor. */
let pages: Record<string, object>;
const taken = () => Response.json({ messageId: 'wa_1' });

beforeEach(() => {
  vi.stubGlobal('matchMedia', () => new EventTarget());
  session.value = { workspace: 'main', admin: false, scope: 'all' };
  [calls, refusals, pages] = [[], [], { '': { items: [] } }];
  vi.stubGlobal('fetch', async (request: Request) => {
    const { pathname, search, searchParams } = new URL(request.url);
    if (pathname === '/api/accounts') return Response.json({ items: [] });
    const body = request.method === 'POST' ? await request.json() : undefined;
    calls.push({ what: `${pathname}${search}`, key: request.headers.get('idempotency-key'), body });
    if (pathname === '/api/chats') return Response.json(pages[searchParams.get('cursor') ?? '']);
    const refusal = refusals.shift() ?? taken();
    if (refusal instanceof Error) throw refusal;
    return refusal;
  });
});
afterEach(() => {
  cleanup();
  replace('#/inbox');
  vi.unstubAllGlobals();
});

let drafts = 0;
function compose() {
  const said: string[] = [];
  const onSent = async (id: string) => said.push(id);
  render(<Composer draft={`draft ${++drafts}`} to={{ chat_id: 'chat_1' }} account={undefined} onSent={onSent} />);
  return said;
}
const field = (name: string): HTMLInputElement => screen.getByRole('textbox', { name: new RegExp(`^${name}`) });
const write = (name: string, value: string) => fireEvent.input(field(name), { target: { value } });
const enter = () => fireEvent.keyDown(field('Answer'), { key: 'Enter' });
const bodies = () => calls.map(({ body }) => body);

it('sends once, however often it is asked to, and is empty for the next message', async () => {
  const said = compose();
  write('Answer', 'Hello');
  enter();
  enter();
  fireEvent.click(screen.getByRole('button', { name: 'Send' }));
  write('Answer', 'And');
  await waitFor(() => expect(said).toEqual(['wa_1']));
  expect(bodies()).toEqual([{ chat_id: 'chat_1', text: 'Hello' }]);
  expect(field('Answer').value).toBe('And');
});

it('means the same message when the answer to it was lost, and another one once it was taken', async () => {
  const said = compose();
  refusals = [new TypeError('no connection'), new Response(null, { status: 503 })];
  write('Answer', 'Hello');
  for (const told of [/does not answer/, /503/]) {
    enter();
    await screen.findByText(told);
  }
  expect(field('Answer').value).toBe('Hello');
  enter();
  await waitFor(() => expect(said).toHaveLength(1));
  expect(screen.queryByRole('alert')).toBeNull();
  write('Answer', 'Hello');
  enter();
  await waitFor(() => expect(said).toHaveLength(2));
  const keys = calls.map(({ key }) => key);
  expect(new Set(keys.slice(0, 3)).size).toBe(1);
  expect(keys[3]).not.toBe(keys[0]);
});

it('means the same message also when its writer was on another page before trying again', async () => {
  compose();
  refusals = [new TypeError('no connection')];
  write('Answer', 'Hello');
  enter();
  await screen.findByText(/does not answer/);
  cleanup();
  drafts -= 1;
  const said = compose();
  expect(field('Answer').value).toBe('Hello');
  enter();
  await waitFor(() => expect(said).toHaveLength(1));
  expect(calls).toHaveLength(2);
  expect(calls[1]?.key).toBe(calls[0]?.key);
});

it('says of a fault of the hub where its log tells more', async () => {
  compose();
  const fault = { status: 500, data: {}, message: 'Something went wrong on our side' };
  refusals = [Response.json(fault, { status: 500, headers: { 'apigw-requestid': 'line-7' } })];
  write('Answer', 'Hello');
  enter();
  expect((await screen.findByRole('alert')).textContent).toBe(
    "Something went wrong on our side. Try again; if it stays so, the hub's log says why, at this requestId: line-7",
  );
  screen.getByRole('button', { name: 'Copy: line-7' });
});

it('gives back what was refused, with what was written meanwhile', async () => {
  compose();
  const answer = Promise.withResolvers<Response>();
  refusals = [answer.promise];
  write('Answer', 'Hello');
  enter();
  write('Answer', 'And more');
  answer.resolve(Response.json({ message: 'There are no credits left' }, { status: 402 }));
  expect((await screen.findByRole('alert')).textContent).toBe('There are no credits left');
  expect(field('Answer').value).toBe('Hello\nAnd more');
});

it('keeps what was begun for its workspace, and for nobody who signs in after', async () => {
  session.value = { workspace: 'main', admin: true, scope: 'all' };
  const own = `draft ${drafts + 1}`;
  const show = () => {
    cleanup();
    render(<Composer draft={own} to={undefined} account={undefined} onSent={async () => []} />);
    return field('Answer').value;
  };
  drafts += 1;
  show();
  write('Answer', 'Between us');
  expect(show()).toBe('Between us');
  replace('#/inbox?workspace=ws_2');
  expect(show()).toBe('');
  replace('#/inbox');
  expect(show()).toBe('Between us');
  session.value = null;
  session.value = { workspace: 'main', admin: true, scope: 'all' };
  expect(show()).toBe('');
});

it('sends a file along, and says what it costs', async () => {
  const said = compose();
  fireEvent.click(screen.getByRole('button', { name: 'Add a file' }));
  write('Link to the file', 'https://files.example/dl/s3cr3t');
  screen.getByText(/Costs 1 credit/);
  write('Answer', 'As promised');
  screen.getByText(/Costs 2 credits/);
  write('Its name', 'Offer.pdf');
  enter();
  await waitFor(() => expect(said).toHaveLength(1));
  const file = { file_url: 'https://files.example/dl/s3cr3t', file_name: 'Offer.pdf' };
  expect(bodies()).toEqual([{ chat_id: 'chat_1', text: 'As promised', ...file }]);
});

/** The pages of a hub with a message in one conversation, of an account that may be able to quote. */
function conversation(canQuote: boolean) {
  const at = '2026-03-01T12:00:00.000Z';
  const common = { workspace: 'main', provider: 'sandbox' };
  const chat = { ...common, id: 'chat_q', providerChatId: '+1', title: 'Zoe', kind: 'individual' };
  const account = { ...common, id: 'acc_1', name: 'Shop', channel: 'whatsapp', pending: 0, canQuote };
  const said = (id: string, more: object) => ({
    ...common,
    id: `evt_${id}`,
    kind: 'message',
    chatId: 'chat_q',
    occurredAt: at,
    receivedAt: at,
    webhookId: 'wh',
    message: {
      ...{ id, chat: { id: '+1', kind: 'individual' }, direction: 'inbound', via: 'unknown', channel: 'whatsapp' },
      ...{ sender: { name: 'Zoe' }, account: {}, content: { type: 'text', text: `Words of ${id}` }, ...more },
    },
  });
  const own = `msg_${'0'.repeat(32)}`;
  const events = [
    said('m1', {}),
    said('m4', { content: { type: 'edit', of: 'm1', text: 'Words anew' } }),
    said(own, {}),
    said('m2', { content: { type: 'delete', of: 'm3' } }),
    said('m3', {}),
  ];
  const answers: Record<string, object> = {
    '/api/chats': { items: [{ ...chat, createdAt: at, lastAt: at, unread: false }] },
    '/api/accounts': { items: [{ ...account, pacing: { minMs: 2000, maxMs: 2000 }, createdAt: at, connectedAt: at }] },
    '/api/events': { items: events },
    '/api/sends': { items: [] },
  };
  const calling = fetch;
  vi.stubGlobal('fetch', async (request: Request) => {
    const answer = request.method === 'GET' ? answers[new URL(request.url).pathname] : undefined;
    return answer ? Response.json(answer) : calling(request);
  });
  render(<Inbox id="chat_q" />);
}

it('answers a message with a quote, which can be taken back, and keeps it when it is refused', async () => {
  conversation(true);
  await screen.findByText('Words anew');
  // Not to what was deleted, nor to what its provider has no id for.
  const reply = screen.getByRole('button', { name: 'Reply with a quote' });
  const quoted = () => document.getElementById('quoted')?.textContent;
  fireEvent.click(reply);
  expect([quoted(), document.activeElement]).toEqual(['ZoeWords anew', field('Answer')]);
  fireEvent.keyDown(field('Answer'), { key: 'Escape' });
  expect([quoted(), document.activeElement]).toEqual([undefined, field('Answer')]);
  fireEvent.click(reply);
  fireEvent.click(screen.getByRole('button', { name: 'Without the quote' }));
  expect(quoted()).toBeUndefined();
  fireEvent.click(reply);
  write('Answer', 'Yes');
  refusals = [Response.json({ message: 'cannot be quoted' }, { status: 422 })];
  enter();
  expect(quoted()).toBeUndefined();
  await screen.findByText('cannot be quoted');
  expect([quoted(), field('Answer').value]).toEqual(['ZoeWords anew', 'Yes']);
  enter();
  await waitFor(() => expect(bodies().filter(Boolean)).toHaveLength(2));
  const sent = { chat_id: 'chat_q', text: 'Yes', quoted_message_id: 'm1' };
  expect(bodies().filter(Boolean)).toEqual([sent, sent]);
});

it('offers no quote where the account cannot', async () => {
  conversation(false);
  await screen.findByText('Words of m1');
  expect(screen.queryByRole('button', { name: 'Reply with a quote' })).toBeNull();
});

it('looks for a chat, and further when somebody asks, until there is one', async () => {
  const chat = { id: 'chat_9', title: 'Zoe', provider: 'sandbox', providerChatId: '16665550100@c.us', unread: false };
  const found = { ...chat, workspace: 'main', kind: 'individual', createdAt: '2026-03-01T12:00:00.000Z' };
  pages = {
    '': { items: [], cursor: 'two' },
    two: { items: [], cursor: 'three' },
    three: { items: [{ ...found, lastAt: found.createdAt }] },
  };
  render(<Inbox />);
  await screen.findByText('None among the newest');
  calls = [];
  fireEvent.change(screen.getByRole('searchbox'), { target: { value: 'zoe' } });
  await waitFor(() => expect(calls).toHaveLength(1));
  fireEvent.click(await screen.findByRole('button', { name: 'Show older' }));
  // Of last messages only those of late come along with a search.
  await screen.findByText('+16665550100');
  expect(location.hash).toBe('#/inbox?q=zoe');
  expect(calls.map(({ what }) => what)).toEqual(
    ['', '&cursor=two', '&cursor=three'].map((cursor) => `/api/chats?q=zoe${cursor}`),
  );
  await screen.findByRole('link', { name: /Zoe/ });
});

it('finds the conversations of a provider without an account, which only receives', async () => {
  location.hash = '#/inbox';
  render(<Inbox />);
  const account = await screen.findByRole('combobox', { name: 'Account' });
  fireEvent.change(account, { target: { value: 'provider=cooby' } });
  await waitFor(() => expect(calls.map(({ what }) => what)).toContain('/api/chats?provider=cooby'));
  expect(location.hash).toBe('#/inbox?provider=cooby');
});

it('is filtered as its address says, and a conversation opens beside the list as it is', async () => {
  const at = '2026-03-01T12:00:00.000Z';
  const chat = { id: 'chat_9', title: 'Zoe', provider: 'sandbox', providerChatId: '+1', unread: false, lastAt: at };
  pages = { '': { items: [{ ...chat, workspace: 'main', kind: 'individual', createdAt: at }] } };
  replace('#/inbox?q=zoe&unread=true');
  render(<Inbox />);
  const link = await screen.findByRole('link', { name: /Zoe/ });
  expect(calls.map(({ what }) => what)).toEqual(['/api/chats?q=zoe&unread=true']);
  expect(link.getAttribute('href')).toBe('#/inbox/chat_9?q=zoe&unread=true');
  expect(screen.getByRole<HTMLInputElement>('searchbox').value).toBe('zoe');
  expect(screen.getByRole<HTMLInputElement>('checkbox').checked).toBe(true);
  // Back leads to what the address was before.
  act(() => replace('#/inbox'));
  await waitFor(() => expect(screen.getByRole<HTMLInputElement>('searchbox').value).toBe(''));
  await waitFor(() => expect(calls.at(-1)?.what).toBe('/api/chats'));
});
