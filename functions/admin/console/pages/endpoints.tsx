import { useState } from 'preact/hooks';
import { address, addressOf, go } from '../address.ts';
import { api, asked, done, type Endpoint, mayChange } from '../api.ts';
import { useLive } from '../live.ts';
import { Acts, deletion } from '../parts/acts.tsx';
import { collection, ListPage } from '../parts/collection.tsx';
import { Form, TextField, type Values } from '../parts/form.tsx';
import { Loaded, Page } from '../parts/page.tsx';
import { Pager, useOlder } from '../parts/pager.tsx';
import { Select } from '../parts/select.tsx';
import { Badge, Code, Empty, ShownOnce, Time } from '../parts/small.tsx';
import { Table } from '../parts/table.tsx';
import { tell } from '../parts/toast.tsx';
import { texts } from '../texts.ts';
import { AttemptList, EndpointFacts, howOf, Taken, Verifying } from './endpoint-facts.tsx';
import { Replay } from './replay.tsx';

const t = texts.endpoints;

const EndpointList = () => (
  <ListPage
    page="endpoints"
    texts={t}
    call="GET /api/endpoints"
    load={() => asked(api.GET('/api/endpoints', { params: { query: { last24h: 'true' } } }))}
    pace={{ isSlow: true }}
    columns={[
      { head: texts.name, cell: ({ id, name, url }) => <a href={addressOf('endpoints', id)}>{name ?? url}</a> },
      { head: texts.state, cell: ({ state }) => <Badge state={state} /> },
      {
        head: t.success,
        cell: (endpoint) => (
          <a href={addressOf('endpoints', endpoint.id)}>
            <Taken endpoint={endpoint} />
          </a>
        ),
      },
      { head: t.types, cell: ({ types }) => types.join(', ') },
      { head: t.failing, cell: ({ failingSince }) => (failingSince ? <Time at={failingSince} /> : texts.none) },
      { head: t.url, cell: ({ url }) => <span class="two-lines">{url}</span> },
    ]}
  />
);

const typesIn = (text = ''): string[] => text.split(/[\s,]+/).filter(Boolean);

function NewEndpoint() {
  const [made, setMade] = useState<{ readonly id: string; readonly secret: string }>();
  const create = async ({ name, url = '', types = '' }: Values) => {
    const body = { url, types: typesIn(types), ...(name && { name }) };
    const { id, secret } = await asked(api.POST('/api/endpoints', { body }));
    setMade({ id, secret });
  };
  if (made) {
    return (
      <Page title={t.made} call="POST /api/endpoints">
        <ShownOnce text={made.secret} copy={texts.copySecret} hint={t.secretHint} />
        <Verifying />
        <a href={addressOf('endpoints', made.id)}>{t.toEndpoint}</a>
      </Page>
    );
  }
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
  const load = (cursor?: string) => {
    const query = { ...(state && { state }), ...(cursor && { cursor }) };
    return asked(api.GET('/api/endpoints/{id}/deliveries', { params: { path: { id }, query } }));
  };
  const list = `endpoint ${id} ${state}`;
  const live = useLive(list, async () => {
    const [endpoint, deliveries] = await Promise.all([asked(api.GET('/api/endpoints/{id}', path)), load()]);
    return { endpoint, deliveries };
  });
  const { items, next } = useOlder(list, live.data?.deliveries, (one) => one.id, load);
  const [secret, setSecret] = useState<string>();
  const [isReplaying, setReplaying] = useState(false);
  const [tested, setTested] = useState<TestResult>();
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
            onTested={setTested}
          />
        )
      }
    >
      {secret && <ShownOnce text={secret} copy={texts.copySecret} hint={t.secretHint} />}
      {tested && (
        <section class="card" role="status">
          <h2>{t.testAnswer}</h2>
          <p>
            <Badge state={isTaken(tested) ? 'delivered' : 'failed'} /> {howOf(tested)}, {tested.ms} ms
          </p>
          {tested.answer && <Code text={tested.answer} />}
        </section>
      )}
      {isReplaying && <Replay endpoint={id} />}
      <Loaded live={live}>
        {({ endpoint: shown }) => (
          <>
            <EndpointFacts endpoint={shown} />
            {mayChange() && (
              <EditEndpoint
                key={JSON.stringify([shown.name, shown.url, shown.types])}
                endpoint={shown}
                onChange={live.again}
              />
            )}
            <Verifying />
            <h2>{t.deliveries}</h2>
            <StateFilter id={id} state={state} />
            <Table
              label={t.deliveries}
              rows={items}
              keyOf={(one) => one.id}
              columns={[
                { head: texts.state, cell: (one) => <Badge state={one.state} /> },
                {
                  head: t.type,
                  cell: ({ type, event }) => <a href={addressOf('events', event)}>{type ?? t.untold}</a>,
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
              onDone={live.again}
              empty={<NoDelivery state={state} hasMore={next !== undefined} />}
            />
          </>
        )}
      </Loaded>
      <Pager next={next} />
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
    tell(headersDropped ? t.savedWithout(headersDropped.join(', ')) : texts.saved);
    await onChange();
  };
  return (
    <details>
      <summary>{t.edit}</summary>
      <section class="card">
        <Form act={texts.save} onSubmit={save}>
          <TextField name="name" label={texts.name} value={name ?? ''} />
          <TextField name="url" label={t.url} hint={t.newUrlHint} value={url} required />
          <TextField name="types" label={t.types} hint={t.typesHint} value={types.join(', ')} required />
        </Form>
      </section>
    </details>
  );
}

interface StateFilterProps {
  readonly id: string;
  readonly state: string | undefined;
}

function StateFilter({ id, state = '' }: StateFilterProps) {
  return (
    <div class="filters">
      <Select
        label={texts.state}
        isBare
        value={state}
        options={[['', t.allStates], ...STATES.map((one) => [one, texts.states[one] ?? one] as const)]}
        onChange={(chosen) => go(addressOf('endpoints', id, { state: chosen }))}
      />
    </div>
  );
}

function NoDelivery({ state, hasMore }: { readonly state: string | undefined; readonly hasMore: boolean }) {
  if (hasMore) return <Empty title={texts.noneYet} />;
  if (state !== undefined) return <Empty title={t.noneSuch} />;
  return <Empty title={t.noDelivery} hint={t.noDeliveryHint} />;
}

type TestResult = Awaited<ReturnType<typeof test>>;
const isTaken = ({ status = 0 }: TestResult): boolean => status >= 200 && status < 300;
const test = (id: string) => asked(api.POST('/api/endpoints/{id}/test', { params: { path: { id } }, body: {} }));

interface EndpointActsProps {
  readonly endpoint: { readonly id: string; readonly name?: string; readonly url: string; readonly state: string };
  readonly onChange: () => Promise<unknown>;
  readonly onSecret: (secret: string) => void;
  readonly onReplay: () => void;
  readonly onTested: (result: TestResult) => void;
}

function EndpointActs({
  endpoint: { id, name, url, state },
  onChange,
  onSecret,
  onReplay,
  onTested,
}: EndpointActsProps) {
  const path = { params: { path: { id } } };
  const rotate = async () => onSecret((await asked(api.POST('/api/endpoints/{id}/rotate', path))).secret);
  const isOff = state === 'disabled';
  const enable = () => asked(api.POST('/api/endpoints/{id}/enable', path));
  const toggle = () => (isOff ? enable() : asked(api.POST('/api/endpoints/{id}/disable', path)));
  return (
    <Acts
      onDone={onChange}
      acts={[
        {
          label: t.test,
          run: async () => onTested(await test(id)),
        },
        ...(state === 'failing' ? [{ label: t.callNow, run: enable, said: t.calledNow }] : []),
        { label: isOff ? t.on : t.off, run: toggle, said: t.switched },
        { label: t.replay, run: async () => onReplay() },
        { label: t.rotate, run: rotate, asks: t.rotateText(name ?? url) },
        deletion('endpoints', t.deleteText(name ?? url), () => done(api.DELETE('/api/endpoints/{id}', path))),
      ]}
    />
  );
}

export const Endpoints = collection({ List: EndpointList, New: NewEndpoint, One: OneEndpoint });
