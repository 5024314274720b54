import { useState } from 'preact/hooks';
import { addressOf } from '../address.ts';
import { api, asked, session } from '../api.ts';
import { useLive } from '../live.ts';
import { Form, TextField, type Values } from '../parts/form.tsx';
import { Loaded, Page } from '../parts/page.tsx';
import { Pager, useOlder } from '../parts/pager.tsx';
import { Badge, Empty, Time } from '../parts/small.tsx';
import { Table } from '../parts/table.tsx';
import { attempt, tell } from '../parts/toast.tsx';
import { texts } from '../texts.ts';

const t = texts.credits;

export function Credits() {
  const load = (cursor?: string) =>
    asked(api.GET('/api/credits/ledger', { params: { query: cursor ? { cursor } : {} } }));
  const live = useLive('credits', async () => {
    const [credits, ledger] = await Promise.all([asked(api.GET('/api/credits')), load()]);
    return { credits, ledger };
  });
  const { items, next } = useOlder(
    'ledger',
    live.data?.ledger,
    ({ at, kind, send = '' }) => `${at} ${kind} ${send}`,
    load,
  );
  return (
    <Page title={t.title} call="GET /api/credits">
      <Loaded live={live}>
        {({ credits: { available, reserved, spent, granted } }) => (
          <>
            <ul class="figures">
              {Object.entries({ available, reserved, spent, granted }).map(([name, value]) => (
                <li key={name} class="figure">
                  <strong>{value}</strong>
                  <span>{t.figures[name]}</span>
                </li>
              ))}
            </ul>
            <div class="columns">
              <Audit />
              {session.value?.admin && <Grant onDone={live.again} />}
            </div>
            <h2>{t.ledger}</h2>
            {items.length === 0 ? (
              <Empty title={t.empty} />
            ) : (
              <Table
                label={t.ledger}
                rows={items}
                keyOf={({ at, kind, send = '' }) => `${at} ${kind} ${send}`}
                columns={[
                  { head: t.at, cell: ({ at }) => <Time at={at} /> },
                  { head: t.kind, cell: ({ kind }) => kind },
                  { head: t.number, cell: ({ credits }) => credits, numeric: true },
                  {
                    head: t.reason,
                    cell: ({ send, reason }) =>
                      send ? <a href={addressOf('sends', send)}>{reason ?? t.send}</a> : (reason ?? texts.none),
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

interface Audited {
  readonly ok: boolean;
  readonly complete: boolean;
  readonly differences: readonly string[];
}

/** Goes through all sends, so it is asked for and not repeated. */
function Audit() {
  const [audited, setAudited] = useState<Audited>();
  const count = () => attempt(async () => setAudited(await asked(api.GET('/api/credits/audit'))));
  return (
    <section class="card">
      <h2>{t.audit}</h2>
      <p class="faint">{t.auditHint}</p>
      {audited && (
        <p role="status">
          <Badge state={audited.ok ? 'balanced' : 'failed'} /> {!audited.complete && t.counting}
        </p>
      )}
      {audited?.differences.map((difference) => (
        <p key={difference}>{difference}</p>
      ))}
      <div class="actions">
        <button type="button" onClick={count}>
          {t.count}
        </button>
      </div>
    </section>
  );
}

function Grant({ onDone }: { readonly onDone: () => Promise<unknown> }) {
  const grant = async ({ credits = '', reason = '' }: Values) => {
    await asked(api.POST('/api/credits/grants', { body: { credits: Number(credits), reason } }));
    tell(t.granted);
    await onDone();
  };
  return (
    <section class="card">
      <h2>{t.grant}</h2>
      <Form act={t.grant} onSubmit={grant}>
        <TextField name="credits" label={t.number} hint={t.numberHint} required />
        <TextField name="reason" label={t.reason} required />
      </Form>
    </section>
  );
}
