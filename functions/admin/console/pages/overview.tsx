import { Check, CircleDashed } from 'lucide-preact';
import { addressOf } from '../address.ts';
import { type Account, api, asked } from '../api.ts';
import { useLive } from '../live.ts';
import { EventLine } from '../parts/event-line.tsx';
import { Loaded, Page } from '../parts/page.tsx';
import { Time } from '../parts/small.tsx';
import { texts } from '../texts.ts';

const t = texts.overview;
const MANY = { limit: 200 } as const;

/** All that the page shows, asked for at once: one round trip. */
async function load() {
  const hourAgo = new Date(Date.now() - 3_600_000).toISOString();
  const [accounts, webhooks, events, recent, quarantine, unknown, sends, credits, endpoints, rules] = await Promise.all(
    [
      asked(api.GET('/api/accounts', { params: { query: MANY } })),
      asked(api.GET('/api/webhooks', { params: { query: { limit: 1 } } })),
      asked(api.GET('/api/events', { params: { query: { limit: 8 } } })),
      asked(api.GET('/api/events', { params: { query: { ...MANY, after: hourAgo } } })),
      asked(api.GET('/api/events', { params: { query: { limit: 50, quarantined: 'true' } } })),
      asked(api.GET('/api/sends', { params: { query: { limit: 50, state: 'unknown' } } })),
      asked(api.GET('/api/sends', { params: { query: { limit: 1 } } })),
      asked(api.GET('/api/credits')),
      asked(api.GET('/api/endpoints')),
      asked(api.GET('/api/rules')),
    ],
  );
  return { accounts, webhooks, events, recent, quarantine, unknown, sends, credits, endpoints, rules };
}
type Loadings = Awaited<ReturnType<typeof load>>;

/** "50+" where there is another page. */
const countOf = ({ items, cursor }: { readonly items: readonly unknown[]; readonly cursor?: string }) =>
  `${items.length}${cursor === undefined ? '' : '+'}`;
const nameOf = ({ name, phone, provider }: Account) => name ?? phone ?? provider;

interface Hand {
  readonly to: string;
  readonly text: string;
}

function handsOf({ accounts, quarantine, unknown, credits, endpoints, rules }: Loadings): Hand[] {
  const { available, granted } = credits;
  return [
    ...accounts.items.flatMap((account) => [
      ...(account.held
        ? [{ to: addressOf('accounts', account.id), text: t.held(nameOf(account), account.holdReason ?? '') }]
        : []),
      ...(account.paused
        ? [{ to: addressOf('accounts', account.id), text: t.pausedAccount(nameOf(account), account.pauseReason ?? '') }]
        : []),
    ]),
    ...(unknown.items.length > 0
      ? [{ to: addressOf('sends', undefined, { state: 'unknown' }), text: t.unknown(countOf(unknown)) }]
      : []),
    ...(quarantine.items.length > 0
      ? [{ to: addressOf('events', undefined, { quarantined: 'true' }), text: t.quarantine(countOf(quarantine)) }]
      : []),
    ...endpoints.items
      .filter(({ state }) => state !== 'active')
      .map(({ id, name, url, state }) => ({ to: addressOf('endpoints', id), text: t.endpoint(name ?? url, state) })),
    ...rules.items.flatMap(({ id, name, disabledBecause }) =>
      disabledBecause ? [{ to: addressOf('rules', id), text: t.rule(name, disabledBecause) }] : [],
    ),
    ...(granted > 0 && available < granted / 10
      ? [{ to: addressOf('credits'), text: t.fewCredits(String(available)) }]
      : []),
  ];
}

export function Overview() {
  const live = useLive('overview', load, 'slow');
  return (
    <Page title={t.title}>
      <Loaded live={live}>
        {(all) => (
          <>
            <Figures all={all} />
            <div class="columns">
              <div class="column">
                <section class="card">
                  <h2>{t.needsHand}</h2>
                  <Hands hands={handsOf(all)} />
                </section>
                <FirstSteps all={all} />
              </div>
              <section class="card">
                <h2>{t.lastEvents}</h2>
                {all.events.items.length === 0 && <p class="faint">{t.noEvents}</p>}
                <ul class="lines">
                  {all.events.items.map((event) => (
                    <li key={event.id}>
                      <a href={addressOf('events', event.id)}>
                        <EventLine event={event} />
                      </a>
                      <Time at={event.receivedAt} />
                    </li>
                  ))}
                </ul>
              </section>
            </div>
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Figures({ all: { accounts, recent, credits } }: { readonly all: Loadings }) {
  const waiting = accounts.items.reduce((sum, { pending }) => sum + pending, 0);
  const sending = accounts.items.filter(({ held, paused }) => !held && !paused).length;
  const figures = [
    { to: addressOf('events'), value: countOf(recent), label: t.received },
    { to: addressOf('sends', undefined, { state: 'queued' }), value: String(waiting), label: t.waiting },
    { to: addressOf('accounts'), value: `${sending} / ${accounts.items.length}`, label: t.accounts },
    { to: addressOf('credits'), value: String(credits.available), label: t.credits },
  ];
  return (
    <ul class="figures">
      {figures.map(({ to, value, label }) => (
        <li key={label}>
          <a href={to}>
            <strong>{value}</strong>
            <span>{label}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}

function Hands({ hands }: { readonly hands: readonly Hand[] }) {
  if (hands.length === 0) return <p class="faint">{t.allWell}</p>;
  return (
    <ul class="lines">
      {hands.map(({ to, text }) => (
        <li key={text}>
          <a href={to}>{text}</a>
        </li>
      ))}
    </ul>
  );
}

/** Ticks itself, and is gone once all is done. */
function FirstSteps({ all: { webhooks, events, accounts, sends, rules } }: { readonly all: Loadings }) {
  const steps = [
    { to: addressOf('webhooks', 'new'), text: t.steps.webhook, isDone: webhooks.items.length > 0 },
    { to: addressOf('webhooks'), text: t.steps.event, isDone: events.items.length > 0 },
    { to: addressOf('accounts', 'new'), text: t.steps.account, isDone: accounts.items.length > 0 },
    { to: addressOf('inbox'), text: t.steps.send, isDone: sends.items.length > 0 },
    { to: addressOf('rules', 'new'), text: t.steps.rule, isDone: rules.items.length > 0 },
  ];
  if (steps.every(({ isDone }) => isDone)) return null;
  return (
    <section class="card">
      <h2>{t.first}</h2>
      <ol class="steps">
        {steps.map(({ to, text, isDone }) => (
          <li key={text} class={isDone ? 'done' : undefined}>
            {isDone ? <Check aria-label={texts.done} /> : <CircleDashed aria-hidden="true" />}
            {isDone ? <span>{text}</span> : <a href={to}>{text}</a>}
          </li>
        ))}
      </ol>
    </section>
  );
}
