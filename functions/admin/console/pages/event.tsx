import { addressOf } from '../address.ts';
import { api, asked, type Event } from '../api.ts';
import { useLive } from '../live.ts';
import { Acts } from '../parts/acts.tsx';
import { EventLine } from '../parts/event-line.tsx';
import { Loaded, Page } from '../parts/page.tsx';
import { Badge, Code, Facts, Id } from '../parts/small.tsx';
import { tell } from '../parts/toast.tsx';
import { accountName, providerName, texts } from '../texts.ts';
import { titleOf } from './thread.tsx';

const t = texts.events;

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
export function Named({ page, id }: { readonly page: keyof typeof nameOf; readonly id: string }) {
  const { data } = useLive(`name ${page} ${id}`, () => nameOf[page](id), { isSlow: true });
  return <a href={addressOf(page, id)}>{data ?? id}</a>;
}

export function OneEvent({ id }: { readonly id: string }) {
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
                [texts.provider, providerName(event.provider)],
                event.webhookId.startsWith('wh_') && [
                  t.webhook,
                  <Named key="webhook" page="webhooks" id={event.webhookId} />,
                ],
                event.accountId !== undefined && [
                  texts.account,
                  <Named key="account" page="accounts" id={event.accountId} />,
                ],
                sendOf(event) !== undefined && [
                  t.send,
                  <a key="send" href={addressOf('sends', sendOf(event))}>
                    {sendOf(event)}
                  </a>,
                ],
                'chatId' in event &&
                  event.chatId !== undefined && [
                    texts.contact.back,
                    <Named key="chat" page="inbox" id={event.chatId} />,
                  ],
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
  try {
    return <MarkedJson value={JSON.parse(text)} paths={paths} />;
  } catch {
    // A form, or whatever else is no JSON.
    return <Code text={text} />;
  }
}

interface Line {
  /** Where in the body it stands, as `data.0.id`; of a closing bracket nowhere. */
  readonly path: string | undefined;
  readonly text: string;
}

interface MarkedJsonProps {
  readonly value: unknown;
  /** What is wrong with it; what is missing marks the line of what it is missing in. */
  readonly paths: readonly string[];
}

/** A body with the lines marked at which it could not be read. */
export function MarkedJson({ value, paths }: MarkedJsonProps) {
  const lines = linesOf(value, '', '', '', '');
  const known = new Set(lines.flatMap(({ path }) => path ?? []));
  const marked = new Set(paths.map((path) => nearest(path, known)));
  return (
    <Code>
      {lines.map(({ path, text }, index) => {
        const isMarked = path !== undefined && marked.has(path);
        return isMarked ? <mark key={index}>{`${text}\n`}</mark> : `${text}\n`;
      })}
    </Code>
  );
}

/** The place itself or, where it is not there, the innermost one around it. */
function nearest(path: string, known: ReadonlySet<string>): string {
  if (known.has(path) || path === '') return path;
  return nearest(path.split('.').slice(0, -1).join('.'), known);
}

function linesOf(value: unknown, path: string, indent: string, name: string, comma: string): Line[] {
  if (typeof value !== 'object' || value === null) {
    return [{ path, text: `${indent}${name}${JSON.stringify(value)}${comma}` }];
  }
  const isList = Array.isArray(value);
  const entries = Object.entries(value);
  const [open, close] = isList ? '[]' : '{}';
  if (entries.length === 0) return [{ path, text: `${indent}${name}${open}${close}${comma}` }];
  const inner = entries.flatMap(([key, child], index) =>
    linesOf(
      child,
      path === '' ? key : `${path}.${key}`,
      `${indent}  `,
      isList ? '' : `${JSON.stringify(key)}: `,
      index < entries.length - 1 ? ',' : '',
    ),
  );
  return [{ path, text: `${indent}${name}${open}` }, ...inner, { path: undefined, text: `${indent}${close}${comma}` }];
}
