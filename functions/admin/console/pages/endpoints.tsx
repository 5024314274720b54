import { useState } from 'preact/hooks';
import { addressOf, go } from '../address.ts';
import { api, asked, done, mayChange } from '../api.ts';
import { useLive } from '../live.ts';
import { Confirm } from '../parts/dialog.tsx';
import { Form, TextField, type Values } from '../parts/form.tsx';
import { Loaded, Page } from '../parts/page.tsx';
import { Pager, useOlder } from '../parts/pager.tsx';
import { Badge, Code, Empty, Id, Time } from '../parts/small.tsx';
import { Table } from '../parts/table.tsx';
import { attempt } from '../parts/toast.tsx';
import { texts } from '../texts.ts';

const t = texts.endpoints;

export function Endpoints({ id }: { readonly id?: string | undefined }) {
  if (id === 'new') return <NewEndpoint />;
  return id === undefined ? <EndpointList /> : <OneEndpoint key={id} id={id} />;
}

function EndpointList() {
  const live = useLive('endpoints', () => asked(api.GET('/api/endpoints')));
  const make = (
    <a class="button primary" href={addressOf('endpoints', 'new')}>
      {t.make}
    </a>
  );
  return (
    <Page title={t.title} call="GET /api/endpoints" actions={make}>
      <Loaded live={live}>
        {({ items }) =>
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
                { head: t.name, cell: ({ id, name, url }) => <a href={addressOf('endpoints', id)}>{name ?? url}</a> },
                { head: t.state, cell: ({ state }) => <Badge state={state} /> },
                { head: t.types, cell: ({ types }) => types.join(', ') },
                { head: t.waiting, cell: ({ waiting }) => waiting ?? 0, numeric: true },
              ]}
            />
          )
        }
      </Loaded>
    </Page>
  );
}

function Secret({ secret }: { readonly secret: string }) {
  return (
    <section class="card">
      <p>{t.secretHint}</p>
      <p>{texts.shownOnce}</p>
      <Code text={secret} />
      <div class="actions">
        <Id id={secret} label={t.copySecret} />
      </div>
    </section>
  );
}

function NewEndpoint() {
  const [made, setMade] = useState<{ readonly id: string; readonly secret: string }>();
  const create = async ({ name, url = '', types = '' }: Values) => {
    const body = { url, types: types.split(/[\s,]+/), ...(name && { name }) };
    const { id, secret } = await asked(api.POST('/api/endpoints', { body }));
    setMade({ id, secret });
  };
  if (made) {
    return (
      <Page title={t.made}>
        <Secret secret={made.secret} />
        <a href={addressOf('endpoints', made.id)}>{t.toEndpoint}</a>
      </Page>
    );
  }
  return (
    <Page title={t.make} call="POST /api/endpoints">
      <Form act={t.make} onSubmit={create} class="form wide">
        <TextField name="url" label={t.url} hint={t.urlHint} required />
        <TextField name="types" label={t.types} hint={t.typesHint} value="message.*, send.failed" required />
        <TextField name="name" label={t.name} />
      </Form>
    </Page>
  );
}

function OneEndpoint({ id }: { readonly id: string }) {
  const path = { params: { path: { id } } };
  const load = (cursor?: string) =>
    asked(api.GET('/api/endpoints/{id}/deliveries', { params: { path: { id }, query: cursor ? { cursor } : {} } }));
  const live = useLive(`endpoint ${id}`, async () => {
    const [endpoint, deliveries] = await Promise.all([asked(api.GET('/api/endpoints/{id}', path)), load()]);
    return { endpoint, deliveries };
  });
  const { items, next } = useOlder(id, live.data?.deliveries, (one) => one.id, load);
  const [secret, setSecret] = useState<string>();
  const endpoint = live.data?.endpoint;
  const retry = async (delivery: string) => {
    await attempt(
      () => asked(api.POST('/api/deliveries/{id}/retry', { params: { path: { id: delivery } } })),
      t.retried,
    );
    await live.again();
  };
  return (
    <Page
      title={endpoint ? (endpoint.name ?? endpoint.url) : t.one}
      call="GET /api/endpoints/{id}"
      actions={endpoint && <Acts endpoint={endpoint} onChange={live.again} onSecret={setSecret} />}
    >
      {secret && <Secret secret={secret} />}
      <Loaded live={live}>
        {({ endpoint: { url, state, types, waiting } }) => (
          <>
            <dl class="facts card">
              <dt>{t.state}</dt>
              <dd>
                <Badge state={state} />
              </dd>
              <dt>{t.url}</dt>
              <dd>{url}</dd>
              <dt>{t.types}</dt>
              <dd>{types.join(', ')}</dd>
              <dt>{t.waiting}</dt>
              <dd>{waiting ?? 0}</dd>
            </dl>
            <h2>{t.deliveries}</h2>
            {items.length === 0 ? (
              <Empty title={t.noDelivery} />
            ) : (
              <Table
                label={t.deliveries}
                rows={items}
                keyOf={(one) => one.id}
                columns={[
                  { head: t.state, cell: (one) => <Badge state={one.state} /> },
                  { head: t.type, cell: ({ type, event }) => <a href={addressOf('events', event)}>{type ?? event}</a> },
                  {
                    head: t.attempts,
                    cell: ({ attempts }) =>
                      attempts.map(({ status, failure, ms }) => `${status ?? failure} (${ms} ms)`).join(', ') ||
                      texts.none,
                  },
                  { head: t.at, cell: ({ storedAt }) => <Time at={storedAt} /> },
                  {
                    head: t.act,
                    cell: (one) =>
                      mayChange() && (
                        <button type="button" class="small" onClick={() => retry(one.id)}>
                          {t.retry}
                        </button>
                      ),
                  },
                ]}
              />
            )}
          </>
        )}
      </Loaded>
      <Pager next={next} />
    </Page>
  );
}

interface ActsProps {
  readonly endpoint: { readonly id: string; readonly name?: string; readonly url: string; readonly state: string };
  readonly onChange: () => Promise<unknown>;
  readonly onSecret: (secret: string) => void;
}

function Acts({ endpoint: { id, name, url, state }, onChange, onSecret }: ActsProps) {
  const [asks, ask] = useState<'rotate' | 'delete'>();
  const path = { params: { path: { id } } };
  const act = async (call: () => Promise<unknown>, said: string) => {
    await attempt(call, said);
    await onChange();
  };
  const test = () => act(() => asked(api.POST('/api/endpoints/{id}/test', { ...path, body: {} })), t.tested);
  const toggle = () =>
    act(
      () =>
        asked(
          state === 'disabled'
            ? api.POST('/api/endpoints/{id}/enable', path)
            : api.POST('/api/endpoints/{id}/disable', path),
        ),
      t.switched,
    );
  const rotate = () =>
    attempt(async () => {
      const { secret } = await asked(api.POST('/api/endpoints/{id}/rotate', path));
      onSecret(secret);
    });
  const remove = async () => {
    if (await attempt(() => done(api.DELETE('/api/endpoints/{id}', path)), t.deleted)) go(addressOf('endpoints'));
  };
  const close = () => ask(undefined);
  return (
    <>
      <button type="button" onClick={test}>
        {t.test}
      </button>
      <button type="button" onClick={toggle}>
        {state === 'disabled' ? t.on : t.off}
      </button>
      <button type="button" onClick={() => ask('rotate')}>
        {t.rotate}
      </button>
      <button type="button" class="danger" onClick={() => ask('delete')}>
        {t.delete}
      </button>
      {asks === 'rotate' && (
        <Confirm title={t.rotate} text={t.rotateText} act={t.rotate} onClose={close} onConfirm={rotate} />
      )}
      {asks === 'delete' && (
        <Confirm title={t.delete} text={t.deleteText(name ?? url)} act={t.delete} onClose={close} onConfirm={remove} />
      )}
    </>
  );
}
