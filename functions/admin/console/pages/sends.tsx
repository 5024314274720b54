import { address, addressOf, go } from '../address.ts';
import { api, asked, type Send } from '../api.ts';
import { useLive } from '../live.ts';
import { SendActions } from '../parts/bubble.tsx';
import { Loaded, Page } from '../parts/page.tsx';
import { Pager, useOlder } from '../parts/pager.tsx';
import { Badge, Empty, Facts, Id, Phone, Time } from '../parts/small.tsx';
import { Table } from '../parts/table.tsx';
import { texts } from '../texts.ts';

const t = texts.sends;
const STATES = [
  ...(['unknown', 'queued', 'sending', 'sent', 'delivered', 'read'] as const),
  ...(['partially_sent', 'failed', 'cancelled', 'expired'] as const),
];
type State = (typeof STATES)[number];
const isState = (text: string | null): text is State => STATES.some((state) => state === text);

const textOf = ({ parts }: Send) => parts.map(({ text, caption, fileName }) => text ?? caption ?? fileName).join(' · ');
const toWhom = ({ recipient }: Send) => recipient.phone ?? recipient.jid ?? recipient.providerChatId ?? texts.none;
const reasonOf = ({ parts }: Send) => parts.find(({ error }) => error)?.error;

export function Sends({ id }: { readonly id?: string | undefined }) {
  return id === undefined ? <SendList /> : <OneSend id={id} />;
}

function SendList() {
  const given = address.value.query.get('state');
  const state = isState(given) ? given : undefined;
  const query = state ? { state } : {};
  const load = (cursor?: string) =>
    asked(api.GET('/api/sends', { params: { query: { ...query, ...(cursor && { cursor }) } } }));
  const live = useLive(`sends ${state}`, load);
  const { items, next } = useOlder(String(state), live.data, ({ messageId }) => messageId, load);
  return (
    <Page title={t.title} call="GET /api/sends">
      <div class="filters">
        <select
          aria-label={t.state}
          value={state ?? ''}
          onChange={({ currentTarget }) => go(addressOf('sends', undefined, { state: currentTarget.value }))}
        >
          <option value="">{texts.all}</option>
          {STATES.map((one) => (
            <option key={one} value={one}>
              {texts.states[one] ?? one}
            </option>
          ))}
        </select>
      </div>
      <Loaded live={live}>
        {() =>
          items.length > 0 ? (
            <SendTable sends={items} onChange={live.again} />
          ) : (
            <NoSends isFiltered={state !== undefined} />
          )
        }
      </Loaded>
      <Pager next={next} />
    </Page>
  );
}

interface SendTableProps {
  readonly sends: readonly Send[];
  readonly onChange: () => Promise<unknown>;
}

function SendTable({ sends, onChange }: SendTableProps) {
  return (
    <Table
      label={t.title}
      rows={sends}
      keyOf={({ messageId }) => messageId}
      columns={[
        { head: t.state, cell: ({ state }) => <Badge state={state} /> },
        {
          head: t.to,
          cell: (send) => (
            <a href={addressOf('sends', send.messageId)}>
              <Phone number={toWhom(send)} />
            </a>
          ),
        },
        { head: t.message, cell: (send) => <span class="two-lines">{textOf(send)}</span> },
        {
          head: t.reason,
          cell: (send) => reasonOf(send) ?? (send.position && texts.inbox.place(send.position)) ?? texts.none,
        },
        { head: t.credits, cell: ({ credits }) => credits, numeric: true },
        { head: t.at, cell: ({ createdAt }) => <Time at={createdAt} /> },
        { head: t.act, cell: (send) => <Act send={send} onChange={onChange} /> },
      ]}
    />
  );
}

function Act({ send, onChange }: { readonly send: Send; readonly onChange: () => Promise<unknown> }) {
  if (send.state === 'partially_sent') return <>{texts.none}</>;
  return <SendActions send={send} state={send.state} onChange={onChange} />;
}

function NoSends({ isFiltered }: { readonly isFiltered: boolean }) {
  if (isFiltered) return <Empty title={t.noneSuch} />;
  return (
    <Empty title={t.empty}>
      <p>{t.emptyHint}</p>
      <a class="button" href={addressOf('webhooks', 'new', { kind: 'send' })}>
        {t.emptyAct}
      </a>
    </Empty>
  );
}

function OneSend({ id }: { readonly id: string }) {
  const path = { params: { path: { messageId: id } } };
  const live = useLive(`send ${id}`, () => asked(api.GET('/api/sends/{messageId}', path)));
  return (
    <Page title={t.one} call="GET /api/sends/{messageId}">
      <Loaded live={live}>
        {(send) => (
          <>
            <Facts
              of={[
                [t.state, <Badge key="state" state={send.state} />],
                [
                  t.to,
                  send.recipient.chatId ? (
                    <a key="to" href={addressOf('inbox', send.recipient.chatId)}>
                      {toWhom(send)}
                    </a>
                  ) : (
                    toWhom(send)
                  ),
                ],
                [t.message, textOf(send)],
                [t.reason, reasonOf(send) ?? texts.none],
                [t.credits, `${send.credits}, ${send.creditState.replaceAll('_', ' ')}`],
                [
                  t.account,
                  <a key="account" href={addressOf('accounts', send.accountId)}>
                    {send.provider}
                  </a>,
                ],
                [texts.id, <Id key="id" id={send.messageId} />],
              ]}
            />
            <Act send={send} onChange={live.again} />
            <h2>{t.history}</h2>
            <Table
              label={t.history}
              rows={send.history.map((step, index) => ({ ...step, index }))}
              keyOf={({ index }) => String(index)}
              columns={[
                { head: t.at, cell: ({ at }) => new Date(at).toLocaleString() },
                { head: t.state, cell: ({ state }) => <Badge state={state} /> },
                { head: t.reason, cell: ({ detail }) => detail ?? texts.none },
              ]}
            />
          </>
        )}
      </Loaded>
    </Page>
  );
}
