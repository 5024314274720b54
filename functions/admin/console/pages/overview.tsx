import { ArrowRight, Check, CircleDashed } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { addressOf } from '../address.ts';
import { api, asked, mayChange, Refusal, type Summary, workspace } from '../api.ts';
import { useLive } from '../live.ts';
import { Bars } from '../parts/bars.tsx';
import { dayOf } from '../parts/days.tsx';
import { EventLine, waitingOf } from '../parts/event-line.tsx';
import { Loaded, Page } from '../parts/page.tsx';
import { Badge, Time } from '../parts/small.tsx';
import { accountName, numberOf, reasonOf, texts } from '../texts.ts';

const t = texts.overview;

/** Only a newcomer is led to the webhook that waits for its first event; nobody knows at first who is one. */
const isSettled = new Map<string, boolean>();

/** All that the page shows, asked for at once. Today begins when it does for the reader. */
async function load() {
  const since = dayOf(new Date());
  const id = workspace.value;
  const [summary, events, webhooks] = await Promise.all([
    asked(api.GET('/api/summary', { params: { query: { since } } })).catch((error: unknown) => {
      // All that was asked is the day: one that the hub refuses is that of a wrong clock.
      throw error instanceof Refusal && error.status === 422 ? new Refusal(422, t.wrongClock(new Date())) : error;
    }),
    asked(api.GET('/api/events', { params: { query: { limit: 10 } } })),
    isSettled.get(id) ? undefined : asked(api.GET('/api/webhooks')),
  ]);
  isSettled.set(id, summary.steps.event || events.items.length > 0);
  // The one made last of those that are open to a provider.
  const door = webhooks?.items.find(({ kind, enabled }) => kind === 'receive' && enabled)?.id;
  return { since, summary, events: events.items, door };
}
type Loadings = Awaited<ReturnType<typeof load>>;

export function Overview() {
  const live = useLive('overview', load, { of: ['events', 'sends', 'accounts'] });
  return (
    <Page title={t.title} call="GET /api/summary">
      <Loaded live={live}>
        {(all) => (
          <>
            <FirstSteps all={all} />
            <Figures {...all} />
            <section class="card">
              <h2>{t.today}</h2>
              <Bars since={all.since} today={all.summary.today.hours} before={all.summary.lastWeek.hours} />
            </section>
            <div class="columns">
              <section class="card">
                <h2>{t.needsHand}</h2>
                <Hands hands={handsOf(all.summary)} />
              </section>
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
function Figures({ summary: { today, lastWeek, waiting, credits }, since: after }: Loadings) {
  const counted = (value: number, before: number) => ({ value, beside: t.before(numberOf(before)) });
  const figures = [
    {
      to: addressOf('events', undefined, { kind: 'message', direction: 'inbound', after }),
      label: t.received,
      ...counted(today.received, lastWeek.received),
    },
    {
      to: addressOf('sends', undefined, { state: GONE_OUT, after }),
      label: t.sent,
      ...counted(today.sent, lastWeek.sent),
    },
    {
      to: addressOf('sends', undefined, { state: FAILED, after }),
      label: t.failed,
      ...counted(today.failed, lastWeek.failed),
    },
    { to: addressOf('sends', undefined, { state: 'queued,sending' }), label: t.waiting, value: waiting, beside: t.now },
    {
      to: addressOf('credits'),
      label: t.credits,
      value: credits.available,
      beside: t.granted(numberOf(credits.granted)),
    },
  ];
  return (
    <ul class="figures">
      {figures.map(({ to, label, value, beside }) => (
        <li key={label}>
          <a href={to}>
            <span>{label}</span>
            <strong>{numberOf(value)}</strong>
            <small>{beside}</small>
          </a>
        </li>
      ))}
    </ul>
  );
}

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

const MOST_HANDS = 8;

function Hands({ hands }: { readonly hands: readonly Hand[] }) {
  if (hands.length === 0) {
    return (
      <p class="well">
        <Check aria-hidden="true" /> {t.allWell}
      </p>
    );
  }
  return (
    <ul>
      {hands.slice(0, MOST_HANDS).map(({ to, state, text }) => (
        <li key={`${to} ${text}`} class="hand-line">
          <a class="hand" href={to}>
            <Badge state={state} />
            <span class="two-lines">{text}</span>
            <ArrowRight aria-hidden="true" />
          </a>
        </li>
      ))}
      {hands.length > MOST_HANDS && <li class="faint">{t.more(hands.length - MOST_HANDS)}</li>}
    </ul>
  );
}

function LastEvents({ events }: { readonly events: Loadings['events'] }) {
  const all: ComponentChildren = events.map((event) => (
    <li key={event.id}>
      <a href={addressOf('events', event.id)}>
        <EventLine event={event} />
      </a>
      <Time at={event.receivedAt} />
    </li>
  ));
  return (
    <section class="card">
      <h2>{t.lastEvents}</h2>
      {events.length === 0 ? <p class="faint">{t.noEvents}</p> : <ul class="lines">{all}</ul>}
    </section>
  );
}

/** Ticks itself, and is gone once all is done. */
function FirstSteps({ all: { summary, events, door } }: { readonly all: Loadings }) {
  const { webhook, event, account, send, rule } = summary.steps;
  const hasEvent = event || events.length > 0;
  const steps = [
    { to: addressOf('webhooks', 'new'), text: t.steps.webhook, isDone: webhook },
    { to: addressOf('webhooks', door ?? 'new'), text: t.steps.event, isDone: hasEvent },
    { to: addressOf('accounts', 'new'), text: t.steps.account, isDone: account },
    { to: hasEvent ? addressOf('inbox') : addressOf('inbox', 'new'), text: t.steps.send, isDone: send },
    { to: addressOf('rules', 'new'), text: t.steps.rule, isDone: rule },
  ];
  if (steps.every(({ isDone }) => isDone)) return null;
  const next = steps.find(({ isDone }) => !isDone);
  return (
    <section class="card">
      <h2>{t.first}</h2>
      <ol class="steps">
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
    </section>
  );
}
