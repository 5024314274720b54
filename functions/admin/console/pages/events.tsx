import { addressOf, filterIn, go } from '../address.ts';
import { api, asked, type Event, inParts, type TypeInQuarantine } from '../api.ts';
import { Acts } from '../parts/acts.tsx';
import { EventLine, waitingOf } from '../parts/event-line.tsx';
import { CheckBox, Days, Search, Select } from '../parts/form.tsx';
import { List, None, useList } from '../parts/list.tsx';
import { Page } from '../parts/page.tsx';
import { Time } from '../parts/small.tsx';
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

const FILTERS = ['kind', 'direction', 'provider', 'type', 'quarantined', 'after', 'before'] as const;
type Filter = Readonly<Partial<Record<(typeof FILTERS)[number], string>>>;

/** Of what is no kind, as somebody wrote it into the address, nothing is asked. */
function queryOf({ kind: ofKind, direction: inDirection, provider = '', quarantined, ...others }: Filter) {
  const kind = KINDS.find((one) => one === ofKind);
  const direction = DIRECTIONS.find((one) => one === inDirection);
  return {
    ...(kind && { kind }),
    ...(direction && { direction }),
    ...(isProvider(provider) && { provider }),
    ...(quarantined === 'true' && { quarantined: 'true' as const }),
    ...others,
  };
}

function EventList() {
  const filter = filterIn(FILTERS);
  const query = queryOf(filter);
  const { quarantined: isQuarantine, ...others } = query;
  const list = useList({
    name: `events ${JSON.stringify(query)}`,
    idOf: ({ id }: Event) => id,
    load: (cursor) => asked(api.GET('/api/events', { params: { query: { ...query, ...(cursor && { cursor }) } } })),
    // Above the list, which would move down when these come later.
    beside: async () => (isQuarantine ? (await asked(api.GET('/api/events/quarantine'))).items : []),
    of: ['events'],
  });
  const { items } = list;
  const onDone = list.live.again;
  const replayEverything = { label: t.replayEverything, run: (say: Say) => replayAll({}, say) };
  const isFiltered = Object.keys(others).length > 0;
  return (
    <Page
      title={texts.pages.events}
      call="GET /api/events"
      actions={isQuarantine && items.length > 0 && <Acts acts={[replayEverything]} onDone={onDone} />}
    >
      <Filters filter={filter} />
      <List of={list}>
        {(types) => (
          <>
            <Quarantine types={types.filter((one) => waiting(one) > 0)} onDone={onDone} />
            {items.length > 0 && <EventTable events={items} />}
            {items.length === 0 && isQuarantine && !isFiltered && (
              <None of={list} texts={{ empty: t.allUnderstood, emptyHint: t.quarantineHint }} />
            )}
            {items.length === 0 && (!isQuarantine || isFiltered) && (
              <None of={list} texts={t} isFiltered={isFiltered} all={addressOf('events')}>
                <a class="button" href={addressOf('webhooks', 'new')}>
                  {texts.webhooks.make}
                </a>
              </None>
            )}
          </>
        )}
      </List>
    </Page>
  );
}

function Filters({ filter }: { readonly filter: Filter }) {
  const change = (more: Filter) => go(addressOf('events', undefined, { ...filter, ...more }));
  return (
    <div class="filters">
      <Select
        label={texts.kind}
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
      <Search label={t.type} value={filter.type} onChange={(type) => change({ type })} />
      <Days after={filter.after} before={filter.before} onChange={change} />
      <CheckBox
        label={t.onlyQuarantine}
        value={filter.quarantined === 'true'}
        onChange={(isOnly) => change({ quarantined: isOnly ? 'true' : '' })}
      />
      {Object.keys(filter).length > 0 && (
        <a class="button" href={addressOf('events')}>
          {texts.allAgain}
        </a>
      )}
    </div>
  );
}

function EventTable({ events }: { readonly events: readonly Event[] }) {
  return (
    <Table
      label={texts.pages.events}
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
          { head: texts.waiting, cell: (type) => waiting(type), numeric: true },
          { head: texts.since, cell: ({ firstAt }) => <Time at={firstAt} /> },
        ]}
        acts={({ type, provider }) => [
          { label: t.replayType, run: (say) => replayAll({ type }, say) },
          {
            label: t.dismissType,
            run: (say) => dismissAll({ type, provider }, say),
            asks: t.dismissAsk(`${providerName(provider)}, ${type}`),
            said: t.dismissed,
          },
        ]}
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
