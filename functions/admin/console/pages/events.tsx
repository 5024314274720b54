import { addressOf, filterIn, go } from '../address.ts';
import { api, asked, type Event, inParts, mayChange } from '../api.ts';
import { useLive } from '../live.ts';
import { Acts } from '../parts/acts.tsx';
import { Days } from '../parts/days.tsx';
import { EventLine, waitingOf } from '../parts/event-line.tsx';
import { CheckBox } from '../parts/form.tsx';
import { MarkedJson } from '../parts/marked-json.tsx';
import { Loaded, Page } from '../parts/page.tsx';
import { Pager, useOlder } from '../parts/pager.tsx';
import { Badge, Code, Empty, Facts, Id, Time } from '../parts/small.tsx';
import { Table } from '../parts/table.tsx';
import { tell } from '../parts/toast.tsx';
import { isProvider, providerNames } from '../samples.ts';
import { accountName, providerName, texts } from '../texts.ts';
import { titleOf } from './thread.tsx';

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
  const live = useLive(`events ${key}`, load, { of: ['events'] });
  const { items, next } = useOlder(key, live.data, ({ id }) => id, load);
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
      {isQuarantine && <Quarantine onReplayed={live.again} />}
      <Loaded live={live}>
        {() =>
          items.length > 0 ? <EventTable events={items} /> : <NoEvents query={query} hasMore={next !== undefined} />
        }
      </Loaded>
      <Pager next={next} />
    </Page>
  );
}

function Filters({ filter }: { readonly filter: Filter }) {
  const change = (more: Filter) => go(addressOf('events', undefined, { ...filter, ...more }));
  return (
    <div class="filters">
      <select
        aria-label={t.kind}
        value={filter.kind ?? ''}
        onChange={({ currentTarget }) => change({ kind: currentTarget.value })}
      >
        <option value="">{t.allKinds}</option>
        {KINDS.map((one) => (
          <option key={one}>{one}</option>
        ))}
      </select>
      <select
        aria-label={t.direction}
        value={filter.direction ?? ''}
        onChange={({ currentTarget }) => change({ direction: currentTarget.value })}
      >
        {Object.entries(t.directions).map(([direction, words]) => (
          <option key={direction} value={direction}>
            {words}
          </option>
        ))}
      </select>
      <select
        aria-label={t.provider}
        value={filter.provider ?? ''}
        onChange={({ currentTarget }) => change({ provider: currentTarget.value })}
      >
        <option value="">{t.allProviders}</option>
        {providerNames.map((one) => (
          <option key={one} value={one}>
            {providerName(one)}
          </option>
        ))}
      </select>
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
      <Empty title={t.noneDismissed}>
        <p>{t.noneDismissedHint}</p>
        <AllEvents />
      </Empty>
    );
  if (quarantined)
    return (
      <Empty title={t.allUnderstood}>
        <p>{t.quarantineHint}</p>
      </Empty>
    );
  return (
    <Empty title={t.empty}>
      <p>{texts.webhooks.emptyHint}</p>
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
        { head: t.provider, cell: ({ provider }) => providerName(provider) },
        { head: t.received, cell: ({ receivedAt }) => <Time at={receivedAt} /> },
      ]}
    />
  );
}

/** Types that were not understood, by how many there are. */
function Quarantine({ onReplayed }: { readonly onReplayed: () => Promise<unknown> }) {
  const live = useLive('quarantine', () => asked(api.GET('/api/events/quarantine')));
  const onDone = () => Promise.all([live.again(), onReplayed()]);
  return (
    <Loaded live={live}>
      {({ items }) =>
        items.length > 0 && (
          <>
            <p class="faint">{t.replayHint}</p>
            <Table
              label={t.types}
              rows={items}
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
                { head: t.provider, cell: ({ provider }) => providerName(provider) },
                { head: t.seen, cell: ({ seen }) => seen, numeric: true },
                { head: t.replayed, cell: ({ replayed }) => replayed, numeric: true },
                { head: t.dismissed, cell: ({ dismissed }) => dismissed, numeric: true },
                { head: t.since, cell: ({ firstAt }) => <Time at={firstAt} /> },
                {
                  head: t.act,
                  cell: ({ type, provider, seen, replayed, dismissed }) =>
                    seen > replayed + dismissed && (
                      <Acts
                        isSmall
                        acts={[
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
                    ),
                },
              ]}
            />
          </>
        )
      }
    </Loaded>
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

/** The send that it tells of, if it went out through the hub. */
function sendOf(event: Event): string | undefined {
  if (event.kind === 'send') return event.send.messageId;
  return 'sendId' in event ? event.sendId : undefined;
}

const nameOf = {
  webhooks: async (id: string) => (await api.GET('/api/webhooks/{id}', { params: { path: { id } } })).data?.name,
  accounts: async (id: string) => {
    const { data } = await api.GET('/api/accounts/{id}', { params: { path: { id } } });
    return data && accountName(data);
  },
  inbox: async (id: string) => {
    const { data } = await api.GET('/api/chats/{id}', { params: { path: { id } } });
    return data && titleOf(data);
  },
};

/** Leads to what the event names; by its id where it has no name, or is gone. */
function Named({ page, id }: { readonly page: keyof typeof nameOf; readonly id: string }) {
  const { data } = useLive(`name ${page} ${id}`, () => nameOf[page](id), { isSlow: true });
  return <a href={addressOf(page, id)}>{data ?? id}</a>;
}

function OneEvent({ id }: { readonly id: string }) {
  const path = { params: { path: { id } } };
  const live = useLive(`event ${id}`, async () => {
    const [event, raw] = await Promise.all([
      asked(api.GET('/api/events/{id}', path)),
      api.GET('/api/events/{id}/raw', { ...path, parseAs: 'text' }),
    ]);
    return { event, raw: raw.data === undefined ? undefined : String(raw.data) };
  });
  const replay = async () => {
    const { result } = await asked(api.POST('/api/events/{id}/replay', path));
    tell(t.results[result] ?? result);
  };
  const dismiss = () => asked(api.POST('/api/events/{id}/dismiss', path));
  const isWaiting = live.data?.event.kind === 'unknown' && live.data.event.quarantined !== false;
  return (
    <Page
      title={t.one}
      call="GET /api/events/{id}"
      actions={
        <Acts
          acts={[{ label: t.replay, run: replay }, isWaiting && { label: t.dismiss, run: dismiss, said: t.dismissed }]}
          onDone={live.again}
        />
      }
    >
      <Loaded live={live}>
        {({ event, raw }) => (
          <>
            <Facts
              of={[
                [t.what, <EventLine key="what" event={event} />],
                [t.received, new Date(event.receivedAt).toLocaleString()],
                [t.provider, providerName(event.provider)],
                event.webhookId.startsWith('wh_') && [
                  t.webhook,
                  <Named key="webhook" page="webhooks" id={event.webhookId} />,
                ],
                event.accountId !== undefined && [
                  t.account,
                  <Named key="account" page="accounts" id={event.accountId} />,
                ],
                sendOf(event) !== undefined && [
                  t.send,
                  <a key="send" href={addressOf('sends', sendOf(event))}>
                    {sendOf(event)}
                  </a>,
                ],
                'chatId' in event &&
                  event.chatId !== undefined && [t.chat, <Named key="chat" page="inbox" id={event.chatId} />],
                event.kind === 'unknown' && [
                  t.quarantine,
                  <>
                    <Badge state={stateOf(event)} />{' '}
                    {event.issues.map(({ path: where, message }) => `${where}: ${message}`).join('; ')}
                  </>,
                ],
                [texts.id, <Id key="id" id={event.id} />],
              ]}
            />
            {isWaiting && <p class="faint">{t.replayHint}</p>}
            <h2>{t.shape}</h2>
            <Code text={JSON.stringify(event, null, 2)} />
            {raw !== undefined && (
              <>
                <h2>{t.raw}</h2>
                <Raw text={raw} paths={event.kind === 'unknown' ? event.issues.map(({ path: where }) => where) : []} />
              </>
            )}
          </>
        )}
      </Loaded>
    </Page>
  );
}

function stateOf({ quarantined, dismissedAt }: Extract<Event, { kind: 'unknown' }>): string {
  if (dismissedAt !== undefined) return t.dismissed.toLowerCase();
  return quarantined === false ? t.understood : 'quarantined';
}

interface RawProps {
  readonly text: string;
  /** What could not be read. */
  readonly paths: readonly string[];
}

function Raw({ text, paths }: RawProps) {
  const body = parsed(text);
  return body === undefined ? <Code text={text} /> : <MarkedJson value={body} paths={paths} />;
}

/** Undefined of a form, and of what was no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
