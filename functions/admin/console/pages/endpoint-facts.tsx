import { Fragment } from 'preact';
import type { Delivery, Endpoint } from '../api.ts';
import type { Listed } from '../parts/pager.tsx';
import { Badge, Code, Facts, Time } from '../parts/small.tsx';
import { texts } from '../texts.ts';

const t = texts.endpoints;
interface EndpointFactsProps {
  readonly endpoint: Endpoint;
  readonly deliveries: Listed<Delivery>;
}

const DAY_MS = 86_400_000;

export function EndpointFacts({ endpoint, deliveries }: EndpointFactsProps) {
  const { url, state, types, waiting, failingSince, disabledBecause, lastFailure } = endpoint;
  const fresh = deliveries.items.filter(({ storedAt }) => Date.now() - Date.parse(storedAt) < DAY_MS);
  const delivered = fresh.filter((one) => one.state === 'delivered').length;
  // One page tells of the whole day only where it reaches back so far.
  const isWhole = fresh.length < deliveries.items.length || deliveries.cursor === undefined;
  return (
    <Facts
      of={[
        [t.state, <Badge key="state" state={state} />],
        disabledBecause !== undefined && [t.because, t.becauses[disabledBecause]],
        failingSince !== undefined && [t.failing, <Time key="failing" at={failingSince} />],
        lastFailure !== undefined && [
          t.lastFailure,
          <>
            <Time at={lastFailure.at} />, {lastFailure.status ?? lastFailure.failure}
          </>,
        ],
        [t.success, (isWhole ? t.of : t.atLeast)(delivered, fresh.length)],
        [t.url, url],
        [t.types, types.join(', ')],
        [t.waiting, t.waitingOf(waiting ?? 0)],
      ]}
    />
  );
}

export function AttemptList({ attempts }: Pick<Delivery, 'attempts'>) {
  if (attempts.length === 0) return <>{texts.none}</>;
  return (
    <details>
      <summary>{attempts.map(({ status, failure }) => status ?? failure).join(', ')}</summary>
      {attempts.map(({ at, ms, status, failure, answer }) => (
        <div key={at}>
          <p>
            <Time at={at} />: {status ?? failure}, {ms} ms
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
