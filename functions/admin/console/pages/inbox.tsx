import { useEffect, useRef, useState } from 'preact/hooks';
import { addressOf, go } from '../address.ts';
import { api, asked, type Chat, type MessageEvent } from '../api.ts';
import { useLive } from '../live.ts';
import { lineOf } from '../parts/content.tsx';
import { Loaded } from '../parts/page.tsx';
import { Pager, useOlder } from '../parts/pager.tsx';
import { Empty, Time } from '../parts/small.tsx';
import { isWriting } from '../parts/writing.ts';
import { texts } from '../texts.ts';
import { Thread } from './thread.tsx';

const t = texts.inbox;
const titleOf = (chat: Chat) => chat.title ?? chat.phone ?? chat.providerChatId;
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
  const lines = useLastLines();
  const live = useLive(`chats ${key}`, async () => {
    const [chats, accounts] = await Promise.all([
      load(),
      asked(api.GET('/api/accounts', { params: { query: { limit: 200 } } })),
    ]);
    return { chats, lines: await lines(chats.items), accounts: accounts.items };
  });
  const { items, next } = useOlder(key, live.data?.chats, idOf, load);
  useEffect(() => {
    document.title = `${t.title} · Hookline`;
  }, []);
  const search = useListKeys(items, id);
  const opened = items.find((chat) => chat.id === id);
  return (
    <main id="main" class={`inbox ${id ? 'reading' : ''}`} tabIndex={-1}>
      <section class="chats" aria-label={t.title}>
        <h1>{t.title}</h1>
        <div class="filters">
          <input
            ref={search}
            type="search"
            aria-label={t.search}
            placeholder={t.search}
            value={filter.search}
            onInput={({ currentTarget }) => setFilter({ ...filter, search: currentTarget.value })}
          />
          {(live.data?.accounts.length ?? 0) > 1 && (
            <select
              aria-label={t.account}
              value={filter.account}
              onChange={({ currentTarget }) => setFilter({ ...filter, account: currentTarget.value })}
            >
              <option value="">{texts.all}</option>
              {live.data?.accounts.map((account) => (
                <option key={account.id} value={account.id}>
                  {account.name ?? account.phone ?? account.provider}
                </option>
              ))}
            </select>
          )}
        </div>
        <Loaded live={live}>
          {({ lines: last }) =>
            items.length > 0 ? <Chats chats={items} lines={last} opened={id} /> : <NoChats isFiltered={key !== '{}'} />
          }
        </Loaded>
        <Pager next={next} />
      </section>
      {id === undefined ? (
        <section class="thread none">
          <Empty title={t.choose}>
            <p>{t.chooseHint}</p>
          </Empty>
        </section>
      ) : (
        <Thread key={id} id={id} known={opened} accounts={live.data?.accounts ?? []} />
      )}
    </main>
  );
}

type Lines = Readonly<Record<string, { readonly text: string; readonly isOurs: boolean }>>;

/** Of each chat the newest message, asked for only when something has happened in a chat. */
function useLastLines() {
  const last = useRef<{ stamp: string; lines: Lines }>({ stamp: '', lines: {} });
  return async (chats: readonly Chat[]): Promise<Lines> => {
    const stamp = chats.map(({ id, lastAt }) => `${id} ${lastAt}`).join();
    if (stamp === last.current.stamp) return last.current.lines;
    const { items } = await asked(api.GET('/api/messages', { params: { query: { limit: 200 } } }));
    // The list begins with the newest, which is to win.
    const pairs = items.filter(isMessage).toReversed();
    const lines = Object.fromEntries(
      pairs.map(({ chatId, message }) => [
        chatId,
        { text: lineOf(message.content), isOurs: message.direction === 'outbound' },
      ]),
    );
    last.current = { stamp, lines };
    return lines;
  };
}

const isMessage = (event: { readonly kind: string }): event is MessageEvent => event.kind === 'message';

interface ChatsProps {
  readonly chats: readonly Chat[];
  readonly lines: Lines;
  readonly opened: string | undefined;
}

function Chats({ chats, lines, opened }: ChatsProps) {
  return (
    <ul class="chat-list">
      {chats.map((chat) => {
        const line = lines[chat.id];
        return (
          <li key={chat.id}>
            <a href={addressOf('inbox', chat.id)} aria-current={chat.id === opened ? 'true' : undefined}>
              <span class="chat-title">{titleOf(chat)}</span>
              <Time at={chat.lastAt} />
              <span class="chat-line">{line ? `${line.isOurs ? '↩ ' : ''}${line.text}` : chat.provider}</span>
            </a>
          </li>
        );
      })}
    </ul>
  );
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

/** `j` and `k` move through the list, `/` searches. */
function useListKeys(chats: readonly Chat[], opened: string | undefined) {
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (isWriting(event)) return;
      if (event.key === '/') {
        event.preventDefault();
        search.current?.focus();
        return;
      }
      const step = { j: 1, k: -1 }[event.key];
      if (step === undefined) return;
      const at = chats.findIndex(({ id }) => id === opened);
      const chat = chats[at === -1 ? 0 : at + step];
      if (chat) go(addressOf('inbox', chat.id));
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [chats, opened]);
  return search;
}
