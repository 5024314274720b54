import { addressOf } from '../address.ts';
import { type Account, api, asked, done, mayChange } from '../api.ts';
import { useLive } from '../live.ts';
import { type Act, Acts, deletion } from '../parts/acts.tsx';
import { collection, ListPage } from '../parts/list.tsx';
import { Loaded, Page } from '../parts/page.tsx';
import { cancelAll } from '../parts/send.tsx';
import { Badge, Facts, Id, Phone, Time } from '../parts/small.tsx';
import { accountName, providerName, reasonOf, texts } from '../texts.ts';
import { Connection, EditAccount, NewAccount, NewCredentials } from './account-forms.tsx';

const t = texts.accounts;

const sourceOf = ({ provider, channel }: Account): string => `${providerName(provider)}, ${texts.channels[channel]}`;

/** A time that has passed is when it was free: what comes next leaves at once. */
function NextSend({ account: { nextSendAt, held, paused } }: { readonly account: Account }) {
  if (held || paused) return <>{texts.none}</>;
  if (nextSendAt === undefined || Date.parse(nextSendAt) < Date.now()) return <>{t.atOnce}</>;
  return <Time at={nextSendAt} />;
}

function Pending({ account: { id, pending } }: { readonly account: Account }) {
  if (pending === 0) return <>{pending}</>;
  return <a href={addressOf('sends', undefined, { account: id, state: 'queued,sending' })}>{pending}</a>;
}

function State({ account: { held, paused, holdReason, pauseReason, probeAt } }: { readonly account: Account }) {
  const why = holdReason ? reasonOf(holdReason) : pauseReason;
  return (
    <>
      <Badge state={(held && 'held') || (paused && 'paused') || 'connected'} />
      {why && <small class="by">{why}</small>}
      {probeAt !== undefined && (
        <small class="by">
          {t.askedAgain} <Time at={probeAt} />
        </small>
      )}
    </>
  );
}

const AccountList = () => (
  <ListPage
    page="accounts"
    texts={t}
    call="GET /api/accounts"
    load={(cursor) => asked(api.GET('/api/accounts', { params: { query: cursor ? { cursor } : {} } }))}
    columns={[
      { head: texts.name, cell: (account) => <a href={addressOf('accounts', account.id)}>{accountName(account)}</a> },
      { head: texts.provider, cell: sourceOf },
      { head: texts.phone, cell: ({ phone }) => (phone ? <Phone number={phone} /> : texts.none) },
      { head: texts.state, cell: (account) => <State account={account} /> },
      { head: t.paceShort, cell: ({ pacing }) => t.paceOf(pacing.minMs, pacing.maxMs) },
      { head: texts.waiting, cell: (account) => <Pending account={account} />, numeric: true },
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
      actions={live.data && <Acts acts={actsOf(live.data)} onDone={live.again} />}
    >
      <Loaded live={live}>
        {(account) => (
          <>
            {account.warning && <p class="failure">{account.warning}</p>}
            <div class="columns">
              <div class="stack">
                <Facts
                  of={[
                    [texts.state, <State key="state" account={account} />],
                    [texts.provider, sourceOf(account)],
                    account.instance !== undefined && [t.instance, account.instance],
                    [texts.phone, account.phone ?? texts.none],
                    [t.pace, t.paceOf(account.pacing.minMs, account.pacing.maxMs)],
                    [texts.waiting, <Pending key="pending" account={account} />],
                    [t.next, <NextSend key="next" account={account} />],
                    [texts.id, <Id key="id" id={account.id} />],
                  ]}
                />
                <p>
                  <a href={addressOf('sends', undefined, { account: account.id })}>{t.queue}</a>
                </p>
              </div>
              {mayChange() && (
                <div class="stack">
                  <Connection id={account.id} />
                  <EditAccount
                    key={JSON.stringify([account.name, account.phone])}
                    account={account}
                    onChange={live.again}
                  />
                  <NewCredentials account={account} onChange={live.again} />
                </div>
              )}
            </div>
          </>
        )}
      </Loaded>
    </Page>
  );
}

const actsOf = (account: Account): readonly (Act | false)[] => {
  const path = { params: { path: { id: account.id } } };
  return [
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
    cancelAll(account),
    deletion('accounts', t.deleteText(accountName(account)), () => done(api.DELETE('/api/accounts/{id}', path))),
  ];
};

export const Accounts = collection({ List: AccountList, New: NewAccount, One: OneAccount });
