import { ArrowLeft, SendHorizontal } from 'lucide-preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { addressOf } from '../address.ts';
import { type Account, api, asked, type Chat, type MessageEvent, mayChange, type Send } from '../api.ts';
import { useLive } from '../live.ts';
import { isOpen, MessageBubble, SendBubble } from '../parts/bubble.tsx';
import { Loaded } from '../parts/page.tsx';
import { useOlder } from '../parts/pager.tsx';
import { Id, Phone } from '../parts/small.tsx';
import { attempt } from '../parts/toast.tsx';
import { texts } from '../texts.ts';

const t = texts.inbox;

interface ThreadProps {
  readonly id: string;
  /** As the list has it; a chat that is not on its page is asked for. */
  readonly known: Chat | undefined;
  readonly accounts: readonly Account[];
}

const isMessage = (event: { readonly kind: string }): event is MessageEvent => event.kind === 'message';

export function Thread({ id, known, accounts }: ThreadProps) {
  const load = (cursor?: string) =>
    asked(api.GET('/api/messages', { params: { query: { chat: id, ...(cursor && { cursor }) } } }));
  const live = useLive(`thread ${id}`, async () => {
    const [messages, sends, chat] = await Promise.all([
      load(),
      asked(api.GET('/api/sends', { params: { query: { chat: id } } })),
      known ?? asked(api.GET('/api/chats/{id}', { params: { path: { id } } })),
    ]);
    return { messages, sends: sends.items, chat };
  });
  const { items, next } = useOlder(id, live.data?.messages, (event) => event.id, load);
  const entries = inOrder(items.filter(isMessage), live.data?.sends ?? []);
  const scroller = useBottom(entries.at(-1)?.id);
  const chat = live.data?.chat ?? known;
  const account = accounts.find((one) => one.id === chat?.accountId);
  const name = chat?.title ?? chat?.phone ?? chat?.providerChatId ?? t.one;
  return (
    <section class="thread" aria-label={name}>
      <header>
        <a class="back" href={addressOf('inbox')} aria-label={t.back}>
          <ArrowLeft aria-hidden="true" />
        </a>
        <h1>{name}</h1>
        <p class="faint">
          {chat?.phone && <Phone number={chat.phone} />} {account?.name ?? chat?.provider} <Id id={id} label="id" />
        </p>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <div class="scroller" ref={scroller} tabIndex={0} role="log" aria-label={name}>
        {next && (
          <div class="pager">
            <button type="button" onClick={next}>
              {t.older}
            </button>
          </div>
        )}
        <Loaded live={live}>
          {() => (
            <ul class="bubbles">
              {entries.map((entry) => (
                <EntryView key={entry.id} entry={entry} onChange={live.again} />
              ))}
            </ul>
          )}
        </Loaded>
      </div>
      {!mayChange() && <p class="composer faint">{t.readOnly}</p>}
      {chat && mayChange() && <Composer chat={chat} account={account} onSent={live.again} />}
    </section>
  );
}

interface Entry {
  readonly id: string;
  readonly at: string;
  readonly day?: string;
  readonly message?: MessageEvent;
  readonly send?: Send;
}

/** Messages, and what waits to become one, oldest first; the first of a day tells the day. */
function inOrder(messages: readonly MessageEvent[], sends: readonly Send[]): readonly Entry[] {
  const entries = [
    ...messages.map((message) => ({ id: message.id, at: message.occurredAt, message })),
    ...sends
      .filter(({ parts }) => parts.some(isOpen))
      .map((send) => ({ id: send.messageId, at: send.createdAt, send })),
  ].sort((a, b) => (a.at < b.at ? -1 : 1));
  let last = '';
  return entries.map((entry) => {
    const day = new Date(entry.at).toLocaleDateString(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
    const isNew = day !== last;
    last = day;
    return isNew ? { ...entry, day } : entry;
  });
}

interface EntryViewProps {
  readonly entry: Entry;
  readonly onChange: () => Promise<unknown>;
}

function EntryView({ entry: { day, message, send }, onChange }: EntryViewProps) {
  return (
    <>
      {day && <li class="day">{day}</li>}
      {message && <MessageBubble event={message} />}
      {send && <SendBubble send={send} onChange={onChange} />}
    </>
  );
}

/** Stays at the newest message, unless somebody has scrolled up to read. */
function useBottom(newest: string | undefined) {
  const element = useRef<HTMLDivElement>(null);
  const wasAtBottom = useRef(true);
  useLayoutEffect(() => {
    const { current } = element;
    if (!current) return;
    const onScroll = () => {
      wasAtBottom.current = current.scrollHeight - current.scrollTop - current.clientHeight < 80;
    };
    current.addEventListener('scroll', onScroll);
    return () => current.removeEventListener('scroll', onScroll);
  }, []);
  useLayoutEffect(() => {
    if (element.current && wasAtBottom.current) element.current.scrollTop = element.current.scrollHeight;
  }, [newest]);
  return element;
}

/** What was begun and not sent, by chat: it is there again when somebody comes back. */
const drafts = new Map<string, string>();

interface ComposerProps {
  readonly chat: Chat;
  readonly account: Account | undefined;
  readonly onSent: () => Promise<unknown>;
}

function Composer({ chat, account, onSent }: ComposerProps) {
  const [text, setText] = useState(drafts.get(chat.id) ?? '');
  const sending = useRef(false);
  const change = (value: string) => {
    drafts.set(chat.id, value);
    setText(value);
  };
  const send = async () => {
    if (sending.current || text.trim() === '') return;
    sending.current = true;
    // Two clicks, or an answer that was lost, are the same message.
    const header = { 'Idempotency-Key': crypto.randomUUID() };
    const body = { chat_id: chat.id, text };
    const isSent = await attempt(() => asked(api.POST('/api/sends', { body, params: { header } })));
    sending.current = false;
    if (!isSent) return;
    change('');
    await onSent();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    void send();
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <textarea
        aria-label={t.answer}
        placeholder={t.placeholder}
        rows={2}
        value={text}
        onInput={({ currentTarget }) => change(currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <button type="submit" class="primary" aria-label={t.send}>
        <SendHorizontal aria-hidden="true" />
      </button>
      <p class="faint">
        {t.costs} {account && t.waitingBefore(account.pending)}
      </p>
    </form>
  );
}
