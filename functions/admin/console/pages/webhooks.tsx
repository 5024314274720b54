import { useState } from 'preact/hooks';
import { addressOf } from '../address.ts';
import { type Attempt, allAccounts, api, asked, done, mayChange, type Webhook } from '../api.ts';
import { useLive } from '../live.ts';
import { type Act, Acts, deletion } from '../parts/acts.tsx';
import { collection, ListPage } from '../parts/collection.tsx';
import { Form, TextField, type Values } from '../parts/form.tsx';
import { Loaded, Page } from '../parts/page.tsx';
import { Badge, Code, Empty, Facts, Id, ShownOnce, Time } from '../parts/small.tsx';
import { Table } from '../parts/table.tsx';
import { attempt, tell } from '../parts/toast.tsx';
import { hasSecretOfItsOwn } from '../samples.ts';
import { accountName, texts } from '../texts.ts';
import { Named } from './event.tsx';
import { Bound, NewWebhook } from './new-webhook.tsx';
import { FirstCall, Guide, keepUrl, type Made, SampleForm, urlOf } from './paste.tsx';

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
        { head: t.made, cell: ({ createdAt }) => <Time at={createdAt} /> },
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
  const [fresh, setFresh] = useState<Made>();
  const made = fresh ?? urlOf(id);
  const name = live.data ? nameOf(live.data.webhook) : t.one;
  const rotate: Act = {
    label: t.rotate,
    run: async () => {
      const { url, provider } = await asked(api.POST('/api/webhooks/{id}/rotate', path));
      setFresh(keepUrl({ id, url, provider, after: live.data?.attempts[0]?.at }));
    },
    asks: t.rotateText(name),
  };
  /** For whoever has the URL, as long as this page does not know it itself. */
  const sampleOf = ({ provider, enabled, hasSecret }: Webhook, newUrl?: Act) =>
    provider !== undefined && enabled && made === undefined && mayChange() ? (
      <SampleForm provider={provider} hasSecret={hasSecret} rotate={newUrl} onDone={live.again} />
    ) : undefined;
  // What brings the first call comes first, with the new URL for who has lost it.
  const first = live.data?.attempts.length === 0 ? sampleOf(live.data.webhook, rotate) : undefined;
  return (
    <Page
      title={name}
      call="GET /api/webhooks/{id}"
      actions={live.data && <WebhookActs webhook={live.data.webhook} rotate={!first && rotate} onChange={live.again} />}
    >
      {fresh && <ShownOnce text={fresh.url} copy={t.copyUrl} />}
      {made && <FirstCall key={made.url} made={made} />}
      <Loaded live={live}>
        {({ webhook, attempts }) => (
          <>
            {first}
            <div class="columns">
              <Facts
                of={[
                  [texts.state, <Badge key="state" state={webhook.enabled ? 'on' : 'off'} />],
                  [t.kind, t.kinds[webhook.kind]],
                  webhook.kind === 'receive' && [t.secret, webhook.hasSecret ? t.checked : t.unchecked],
                  webhook.provider !== undefined && [
                    texts.provider,
                    texts.accounts.providers[webhook.provider] ?? webhook.provider,
                  ],
                  webhook.accountId !== undefined && [
                    texts.account,
                    <Named key="account" page="accounts" id={webhook.accountId} />,
                  ],
                  [t.token, <code key="token">{webhook.tokenPrefix}…</code>],
                  [t.lastCall, attempts[0] ? <LastCall key="last" call={attempts[0]} /> : t.waiting],
                  [texts.id, <Id key="id" id={webhook.id} />],
                ]}
              />
              <Binding
                key={`${webhook.accountId} ${webhook.name} ${webhook.hasSecret}`}
                webhook={webhook}
                onChange={live.again}
              />
            </div>
            <details>
              <summary>{t.guide}</summary>
              <Guide provider={webhook.provider} />
            </details>
            {attempts.length > 0 && sampleOf(webhook) && (
              <details>
                <summary>{t.sample}</summary>
                {sampleOf(webhook)}
              </details>
            )}
            <h2>{t.attempts}</h2>
            <Attempts attempts={attempts} />
            {attempts.length > 0 && (
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
            )}
          </>
        )}
      </Loaded>
    </Page>
  );
}

const asFile = (id: string) => ({ params: { path: { id } }, parseAs: 'blob' }) as const;

interface DownloadProps {
  readonly name: string;
  readonly load: () => Promise<Blob>;
}

/** A file that is fetched as everything else is: a plain link could not say which workspace is meant. */
function Download({ name, load }: DownloadProps) {
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
      empty={<Empty title={t.waiting} hint={t.waitingHint} />}
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

function Binding({ webhook, onChange }: { readonly webhook: Webhook; readonly onChange: () => Promise<unknown> }) {
  const { id, kind, provider, accountId, name } = webhook;
  if (!mayChange()) return null;
  const save = async (values: Values) => {
    const { secret } = values;
    const body = { name: values.name ?? null, accountId: values.account ?? null, ...(secret && { secret }) };
    await asked(api.PATCH('/api/webhooks/{id}', { params: { path: { id } }, body }));
    tell(texts.saved);
    await onChange();
  };
  return (
    <section class="card">
      <h2>{hasSecretOfItsOwn(provider) ? t.bindWithSecret : t.bind}</h2>
      <Form act={texts.save} onSubmit={save}>
        <TextField name="name" label={texts.name} hint={texts.nameHint} {...(name !== undefined && { value: name })} />
        <Bound kind={kind} provider={provider} value={accountId} />
        {hasSecretOfItsOwn(provider) && <TextField name="secret" label={t.secret} hint={t.newSecretHint} secret />}
      </Form>
    </section>
  );
}

interface WebhookActsProps {
  readonly webhook: Webhook;
  readonly rotate: Act | false;
  readonly onChange: () => Promise<unknown>;
}

function WebhookActs({ webhook, rotate, onChange }: WebhookActsProps) {
  const { id, enabled } = webhook;
  const path = { params: { path: { id } } };
  const name = nameOf(webhook);
  return (
    <Acts
      onDone={onChange}
      acts={[
        {
          label: enabled ? t.off : t.on,
          ...(enabled && { asks: t.offText(name) }),
          run: () => asked(api.PATCH('/api/webhooks/{id}', { ...path, body: { enabled: !enabled } })),
        },
        rotate,
        deletion('webhooks', t.deleteText(name), () => done(api.DELETE('/api/webhooks/{id}', path))),
      ]}
    />
  );
}

export const Webhooks = collection({ List: WebhookList, New: NewWebhook, One: OneWebhook });
