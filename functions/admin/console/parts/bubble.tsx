import { Check, CheckCheck, CircleAlert, CircleHelp, Clock } from 'lucide-preact';
import { addressOf } from '../address.ts';
import { api, asked, type MessageEvent, type Send } from '../api.ts';
import { texts } from '../texts.ts';
import { Acts } from './acts.tsx';
import { ContentView, lineOf } from './content.tsx';
import { MessageText } from './message-text.tsx';
import { Time } from './small.tsx';

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
      <span class="tick-word">{state}</span>
    </span>
  );
}

export function MessageBubble({ event }: { readonly event: MessageEvent }) {
  const { message, delivery, occurredAt } = event;
  const isOurs = message.direction === 'outbound';
  const { name, contactName, phone } = message.sender;
  const isGroup = message.chat.kind !== 'individual';
  return (
    <li class={`bubble ${isOurs ? 'ours' : 'theirs'}`}>
      {!isOurs && isGroup && <p class="sender">{contactName ?? name ?? phone}</p>}
      {message.quoted?.content && <blockquote>{lineOf(message.quoted.content)}</blockquote>}
      <ContentView content={message.content} />
      <p class="meta">
        {message.channel === 'sms' && <span>{texts.inbox.sms}</span>}
        {message.error && <span class="reason">{message.error.message}</span>}
        <a href={addressOf('events', event.id)}>
          <Time at={occurredAt} />
        </a>
        {isOurs && delivery && <Ticks state={delivery.state} />}
      </p>
    </li>
  );
}

interface SendBubbleProps {
  readonly send: Send;
  readonly onChange: () => Promise<unknown>;
}

/** What was handed in and is no message yet, or never became one: the parts of it that did not go out. */
export function SendBubble({ send, onChange }: SendBubbleProps) {
  return send.parts.filter(isOpen).map((part, index) => (
    <li key={index} class="bubble ours open">
      {part.fileName && <p class="file">{part.fileName}</p>}
      {(part.text ?? part.caption) && <MessageText text={part.text ?? part.caption ?? ''} />}
      <p class="meta">
        <Reason send={send} error={part.error} state={part.state} />
        <Time at={send.createdAt} />
        <Ticks state={part.state} />
      </p>
      <SendActions send={send} state={part.state} onChange={onChange} />
    </li>
  ));
}

type Part = Send['parts'][number];
/** What went out stands in the thread as a message. */
export const isOpen = ({ state }: Part): boolean => !['sent', 'delivered', 'read'].includes(state);

interface ReasonProps {
  readonly send: Send;
  readonly state: Part['state'];
  readonly error: string | undefined;
}

function Reason({ send, state, error }: ReasonProps) {
  if (error) return <span class="reason">{error}</span>;
  if (state !== 'queued') return null;
  if (send.waitingReason) return <span class="reason">{send.waitingReason}</span>;
  if (send.position === undefined) return null;
  return (
    <span>
      {texts.inbox.place(send.position)}
      {send.etaAt && (
        <>
          {', '}
          <Time at={send.etaAt} />
        </>
      )}
    </span>
  );
}

interface SendActionsProps {
  readonly send: Send;
  readonly state: Part['state'];
  readonly onChange: () => Promise<unknown>;
}

/** Takes back what waits, and sends again what did not go out. */
export function SendActions({ send, state, onChange }: SendActionsProps) {
  const t = texts.inbox;
  const path = { params: { path: { messageId: send.messageId } } };
  const canRepeat = !send.resentAs && ['unknown', 'expired', 'failed'].includes(state);
  return (
    <Acts
      isSmall
      onDone={onChange}
      acts={[
        state === 'queued' && {
          label: t.cancelSend,
          run: () => asked(api.POST('/api/sends/{messageId}/cancel', path)),
          said: t.cancelled,
        },
        canRepeat && {
          label: state === 'unknown' ? t.againUnknown : t.again,
          run: () => asked(api.POST('/api/sends/{messageId}/resend', path)),
        },
      ]}
    />
  );
}
