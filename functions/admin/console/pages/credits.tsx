import { useState } from 'preact/hooks';
import { addressOf, filterIn, go } from '../address.ts';
import { api, asked, type LedgerEntry, session } from '../api.ts';
import { Card, Form, Select, TextField, type Values } from '../parts/form.tsx';
import { List, None, useList } from '../parts/list.tsx';
import { Page } from '../parts/page.tsx';
import { Badge, Failures, Figures, Time } from '../parts/small.tsx';
import { Table } from '../parts/table.tsx';
import { attempt } from '../parts/toast.tsx';
import { texts } from '../texts.ts';

const t = texts.credits;
const KINDS = ['grant', 'reserve', 'refund'] as const;
const idOf = ({ at, kind, send = '' }: LedgerEntry) => `${at} ${kind} ${send}`;

export function Credits() {
  const ofKind = filterIn(['kind']).kind;
  const kind = KINDS.find((one) => one === ofKind);
  const list = useList({
    name: `credits ${kind}`,
    idOf,
    load: (cursor) =>
      asked(
        api.GET('/api/credits/ledger', { params: { query: { ...(kind && { kind }), ...(cursor && { cursor }) } } }),
      ),
    beside: () => asked(api.GET('/api/credits')),
  });
  const onDone = list.live.again;
  return (
    <Page title={texts.pages.credits} call="GET /api/credits">
      <List of={list}>
        {({ available, reserved, spent, granted, quota, epoch, audit }) => (
          <>
            <Figures
              of={[
                { label: t.figures.available, value: available, to: addressOf('credits') },
                { label: t.figures.reserved, value: reserved, to: sendsIn(RESERVED, epoch) },
                { label: t.figures.spent, value: spent, to: sendsIn(SPENT, epoch) },
                { label: t.figures.granted, value: granted, to: addressOf('credits', undefined, { kind: 'grant' }) },
              ]}
            />
            <p class="faint">
              {quota.kind === 'monthly' ? t.ofMonth(quota.credits, epoch) : t.ofPrepaid} {t.reservedHint}
            </p>
            <div class="columns">
              <div class="stack">
                <Audit last={audit} onDone={onDone} />
                {session.value?.admin && <Quota key={JSON.stringify(quota)} quota={quota} onDone={onDone} />}
              </div>
              {session.value?.admin && <Grant onDone={onDone} />}
            </div>
            <h2>{t.ledger}</h2>
            <div class="filters">
              <Select
                label={t.kind}
                isBare
                value={kind ?? ''}
                options={[['', t.allKinds], ...KINDS.map((one) => [one, t.kinds[one] ?? one] as const)]}
                onChange={(chosen) => go(addressOf('credits', undefined, { kind: chosen }))}
              />
            </div>
            <Table
              label={t.ledger}
              rows={list.items}
              keyOf={idOf}
              columns={[
                { head: texts.at, cell: ({ at }) => <Time at={at} /> },
                {
                  head: t.kind,
                  cell: ({ kind, credits }) => (kind === 'grant' && credits < 0 ? t.taken : (t.kinds[kind] ?? kind)),
                },
                {
                  head: t.number,
                  cell: ({ kind, credits }) => signed(kind === 'reserve' ? -credits : credits),
                  numeric: true,
                },
                {
                  head: texts.reason,
                  cell: ({ send, reason }) =>
                    send ? <a href={addressOf('sends', send)}>{reason ?? t.send}</a> : (reason ?? texts.none),
                },
              ]}
              empty={<None of={list} texts={t} isFiltered={kind !== undefined} />}
            />
          </>
        )}
      </List>
    </Page>
  );
}

/** In which states the sends are that a figure counts. */
const RESERVED = 'queued,sending,unknown';
const SPENT = 'sent,delivered,read,partially_sent';

/** Since when a figure counts: of a month, as `2026-11`; what is prepaid has no beginning. */
const sendsIn = (state: string, epoch: string): string =>
  addressOf('sends', undefined, {
    state,
    ...(/^\d{4}-\d\d$/.test(epoch) && { after: `${epoch}-01T00:00:00.000Z` }),
  });

/** What came in with a plus, what was taken with a minus. */
const signed = (credits: number): string => `${credits < 0 ? '−' : '+'}${Math.abs(credits)}`;

interface AuditProps extends ChangeProps {
  /** What the last one that came to its end has found. */
  readonly last: { readonly ok: boolean; readonly differences: readonly string[]; readonly asOf: string } | undefined;
}

/** Goes through all sends, so it is asked for and not repeated. One call counts for a while; the next goes on from there. */
function Audit({ last, onDone }: AuditProps) {
  const [isCounting, setCounting] = useState(false);
  const count = async () => {
    if (isCounting) return;
    setCounting(true);
    await attempt(async () => {
      while (!(await asked(api.GET('/api/credits/audit'))).complete);
      await onDone();
    });
    setCounting(false);
  };
  return (
    <Card title={t.audit}>
      <p class="faint">{t.auditHint}</p>
      <p role="status">
        {isCounting && t.counting}
        {!isCounting && !last && t.neverCounted}
        {!isCounting && last && (
          <>
            <Badge state={last.ok ? 'balanced' : 'unbalanced'} /> {t.counted} <Time at={last.asOf} />
          </>
        )}
      </p>
      {!isCounting && last && last.differences.length > 0 && <Failures of={last.differences} />}
      <div class="actions">
        <button type="button" aria-disabled={isCounting} onClick={count}>
          {last ? t.countAgain : t.count}
        </button>
      </div>
    </Card>
  );
}

interface ChangeProps {
  readonly onDone: () => Promise<unknown>;
}

function Grant({ onDone }: ChangeProps) {
  const [key, setKey] = useState<string>(() => crypto.randomUUID());
  const grant = async ({ credits = '', reason = '' }: Values) => {
    // A second try after an answer that was lost grants once.
    const header = { 'Idempotency-Key': key };
    await asked(api.POST('/api/credits/grants', { params: { header }, body: { credits: Number(credits), reason } }));
    // An empty form: a second click grants nothing twice.
    setKey(crypto.randomUUID());
    return t.granted(Number(credits));
  };
  return (
    <Form key={key} title={t.correct} act={t.grant} onSubmit={grant} onDone={onDone}>
      <TextField name="credits" label={t.number} hint={t.numberHint} required />
      <TextField name="reason" label={texts.reason} hint={t.reasonHint} required />
    </Form>
  );
}

interface QuotaProps extends ChangeProps {
  readonly quota: { readonly kind: 'prepaid' } | { readonly kind: 'monthly'; readonly credits: number };
}

function Quota({ quota, onDone }: QuotaProps) {
  const [kind, setKind] = useState<string>(quota.kind);
  const save = async ({ credits = '' }: Values) => {
    const body =
      kind === 'monthly' ? { kind: 'monthly' as const, credits: Number(credits) } : { kind: 'prepaid' as const };
    await asked(api.PUT('/api/credits/quota', { body }));
  };
  return (
    <Form title={t.quota} act={texts.save} onSubmit={save} said={t.quotaSaid} onDone={onDone}>
      <Select
        label={t.quotaKind}
        hint={kind === 'monthly' ? t.monthlyHint : t.prepaidHint}
        value={kind}
        options={[
          ['prepaid', t.prepaid],
          ['monthly', t.monthly],
        ]}
        onChange={setKind}
      />
      {kind === 'monthly' && (
        <TextField
          name="credits"
          label={t.aMonth}
          required
          {...(quota.kind === 'monthly' && { value: String(quota.credits) })}
        />
      )}
    </Form>
  );
}
