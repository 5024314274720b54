import { useState } from 'preact/hooks';
import { addressOf, go } from '../address.ts';
import { type Account, type NewAccount as AccountBody, api, asked, done } from '../api.ts';
import { useLive } from '../live.ts';
import { Confirm } from '../parts/dialog.tsx';
import { Field, Form, TextField, type Values } from '../parts/form.tsx';
import { Loaded, Page } from '../parts/page.tsx';
import { Badge, Empty, Id, Time } from '../parts/small.tsx';
import { Table } from '../parts/table.tsx';
import { attempt, tell } from '../parts/toast.tsx';
import { texts } from '../texts.ts';

const t = texts.accounts;
const nameOf = ({ name, phone, provider }: Account) => name ?? phone ?? provider;

function stateOf({ held, paused }: Account): string {
  if (held) return 'held';
  return paused ? 'paused' : 'active';
}

export function Accounts({ id }: { readonly id?: string | undefined }) {
  if (id === 'new') return <NewAccount />;
  return id === undefined ? <AccountList /> : <OneAccount key={id} id={id} />;
}

function AccountList() {
  const live = useLive('accounts', () => asked(api.GET('/api/accounts', { params: { query: { limit: 200 } } })));
  const add = (
    <a class="button primary" href={addressOf('accounts', 'new')}>
      {t.add}
    </a>
  );
  return (
    <Page title={t.title} call="GET /api/accounts" actions={add}>
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
                { head: t.name, cell: (account) => <a href={addressOf('accounts', account.id)}>{nameOf(account)}</a> },
                { head: t.provider, cell: ({ provider, channel }) => `${provider}, ${channel}` },
                { head: t.phone, cell: ({ phone }) => phone ?? texts.none },
                { head: t.state, cell: (account) => <Badge state={stateOf(account)} /> },
                { head: t.reason, cell: ({ holdReason, pauseReason }) => holdReason ?? pauseReason ?? texts.none },
                { head: t.pending, cell: ({ pending }) => pending, numeric: true },
                { head: t.next, cell: ({ nextSendAt }) => (nextSendAt ? <Time at={nextSendAt} /> : texts.none) },
              ]}
            />
          )
        }
      </Loaded>
    </Page>
  );
}

/** What each way of connecting asks for, in the words of the API. */
interface Way {
  readonly label: string;
  readonly provider: string;
  readonly channel: string;
  readonly fixed?: Values;
  readonly fields: readonly { readonly name: string; readonly required?: boolean; readonly secret?: boolean }[];
}

const field = (name: string) => ({ name, required: true });
const secret = (name: string) => ({ name, required: true, secret: true });
const optional = (name: string) => ({ name });

const WAYS: readonly Way[] = [
  { label: 'Sandbox (WhatsApp)', provider: 'sandbox', channel: 'whatsapp', fields: [] },
  { label: 'Sandbox (SMS)', provider: 'sandbox', channel: 'sms', fields: [] },
  {
    label: 'GREEN-API',
    provider: 'green-api',
    channel: 'whatsapp',
    fields: [field('apiUrl'), optional('mediaUrl'), field('idInstance'), secret('apiTokenInstance')],
  },
  {
    label: 'TimelinesAI',
    provider: 'timelinesai',
    channel: 'whatsapp',
    fields: [secret('apiToken'), optional('baseUrl')],
  },
  {
    label: 'Zender (WhatsApp)',
    provider: 'zender',
    channel: 'whatsapp',
    fields: [field('baseUrl'), secret('secret'), field('account')],
  },
  {
    label: 'Zender (SMS, device)',
    provider: 'zender',
    channel: 'sms',
    fixed: { mode: 'devices' },
    fields: [field('baseUrl'), secret('secret'), field('device')],
  },
  {
    label: 'Zender (SMS, credits)',
    provider: 'zender',
    channel: 'sms',
    fixed: { mode: 'credits' },
    fields: [field('baseUrl'), secret('secret'), field('gateway')],
  },
  { label: 'Cooby (receives only)', provider: 'cooby', channel: 'whatsapp', fields: [] },
];

function NewAccount() {
  const [chosen, choose] = useState(0);
  const way = WAYS[chosen] ?? WAYS[0];
  if (!way) return null;
  const create = async ({ name, phone, ...values }: Values) => {
    const credentials = { ...way.fixed, ...values };
    const { provider, channel } = way;
    const filled = { provider, channel, ...(name && { name }), ...(phone && { phone }), credentials };
    // Which fields go together stands in a table, and the API checks it.
    const body: AccountBody = JSON.parse(JSON.stringify(filled));
    const made = await asked(api.POST('/api/accounts', { body }));
    go(addressOf('accounts', made.id));
  };
  return (
    <Page title={t.add} call="POST /api/accounts">
      <Form key={chosen} act={t.add} onSubmit={create} class="form wide">
        <Field label={t.provider} hint={t.hints[way.provider] ?? ''}>
          <select value={chosen} onChange={({ currentTarget }) => choose(Number(currentTarget.value))}>
            {WAYS.map(({ label }, index) => (
              <option key={label} value={index}>
                {label}
              </option>
            ))}
          </select>
        </Field>
        <TextField name="name" label={t.name} hint={t.nameHint} />
        <TextField name="phone" label={t.phone} hint={t.phoneHint} />
        {way.fields.map((one) => (
          <TextField key={one.name} label={t.fields[one.name] ?? one.name} {...one} />
        ))}
      </Form>
    </Page>
  );
}

function OneAccount({ id }: { readonly id: string }) {
  const live = useLive(`account ${id}`, () => asked(api.GET('/api/accounts/{id}', { params: { path: { id } } })));
  return (
    <Page
      title={live.data ? nameOf(live.data) : t.one}
      call="GET /api/accounts/{id}"
      actions={live.data && <Acts account={live.data} onChange={live.again} />}
    >
      <Loaded live={live}>
        {(account) => (
          <dl class="facts card">
            <dt>{t.state}</dt>
            <dd>
              <Badge state={stateOf(account)} /> {account.holdReason ?? account.pauseReason}
            </dd>
            <dt>{t.provider}</dt>
            <dd>
              {account.provider}, {account.channel}
            </dd>
            <dt>{t.phone}</dt>
            <dd>{account.phone ?? texts.none}</dd>
            <dt>{t.pace}</dt>
            <dd>{t.paceOf(account.pacing.minMs, account.pacing.maxMs)}</dd>
            <dt>{t.pending}</dt>
            <dd>{account.pending}</dd>
            <dt>{t.next}</dt>
            <dd>{account.nextSendAt ? <Time at={account.nextSendAt} /> : texts.none}</dd>
            <dt>{texts.id}</dt>
            <dd>
              <Id id={account.id} />
            </dd>
          </dl>
        )}
      </Loaded>
    </Page>
  );
}

function Acts({ account, onChange }: { readonly account: Account; readonly onChange: () => Promise<unknown> }) {
  const [asks, ask] = useState<'cancel' | 'delete'>();
  const name = nameOf(account);
  const close = () => ask(undefined);
  const path = { params: { path: { id: account.id } } };
  const act = async (call: () => Promise<unknown>, said: string) => {
    await attempt(call, said);
    await onChange();
  };
  const pause = () => act(() => asked(api.POST('/api/accounts/{id}/pause', { ...path, body: {} })), t.pausedSaid);
  const resume = () => act(() => asked(api.POST('/api/accounts/{id}/resume', path)), t.resumedSaid);
  const cancelAll = async () => {
    let count = 0;
    let hasMore = true;
    const all = async () => {
      // One call does what fits into its time.
      while (hasMore) {
        const { cancelled, more } = await asked(api.POST('/api/accounts/{id}/cancel', path));
        count += cancelled;
        hasMore = more;
      }
    };
    if (await attempt(all)) tell(t.cancelledSaid(count));
    await onChange();
  };
  const remove = async () => {
    if (await attempt(() => done(api.DELETE('/api/accounts/{id}', path)), t.deleted)) go(addressOf('accounts'));
  };
  return (
    <>
      {!account.paused && (
        <button type="button" onClick={pause}>
          {t.pause}
        </button>
      )}
      {(account.paused || account.held) && (
        <button type="button" class="primary" onClick={resume}>
          {t.resume}
        </button>
      )}
      {account.pending > 0 && (
        <button type="button" class="danger" onClick={() => ask('cancel')}>
          {t.cancel}
        </button>
      )}
      <button type="button" class="danger" onClick={() => ask('delete')}>
        {t.delete}
      </button>
      {asks === 'cancel' && (
        <Confirm
          title={t.cancel}
          text={t.cancelText(name, account.pending)}
          act={t.cancel}
          onClose={close}
          onConfirm={cancelAll}
        />
      )}
      {asks === 'delete' && (
        <Confirm title={t.delete} text={t.deleteText(name)} act={t.delete} onClose={close} onConfirm={remove} />
      )}
    </>
  );
}
