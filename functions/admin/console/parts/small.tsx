import { signal } from '@preact/signals';
import { Check, Copy } from 'lucide-preact';
import { type ComponentChildren, Fragment } from 'preact';
import { useState } from 'preact/hooks';
import { Refusal } from '../api.ts';
import { numberOf, texts } from '../texts.ts';

const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' });
const HOUR = 3_600_000;

/** What stays on the screen grows old there: what is told in relation to now is told anew. */
const now = signal(Date.now());
const tellAnew = () => {
  if (document.visibilityState === 'visible') now.value = Date.now();
};
setInterval(tellAnew, 30_000);
document.addEventListener('visibilitychange', tellAnew);

/** Relative where it is fresh, a date where it is not; the exact time on hover, in the reader's zone. */
export function Time({ at }: { readonly at: string }) {
  const date = new Date(at);
  const exact = date.toLocaleString();
  return (
    <time dateTime={at} title={exact}>
      {timeText(date.getTime(), Math.max(now.value, Date.now()))}
    </time>
  );
}

const OF_DAY = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });

/** The time of the day, where the day stands above it. */
export function Clock({ at }: { readonly at: string }) {
  const date = new Date(at);
  return (
    <time dateTime={at} title={date.toLocaleString()}>
      {OF_DAY.format(date)}
    </time>
  );
}

export function timeText(at: number, now: number): string {
  const away = at - now;
  const size = Math.abs(away);
  if (size < 60_000) return away > 5_000 ? RELATIVE.format(Math.round(away / 1000), 'second') : texts.now;
  if (size < HOUR) return RELATIVE.format(Math.round(away / 60_000), 'minute');
  if (size < 24 * HOUR) return RELATIVE.format(Math.round(away / HOUR), 'hour');
  const date = new Date(at);
  const year = date.getFullYear() === new Date(now).getFullYear() ? {} : { year: 'numeric' as const };
  return date.toLocaleDateString(undefined, { day: 'numeric', month: 'short', ...year });
}

const TONES = Object.entries({
  good: ['sent', 'delivered', 'read', 'connected', 'on', 'stored', 'accepted', 'balanced', 'active', 'done'],
  info: ['queued', 'sending', 'pending', 'waiting', 'duplicate'],
  warn: ['unknown', 'partially_sent', 'paused', 'expired', 'quarantined', 'failing', 'low', 'muted', 'guarded'],
  bad: [
    ...['unauthorized', 'not_found', 'too_large', 'unavailable', 'unbalanced'],
    ...['failed', 'held', 'silent', 'refused', 'disabled', 'dead'],
  ],
});
const toneOf = (state: string) => TONES.find(([, states]) => states.includes(state))?.[0] ?? '';

/** A state in a word; its colour says nothing that the word does not. */
export function Badge({ state }: { readonly state: string }) {
  return <span class={`badge ${toneOf(state)}`}>{texts.states[state] ?? state.replaceAll('_', ' ')}</span>;
}

/** Copies a text, and shows for a moment that it did. */
export function useCopy(text: string) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return { copy, icon: copied ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" /> };
}

/** An id, to be copied. */
export function Id({ id }: { readonly id: string }) {
  const { copy, icon } = useCopy(id);
  return (
    <button type="button" class="plain id" onClick={copy} title={texts.copy} aria-label={`${texts.copy}: ${id}`}>
      <code>{id}</code>
      {icon}
    </button>
  );
}

/** A number, or another address, in one piece where there is room. */
export function Phone({ number }: { readonly number: string }) {
  return <span class="phone">{number}</span>;
}

/** Of a chat in which something came in since it was read. */
export const UnreadDot = () => <span class="unread-dot">{texts.inbox.unread}</span>;

interface EmptyProps {
  readonly title: string;
  readonly hint?: string | undefined;
  readonly children?: ComponentChildren;
}

/** What would stand here, and what brings the first. */
export function Empty({ title, hint, children }: EmptyProps) {
  return (
    <div class="empty">
      <strong>{title}</strong>
      {hint && <p>{hint}</p>}
      {children}
    </div>
  );
}

/** What went wrong; where the hub's log tells more, with the id of its line to copy. */
export const Fault = ({ error }: { readonly error: Error }) => (
  <>
    {error.message}
    {error instanceof Refusal && error.line && (
      <>
        {' '}
        <Id id={error.line} />
      </>
    )}
  </>
);

export function Failure({ error }: { readonly error: Error }) {
  return (
    <p class="failure" role="alert">
      <Fault error={error} />
    </p>
  );
}

export const Failures = ({ title, of }: { readonly title?: string; readonly of: readonly string[] }) => (
  <div class="failure">
    {title && <p>{title}</p>}
    <ul>
      {of.map((why) => (
        <li key={why}>{why}</li>
      ))}
    </ul>
  </div>
);

/** What is being loaded takes its room, so that nothing jumps when it comes. */
export function Loading() {
  return (
    <p class="loading faint" role="status">
      {texts.loading}
    </p>
  );
}

type Fact = readonly [name: string, value: ComponentChildren];

/** What is known of one thing, as names and values. */
export function Facts({ of }: { readonly of: readonly (Fact | false | undefined)[] }) {
  return (
    <dl class="facts card">
      {of
        .flatMap((fact) => (fact ? [fact] : []))
        .map(([name, value]) => (
          <Fragment key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </Fragment>
        ))}
    </dl>
  );
}

export interface Figure {
  /** The address of what it counts. */
  readonly to: string;
  readonly label: string;
  readonly value: number;
  readonly beside?: string;
}

export function Figures({ of }: { readonly of: readonly Figure[] }) {
  return (
    <ul class="figures">
      {of.map(({ to, label, value, beside }) => (
        <li key={label}>
          <a href={to}>
            <small>{label}</small>
            <strong>{numberOf(value)}</strong>
            {beside && <small>{beside}</small>}
          </a>
        </li>
      ))}
    </ul>
  );
}

interface CodeProps {
  readonly text?: string;
  /** Instead of a text, with some of it marked. */
  readonly children?: ComponentChildren;
}

export function Code({ text, children = text }: CodeProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <pre class="code" tabIndex={0}>
      {children}
    </pre>
  );
}
