import { ArrowRight, Check, CircleDashed } from 'lucide-preact';
import { addressOf } from '../address.ts';
import { api, asked, mayChange, type Summary } from '../api.ts';
import { useLive } from '../live.ts';
import { EventLine, waitingOf } from '../parts/event-line.tsx';
import { Card, dayOf } from '../parts/form.tsx';
import { Loaded, Page } from '../parts/page.tsx';
import { Badge, type Figure, Figures, Time } from '../parts/small.tsx';
import { accountName, numberOf, reasonOf, texts } from '../texts.ts';

const t = texts.overview;

/** All that the page shows, asked for at once. Today begins when it does for the reader. */
async function load() {
  const since = dayOf(new Date());
  const [summary, events] = await Promise.all([
    asked(api.GET('/api/summary', { params: { query: { since } } })),
    asked(api.GET('/api/events', { params: { query: { limit: 10 } } })),
  ]);
  return { since, summary, events: events.items };
}
type Loadings = Awaited<ReturnType<typeof load>>;

export function Overview() {
  const live = useLive('overview', load, { of: ['events', 'sends', 'accounts'] });
  return (
    <Page title={texts.pages.overview} call="GET /api/summary">
      <Loaded live={live}>
        {(all) => (
          <>
            <FirstSteps all={all} />
            <Figures of={figuresOf(all)} />
            <Card title={t.today}>
              <Bars since={all.since} today={all.summary.today.hours} before={all.summary.lastWeek.hours} />
            </Card>
            <div class="columns">
              <Card title={t.needsHand}>
                <Hands hands={handsOf(all.summary)} />
              </Card>
              <LastEvents events={all.events} />
            </div>
          </>
        )}
      </Loaded>
    </Page>
  );
}

/** Of a send in parts one may have gone out, and another one not. */
const GONE_OUT = 'sent,delivered,read,partially_sent';
const FAILED = 'failed,partially_sent';

/** Each leads to what it counts. */
function figuresOf({ summary: { today, lastWeek, waiting, credits }, since: after }: Loadings): readonly Figure[] {
  const events = { kind: 'message', direction: 'inbound', after };
  const sendsIn = (state: string, since?: string) => addressOf('sends', undefined, { state, after: since });
  const ago = (count: number) => t.before(numberOf(count));
  const { received, sent, failed } = lastWeek;
  return [
    { to: addressOf('events', undefined, events), label: t.received, value: today.received, beside: ago(received) },
    { to: sendsIn(GONE_OUT, after), label: t.sent, value: today.sent, beside: ago(sent) },
    { to: sendsIn(FAILED, after), label: t.failed, value: today.failed, beside: ago(failed) },
    { to: sendsIn('queued,sending'), label: texts.waiting, value: waiting, beside: t.now },
    {
      ...{ to: addressOf('credits'), label: t.credits, value: credits.available },
      beside: t.granted(numberOf(credits.granted)),
    },
  ];
}

type Hour = Summary['today']['hours'][number];

const HOURS = 24;
/** The drawing is stretched to the room that there is: its words stand outside of it. */
const SLOT = 30;
const WIDTH = HOURS * SLOT;
const HEIGHT = 120;
/** Of a slot: two bars side by side. */
const BAR = 10;
const KINDS = ['received', 'sent'] as const;

interface BarsProps {
  /** When the first hour begins. */
  readonly since: string;
  readonly today: readonly Hour[];
  /** The same day a week before. */
  readonly before: readonly Hour[];
}

/** What came in and went out hour by hour, and behind it how it was a week before. Whoever cannot see it hears the sums. */
function Bars({ since, today, before }: BarsProps) {
  const highest = Math.max(4, ...[...today, ...before].flatMap((hour) => KINDS.map((kind) => hour[kind])));
  const heightOf = (count: number) => (count === 0 ? 0 : Math.max(2, (HEIGHT * count) / highest));
  const start = new Date(since);
  const hourAt = (slot: number) => new Date(start.getTime() + slot * 3_600_000).getHours();
  const draw = (hours: readonly Hour[], isBefore: boolean) =>
    hours.slice(0, HOURS).flatMap((hour, slot) =>
      KINDS.map((kind, i) => {
        const height = heightOf(hour[kind]);
        const x = slot * SLOT + SLOT / 2 + (i === 0 ? -BAR - 1 : 1);
        if (height === 0) return null;
        return (
          <rect
            key={`${kind}${slot}`}
            class={isBefore ? 'bar before' : `bar ${kind}`}
            x={isBefore ? x - 1.5 : x}
            y={HEIGHT - height}
            width={isBefore ? BAR + 3 : BAR}
            height={height}
          />
        );
      }),
    );
  const sum = (hours: readonly Hour[], kind: (typeof KINDS)[number]) =>
    hours.reduce((total, hour) => total + hour[kind], 0);
  return (
    <figure class="stack tight faint">
      <p>{highest}</p>
      <svg
        class="bars"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={t.chart(sum(today, 'received'), sum(today, 'sent'))}
      >
        {draw(before, true)}
        {draw(today, false)}
      </svg>
      <p class="ticks-below" aria-hidden="true">
        {Array.from({ length: HOURS / 3 }, (_, i) => (
          <span key={i}>{String(hourAt(i * 3)).padStart(2, '0')}</span>
        ))}
      </p>
      <figcaption class="actions spread">
        {KINDS.map((kind) => (
          <Key key={kind} of={kind} />
        ))}
        <Key of="before" />
      </figcaption>
    </figure>
  );
}

const Key = ({ of }: { readonly of: keyof typeof t.legend }) => (
  <span>
    <svg class={`key ${of}`} viewBox="0 0 24 24" aria-hidden="true">
      <rect width="16" height="16" y="5" rx="4" />
    </svg>{' '}
    {t.legend[of]}
  </span>
);

interface Hand {
  readonly to: string;
  readonly state: string;
  readonly text: string;
}

/** The list that says so of what is damaged, by the key of its item. */
function placeOf(damaged: string): string {
  if (damaged.includes(' RULE#')) return 'rules';
  return damaged.includes(' ENDPOINT#') ? 'endpoints' : 'accounts';
}

/** What hinders sending comes first. */
function handsOf({ needs, credits }: Summary): readonly Hand[] {
  const { accounts, unknown, quarantine, endpoints, rules, paused, muted, damaged } = needs;
  const one = (isThere: boolean, hand: Hand) => (isThere ? [hand] : []);
  return [
    ...accounts.map(({ id, state, reason, ...account }) => ({
      ...{ to: addressOf('accounts', id), state },
      text: t.account(accountName(account), reason && reasonOf(reason)),
    })),
    ...one(unknown > 0, {
      ...{ to: addressOf('sends', undefined, { state: 'unknown' }), state: 'unknown' },
      text: t.unknown(unknown),
    }),
    ...one(needs.credits, {
      ...{ to: addressOf('credits'), state: t.low },
      text: t.fewCredits(numberOf(credits.available), numberOf(credits.granted)),
    }),
    ...endpoints.map(({ id, name, url, state }) => ({
      to: addressOf('endpoints', id),
      state,
      text: t.endpoint(name ?? url),
    })),
    ...one(paused !== undefined, { to: addressOf('rules'), state: 'paused', text: t.rulesPaused(paused?.why ?? '') }),
    ...rules.map(({ id, name, reason }) => ({
      to: addressOf('rules', id),
      state: 'disabled',
      text: t.rule(name, reason),
    })),
    ...one(muted > 0, { to: addressOf('rules'), state: t.muted, text: t.mutedChats(muted) }),
    ...damaged.map((text) => ({ to: addressOf(placeOf(text)), state: t.damaged, text })),
    ...quarantine.map(({ provider, type, waiting }) => ({
      ...{ to: waitingOf(provider, type), state: 'quarantined' },
      text: t.quarantine(waiting, provider, type),
    })),
  ];
}

function Hands({ hands }: { readonly hands: readonly Hand[] }) {
  if (hands.length === 0) {
    return (
      <p class="good">
        <Check aria-hidden="true" /> {t.allWell}
      </p>
    );
  }
  return (
    <ul>
      {hands.map(({ to, state, text }) => (
        <li key={`${to} ${text}`}>
          <a class="hand" href={to}>
            <span class="two-lines">
              <Badge state={state} /> {text}
            </span>
            <ArrowRight aria-hidden="true" />
          </a>
        </li>
      ))}
    </ul>
  );
}

const LastEvents = ({ events }: { readonly events: Loadings['events'] }) => (
  <Card title={t.lastEvents}>
    {events.length === 0 && <p class="faint">{t.noEvents}</p>}
    <ul class="stack tight lines">
      {events.map((event) => (
        <li key={event.id}>
          <a class="quiet" href={addressOf('events', event.id)}>
            <EventLine event={event} />
          </a>
          <Time at={event.receivedAt} />
        </li>
      ))}
    </ul>
  </Card>
);

/** Ticks itself, and is gone once all is done. */
function FirstSteps({ all: { summary, events } }: { readonly all: Loadings }) {
  const { webhook, event, account, send, rule } = summary.steps;
  const hasEvent = event || events.length > 0;
  const steps = [
    { to: addressOf('webhooks', 'new'), text: t.steps.webhook, isDone: webhook },
    { to: addressOf('webhooks'), text: t.steps.event, isDone: hasEvent },
    { to: addressOf('accounts', 'new'), text: t.steps.account, isDone: account },
    { to: hasEvent ? addressOf('inbox') : addressOf('inbox', 'new'), text: t.steps.send, isDone: send },
    { to: addressOf('rules', 'new'), text: t.steps.rule, isDone: rule },
  ];
  if (steps.every(({ isDone }) => isDone)) return null;
  const next = steps.find(({ isDone }) => !isDone);
  return (
    <Card title={t.first}>
      <ol class="stack tight steps">
        {steps.map((step) => (
          <li key={step.text} class={step.isDone ? 'done' : undefined}>
            {step.isDone ? <Check aria-label={texts.done} /> : <CircleDashed aria-hidden="true" />}
            {step.isDone || !mayChange() ? (
              <span>{step.text}</span>
            ) : (
              <a class={step === next ? 'button primary small' : undefined} href={step.to}>
                {step.text}
              </a>
            )}
          </li>
        ))}
      </ol>
    </Card>
  );
}
