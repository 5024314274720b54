import { useState } from 'preact/hooks';
import { addressOf } from '../address.ts';
import { api, asked, done } from '../api.ts';
import { useLive } from '../live.ts';
import { Acts } from '../parts/acts.tsx';
import { collection, ListPage } from '../parts/collection.tsx';
import { Field, Form, TextField, type Values } from '../parts/form.tsx';
import { Loaded, Page } from '../parts/page.tsx';
import { Pager, useOlder } from '../parts/pager.tsx';
import { Badge, Empty, Facts, ShownOnce, Time } from '../parts/small.tsx';
import { Table } from '../parts/table.tsx';
import { texts } from '../texts.ts';

const t = texts.endpoints;

const EndpointList = () => (
  <ListPage
    page="endpoints"
    texts={t}
    call="GET /api/endpoints"
    load={() => asked(api.GET('/api/endpoints'))}
    columns={[
      { head: t.name, cell: ({ id, name, url }) => <a href={addressOf('endpoints', id)}>{name ?? url}</a> },
      { head: t.state, cell: ({ state }) => <Badge state={state} /> },
      { head: t.types, cell: ({ types }) => types.join(', ') },
      { head: t.waiting, cell: ({ waiting }) => waiting ?? 0, numeric: true },
    ]}
  />
);

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
        <ShownOnce text={made.secret} copy={t.copySecret}>
          <p>{t.secretHint}</p>
        </ShownOnce>
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
  const [isReplaying, setReplaying] = useState(false);
  const endpoint = live.data?.endpoint;
  const retry = (delivery: string) =>
    asked(api.POST('/api/deliveries/{id}/retry', { params: { path: { id: delivery } } }));
  return (
    <Page
      title={endpoint ? (endpoint.name ?? endpoint.url) : t.one}
      call="GET /api/endpoints/{id}"
      actions={
        endpoint && (
          <EndpointActs
            endpoint={endpoint}
            onChange={live.again}
            onSecret={setSecret}
            onReplay={() => setReplaying(true)}
          />
        )
      }
    >
      {secret && (
        <ShownOnce text={secret} copy={t.copySecret}>
          <p>{t.secretHint}</p>
        </ShownOnce>
      )}
      {isReplaying && <Replay endpoint={id} />}
      <Loaded live={live}>
        {({ endpoint: { url, state, types, waiting } }) => (
          <>
            <Facts
              of={[
                [t.state, <Badge key="state" state={state} />],
                [t.url, url],
                [t.types, types.join(', ')],
                [t.waiting, waiting ?? 0],
              ]}
            />
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
                    cell: (one) => (
                      <Acts
                        isSmall
                        acts={[{ label: t.retry, run: () => retry(one.id), said: t.retried }]}
                        onDone={live.again}
                      />
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

const ONLY = ['missing', 'failed', 'all'] as const;

/** Asks since when and what, and then shows how far it is. */
function Replay({ endpoint }: { readonly endpoint: string }) {
  const [id, setId] = useState<string>();
  const start = async ({ since = '', ...values }: Values) => {
    const only = ONLY.find((one) => one === values.only) ?? 'missing';
    const body = { since: new Date(since).toISOString(), only };
    setId((await asked(api.POST('/api/endpoints/{id}/replay', { params: { path: { id: endpoint } }, body }))).id);
  };
  return (
    <section class="card">
      <h2>{t.replay}</h2>
      {id === undefined ? (
        <Form act={t.replay} onSubmit={start}>
          <p>{t.replayHint}</p>
          <Field label={t.since}>
            <input type="datetime-local" name="since" required />
          </Field>
          <Field label={t.only}>
            <select name="only">
              {ONLY.map((only) => (
                <option key={only} value={only}>
                  {t.onlyThese[only]}
                </option>
              ))}
            </select>
          </Field>
        </Form>
      ) : (
        <ReplayProgress id={id} />
      )}
    </section>
  );
}

function ReplayProgress({ id }: { readonly id: string }) {
  const live = useLive(`replay ${id}`, () => asked(api.GET('/api/replays/{id}', { params: { path: { id } } })));
  return (
    <Loaded live={live}>
      {({ state, scanned, queued }) => (
        <p>
          <Badge state={state} /> {t.replayed(scanned, queued)}
        </p>
      )}
    </Loaded>
  );
}

interface EndpointActsProps {
  readonly endpoint: { readonly id: string; readonly name?: string; readonly url: string; readonly state: string };
  readonly onChange: () => Promise<unknown>;
  readonly onSecret: (secret: string) => void;
  readonly onReplay: () => void;
}

function EndpointActs({ endpoint: { id, name, url, state }, onChange, onSecret, onReplay }: EndpointActsProps) {
  const path = { params: { path: { id } } };
  const rotate = async () => onSecret((await asked(api.POST('/api/endpoints/{id}/rotate', path))).secret);
  const isOff = state === 'disabled';
  const toggle = () =>
    asked(isOff ? api.POST('/api/endpoints/{id}/enable', path) : api.POST('/api/endpoints/{id}/disable', path));
  return (
    <Acts
      onDone={onChange}
      acts={[
        {
          label: t.test,
          run: () => asked(api.POST('/api/endpoints/{id}/test', { ...path, body: {} })),
          said: t.tested,
        },
        { label: isOff ? t.on : t.off, run: toggle, said: t.switched },
        { label: t.replay, run: async () => onReplay() },
        { label: t.rotate, run: rotate, asks: t.rotateText },
        {
          label: t.delete,
          run: () => done(api.DELETE('/api/endpoints/{id}', path)),
          asks: t.deleteText(name ?? url),
          look: 'danger',
          said: t.deleted,
          leadsTo: addressOf('endpoints'),
        },
      ]}
    />
  );
}

export const Endpoints = collection({ List: EndpointList, New: NewEndpoint, One: OneEndpoint });
