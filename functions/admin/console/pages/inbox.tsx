import { SquarePen } from 'lucide-preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { address, addressOf } from '../address.ts';
import { type Account, api, asked, type Chat, mayChange } from '../api.ts';
import { useLive } from '../live.ts';
import { Loaded } from '../parts/page.tsx';
import { Pager, useOlder } from '../parts/pager.tsx';
import { Empty, Time } from '../parts/small.tsx';
import { isWriting } from '../parts/writing.ts';
import { texts } from '../texts.ts';
import { Contact } from './contact.tsx';
import { accountName, NewChat } from './new-chat.tsx';
import { Thread, titleOf } from './thread.tsx';

const t = texts.inbox;
const idOf = ({ id }: Chat) => id;

interface Filter {
  readonly search: string;
  readonly account: string;
}

/** A number is looked for as one; anything else by how titles begin. */
function queryOf({ search, account }: Filter) {
  const text = search.trim();
  const isNumber = /^\+?[\d ()-]{5,}$/.test(text);
  return {
    ...(text && (isNumber ? { phone: text } : { titlePrefix: text })),
    ...(account && { account }),
  };
}

export function Inbox({ id }: { readonly id?: string | undefined }) {
  const [filter, setFilter] = useState<Filter>({ search: '', account: '' });
  const query = queryOf(filter);
  const key = JSON.stringify(query);
  const load = (cursor?: string) =>
    asked(api.GET('/api/chats', { params: { query: { ...query, ...(cursor && { cursor }) } } }));
  const live = useLive(`chats ${key}`, async () => {
    const [chats, accounts] = await Promise.all([
      load(),
      asked(api.GET('/api/accounts', { params: { query: { limit: 200 } } })),
    ]);
    return { chats, accounts: accounts.items };
  });
  const { items, next } = useOlder(key, live.data?.chats, idOf, load);
  useEffect(() => {
    document.title = `${t.title} · Hookline`;
  }, []);
  const list = useListKeys(id);
  const accounts = live.data?.accounts ?? [];
  const isContact = address.value.query.get('show') === 'contact';
  return (
    <main id="main" class={`inbox ${id ? 'reading' : ''} ${isContact ? 'on-contact' : ''}`} tabIndex={-1}>
      <section class="chats" aria-label={t.title} ref={list}>
        <header>
          <h1>{t.title}</h1>
          {mayChange() && (
            <a class="button plain" href={addressOf('inbox', 'new')} aria-label={t.begin} title={t.begin}>
              <SquarePen aria-hidden="true" />
            </a>
          )}
        </header>
        <Filters filter={filter} accounts={accounts} onChange={setFilter} />
        <Loaded live={live}>
          {() => (items.length > 0 ? <Chats chats={items} opened={id} /> : <NoChats isFiltered={key !== '{}'} />)}
        </Loaded>
        <Pager next={next} />
      </section>
      <Opened key={id} id={id} known={items.find((chat) => chat.id === id)} accounts={accounts} />
    </main>
  );
}

interface FiltersProps {
  readonly filter: Filter;
  readonly accounts: readonly Account[];
  readonly onChange: (filter: Filter) => void;
}

function Filters({ filter, accounts, onChange }: FiltersProps) {
  return (
    <div class="filters">
      <input
        type="search"
        aria-label={t.search}
        placeholder={t.search}
        value={filter.search}
        onInput={({ currentTarget }) => onChange({ ...filter, search: currentTarget.value })}
      />
      {accounts.length > 1 && (
        <select
          aria-label={t.account}
          value={filter.account}
          onChange={({ currentTarget }) => onChange({ ...filter, account: currentTarget.value })}
        >
          <option value="">{t.allAccounts}</option>
          {accounts.map((account) => (
            <option key={account.id} value={account.id}>
              {accountName(account)}
            </option>
          ))}
        </select>
      )}
    </div>
  );
}

interface OpenedProps {
  readonly id: string | undefined;
  /** As the list has it; a chat that is not on its page is asked for. */
  readonly known: Chat | undefined;
  readonly accounts: readonly Account[];
}

function Opened({ id, known, accounts }: OpenedProps) {
  if (id === 'new') return <NewChat accounts={accounts} />;
  if (id === undefined) {
    return (
      <section class="thread none">
        <Empty title={t.choose}>
          <p>{t.chooseHint}</p>
        </Empty>
      </section>
    );
  }
  return known ? <Conversation chat={known} accounts={accounts} /> : <Sought id={id} accounts={accounts} />;
}

function Sought({ id, accounts }: { readonly id: string; readonly accounts: readonly Account[] }) {
  const live = useLive(`chat ${id}`, () => asked(api.GET('/api/chats/{id}', { params: { path: { id } } })));
  return <Loaded live={live}>{(chat) => <Conversation chat={chat} accounts={accounts} />}</Loaded>;
}

/** So wide is a window, in which all three panes have room. */
const WIDE = matchMedia('(min-width: 75rem)');

function Conversation({ chat, accounts }: { readonly chat: Chat; readonly accounts: readonly Account[] }) {
  const [isWide, setWide] = useState(WIDE.matches);
  useEffect(() => {
    const onChange = () => setWide(WIDE.matches);
    WIDE.addEventListener('change', onChange);
    return () => WIDE.removeEventListener('change', onChange);
  }, []);
  const account = accounts.find(({ id }) => id === chat.accountId);
  const isContact = isWide || address.value.query.get('show') === 'contact';
  return (
    <>
      <Thread chat={chat} account={account} />
      {isContact && <Contact chat={chat} account={account} />}
    </>
  );
}

function Chats({ chats, opened }: { readonly chats: readonly Chat[]; readonly opened: string | undefined }) {
  return (
    <ul class="chat-list">
      {chats.map((chat) => (
        <li key={chat.id}>
          <a href={addressOf('inbox', chat.id)} aria-current={chat.id === opened ? 'true' : undefined}>
            <span class="chat-title">{titleOf(chat)}</span>
            <Time at={chat.lastAt} />
            <span class="chat-line">{lastLine(chat)}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}

function lastLine({ lastMessage, provider }: Chat): string {
  if (!lastMessage) return provider;
  const words = lastMessage.text ?? lastMessage.type.replaceAll('_', ' ');
  return lastMessage.direction === 'outbound' ? t.ours(words) : words;
}

function NoChats({ isFiltered }: { readonly isFiltered: boolean }) {
  if (isFiltered) return <Empty title={t.nothingFound} />;
  return (
    <Empty title={t.empty}>
      <p>{t.emptyHint}</p>
      <a class="button" href={addressOf('webhooks', 'new')}>
        {t.emptyAct}
      </a>
    </Empty>
  );
}

/** `j` and `k` move through the list, enter opens, and on what is open goes to the answer; `/` searches. */
function useListKeys(opened: string | undefined) {
  const list = useRef<HTMLElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const { key, target } = event;
      if (key === 'Escape' && target instanceof HTMLTextAreaElement) target.blur();
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
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [opened]);
  return list;
}
