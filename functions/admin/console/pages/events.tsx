import { addressOf, filterIn, go } from '../address.ts';
import { api, asked, type Event, inParts, mayChange, type TypeInQuarantine } from '../api.ts';
import { useLive } from '../live.ts';
import { Acts } from '../parts/acts.tsx';
import { Days } from '../parts/days.tsx';
import { dismissedOf, EventLine, waitingOf } from '../parts/event-line.tsx';
import { CheckBox } from '../parts/form.tsx';
import { Loaded, Page } from '../parts/page.tsx';
import { Pager, useOlder } from '../parts/pager.tsx';
import { Select } from '../parts/select.tsx';
import { Empty, Time } from '../parts/small.tsx';
import { Table } from '../parts/table.tsx';
import { tell } from '../parts/toast.tsx';
import { isProvider, providerNames } from '../samples.ts';
import { providerName, texts } from '../texts.ts';
import { OneEvent } from './event.tsx';

const t = texts.events;
const KINDS = [
  ...(['message', 'status', 'reaction', 'call', 'connection', 'device', 'chat', 'notification'] as const),
  ...(['ussd', 'quota', 'send', 'account', 'endpoint', 'rule', 'unknown'] as const),
];
const DIRECTIONS = ['inbound', 'outbound'] as const;

export function Events({ id }: { readonly id?: string | undefined }) {
  return id === undefined ? <EventList /> : <OneEvent id={id} />;
}

const FILTERS = ['kind', 'direction', 'provider', 'type', 'quarantined', 'dismissed', 'after', 'before'] as const;
type Filter = Readonly<Partial<Record<(typeof FILTERS)[number], string>>>;

/** Of what is no kind, as somebody wrote it into the address, nothing is asked. */
function queryOf({ kind: ofKind, direction: inDirection, provider = '', quarantined, dismissed, ...others }: Filter) {
  const kind = KINDS.find((one) => one === ofKind);
  const direction = DIRECTIONS.find((one) => one === inDirection);
  return {
    ...(kind && { kind }),
    ...(direction && { direction }),
    ...(isProvider(provider) && { provider }),
    ...(quarantined === 'true' && { quarantined: 'true' as const }),
    ...(dismissed === 'true' && { dismissed: 'true' as const }),
    ...others,
  };
}

function EventList() {
  const filter = filterIn(FILTERS);
  const query = queryOf(filter);
  const isQuarantine = query.quarantined !== undefined;
  const key = JSON.stringify(query);
  const load = (cursor?: string) =>
    asked(api.GET('/api/events', { params: { query: { ...query, ...(cursor && { cursor }) } } }));
  // Above the list, which would move down when these come later.
  const loadTypes = async () => (isQuarantine ? (await asked(api.GET('/api/events/quarantine'))).items : []);
  const live = useLive(
    `events ${key}`,
    async () => {
      const [events, types] = await Promise.all([load(), loadTypes()]);
      return { events, types };
    },
    { of: ['events'] },
  );
  const { items, next } = useOlder(key, live.data?.events, ({ id }) => id, load);
  return (
    <Page
      title={t.title}
      call="GET /api/events"
      actions={
        isQuarantine &&
        items.length > 0 && (
          <Acts acts={[{ label: t.replayEverything, run: (say) => replayAll({}, say) }]} onDone={live.again} />
        )
      }
    >
      <Filters filter={filter} />
      <Loaded live={live}>
        {({ types }) => (
          <>
            <Quarantine types={types.filter(isListed)} onDone={live.again} />
            {items.length > 0 ? <EventTable events={items} /> : <NoEvents query={query} hasMore={next !== undefined} />}
          </>
        )}
      </Loaded>
      <Pager next={next} />
    </Page>
  );
}

function Filters({ filter }: { readonly filter: Filter }) {
  const change = (more: Filter) => go(addressOf('events', undefined, { ...filter, ...more }));
  return (
    <div class="filters">
      <Select
        label={t.kind}
        isBare
        value={filter.kind ?? ''}
        options={[['', t.allKinds], ...KINDS.map((kind) => [kind, kind] as const)]}
        onChange={(kind) => change({ kind })}
      />
      <Select
        label={t.direction}
        isBare
        value={filter.direction ?? ''}
        options={Object.entries(t.directions)}
        onChange={(direction) => change({ direction })}
      />
      <Select
        label={texts.provider}
        isBare
        value={filter.provider ?? ''}
        options={[['', t.allProviders], ...providerNames.map((one) => [one, providerName(one)] as const)]}
        onChange={(provider) => change({ provider })}
      />
      <input
        type="search"
        aria-label={t.type}
        placeholder={t.type}
        value={filter.type ?? ''}
        onChange={({ currentTarget }) => change({ type: currentTarget.value.trim() })}
      />
      <Days after={filter.after} before={filter.before} onChange={change} />
      <CheckBox
        label={t.onlyQuarantine}
        value={filter.quarantined === 'true'}
        onChange={(isOnly) => change({ quarantined: isOnly ? 'true' : '', dismissed: '' })}
      />
      <CheckBox
        label={t.onlyDismissed}
        value={filter.dismissed === 'true'}
        onChange={(isOnly) => change({ dismissed: isOnly ? 'true' : '', quarantined: '' })}
      />
      {Object.keys(filter).length > 0 && <AllEvents />}
    </div>
  );
}

const AllEvents = () => (
  <a class="button" href={addressOf('events')}>
    {t.allAgain}
  </a>
);

interface NoEventsProps {
  readonly query: ReturnType<typeof queryOf>;
  /** So many were looked through that the rest is looked through when somebody asks. */
  readonly hasMore: boolean;
}

function NoEvents({ query: { quarantined, dismissed, ...others }, hasMore }: NoEventsProps) {
  if (hasMore) return <Empty title={texts.noneYet} />;
  if (Object.keys(others).length > 0)
    return (
      <Empty title={t.noneSuch}>
        <AllEvents />
      </Empty>
    );
  if (dismissed)
    return (
      <Empty title={t.noneDismissed} hint={t.noneDismissedHint}>
        <AllEvents />
      </Empty>
    );
  if (quarantined) return <Empty title={t.allUnderstood} hint={t.quarantineHint} />;
  return (
    <Empty title={t.empty} hint={texts.webhooks.emptyHint}>
      {mayChange() && (
        <a class="button" href={addressOf('webhooks', 'new')}>
          {texts.webhooks.make}
        </a>
      )}
    </Empty>
  );
}

function EventTable({ events }: { readonly events: readonly Event[] }) {
  return (
    <Table
      label={t.title}
      rows={events}
      keyOf={({ id }) => id}
      columns={[
        {
          head: t.what,
          cell: (event) => (
            <a class="quiet" href={addressOf('events', event.id)}>
              <EventLine event={event} />
            </a>
          ),
        },
        { head: texts.provider, cell: ({ provider }) => providerName(provider) },
        { head: t.received, cell: ({ receivedAt }) => <Time at={receivedAt} /> },
      ]}
    />
  );
}

type Counts = Readonly<Record<'seen' | 'replayed' | 'dismissed', number>>;

const waiting = ({ seen, replayed, dismissed }: Counts) => Math.max(0, seen - replayed - dismissed);

/** What was understood since is an event like any other. */
const isListed = (counts: Counts) => waiting(counts) > 0 || counts.dismissed > 0;

const Count = ({ of, to }: { readonly of: number; readonly to: string }) => (of > 0 ? <a href={to}>{of}</a> : of);

interface QuarantineProps {
  readonly types: readonly TypeInQuarantine[];
  readonly onDone: () => Promise<unknown>;
}

/** Types that were not understood, by how many there are. */
function Quarantine({ types, onDone }: QuarantineProps) {
  if (types.length === 0) return null;
  return (
    <>
      <p class="faint">{t.replayHint}</p>
      <Table
        label={t.types}
        rows={types}
        keyOf={({ provider, type }) => `${provider} ${type}`}
        columns={[
          {
            head: t.type,
            cell: ({ provider, type }) => (
              <a href={waitingOf(provider, type)}>
                <code>{type}</code>
              </a>
            ),
          },
          { head: texts.provider, cell: ({ provider }) => providerName(provider) },
          {
            head: t.waiting,
            cell: (type) => <Count of={waiting(type)} to={waitingOf(type.provider, type.type)} />,
            numeric: true,
          },
          {
            head: t.dismissed,
            cell: ({ provider, type, dismissed }) => <Count of={dismissed} to={dismissedOf(provider, type)} />,
            numeric: true,
          },
          { head: texts.since, cell: ({ firstAt }) => <Time at={firstAt} /> },
        ]}
        acts={({ type, provider, ...counts }) =>
          waiting(counts) > 0
            ? [
                { label: t.replayType, run: (say) => replayAll({ type }, say) },
                {
                  label: t.dismissType,
                  run: (say) => dismissAll({ type, provider }, say),
                  asks: t.dismissAsk(`${providerName(provider)}, ${type}`),
                  said: t.dismissed,
                },
              ]
            : []
        }
        onDone={onDone}
      />
    </>
  );
}

type Say = (progress: string) => void;

async function replayAll(which: { readonly type?: string }, say: Say): Promise<void> {
  const answers = await inParts(
    (from) => asked(api.POST('/api/events/replay', { body: { ...which, ...from } })),
    (so) => say(t.replayedSoFar(so.reduce((sum, { items }) => sum + items.length, 0))),
  );
  const results = answers.flatMap(({ items }) => items.map(({ result }) => result));
  const countOf = (wanted: string) => results.filter((result) => result === wanted).length;
  tell(t.replayedSaid(countOf('replayed'), countOf('quarantined')));
}

const dismissAll = (which: { readonly type: string; readonly provider: string }, say: Say) =>
  inParts(
    (from) => asked(api.POST('/api/events/dismiss', { body: { ...which, ...from } })),
    (so) => say(t.dismissedSoFar(so.reduce((sum, { dismissed }) => sum + dismissed, 0))),
  );
