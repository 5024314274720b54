import { useState } from 'preact/hooks';
import { address, addressOf, go } from '../address.ts';
import { api, asked, done, hubUrl, type Webhook } from '../api.ts';
import { useLive } from '../live.ts';
import { Confirm } from '../parts/dialog.tsx';
import { Field, Form, TextField, type Values } from '../parts/form.tsx';
import { Loaded, Page } from '../parts/page.tsx';
import { Pager, useOlder } from '../parts/pager.tsx';
import { Badge, Code, Empty, Id, Time } from '../parts/small.tsx';
import { Table } from '../parts/table.tsx';
import { attempt } from '../parts/toast.tsx';
import { texts } from '../texts.ts';

const t = texts.webhooks;
const PROVIDERS = ['cooby', 'green-api', 'sandbox', 'timelinesai', 'zender'] as const;
type Provider = (typeof PROVIDERS)[number];
const isProvider = (text: string | undefined): text is Provider => PROVIDERS.some((one) => one === text);
const nameOf = ({ name, provider, kind }: Webhook) => name ?? provider ?? kind;

export function Webhooks({ id }: { readonly id?: string | undefined }) {
  if (id === 'new') return <NewWebhook />;
  return id === undefined ? <WebhookList /> : <OneWebhook key={id} id={id} />;
}

function WebhookList() {
  const load = (cursor?: string) => asked(api.GET('/api/webhooks', { params: { query: cursor ? { cursor } : {} } }));
  const live = useLive('webhooks', load);
  const { items, next } = useOlder('webhooks', live.data, ({ id }) => id, load);
  const make = (
    <a class="button primary" href={addressOf('webhooks', 'new')}>
      {t.make}
    </a>
  );
  return (
    <Page title={t.title} call="GET /api/webhooks" actions={make}>
      <Loaded live={live}>
        {() =>
          items.length === 0 ? (
            <Empty title={t.empty}>
              <p>{t.emptyHint}</p>
            </Empty>
          ) : (
            <Table
              label={t.title}
              rows={items}
              keyOf={({ id }) => id}
              columns={[
                { head: t.name, cell: (one) => <a href={addressOf('webhooks', one.id)}>{nameOf(one)}</a> },
                { head: t.kind, cell: ({ kind }) => t.kinds[kind] },
                { head: t.provider, cell: ({ provider }) => provider ?? texts.none },
                { head: t.state, cell: ({ enabled }) => <Badge state={enabled ? 'on' : 'off'} /> },
                { head: t.token, cell: ({ tokenPrefix }) => <code>{tokenPrefix}…</code> },
                { head: t.made, cell: ({ createdAt }) => <Time at={createdAt} /> },
              ]}
            />
          )
        }
      </Loaded>
      <Pager next={next} />
    </Page>
  );
}

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
      <section class="card">
        <p>{texts.shownOnce}</p>
        <Code text={made.url} />
        <div class="actions">
          <Id id={made.url} label={t.copyUrl} />
        </div>
        <p>{t.where[made.provider ?? 'send']}</p>
      </section>
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
      actions={live.data && <Acts webhook={live.data.webhook} onChange={live.again} onUrl={setUrl} />}
    >
      {url && (
        <section class="card">
          <p>{texts.shownOnce}</p>
          <Code text={url} />
          <div class="actions">
            <Id id={url} label={t.copyUrl} />
          </div>
        </section>
      )}
      <Loaded live={live}>
        {({ webhook, attempts }) => (
          <>
            <dl class="facts card">
              <dt>{t.state}</dt>
              <dd>
                <Badge state={webhook.enabled ? 'on' : 'off'} />
              </dd>
              <dt>{t.kind}</dt>
              <dd>{t.kinds[webhook.kind]}</dd>
              <dt>{t.secret}</dt>
              <dd>{webhook.hasSecret ? t.checked : texts.none}</dd>
              <dt>{texts.id}</dt>
              <dd>
                <Id id={webhook.id} />
              </dd>
            </dl>
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

interface ActsProps {
  readonly webhook: Webhook;
  readonly onChange: () => Promise<unknown>;
  readonly onUrl: (url: string) => void;
}

function Acts({ webhook: { id, enabled, ...webhook }, onChange, onUrl }: ActsProps) {
  const [asks, ask] = useState<'rotate' | 'delete'>();
  const path = { params: { path: { id } } };
  const name = nameOf({ id, enabled, ...webhook });
  const toggle = async () => {
    await attempt(() => asked(api.PATCH('/api/webhooks/{id}', { ...path, body: { enabled: !enabled } })));
    await onChange();
  };
  const rotate = () =>
    attempt(async () => {
      const { url } = await asked(api.POST('/api/webhooks/{id}/rotate', path));
      onUrl(url);
    });
  const remove = async () => {
    if (await attempt(() => done(api.DELETE('/api/webhooks/{id}', path)), t.deleted)) go(addressOf('webhooks'));
  };
  const close = () => ask(undefined);
  return (
    <>
      <button type="button" onClick={toggle}>
        {enabled ? t.off : t.on}
      </button>
      <button type="button" onClick={() => ask('rotate')}>
        {t.rotate}
      </button>
      <button type="button" class="danger" onClick={() => ask('delete')}>
        {t.delete}
      </button>
      {asks === 'rotate' && (
        <Confirm title={t.rotate} text={t.rotateText(name)} act={t.rotate} onClose={close} onConfirm={rotate} />
      )}
      {asks === 'delete' && (
        <Confirm title={t.delete} text={t.deleteText(name)} act={t.delete} onClose={close} onConfirm={remove} />
      )}
    </>
  );
}
