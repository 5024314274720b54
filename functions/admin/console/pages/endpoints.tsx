import { useState } from 'preact/hooks';
import { address, addressOf, go } from '../address.ts';
import { api, asked, type Delivery, done, type Endpoint, mayChange } from '../api.ts';
import { type Act, Acts, deletion } from '../parts/acts.tsx';
import { Card, Form, Select, TextField, type Values } from '../parts/form.tsx';
import { collection, List, ListPage, None, useList } from '../parts/list.tsx';
import { Page } from '../parts/page.tsx';
import { keep, ShownOnce } from '../parts/shown-once.tsx';
import { Badge, Code, Time } from '../parts/small.tsx';
import { Table } from '../parts/table.tsx';
import { texts } from '../texts.ts';
import { AttemptList, EndpointFacts, howOf, Replay, takenOf, Verifying } from './endpoint-facts.tsx';

const t = texts.endpoints;

const EndpointList = () => (
  <ListPage
    page="endpoints"
    texts={t}
    call="GET /api/endpoints"
    load={() => asked(api.GET('/api/endpoints', { params: { query: { last24h: 'true' } } }))}
    isSlow
    columns={[
      { head: texts.name, cell: ({ id, name, url }) => <a href={addressOf('endpoints', id)}>{name ?? url}</a> },
      { head: texts.state, cell: ({ state }) => <Badge state={state} /> },
      {
        head: t.success,
        cell: (endpoint) => <a href={addressOf('endpoints', endpoint.id)}>{takenOf(endpoint)}</a>,
      },
      { head: t.types, cell: ({ types }) => types.join(', ') },
      { head: t.failing, cell: ({ failingSince }) => (failingSince ? <Time at={failingSince} /> : texts.none) },
      { head: t.url, cell: ({ url }) => <span class="two-lines">{url}</span> },
    ]}
  />
);

const typesIn = (text = ''): string[] => text.split(/[\s,]+/).filter(Boolean);

function NewEndpoint() {
  const create = async ({ name, url = '', types = '' }: Values) => {
    const body = { url, types: typesIn(types), ...(name && { name }) };
    const { id, secret } = await asked(api.POST('/api/endpoints', { body }));
    keep(id, { text: secret });
    go(addressOf('endpoints', id));
  };
  return (
    <Page title={t.make} call="POST /api/endpoints">
      <Form act={t.make} onSubmit={create} class="form wide">
        <TextField name="url" label={t.url} hint={t.urlHint} required />
        <TextField name="types" label={t.types} hint={t.typesHint} value="message.*, send.failed" required />
        <TextField name="name" label={texts.name} />
      </Form>
    </Page>
  );
}

const STATES = ['waiting', 'delivered', 'dead'] as const;

function OneEndpoint({ id }: { readonly id: string }) {
  const path = { params: { path: { id } } };
  const given = address.value.query.get('state');
  const state = STATES.find((one) => one === given);
  const list = useList({
    name: `endpoint ${id} ${state}`,
    idOf: (one: Delivery) => one.id,
    load: (cursor) => {
      const query = { ...(state && { state }), ...(cursor && { cursor }) };
      return asked(api.GET('/api/endpoints/{id}/deliveries', { params: { path: { id }, query } }));
    },
    beside: () => asked(api.GET('/api/endpoints/{id}', path)),
  });
  const [isReplaying, setReplaying] = useState(false);
  const [tested, setTested] = useState<TestResult>();
  const endpoint = list.live.data?.beside;
  const { name, url = id, state: health } = endpoint ?? {};
  const onChange = list.live.again;
  const enable = () => asked(api.POST('/api/endpoints/{id}/enable', path));
  const disable = () => asked(api.POST('/api/endpoints/{id}/disable', path));
  const rotate = async () => keep(id, { text: (await asked(api.POST('/api/endpoints/{id}/rotate', path))).secret });
  const isOff = health === 'disabled';
  const acts: readonly (Act | false)[] = [
    { label: t.test, run: async () => setTested(await test(id)) },
    health === 'failing' && { label: t.callNow, run: enable, said: t.calledNow },
    { label: isOff ? texts.on : texts.off, run: isOff ? enable : disable, said: texts.done },
    { label: t.replay, run: async () => setReplaying(true) },
    { label: t.rotate, run: rotate, asks: t.rotateText(name ?? url) },
    deletion('endpoints', t.deleteText(name ?? url), () => done(api.DELETE('/api/endpoints/{id}', path))),
  ];
  const retry = (delivery: string) =>
    asked(api.POST('/api/deliveries/{id}/retry', { params: { path: { id: delivery } } }));
  return (
    <Page
      title={endpoint ? (name ?? url) : t.one}
      call="GET /api/endpoints/{id}"
      actions={endpoint && <Acts acts={acts} onDone={onChange} />}
    >
      <ShownOnce of={id} copy={texts.copySecret} hint={t.secretHint} />
      {tested && (
        <Card title={t.testAnswer}>
          <p role="status">
            <Badge state={isTaken(tested) ? 'delivered' : 'failed'} /> {howOf(tested)}, {tested.ms} ms
          </p>
          {tested.answer && <Code text={tested.answer} />}
        </Card>
      )}
      {isReplaying && <Replay endpoint={id} />}
      <List of={list}>
        {(shown) => (
          <>
            <div class="columns">
              <EndpointFacts endpoint={shown} />
              {mayChange() && (
                <EditEndpoint
                  key={JSON.stringify([shown.name, shown.url, shown.types])}
                  endpoint={shown}
                  onChange={onChange}
                />
              )}
            </div>
            <Verifying />
            <h2>{t.deliveries}</h2>
            <div class="filters">
              <Select
                label={texts.state}
                isBare
                value={state ?? ''}
                options={[['', t.allStates], ...STATES.map((one) => [one, texts.states[one] ?? one] as const)]}
                onChange={(chosen) => go(addressOf('endpoints', id, { state: chosen }))}
              />
            </div>
            <Table
              label={t.deliveries}
              rows={list.items}
              keyOf={(one) => one.id}
              columns={[
                { head: texts.state, cell: (one) => <Badge state={one.state} /> },
                {
                  head: t.type,
                  cell: ({ type, event }) => <a href={addressOf('events', event)}>{type ?? texts.events.one}</a>,
                },
                { head: t.attempts, cell: ({ attempts }) => <AttemptList attempts={attempts} /> },
                { head: texts.at, cell: ({ storedAt }) => <Time at={storedAt} /> },
              ]}
              acts={({ id: delivery, attempts }) => [
                {
                  label: attempts.length > 0 ? t.retry : t.postNow,
                  run: () => retry(delivery),
                  said: t.retried,
                },
              ]}
              onDone={onChange}
              empty={<None of={list} texts={t.none} isFiltered={state !== undefined} />}
            />
          </>
        )}
      </List>
    </Page>
  );
}

interface EditEndpointProps {
  readonly endpoint: Endpoint;
  readonly onChange: () => Promise<unknown>;
}

/** What it counts for is what is stored from then on. */
function EditEndpoint({ endpoint: { id, name, url, types }, onChange }: EditEndpointProps) {
  const save = async (values: Values) => {
    const body = { name: values.name ?? null, url: values.url ?? '', types: typesIn(values.types) };
    const { headersDropped } = await asked(api.PATCH('/api/endpoints/{id}', { params: { path: { id } }, body }));
    return headersDropped && t.savedWithout(headersDropped.join(', '));
  };
  return (
    <Form title={t.edit} act={texts.save} onSubmit={save} said={texts.saved} onDone={onChange}>
      <TextField name="name" label={texts.name} value={name ?? ''} />
      <TextField name="url" label={t.url} hint={t.newUrlHint} value={url} required />
      <TextField name="types" label={t.types} hint={t.typesHint} value={types.join(', ')} required />
    </Form>
  );
}

type TestResult = Awaited<ReturnType<typeof test>>;
const isTaken = ({ status = 0 }: TestResult): boolean => status >= 200 && status < 300;
const test = (id: string) => asked(api.POST('/api/endpoints/{id}/test', { params: { path: { id } }, body: {} }));

export const Endpoints = collection({ List: EndpointList, New: NewEndpoint, One: OneEndpoint });
