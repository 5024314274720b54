import { useState } from 'preact/hooks';
import { address, addressOf } from '../address.ts';
import { api, asked, done, hubUrl, type Webhook } from '../api.ts';
import { useLive } from '../live.ts';
import { Acts } from '../parts/acts.tsx';
import { collection, ListPage } from '../parts/collection.tsx';
import { Field, Form, TextField, type Values } from '../parts/form.tsx';
import { Loaded, Page } from '../parts/page.tsx';
import { Badge, Code, Empty, Facts, Id, ShownOnce, Time } from '../parts/small.tsx';
import { Table } from '../parts/table.tsx';
import { attempt } from '../parts/toast.tsx';
import { texts } from '../texts.ts';

const t = texts.webhooks;
const PROVIDERS = ['cooby', 'green-api', 'sandbox', 'timelinesai', 'zender'] as const;
type Provider = (typeof PROVIDERS)[number];
const isProvider = (text: string | undefined): text is Provider => PROVIDERS.some((one) => one === text);
const nameOf = ({ name, provider, kind }: Webhook) => name ?? provider ?? kind;

const WebhookList = () => (
  <ListPage
    page="webhooks"
    texts={t}
    call="GET /api/webhooks"
    load={(cursor) => asked(api.GET('/api/webhooks', { params: { query: cursor ? { cursor } : {} } }))}
    columns={[
      { head: t.name, cell: (one) => <a href={addressOf('webhooks', one.id)}>{nameOf(one)}</a> },
      { head: t.kind, cell: ({ kind }) => t.kinds[kind] },
      { head: t.provider, cell: ({ provider }) => provider ?? texts.none },
      { head: t.state, cell: ({ enabled }) => <Badge state={enabled ? 'on' : 'off'} /> },
      { head: t.token, cell: ({ tokenPrefix }) => <code>{tokenPrefix}…</code> },
      { head: t.made, cell: ({ createdAt }) => <Time at={createdAt} /> },
    ]}
  />
);

interface Made {
  readonly id: string;
  readonly url: string;
  readonly provider: string | undefined;
}

function NewWebhook() {
  const [kind, setKind] = useState(address.value.query.get('kind') === 'send' ? 'send' : 'receive');
  const [provider, setProvider] = useState<string>('sandbox');
  const [made, setMade] = useState<Made>();
  const create = async ({ name, secret }: Values) => {
    const named = name === undefined ? {} : { name };
    const body =
      kind === 'send' || !isProvider(provider)
        ? { kind: 'send' as const, ...named }
        : { kind: 'receive' as const, provider, ...named, ...(secret !== undefined && { secret }) };
    const webhook = await asked(api.POST('/api/webhooks', { body }));
    setMade({ id: webhook.id, url: webhook.url, provider: webhook.provider });
  };
  if (made) return <Paste made={made} />;
  const hasSecret = kind === 'receive' && (provider === 'green-api' || provider === 'zender');
  return (
    <Page title={t.make} call="POST /api/webhooks">
      <Form act={t.make} onSubmit={create} class="form wide">
        <Field label={t.kind} hint={kind === 'send' ? t.sendHint : t.receiveHint}>
          <select value={kind} onChange={({ currentTarget }) => setKind(currentTarget.value)}>
            <option value="receive">{t.kinds.receive}</option>
            <option value="send">{t.kinds.send}</option>
          </select>
        </Field>
        {kind === 'receive' && (
          <Field label={t.provider}>
            <select value={provider} onChange={({ currentTarget }) => setProvider(currentTarget.value)}>
              {PROVIDERS.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          </Field>
        )}
        <TextField name="name" label={t.name} hint={t.nameHint} />
        {hasSecret && <TextField name="secret" label={t.secret} hint={t.secretHint} secret />}
      </Form>
    </Page>
  );
}

/** Where to paste the URL, which is shown this once; it turns green with the first call. */
function Paste({ made }: { readonly made: Made }) {
  const path = { params: { path: { id: made.id } } };
  const live = useLive(`first call ${made.id}`, () => asked(api.GET('/api/webhooks/{id}/attempts', path)));
  const hasCall = (live.data?.items.length ?? 0) > 0;
  const sample = async () => {
    const body = { event: 'message', id: crypto.randomUUID(), from: '+15550100', name: 'Ana', text: t.sampleText };
    const headers = { 'content-type': 'application/json' };
    await attempt(() =>
      fetch(new URL(new URL(made.url).pathname, hubUrl()), { method: 'POST', headers, body: JSON.stringify(body) }),
    );
    await live.again();
  };
  return (
    <Page title={t.paste}>
      <ShownOnce text={made.url} copy={t.copyUrl}>
        <p>{t.where[made.provider ?? 'send']}</p>
      </ShownOnce>
      <p class="actions" role="status">
        <Badge state={hasCall ? 'connected' : 'waiting'} /> {hasCall ? t.called : t.waiting}
        {made.provider === 'sandbox' && !hasCall && (
          <button type="button" onClick={sample}>
            {t.sample}
          </button>
        )}
      </p>
      <a href={addressOf('webhooks', made.id)}>{t.toWebhook}</a>
    </Page>
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
  const [url, setUrl] = useState<string>();
  const name = live.data ? nameOf(live.data.webhook) : t.one;
  return (
    <Page
      title={name}
      call="GET /api/webhooks/{id}"
      actions={live.data && <WebhookActs webhook={live.data.webhook} onChange={live.again} onUrl={setUrl} />}
    >
      {url && <ShownOnce text={url} copy={t.copyUrl} />}
      <Loaded live={live}>
        {({ webhook, attempts }) => (
          <>
            <Facts
              of={[
                [t.state, <Badge key="state" state={webhook.enabled ? 'on' : 'off'} />],
                [t.kind, t.kinds[webhook.kind]],
                [t.secret, webhook.hasSecret ? t.checked : texts.none],
                [texts.id, <Id key="id" id={webhook.id} />],
              ]}
            />
            <h2>{t.attempts}</h2>
            {attempts.length === 0 ? <Empty title={t.waiting} /> : <Attempts attempts={attempts} />}
            {attempts.length > 0 && (
              <p class="actions">
                <a href={`${hubUrl()}/api/webhooks/${id}/attempts.csv`}>CSV</a>
                <a href={`${hubUrl()}/api/webhooks/${id}/attempts.ndjson`}>NDJSON</a>
              </p>
            )}
          </>
        )}
      </Loaded>
    </Page>
  );
}

interface Attempt {
  readonly at: string;
  readonly status: number;
  readonly outcome: string;
  readonly durationMs: number;
  readonly message?: string;
  readonly request: { readonly body?: string };
}

function Attempts({ attempts }: { readonly attempts: readonly Attempt[] }) {
  return (
    <Table
      label={t.attempts}
      rows={attempts}
      keyOf={({ at, durationMs, status }) => `${at} ${durationMs} ${status}`}
      columns={[
        { head: t.at, cell: ({ at }) => <Time at={at} /> },
        {
          head: t.answer,
          cell: ({ status, outcome }) => (
            <>
              <code>{status}</code> <Badge state={outcome} />
            </>
          ),
        },
        { head: t.ms, cell: ({ durationMs }) => `${durationMs} ms`, numeric: true },
        {
          head: t.request,
          cell: ({ message, request }) => (
            <details>
              <summary>{message ?? t.body}</summary>
              <Code text={request.body ?? t.bodyInEvent} />
            </details>
          ),
        },
      ]}
    />
  );
}

interface WebhookActsProps {
  readonly webhook: Webhook;
  readonly onChange: () => Promise<unknown>;
  readonly onUrl: (url: string) => void;
}

function WebhookActs({ webhook, onChange, onUrl }: WebhookActsProps) {
  const { id, enabled } = webhook;
  const path = { params: { path: { id } } };
  const name = nameOf(webhook);
  return (
    <Acts
      onDone={onChange}
      acts={[
        {
          label: enabled ? t.off : t.on,
          run: () => asked(api.PATCH('/api/webhooks/{id}', { ...path, body: { enabled: !enabled } })),
        },
        {
          label: t.rotate,
          run: async () => onUrl((await asked(api.POST('/api/webhooks/{id}/rotate', path))).url),
          asks: t.rotateText(name),
        },
        {
          label: t.delete,
          run: () => done(api.DELETE('/api/webhooks/{id}', path)),
          asks: t.deleteText(name),
          look: 'danger',
          said: t.deleted,
          leadsTo: addressOf('webhooks'),
        },
      ]}
    />
  );
}

export const Webhooks = collection({ List: WebhookList, New: NewWebhook, One: OneWebhook });
