import { Fragment } from 'preact';
import { useState } from 'preact/hooks';
import { addressOf } from '../address.ts';
import { api, asked, type Delivery, type Endpoint } from '../api.ts';
import { useLive } from '../live.ts';
import { Card, Field, Form, Select, type Values } from '../parts/form.tsx';
import { Loaded } from '../parts/page.tsx';
import { Badge, Code, Facts, Time } from '../parts/small.tsx';
import { texts } from '../texts.ts';

const t = texts.endpoints;

/** What it answered, or why it did not. */
export const howOf = ({ status, failure = '' }: Pick<Delivery['attempts'][number], 'status' | 'failure'>) =>
  status ?? t.failures[failure] ?? failure;

/** How much of the last day it has taken. */
export const takenOf = ({ last24h }: Endpoint): string =>
  last24h ? t.takenOf(last24h.delivered, last24h.total, last24h.more) : texts.none;

export function EndpointFacts({ endpoint }: { readonly endpoint: Endpoint }) {
  const { id, url, state, types, waiting, failingSince, disabledBecause, lastFailure } = endpoint;
  return (
    <Facts
      of={[
        [texts.state, <Badge key="state" state={state} />],
        disabledBecause !== undefined && [t.because, t.becauses[disabledBecause]],
        failingSince !== undefined && [t.failing, <Time key="failing" at={failingSince} />],
        lastFailure !== undefined && [
          t.lastFailure,
          <>
            <Time at={lastFailure.at} />, {howOf(lastFailure)}
          </>,
        ],
        [t.success, takenOf(endpoint)],
        [t.url, url],
        [t.types, types.join(', ')],
        [
          texts.waiting,
          <a key="waiting" href={addressOf('endpoints', id, { state: 'waiting' })}>
            {t.waitingOf(waiting ?? 0)}
          </a>,
        ],
      ]}
    />
  );
}

export function AttemptList({ attempts }: Pick<Delivery, 'attempts'>) {
  if (attempts.length === 0) return <>{t.noAttempt}</>;
  return (
    <details>
      <summary>{attempts.map(howOf).join(', ')}</summary>
      {attempts.map(({ at, ms, answer, ...how }) => (
        <div key={at}>
          <p>
            <Time at={at} />: {howOf(how)}, {ms} ms
          </p>
          {answer && <Code text={answer} />}
        </div>
      ))}
    </details>
  );
}

/** With the libraries of Standard Webhooks, whose signature it is. */
const VERIFYING: Readonly<Record<string, string>> = {
  TypeScript: `import { Webhook } from 'standardwebhooks';

// Throws where the call is not the hub's.
const notice = new Webhook(process.env.HOOKLINE_SECRET).verify(body, headers);`,
  Python: `from standardwebhooks import Webhook

notice = Webhook(os.environ["HOOKLINE_SECRET"]).verify(body, headers)`,
  PHP: `$notice = (new \\StandardWebhooks\\Webhook(getenv('HOOKLINE_SECRET')))->verify($body, $headers);`,
};

export function Verifying() {
  return (
    <details>
      <summary>{t.verify}</summary>
      <section class="card">
        <p>{t.verifyHint}</p>
        {Object.entries(VERIFYING).map(([language, code]) => (
          <Fragment key={language}>
            <h3>{language}</h3>
            <Code text={code} />
          </Fragment>
        ))}
      </section>
    </details>
  );
}

const ONLY = ['missing', 'failed', 'all'] as const;

/** As the field has it, in the reader's own time; Swedish writes it so, but for the `T`. */
const yesterday = () =>
  new Date(Date.now() - 86_400_000).toLocaleString('sv').slice(0, 'YYYY-MM-DD HH:MM'.length).replace(' ', 'T');

/** Asks since when and what, and then shows how far it is. */
export function Replay({ endpoint }: { readonly endpoint: string }) {
  const [id, setId] = useState<string>();
  const start = async ({ since = '', ...values }: Values) => {
    const only = ONLY.find((one) => one === values.only) ?? 'missing';
    const body = { since: new Date(since).toISOString(), only };
    setId((await asked(api.POST('/api/endpoints/{id}/replay', { params: { path: { id: endpoint } }, body }))).id);
  };
  if (id !== undefined) return <ReplayProgress id={id} />;
  return (
    <Form title={t.replay} act={t.replay} onSubmit={start}>
      <p>{t.replayHint}</p>
      <Field label={texts.since}>
        <input type="datetime-local" name="since" defaultValue={yesterday()} required />
      </Field>
      <Select name="only" label={t.only} options={Object.entries(t.onlyThese)} />
    </Form>
  );
}

function ReplayProgress({ id }: { readonly id: string }) {
  const live = useLive(`replay ${id}`, () => asked(api.GET('/api/replays/{id}', { params: { path: { id } } })));
  return (
    <Card title={t.replay}>
      <Loaded live={live}>
        {({ state, scanned, queued }) => (
          <p>
            <Badge state={state} /> {t.replayed(scanned, queued)}
          </p>
        )}
      </Loaded>
    </Card>
  );
}
