import { Check, CheckCheck, CircleAlert, CircleHelp, Clock, Phone as PhoneIcon, Reply } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { addressOf } from '../address.ts';
import type { Event, MessageEvent, Send } from '../api.ts';
import { type Entry, type Part, type Quoted, type Reactions, reasonIn, type Told } from '../conversation.ts';
import { reasonOf, texts } from '../texts.ts';
import { ContentView, lineOf, MessageText } from './content.tsx';
import { SendActions } from './send.tsx';
import { Clock as ClockTime, Time } from './small.tsx';

const t = texts.inbox;
const TICKS = {
  queued: Clock,
  sending: Clock,
  pending: Clock,
  sent: Check,
  delivered: CheckCheck,
  read: CheckCheck,
  failed: CircleAlert,
  expired: CircleAlert,
  cancelled: CircleAlert,
  unknown: CircleHelp,
};
type Ticked = keyof typeof TICKS;

/** How far a message has got, as a mark that is also a word. */
function Ticks({ state }: { readonly state: Ticked }) {
  const Icon = TICKS[state];
  return (
    <span class={`ticks ${state}`} title={state}>
      <Icon aria-hidden="true" />
      {state}
    </span>
  );
}

interface EntryViewProps {
  readonly entry: Entry;
  /** Of the message that was quoted. */
  readonly onQuote: (messageId: string) => void;
  /** Left out where the account cannot quote. */
  readonly onReply: ((to: Quoted) => void) | undefined;
  readonly onChange: () => Promise<unknown>;
}

export function EntryView({ entry, ...does }: EntryViewProps) {
  const { day } = entry;
  return (
    <>
      {day && <li class="day faint">{day}</li>}
      {entry.kind === 'message' && <MessageBubble {...entry} {...does} />}
      {entry.kind === 'send' && <SendBubble {...entry} {...does} />}
      {entry.kind === 'line' && <Line event={entry.event} />}
    </>
  );
}

interface MessageBubbleProps extends Omit<EntryViewProps, 'entry'> {
  readonly told: Told;
  readonly goesOn?: boolean;
}

function MessageBubble({ told, goesOn, onQuote, onReply, onChange }: MessageBubbleProps) {
  const { event, edits, reactions, votes, send, deletedAt } = told;
  const { message, delivery, occurredAt } = event;
  const edited = edits.at(-1);
  const isOurs = message.direction === 'outbound';
  const content = edited ? ({ type: 'text', text: edited.text } as const) : message.content;
  const asItReads = { id: message.id, sender: message.sender, content, ...(isOurs && { isOurs }) };
  const isGroup = message.chat.kind !== 'individual';
  const hasFailed = isOurs && delivery?.state === 'failed';
  const reason = message.error?.message ?? (hasFailed && send ? reasonIn(send) : undefined);
  return (
    <li class={`bubble ${isOurs ? 'ours' : 'theirs'} ${goesOn ? 'goes-on' : ''}`} data-message={message.id}>
      {!isOurs && isGroup && !goesOn && (
        <p class="sender" dir="auto">
          {nameOf(message.sender)}
        </p>
      )}
      {message.forwarded && <p class="faint">{t.forwarded}</p>}
      <Quote quoted={message.quoted} onQuote={onQuote} />
      <Said told={told} />
      {votes && <Votes votes={votes} />}
      <p class="meta faint">
        {message.channel === 'sms' && <span class="kind">{t.sms}</span>}
        {reason && <span class="bad">{reasonOf(reason)}</span>}
        <a href={addressOf('events', event.id)} title={t.raw}>
          <ClockTime at={occurredAt} />
        </a>
        {isOurs && delivery && <Ticks state={delivery.state} />}
      </p>
      {hasFailed && send && <SendActions send={send} state="failed" onChange={onChange} />}
      {reactions.length > 0 && <ReactionList reactions={reactions} />}
      {onReply && deletedAt === undefined && !OWN_ID.test(message.id) && (
        <button
          type="button"
          class="plain reply"
          aria-label={t.reply}
          title={t.reply}
          onClick={() => onReply(asItReads)}
        >
          <Reply aria-hidden="true" />
        </button>
      )}
    </li>
  );
}

/** Made by the hub, where the provider has none: the provider would not know it. */
const OWN_ID = /^(?:evt|msg)_/;

const nameOf = ({ contactName, name, phone }: MessageEvent['message']['sender']) => contactName ?? name ?? phone;

/** As it reads now; how it read before is a click away. */
function Said({ told: { event, edits, deletedAt } }: { readonly told: Told }) {
  const { content } = event.message;
  const edited = edits.at(-1);
  if (deletedAt !== undefined) {
    return (
      <Before summary={t.deleted} at={deletedAt}>
        <ContentView content={content} />
      </Before>
    );
  }
  if (!edited) return <ContentView content={content} />;
  return (
    <>
      <MessageText text={edited.text} />
      <Before summary={t.edited} at={edited.at}>
        <ContentView content={content} />
        {edits.slice(0, -1).map(({ text, at }) => (
          <MessageText key={at} text={text} />
        ))}
      </Before>
    </>
  );
}

interface BeforeProps {
  readonly summary: string;
  readonly at: string;
  readonly children: ComponentChildren;
}

function Before({ summary, at, children }: BeforeProps) {
  return (
    <details class="faint">
      <summary>
        {summary} <Time at={at} />
      </summary>
      {children}
    </details>
  );
}

interface QuoteProps extends Pick<EntryViewProps, 'onQuote'> {
  readonly quoted: Quoted | undefined;
}

function Quote({ quoted, onQuote }: QuoteProps) {
  return quoted ? (
    <button type="button" class="quote" onClick={() => onQuote(quoted.id)}>
      <QuotedWords {...quoted} />
    </button>
  ) : null;
}

export function QuotedWords({ sender, content, isOurs }: Quoted) {
  const name = isOurs ? t.you : sender && nameOf(sender);
  return (
    <>
      {name && <strong dir="auto">{name}</strong>}
      <span dir="auto">{content ? lineOf(content) : t.quoted}</span>
    </>
  );
}

function Votes({ votes }: { readonly votes: NonNullable<Told['votes']> }) {
  return (
    <ul class="stack tight votes">
      {votes.map(({ option, voters }) => (
        <li key={option} title={voters.join(', ')}>
          <span>{option}</span>
          <strong>{voters.length}</strong>
        </li>
      ))}
    </ul>
  );
}

function ReactionList({ reactions }: { readonly reactions: readonly Reactions[] }) {
  return (
    <ul class="reactions" aria-label={t.reactions}>
      {reactions.map(({ emoji, count, who }) => (
        <li key={emoji} title={who.join(', ')}>
          {emoji}
          {count > 1 && ` ${count}`}
        </li>
      ))}
    </ul>
  );
}

/** What is nobody's message: a call, or what the app tells of itself. */
function Line({ event }: { readonly event: Event }) {
  return (
    <li class="line faint">
      {event.kind === 'call' && <PhoneIcon aria-hidden="true" />}
      <a href={addressOf('events', event.id)} title={t.raw}>
        {event.kind === 'message' ? lineOf(event.message.content) : null}
        {event.kind === 'call' && t.call(event.call.direction, event.call.state)} <ClockTime at={event.occurredAt} />
      </a>
    </li>
  );
}

interface SendBubbleProps extends Pick<EntryViewProps, 'onQuote' | 'onChange'> {
  readonly send: Send;
  readonly part: Part;
  readonly quoted?: Quoted;
}

/** What was handed in and is no message yet, or never became one. */
function SendBubble({ send, part, quoted, onQuote, onChange }: SendBubbleProps) {
  const words = part.text ?? part.caption;
  return (
    <li class="bubble ours open">
      <Quote quoted={quoted} onQuote={onQuote} />
      {part.fileName && <p class="file">{part.fileName}</p>}
      {words && <MessageText text={words} />}
      <p class="meta faint">
        <Reason send={send} part={part} />
        <a href={addressOf('sends', send.messageId)} title={t.toSend}>
          {send.position === undefined ? <ClockTime at={send.createdAt} /> : t.place(send.position)}
        </a>
        <Ticks state={part.state} />
      </p>
      <SendActions send={send} state={part.state} onChange={onChange} />
    </li>
  );
}

/** Why it did not go out, or has not yet; else about when it will. */
function Reason({ send, part: { error, state } }: Pick<SendBubbleProps, 'send' | 'part'>) {
  const why = error ?? (state === 'queued' ? send.waitingReason : undefined);
  if (why) return <span class="bad">{reasonOf(why)}</span>;
  return state === 'queued' && send.etaAt ? <Time at={send.etaAt} /> : null;
}
