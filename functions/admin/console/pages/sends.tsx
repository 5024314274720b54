import { addressOf, filterIn, go } from '../address.ts';
import { type Account, allAccounts, api, asked, type Send } from '../api.ts';
import { useLive } from '../live.ts';
import { Days, Search, Select } from '../parts/form.tsx';
import { List, None, useList } from '../parts/list.tsx';
import { Loaded, Page } from '../parts/page.tsx';
import { Queue, SendActions } from '../parts/send.tsx';
import { Badge, Facts, Id, Phone, Time } from '../parts/small.tsx';
import { Table } from '../parts/table.tsx';
import { accountName, accountOptions, addressName, reasonOf, texts } from '../texts.ts';
import { Named } from './event.tsx';

const t = texts.sends;
const STATES = [
  ...(['unknown', 'queued', 'sending', 'sent', 'delivered', 'read'] as const),
  ...(['partially_sent', 'failed', 'cancelled', 'expired'] as const),
];
const textOf = ({ parts }: Send) => parts.map(({ text, caption, fileName }) => text ?? caption ?? fileName).join(' · ');
const toWhom = ({ recipient }: Send) =>
  addressName(recipient.phone ?? recipient.jid ?? recipient.providerChatId ?? texts.none);
/** What went wrong, else why it waits. */
function whyOf({ parts, waitingReason }: Send): string | undefined {
  const why = parts.find(({ error }) => error)?.error ?? waitingReason;
  return why && reasonOf(why);
}

export function Sends({ id }: { readonly id?: string | undefined }) {
  return id === undefined ? <SendList /> : <OneSend id={id} />;
}

const FILTERS = ['state', 'account', 'recipient', 'after', 'before', 'chat'] as const;
type Filter = Readonly<Partial<Record<(typeof FILTERS)[number], string>>>;

function SendList() {
  const filter = filterIn(FILTERS);
  const key = JSON.stringify(filter);
  const isAll = key === '{}';
  const list = useList({
    name: `sends ${key}`,
    idOf: ({ messageId }: Send) => messageId,
    load: (cursor) => asked(api.GET('/api/sends', { params: { query: { ...filter, ...(cursor && { cursor }) } } })),
    // Each row names its account: it would grow when these came later.
    beside: async () => {
      const unknown = isAll ? asked(api.GET('/api/sends', { params: { query: { state: 'unknown' } } })) : undefined;
      const [accounts, first] = await Promise.all([allAccounts(), unknown]);
      return { accounts, unknown: first?.items ?? [], hasOlder: first?.cursor !== undefined };
    },
    of: ['sends', 'accounts'],
  });
  const accounts = list.live.data?.beside.accounts ?? [];
  const tableOf = (label: string, sends: readonly Send[]) => (
    <SendTable label={label} sends={sends} accounts={accounts} onChange={list.live.again} />
  );
  return (
    <Page title={texts.pages.sends} call="GET /api/sends">
      <Filters filter={filter} accounts={accounts} />
      {(filter.after ?? filter.before) !== undefined && <p class="faint">{t.byDay}</p>}
      {filter.account !== undefined && <Queue account={filter.account} />}
      <List of={list}>
        {({ unknown, hasOlder }) => (
          <>
            {unknown.length > 0 && (
              <>
                <h2>{t.unknown}</h2>
                <p class="faint">{t.unknownHint}</p>
                {tableOf(t.unknown, unknown)}
              </>
            )}
            {hasOlder && (
              <p class="faint">
                {t.unknownOf} <a href={addressOf('sends', undefined, { state: 'unknown' })}>{t.unknownOlder}</a>
              </p>
            )}
            {unknown.length > 0 && <h2>{t.all}</h2>}
            {list.items.length > 0 ? (
              tableOf(texts.pages.sends, list.items)
            ) : (
              <None of={list} texts={t} isFiltered={!isAll}>
                <a class="button" href={addressOf('webhooks', 'new', { kind: 'send' })}>
                  {t.emptyAct}
                </a>
              </None>
            )}
          </>
        )}
      </List>
    </Page>
  );
}

type Accounts = readonly Account[];

function Filters({ filter, accounts }: { readonly filter: Filter; readonly accounts: Accounts }) {
  const change = (more: Filter) => go(addressOf('sends', undefined, { ...filter, ...more }));
  // Whoever comes with an id, as a program has logged it, looks for that one send.
  const find = (wanted: string) =>
    wanted.startsWith('wa_backend:') ? go(addressOf('sends', wanted)) : change({ recipient: wanted });
  const states = filter.state?.split(',') ?? [];
  const toggle = (state: string) =>
    change({ state: (states.includes(state) ? states.filter((one) => one !== state) : [...states, state]).join(',') });
  return (
    <div class="form">
      <fieldset class="actions" aria-label={texts.state}>
        {STATES.map((state) => (
          <button
            key={state}
            type="button"
            class="small"
            aria-pressed={states.includes(state)}
            onClick={() => toggle(state)}
          >
            {texts.states[state] ?? state}
          </button>
        ))}
      </fieldset>
      <div class="filters">
        <Select
          label={texts.account}
          isBare
          value={filter.account ?? ''}
          options={[['', texts.inbox.allAccounts], ...accountOptions(accounts)]}
          onChange={(account) => change({ account })}
        />
        <Search label={t.recipient} value={filter.recipient} onChange={find} />
        <Days after={filter.after} before={filter.before} onChange={change} />
        {filter.chat !== undefined && (
          <a class="button" href={addressOf('inbox', filter.chat)}>
            {t.ofChat}
          </a>
        )}
        {Object.keys(filter).length > 0 && (
          <a class="button" href={addressOf('sends')}>
            {texts.allAgain}
          </a>
        )}
      </div>
    </div>
  );
}

interface SendTableProps {
  readonly label: string;
  readonly sends: readonly Send[];
  readonly accounts: Accounts;
  readonly onChange: () => Promise<unknown>;
}

function SendTable({ label, sends, accounts, onChange }: SendTableProps) {
  // With one account there is nothing to tell apart.
  const names = new Map(accounts.length > 1 ? accounts.map((account) => [account.id, accountName(account)]) : []);
  return (
    <Table
      label={label}
      rows={sends}
      keyOf={({ messageId }) => messageId}
      columns={[
        {
          head: texts.state,
          cell: ({ state, createdAt }) => (
            <>
              <Badge state={state} />
              <small class="by">
                <Time at={createdAt} />
              </small>
            </>
          ),
        },
        {
          head: texts.to,
          cell: (send) => (
            <>
              <a href={addressOf('sends', send.messageId)}>
                <Phone number={toWhom(send)} />
              </a>
              {names.has(send.accountId) && <small class="by">{t.by(names.get(send.accountId) ?? '')}</small>}
            </>
          ),
        },
        {
          head: t.message,
          cell: (send) => (
            <span class="two-lines" dir="auto">
              {textOf(send)}
            </span>
          ),
        },
        {
          head: texts.reason,
          cell: (send) => <Why send={send} />,
        },
        { head: t.credits, cell: ({ credits }) => credits, numeric: true },
        { head: texts.act, cell: (send) => <Act send={send} onChange={onChange} /> },
      ]}
    />
  );
}

function Why({ send }: { readonly send: Send }) {
  const place = send.position && texts.inbox.place(send.position);
  return <span class="why">{[whyOf(send), place].filter(Boolean).join('; ') || texts.none}</span>;
}

function Act({ send, onChange }: { readonly send: Send; readonly onChange: () => Promise<unknown> }) {
  if (send.state === 'partially_sent') return <>{texts.none}</>;
  return <SendActions send={send} state={send.state} onChange={onChange} />;
}

function OneSend({ id }: { readonly id: string }) {
  const path = { params: { path: { messageId: id } } };
  const live = useLive(`send ${id}`, () => asked(api.GET('/api/sends/{messageId}', path)));
  return (
    <Page
      title={t.one}
      call="GET /api/sends/{messageId}"
      actions={live.data && <Act send={live.data} onChange={live.again} />}
    >
      <Loaded live={live}>
        {(send) => (
          <>
            <Facts
              of={[
                [texts.state, <Badge key="state" state={send.state} />],
                [
                  texts.to,
                  send.recipient.chatId ? (
                    <a href={addressOf('inbox', send.recipient.chatId)}>{toWhom(send)}</a>
                  ) : (
                    toWhom(send)
                  ),
                ],
                [t.message, textOf(send)],
                [texts.reason, <Why key="why" send={send} />],
                [t.credits, `${send.credits}, ${send.creditState.replaceAll('_', ' ')}`],
                [texts.account, <Named key="account" page="accounts" id={send.accountId} />],
                [texts.id, <Id key="id" id={send.messageId} />],
              ]}
            />
            <h2>{t.history}</h2>
            <Timeline steps={send.history} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

/** From what happened first to what happened last, with the time between. */
function Timeline({ steps }: { readonly steps: Send['history'] }) {
  return (
    <ol class="stack timeline">
      {steps.map(({ at, state, part, detail }, index) => (
        <li key={`${at} ${state} ${part}`}>
          <span class="actions">
            <Badge state={state} />
            {part !== undefined && <span class="faint">{t.part(part + 1)}</span>}
            <time dateTime={at}>{new Date(at).toLocaleString()}</time>
            {index > 0 && <span class="faint">{t.later(Date.parse(at) - Date.parse(steps[index - 1]?.at ?? at))}</span>}
          </span>
          {detail && <span>{reasonOf(detail)}</span>}
        </li>
      ))}
    </ol>
  );
}
