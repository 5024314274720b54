import { addressOf } from '../address.ts';
import { type Attempt, allAccounts, api, asked, done, type Webhook } from '../api.ts';
import { useLive } from '../live.ts';
import { Acts, deletion } from '../parts/acts.tsx';
import { collection, ListPage } from '../parts/list.tsx';
import { Loaded, Page } from '../parts/page.tsx';
import { keep, keptOf, ShownOnce } from '../parts/shown-once.tsx';
import { Badge, Code, Facts, Id, Time } from '../parts/small.tsx';
import { Table } from '../parts/table.tsx';
import { attempt } from '../parts/toast.tsx';
import { accountName, providerName, texts } from '../texts.ts';
import { Named } from './event.tsx';
import { Binding, FirstCall, Guide, NewWebhook, SampleForm } from './webhook-parts.tsx';

const t = texts.webhooks;
const nameOf = ({ name, provider, kind }: Webhook) => name ?? provider ?? kind;

function WebhookList() {
  const { data: accounts } = useLive('accounts to choose', allAccounts, { of: ['accounts'] });
  const account = (id?: string) => accounts?.find((one) => one.id === id);
  return (
    <ListPage
      page="webhooks"
      texts={t}
      call="GET /api/webhooks"
      load={(cursor) => asked(api.GET('/api/webhooks', { params: { query: cursor ? { cursor } : {} } }))}
      columns={[
        { head: texts.name, cell: (one) => <a href={addressOf('webhooks', one.id)}>{nameOf(one)}</a> },
        { head: t.kind, cell: ({ kind }) => t.kinds[kind] },
        {
          head: texts.provider,
          cell: ({ provider = '', accountId }) => {
            const bound = account(accountId);
            return (
              <>
                {texts.accounts.providers[provider] ?? texts.none}
                {bound && <small class="by">{t.of(accountName(bound))}</small>}
              </>
            );
          },
        },
        { head: texts.state, cell: ({ enabled }) => <Badge state={enabled ? 'on' : 'off'} /> },
        {
          head: t.lastCall,
          cell: ({ lastCall }) => (lastCall ? <LastCall call={lastCall} /> : <span class="faint">{t.waiting}</span>),
        },
        { head: t.token, cell: ({ tokenPrefix }) => <code>{tokenPrefix}…</code> },
        { head: texts.made, cell: ({ createdAt }) => <Time at={createdAt} /> },
      ]}
    />
  );
}

function OneWebhook({ id }: { readonly id: string }) {
  const path = { params: { path: { id } } };
  const live = useLive(`webhook ${id}`, async () => {
    const [webhook, attempts] = await Promise.all([
      asked(api.GET('/api/webhooks/{id}', path)),
      asked(api.GET('/api/webhooks/{id}/attempts', path)),
    ]);
    return { webhook, attempts: attempts.items };
  });
  return (
    <Page
      title={live.data ? nameOf(live.data.webhook) : t.one}
      call="GET /api/webhooks/{id}"
      actions={live.data && <WebhookActs {...live.data} onChange={live.again} />}
    >
      <ShownOnce of={id} copy={t.copyUrl} />
      <Loaded live={live}>
        {({ webhook, attempts }) => (
          <>
            {(attempts.length === 0 || keptOf(id)) && (
              <FirstCall webhook={webhook} attempts={attempts} onDone={live.again} />
            )}
            <SampleForm webhook={webhook} attempts={attempts} onDone={live.again} />
            <details open={attempts.length === 0}>
              <summary>{t.guide}</summary>
              <Guide provider={webhook.provider} url={keptOf(id)?.text} />
            </details>
            <div class="columns">
              <Facts
                of={[
                  [texts.state, <Badge key="state" state={webhook.enabled ? 'on' : 'off'} />],
                  [t.kind, t.kinds[webhook.kind]],
                  webhook.kind === 'receive' && [t.secret, webhook.hasSecret ? t.checked : t.unchecked],
                  webhook.provider !== undefined && [texts.provider, providerName(webhook.provider)],
                  webhook.accountId !== undefined && [
                    texts.account,
                    <Named key="account" page="accounts" id={webhook.accountId} />,
                  ],
                  [t.token, <code key="token">{webhook.tokenPrefix}…</code>],
                  attempts[0] && [t.lastCall, <LastCall key="last" call={attempts[0]} />],
                  [texts.id, <Id key="id" id={webhook.id} />],
                ]}
              />
              <Binding
                key={`${webhook.accountId} ${webhook.name} ${webhook.hasSecret}`}
                webhook={webhook}
                onChange={live.again}
              />
            </div>
            {attempts.length > 0 && (
              <>
                <h2>{t.attempts}</h2>
                <Attempts attempts={attempts} />
                <p class="actions">
                  {t.download}
                  <Download
                    name={`${id}-attempts.csv`}
                    load={() => asked(api.GET('/api/webhooks/{id}/attempts.csv', asFile(id)))}
                  />
                  <Download
                    name={`${id}-attempts.ndjson`}
                    load={() => asked(api.GET('/api/webhooks/{id}/attempts.ndjson', asFile(id)))}
                  />
                </p>
              </>
            )}
          </>
        )}
      </Loaded>
    </Page>
  );
}

const asFile = (id: string) => ({ params: { path: { id } }, parseAs: 'blob' }) as const;

/** A file that is fetched as everything else is: a plain link could not say which workspace is meant. */
function Download({ name, load }: { readonly name: string; readonly load: () => Promise<Blob> }) {
  const save = async () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(await load());
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
  };
  return (
    <button type="button" class="small" onClick={() => attempt(save)}>
      {name.split('.').at(-1)?.toUpperCase()}
    </button>
  );
}

function Attempts({ attempts }: { readonly attempts: readonly Attempt[] }) {
  return (
    <Table
      label={t.attempts}
      rows={attempts}
      keyOf={({ at, durationMs, status }) => `${at} ${durationMs} ${status}`}
      columns={[
        { head: texts.at, cell: ({ at }) => <Time at={at} /> },
        {
          head: t.answer,
          cell: ({ status, outcome, message }) => (
            <>
              <code>{status}</code> <Badge state={outcome} />
              {message && <small class="by">{message}</small>}
            </>
          ),
        },
        { head: t.became, cell: (attempt) => <Became attempt={attempt} /> },
        { head: t.ms, cell: ({ durationMs }) => `${durationMs} ms`, numeric: true },
        { head: t.request, cell: ({ request }) => <Request request={request} /> },
      ]}
    />
  );
}

/** The event or the send that it became. */
function Became({ attempt: { id } }: { readonly attempt: Attempt }) {
  if (id === undefined) return <>{texts.none}</>;
  const isEvent = id.startsWith('evt_');
  return <a href={addressOf(isEvent ? 'events' : 'sends', id)}>{isEvent ? texts.events.one : texts.sends.one}</a>;
}

function Request({ request: { contentType, bytes, sourceIp, userAgent, body } }: Pick<Attempt, 'request'>) {
  const told = [contentType, sourceIp && t.fromIp(sourceIp), userAgent].filter(Boolean);
  return (
    <details>
      <summary>{t.bytes(bytes)}</summary>
      <p class="faint">{told.join(', ')}</p>
      <Code text={body ?? t.bodyInEvent} />
    </details>
  );
}

const LastCall = ({ call: { at, status, outcome } }: { readonly call: Pick<Attempt, 'at' | 'status' | 'outcome'> }) => (
  <>
    <Time at={at} />, <code>{status}</code> <Badge state={outcome} />
  </>
);

interface WebhookActsProps {
  readonly webhook: Webhook;
  readonly attempts: readonly Attempt[];
  readonly onChange: () => Promise<unknown>;
}

function WebhookActs({ webhook, attempts, onChange }: WebhookActsProps) {
  const { id, enabled } = webhook;
  const path = { params: { path: { id } } };
  const name = nameOf(webhook);
  const rotate = async () => {
    const { url } = await asked(api.POST('/api/webhooks/{id}/rotate', path));
    keep(id, { text: url, after: attempts[0]?.at });
  };
  return (
    <Acts
      onDone={onChange}
      acts={[
        {
          label: enabled ? texts.off : texts.on,
          ...(enabled && { asks: t.offText(name) }),
          run: () => asked(api.PATCH('/api/webhooks/{id}', { ...path, body: { enabled: !enabled } })),
        },
        { label: t.rotate, run: rotate, asks: t.rotateText(name) },
        deletion('webhooks', t.deleteText(name), () => done(api.DELETE('/api/webhooks/{id}', path))),
      ]}
    />
  );
}

export const Webhooks = collection({ List: WebhookList, New: NewWebhook, One: OneWebhook });
