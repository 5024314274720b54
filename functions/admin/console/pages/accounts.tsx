import { useState } from 'preact/hooks';
import { addressOf, go } from '../address.ts';
import { type Account, type NewAccount as AccountBody, api, asked, done } from '../api.ts';
import { useLive } from '../live.ts';
import { Acts } from '../parts/acts.tsx';
import { collection, ListPage } from '../parts/collection.tsx';
import { Field, Form, TextField, type Values } from '../parts/form.tsx';
import { Loaded, Page } from '../parts/page.tsx';
import { Badge, Facts, Id, Time } from '../parts/small.tsx';
import { tell } from '../parts/toast.tsx';
import { texts } from '../texts.ts';

const t = texts.accounts;
const nameOf = ({ name, phone, provider }: Account) => name ?? phone ?? provider;

function stateOf({ held, paused }: Account): string {
  if (held) return 'held';
  return paused ? 'paused' : 'active';
}

const AccountList = () => (
  <ListPage
    page="accounts"
    texts={t}
    call="GET /api/accounts"
    load={(cursor) => asked(api.GET('/api/accounts', { params: { query: cursor ? { cursor } : {} } }))}
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
);

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
    <Page title={t.make} call="POST /api/accounts">
      <Form key={chosen} act={t.make} onSubmit={create} class="form wide">
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
      actions={live.data && <AccountActs account={live.data} onChange={live.again} />}
    >
      <Loaded live={live}>
        {(account) => (
          <Facts
            of={[
              [
                t.state,
                <>
                  <Badge state={stateOf(account)} /> {account.holdReason ?? account.pauseReason}
                </>,
              ],
              [t.provider, `${account.provider}, ${account.channel}`],
              [t.phone, account.phone ?? texts.none],
              [t.pace, t.paceOf(account.pacing.minMs, account.pacing.maxMs)],
              [t.pending, account.pending],
              [t.next, account.nextSendAt ? <Time key="next" at={account.nextSendAt} /> : texts.none],
              [texts.id, <Id key="id" id={account.id} />],
            ]}
          />
        )}
      </Loaded>
    </Page>
  );
}

interface AccountActsProps {
  readonly account: Account;
  readonly onChange: () => Promise<unknown>;
}

function AccountActs({ account, onChange }: AccountActsProps) {
  const name = nameOf(account);
  const path = { params: { path: { id: account.id } } };
  const cancelAll = async () => {
    let count = 0;
    let hasMore = true;
    // One call does what fits into its time.
    while (hasMore) {
      const { cancelled, more } = await asked(api.POST('/api/accounts/{id}/cancel', path));
      count += cancelled;
      hasMore = more;
    }
    tell(t.cancelledSaid(count));
  };
  return (
    <Acts
      onDone={onChange}
      acts={[
        !account.paused && {
          label: t.pause,
          run: () => asked(api.POST('/api/accounts/{id}/pause', { ...path, body: {} })),
          said: t.pausedSaid,
        },
        (account.paused || account.held) && {
          label: t.resume,
          run: () => asked(api.POST('/api/accounts/{id}/resume', path)),
          said: t.resumedSaid,
          look: 'primary',
        },
        account.pending > 0 && {
          label: t.cancel,
          run: cancelAll,
          asks: t.cancelText(name, account.pending),
          look: 'danger',
        },
        {
          label: t.delete,
          run: () => done(api.DELETE('/api/accounts/{id}', path)),
          asks: t.deleteText(name),
          look: 'danger',
          said: t.deleted,
          leadsTo: addressOf('accounts'),
        },
      ]}
    />
  );
}

export const Accounts = collection({ List: AccountList, New: NewAccount, One: OneAccount });
