import { useState } from 'preact/hooks';
import { addressOf } from '../address.ts';
import { type Account, api, asked, done } from '../api.ts';
import { useLive } from '../live.ts';
import { Acts } from '../parts/acts.tsx';
import { collection, ListPage } from '../parts/collection.tsx';
import { Loaded, Page } from '../parts/page.tsx';
import { Badge, Facts, Id, Loading, Time } from '../parts/small.tsx';
import { attempt, tell } from '../parts/toast.tsx';
import { accountName, reasonOf, texts } from '../texts.ts';
import { NewAccount } from './new-account.tsx';

const t = texts.accounts;

function stateOf({ held, paused }: Account): string {
  if (held) return 'held';
  return paused ? 'paused' : 'active';
}

const whyOf = ({ holdReason, pauseReason = '' }: Account): string => (holdReason ? reasonOf(holdReason) : pauseReason);

/** A time that has passed is when it was free: what comes next leaves at once. */
function NextSend({ account: { nextSendAt, held, paused } }: { readonly account: Account }) {
  if (held || paused) return <>{texts.none}</>;
  if (nextSendAt === undefined || Date.parse(nextSendAt) < Date.now()) return <>{t.atOnce}</>;
  return <Time at={nextSendAt} />;
}

const AccountList = () => (
  <ListPage
    page="accounts"
    texts={t}
    call="GET /api/accounts"
    load={(cursor) => asked(api.GET('/api/accounts', { params: { query: cursor ? { cursor } : {} } }))}
    columns={[
      { head: t.name, cell: (account) => <a href={addressOf('accounts', account.id)}>{accountName(account)}</a> },
      {
        head: t.provider,
        cell: ({ provider, channel }) => `${t.providers[provider] ?? provider}, ${texts.channels[channel]}`,
      },
      { head: t.phone, cell: ({ phone }) => phone ?? texts.none },
      { head: t.state, cell: (account) => <Badge state={stateOf(account)} /> },
      { head: t.reason, cell: (account) => whyOf(account) || texts.none },
      { head: t.pending, cell: ({ pending }) => pending, numeric: true },
      { head: t.next, cell: (account) => <NextSend account={account} /> },
    ]}
  />
);

function OneAccount({ id }: { readonly id: string }) {
  const live = useLive(`account ${id}`, () => asked(api.GET('/api/accounts/{id}', { params: { path: { id } } })));
  return (
    <Page
      title={live.data ? accountName(live.data) : t.one}
      call="GET /api/accounts/{id}"
      actions={live.data && <AccountActs account={live.data} onChange={live.again} />}
    >
      <Loaded live={live}>
        {(account) => (
          <>
            {account.warning && <p class="failure">{account.warning}</p>}
            <div class="columns">
              <Facts
                of={[
                  [
                    t.state,
                    <>
                      <Badge state={stateOf(account)} /> {whyOf(account)}
                    </>,
                  ],
                  account.probeAt !== undefined && [t.askedAgain, <Time key="asked" at={account.probeAt} />],
                  [
                    t.provider,
                    `${t.providers[account.provider] ?? account.provider}, ${texts.channels[account.channel]}`,
                  ],
                  account.instance !== undefined && [t.instance, account.instance],
                  [t.phone, account.phone ?? texts.none],
                  [t.pace, t.paceOf(account.pacing.minMs, account.pacing.maxMs)],
                  [t.pending, account.pending],
                  [t.next, <NextSend key="next" account={account} />],
                  [texts.id, <Id key="id" id={account.id} />],
                ]}
              />
              <Connection id={account.id} />
            </div>
            <p class="actions">
              <a href={addressOf('sends', undefined, { account: account.id })}>{t.queue}</a>
            </p>
          </>
        )}
      </Loaded>
    </Page>
  );
}

type Tested = Awaited<ReturnType<typeof test>>;
const test = (id: string) => asked(api.POST('/api/accounts/{id}/test', { params: { path: { id } } }));

/** Asks the provider, for some seconds: on demand, and never by itself. */
function Connection({ id }: { readonly id: string }) {
  const [tested, setTested] = useState<Tested>();
  const [isAsking, setAsking] = useState(false);
  const run = async () => {
    setAsking(true);
    setTested(undefined);
    await attempt(async () => setTested(await test(id)));
    setAsking(false);
  };
  return (
    <section class="card">
      <h2>{t.connection}</h2>
      <p class="faint">{t.connectionHint}</p>
      {isAsking && <Loading />}
      {tested && (
        <p role="status">
          <Badge state={tested.ok ? 'connected' : 'failed'} /> {[tested.state, tested.phone].filter(Boolean).join(', ')}
        </p>
      )}
      {tested?.message && <p>{tested.message}</p>}
      <div class="actions">
        <Acts acts={[{ label: t.test, run }]} />
      </div>
    </section>
  );
}

interface AccountActsProps {
  readonly account: Account;
  readonly onChange: () => Promise<unknown>;
}

function AccountActs({ account, onChange }: AccountActsProps) {
  const name = accountName(account);
  const path = { params: { path: { id: account.id } } };
  const cancelAll = async () => {
    let count = 0;
    let hasMore = true;
    // One call does what fits into its time.
    while (hasMore) {
      const { cancelled, more } = await asked(api.POST('/api/accounts/{id}/cancel', path));
      count += cancelled;
      hasMore = more;
    }
    tell(t.cancelledSaid(count));
  };
  return (
    <Acts
      onDone={onChange}
      acts={[
        !account.paused && {
          label: t.pause,
          run: () => asked(api.POST('/api/accounts/{id}/pause', { ...path, body: {} })),
          said: t.pausedSaid,
        },
        (account.paused || account.held) && {
          label: t.resume,
          run: () => asked(api.POST('/api/accounts/{id}/resume', path)),
          said: t.resumedSaid,
          look: 'primary',
        },
        account.pending > 0 && {
          label: t.cancel,
          run: cancelAll,
          asks: t.cancelText(name, account.pending),
          look: 'danger',
        },
        {
          label: t.delete,
          run: () => done(api.DELETE('/api/accounts/{id}', path)),
          asks: t.deleteText(name),
          look: 'danger',
          said: t.deleted,
          leadsTo: addressOf('accounts'),
        },
      ]}
    />
  );
}

export const Accounts = collection({ List: AccountList, New: NewAccount, One: OneAccount });
