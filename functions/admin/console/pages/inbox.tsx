import { signal } from '@preact/signals';
import { ArrowLeft, SquarePen } from 'lucide-preact';
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { address, addressOf, go } from '../address.ts';
import { type Account, accountOf, allAccounts, api, asked, type Chat, mayChange, Refusal } from '../api.ts';
import { useLive } from '../live.ts';
import { Select, TextField } from '../parts/form.tsx';
import { isWriting, useKeys } from '../parts/keys.ts';
import { List, None, useList } from '../parts/list.tsx';
import { CallBehind } from '../parts/page.tsx';
import { Empty, Failure, Time, UnreadDot } from '../parts/small.tsx';
import { accountName, addressName, texts, typeName } from '../texts.ts';
import { Composer } from './composer.tsx';
import { Contact } from './contact.tsx';
import { Filters, inboxAt, inboxFilter } from './inbox-filter.tsx';
import { Thread, titleOf } from './thread.tsx';

const t = texts.inbox;

export function Inbox({ id }: { readonly id?: string | undefined }) {
  const query = inboxFilter();
  const key = JSON.stringify(query);
  const list = useList({
    name: `chats ${key}`,
    idOf: ({ id }: Chat) => id,
    load: (cursor) => asked(api.GET('/api/chats', { params: { query: { ...query, ...(cursor && { cursor }) } } })),
    beside: allAccounts,
    of: ['chats', 'accounts'],
  });
  const { live, items } = list;
  useEffect(() => {
    document.title = `${texts.pages.inbox} · Hookline`;
  }, []);
  const pane = useListKeys();
  const accounts = live.data?.beside ?? [];
  const isContact = address.value.query.get('show') === 'contact';
  const none = (
    <None of={list} texts={t} isFiltered={key !== '{}'} all={addressOf('inbox', id)}>
      <a class="button" href={addressOf('webhooks', 'new')}>
        {texts.webhooks.make}
      </a>
    </None>
  );
  return (
    <main id="main" class={`inbox ${id ? 'reading' : ''} ${isContact ? 'on-contact' : ''}`} tabIndex={-1}>
      <section class="chats" aria-label={texts.pages.inbox} ref={pane}>
        <header>
          <h1>{texts.pages.inbox}</h1>
          {mayChange() && (
            <a class="button plain" href={inboxAt('new')} aria-label={t.begin} title={t.begin}>
              <SquarePen aria-hidden="true" />
            </a>
          )}
        </header>
        <Filters accounts={accounts} />
        <div class="chat-scroll">
          <List of={list}>
            {() => (items.length > 0 ? <Chats chats={items} opened={id} accounts={accounts} /> : none)}
          </List>
          {live.data && <CallBehind call="GET /api/chats" />}
        </div>
      </section>
      {id === undefined && (
        <section class="thread none">
          <Empty title={t.choose} hint={t.chooseHint} />
        </section>
      )}
      {id === 'new' && <NewChat accounts={accounts} />}
      {id !== undefined && id !== 'new' && (
        <Conversation
          key={id}
          id={id}
          known={items.find((chat) => chat.id === id)}
          accounts={accounts}
          isWaiting={live.data === undefined && live.error === undefined}
          onRead={live.again}
        />
      )}
    </main>
  );
}

/** So wide is a window, in which all three panes have room. */
const WIDE = matchMedia('(min-width: 75rem)');
const isWide = signal(WIDE.matches);
WIDE.addEventListener('change', () => {
  isWide.value = WIDE.matches;
});

interface ConversationProps {
  readonly id: string;
  /** As the list has it; a chat that is not on its page is asked for. */
  readonly known: Chat | undefined;
  readonly accounts: readonly Account[];
  /** Whether accounts are still to come. */
  readonly isWaiting: boolean;
  readonly onRead: () => Promise<unknown>;
}

/** What was said is asked for beside who it is with, and does not wait for it. */
function Conversation({ id, known, accounts, isWaiting, onRead }: ConversationProps) {
  const listed = useRef(known);
  listed.current = known;
  // A link leads to what is not on the page of the list; and what is unread leaves the unread ones once it is open.
  const live = useLive(
    `chat ${id}`,
    async () => listed.current ?? asked(api.GET('/api/chats/{id}', { params: { path: { id } } })),
    { of: ['chats'] },
  );
  const chat = known ?? live.data;
  const hasRead = () => Promise.all([onRead(), live.again()]);
  if (!chat && live.error instanceof Refusal && live.error.status === 404) return <NotYet id={id} />;
  if (!chat && live.error) return <Failure error={live.error} />;
  const account = chat && accountOf(chat, accounts);
  const isContact = isWide.value || address.value.query.get('show') === 'contact';
  return (
    <>
      <Thread sought={id} chat={chat} account={account} isWaiting={isWaiting || !chat} onRead={hasRead} />
      {isContact && (chat ? <Contact chat={chat} account={account} accounts={accounts} /> : <aside class="contact" />)}
    </>
  );
}

/** It begins with the first message that goes out, and not while that waits. */
function NotYet({ id }: { readonly id: string }) {
  return (
    <section class="thread none">
      <Empty title={t.notYet} hint={t.notYetHint}>
        <a class="button" href={addressOf('sends', undefined, { chat: id })}>
          {texts.contact.sends}
        </a>
      </Empty>
    </section>
  );
}

interface ChatsProps {
  readonly chats: readonly Chat[];
  readonly opened: string | undefined;
  readonly accounts: readonly Account[];
}

function Chats({ chats, opened, accounts }: ChatsProps) {
  const list = useRef<HTMLUListElement>(null);
  // What a link has opened may be far down.
  useEffect(() => {
    if (opened) list.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' });
  }, [opened]);
  return (
    <ul class="chat-list" ref={list} {...useKeptFocus(list)}>
      {chats.map((chat) => (
        <li key={chat.id}>
          <a href={inboxAt(chat.id)} aria-current={chat.id === opened ? 'true' : undefined}>
            <span class={`chat-title ${chat.unread ? 'unread' : ''}`} dir="auto">
              {titleOf(chat)}
              {chat.unread && <UnreadDot />}
            </span>
            <Time at={chat.lastAt} />
            <span class="chat-line" dir="auto">
              {lastLine(chat)}
            </span>
            {/* With one account there is nothing to tell apart. */}
            {accounts.length > 1 && (
              <span class="chat-account faint">
                {accountName(accountOf(chat, accounts) ?? { provider: chat.provider })}
              </span>
            )}
          </a>
        </li>
      ))}
    </ul>
  );
}

/** Who has gone to a chat by keys stays there when it moves up in the list: a browser takes the focus from what is moved. */
function useKeptFocus(list: RefObject<HTMLElement>) {
  const focused = useRef<EventTarget | null>(null);
  const isDrawn = useRef(false);
  isDrawn.current = false;
  useLayoutEffect(() => {
    isDrawn.current = true;
    const { current } = focused;
    const isLost = current instanceof HTMLElement && document.activeElement !== current;
    if (isLost && list.current?.contains(current)) current.focus({ preventScroll: true });
  });
  return {
    onFocusIn: ({ target }: Event) => {
      focused.current = target;
    },
    onFocusOut: () => {
      if (isDrawn.current) focused.current = null;
    },
  };
}

/** Of who was found, and was written with long ago, it is not known: then what they are found by. */
function lastLine({ lastMessage, title, phone, providerChatId }: Chat): string {
  if (!lastMessage) return title === undefined ? texts.none : addressName(phone ?? providerChatId);
  const words = lastMessage.text ?? typeName(lastMessage.type);
  return lastMessage.direction === 'outbound' ? t.ours(words) : words;
}

/** `j` and `k` move through the list, enter opens, and on what is open goes to the answer; `/` searches. */
function useListKeys() {
  const list = useRef<HTMLElement>(null);
  useKeys((event) => {
    const { key, target } = event;
    const isField = target instanceof HTMLTextAreaElement || target instanceof HTMLInputElement;
    if (key === 'Escape' && isField) target.blur();
    if (isWriting(event)) return;
    const links = [...(list.current?.querySelectorAll<HTMLElement>('.chat-list a') ?? [])];
    const current = links.find((link) => link.ariaCurrent !== null);
    if (key === '/') {
      event.preventDefault();
      list.current?.querySelector('input')?.focus();
    } else if (key === 'Enter' && target === current) {
      event.preventDefault();
      document.querySelector<HTMLElement>('.composer textarea')?.focus();
    } else if (key === 'j' || key === 'k') {
      const at = links.findIndex((link) => link.matches(':focus'));
      const from = at === -1 && current ? links.indexOf(current) : at;
      links[from + (key === 'j' ? 1 : -1)]?.focus();
    }
  });
  return list;
}

/** Begins a conversation with somebody who has not written. */
function NewChat({ accounts }: { readonly accounts: readonly Account[] }) {
  const [phone, setPhone] = useState('');
  const [chosen, choose] = useState('');
  // Which one the hub takes is known where there is one alone.
  const account = accounts.length === 1 ? accounts[0] : accounts.find(({ id }) => id === chosen);
  const to = phone.trim() === '' ? undefined : { phone: phone.trim(), ...(chosen && { account_id: chosen }) };
  const open = async (messageId: string) => {
    const { recipient } = await asked(api.GET('/api/sends/{messageId}', { params: { path: { messageId } } }));
    go(recipient.chatId ? addressOf('inbox', recipient.chatId) : addressOf('sends', messageId));
  };
  return (
    <section class="thread" aria-label={t.begin}>
      <header>
        <a class="back" href={inboxAt()} aria-label={t.back}>
          <ArrowLeft aria-hidden="true" />
        </a>
        <h1>{t.begin}</h1>
      </header>
      <div class="scroller form">
        <TextField name="phone" label={texts.to} hint={t.toHint} value={phone} onInput={setPhone} />
        <Select
          label={texts.from}
          hint={t.fromHint}
          value={chosen}
          options={[
            ['', texts.settings.defaultAccount],
            ...accounts.map((one) => [one.id, `${accountName(one)} (${one.channel})`] as const),
          ]}
          onChange={choose}
        />
        <CallBehind call="POST /api/sends" />
      </div>
      <Composer draft="new" to={to} account={account} onSent={open} />
    </section>
  );
}
