import { Fragment } from 'preact';
import { addressOf } from '../address.ts';
import type { Delivery, Endpoint } from '../api.ts';
import { Badge, Code, Facts, Time } from '../parts/small.tsx';
import { texts } from '../texts.ts';

const t = texts.endpoints;

/** What it answered, or why it did not. */
export const howOf = ({ status, failure = '' }: Pick<Delivery['attempts'][number], 'status' | 'failure'>) =>
  status ?? t.failures[failure] ?? failure;

/** How much of the last day it has taken. */
export function Taken({ endpoint: { last24h } }: { readonly endpoint: Endpoint }) {
  return <>{last24h ? t.takenOf(last24h.delivered, last24h.total, last24h.more) : texts.none}</>;
}

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
        [t.success, <Taken key="taken" endpoint={endpoint} />],
        [t.url, url],
        [t.types, types.join(', ')],
        [
          t.waiting,
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
