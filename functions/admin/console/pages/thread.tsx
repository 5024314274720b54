import { ArrowLeft, Info } from 'lucide-preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { type Account, api, asked, type Chat, type Event, mayChange } from '../api.ts';
import { conversationOf, type Quoted } from '../conversation.ts';
import { EntryView } from '../parts/bubble.tsx';
import { Pager, useList } from '../parts/list.tsx';
import { Loaded } from '../parts/page.tsx';
import { Phone } from '../parts/small.tsx';
import { attempt } from '../parts/toast.tsx';
import { accountName, texts } from '../texts.ts';
import { answerTo, Composer } from './composer.tsx';
import { inboxAt } from './inbox-filter.tsx';

const t = texts.inbox;
export const titleOf = ({ title, phone, providerChatId }: Chat): string => title ?? phone ?? providerChatId;

interface ThreadProps {
  /** The id that was asked for; that of the chat is another one where it has been merged. */
  readonly sought: string;
  /** Left out until it is known. */
  readonly chat: Chat | undefined;
  readonly account: Account | undefined;
  /** Whether the chat or its account are still to come: what is said is loaded meanwhile. */
  readonly isWaiting: boolean;
  readonly onRead: () => Promise<unknown>;
}

/** A conversation, whose newest messages are live, and what answers it. */
export function Thread({ sought, chat, account, isWaiting, onRead }: ThreadProps) {
  const id = chat?.id ?? sought;
  const { live, items, next } = useList({
    name: `thread ${id}`,
    idOf: (event: Event) => event.id,
    load: (cursor) => asked(api.GET('/api/events', { params: { query: { chat: id, ...(cursor && { cursor }) } } })),
    beside: async () => (await asked(api.GET('/api/sends', { params: { query: { chat: id } } }))).items,
    of: ['chats', 'sends'],
  });
  useRead(chat ?? {}, live.data !== undefined, onRead);
  const entries = conversationOf(items, live.data?.beside ?? []);
  const scroller = useScroll(entries.at(0)?.id, entries.at(-1)?.id, next);
  const name = chat && titleOf(chat);
  const showQuoted = (messageId: string) => {
    const found = [...(scroller.current?.querySelectorAll('[data-message]') ?? [])].find(
      (bubble) => bubble.getAttribute('data-message') === messageId,
    );
    found?.scrollIntoView({ block: 'center' });
    found?.classList.add('pointed-at');
    setTimeout(() => found?.classList.remove('pointed-at'), 1_500);
  };
  const reply = (quoted: Quoted) => {
    answerTo(id, quoted);
    document.querySelector<HTMLElement>('.composer textarea')?.focus();
  };
  const canReply = account?.canQuote && mayChange();
  return (
    <section class={`thread ${isWaiting ? 'waiting' : ''}`} aria-label={name ?? t.messages}>
      <header>
        <a class="back" href={inboxAt()} aria-label={t.back}>
          <ArrowLeft aria-hidden="true" />
        </a>
        <h1 dir="auto">{name}</h1>
        <p class="faint">
          {chat && (
            <>
              {chat.title && chat.phone && <Phone number={chat.phone} />}{' '}
              {accountName(account ?? { provider: chat.provider })}
            </>
          )}
        </p>
        <a class="button plain to-contact" href={inboxAt(id, { show: 'contact' })} aria-label={t.contact}>
          <Info aria-hidden="true" />
        </a>
      </header>
      <section class="scroller" ref={scroller} aria-label={t.messages}>
        <Pager next={next} />
        <Loaded live={live}>
          {() => (
            <ul class="bubbles">
              {entries.map((entry) => (
                <EntryView
                  key={entry.id}
                  entry={entry}
                  onQuote={showQuoted}
                  onReply={canReply ? reply : undefined}
                  onChange={live.again}
                />
              ))}
            </ul>
          )}
        </Loaded>
      </section>
      {mayChange() ? (
        <Composer draft={id} to={{ chat_id: id }} account={account} onSent={live.again} />
      ) : (
        <p class="composer faint">{t.readOnly}</p>
      )}
    </section>
  );
}

/** Who has a conversation before them has read it. */
function useRead({ id, unread, lastAt }: Partial<Chat>, isShown: boolean, onRead: () => Promise<unknown>) {
  const after = useRef(onRead);
  after.current = onRead;
  useEffect(() => {
    if (!id || !lastAt || !unread || !isShown || !mayChange()) return;
    const read = async () => {
      const path = { params: { path: { id } }, body: { readAt: lastAt } };
      if (await attempt(() => asked(api.PATCH('/api/chats/{id}', path)))) await after.current();
    };
    void read();
  }, [id, unread, lastAt, isShown]);
}

/** So near to its beginning or end somebody means to get there, in pixels. */
const NEAR = 120;

/**
 * Stays at the newest message, unless somebody has scrolled up to read; there, older ones come above what is being read,
 * which stays where it is.
 */
function useScroll(oldest: string | undefined, newest: string | undefined, next: (() => Promise<unknown>) | undefined) {
  const element = useRef<HTMLElement>(null);
  const isAtEnd = useRef(true);
  const height = useRef(0);
  const isLoading = useRef(false);
  const latest = useRef(next);
  latest.current = next;
  useLayoutEffect(() => {
    const { current } = element;
    if (!current) return;
    const onScroll = async () => {
      isAtEnd.current = current.scrollHeight - current.scrollTop - current.clientHeight < NEAR;
      if (current.scrollTop > NEAR || isLoading.current || !latest.current) return;
      isLoading.current = true;
      await latest.current();
      isLoading.current = false;
    };
    current.addEventListener('scroll', onScroll);
    // What is written below may take some of its room.
    const resized = new ResizeObserver(() => {
      if (isAtEnd.current) current.scrollTop = current.scrollHeight;
    });
    resized.observe(current);
    return () => {
      current.removeEventListener('scroll', onScroll);
      resized.disconnect();
    };
  }, []);
  useLayoutEffect(() => {
    const { current } = element;
    if (current && !isAtEnd.current) current.scrollTop += current.scrollHeight - height.current;
  }, [oldest]);
  useLayoutEffect(() => {
    const { current } = element;
    if (!current) return;
    if (isAtEnd.current) current.scrollTop = current.scrollHeight;
    height.current = current.scrollHeight;
  }, [oldest, newest]);
  return element;
}
