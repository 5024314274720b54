import { useState } from 'preact/hooks';
import { addressOf, go } from '../address.ts';
import { type Account, type NewAccount as AccountBody, type AccountTest, api, asked } from '../api.ts';
import { useOnce } from '../live.ts';
import { Acts } from '../parts/acts.tsx';
import { Card, Form, Select, TextField, type Values } from '../parts/form.tsx';
import { Loaded, Page } from '../parts/page.tsx';
import { Badge } from '../parts/small.tsx';
import { tell } from '../parts/toast.tsx';
import { providerName, texts } from '../texts.ts';
import { loadWays, type Way, type WayField } from '../ways.ts';

const t = texts.accounts;

const labelOf = ({ provider, channel, fixed }: Way) =>
  [providerName(provider), texts.channels[channel] ?? channel, ...Object.values(fixed)].join(', ');

/** Asks for what each provider asks for. */
export function NewAccount() {
  const live = useOnce(loadWays);
  return (
    <Page title={t.make} call="POST /api/accounts">
      <Loaded live={live}>{(ways) => <AccountForm ways={ways} />}</Loaded>
    </Page>
  );
}

function AccountForm({ ways }: { readonly ways: readonly Way[] }) {
  const [chosen, choose] = useState(0);
  const [tested, setTested] = useState<AccountTest>();
  const way = ways[chosen] ?? ways[0];
  if (!way) return null;
  const change = (next: number) => {
    setTested(undefined);
    choose(next);
  };
  const bodyOf = ({ name, phone, ...values }: Values): AccountBody => {
    const { provider, channel } = way;
    const credentials = credentialsOf(way, values);
    const filled = { provider, channel, ...(name && { name }), ...(phone && { phone }), credentials };
    // Which fields go together the document says, and the API checks.
    return JSON.parse(JSON.stringify(filled));
  };
  const test = async (values: Values) =>
    setTested(await asked(api.POST('/api/accounts/test', { body: bodyOf(values) })));
  const create = async (values: Values) => {
    const body = bodyOf(values);
    const made = await asked(api.POST('/api/accounts', { body }));
    if (made.warning) tell(made.warning);
    go(addressOf('accounts', made.id));
  };
  return (
    <Form
      key={chosen}
      act={t.make}
      onSubmit={create}
      class="form wide"
      trial={{ act: t.test, run: test }}
      onInput={() => setTested(undefined)}
    >
      <Select
        label={texts.provider}
        hint={t.hints[way.provider] ?? ''}
        value={`${chosen}`}
        options={ways.map((one, index) => [`${index}`, labelOf(one)] as const)}
        onChange={(index) => change(Number(index))}
      />
      <TextField name="name" label={texts.name} hint={texts.nameHint} />
      <TextField
        name="phone"
        label={texts.phone}
        hint={way.provider === 'timelinesai' ? t.phoneNeeded : t.phoneHint}
        required={way.provider === 'timelinesai'}
      />
      <CredentialFields way={way} />
      {tested && <Tested test={tested} />}
    </Form>
  );
}

/** What was filled in for a way of connecting, as the API takes it. Of several numbers one is chosen: it is a number. */
function credentialsOf({ fixed, fields }: Way, values: Values): Record<string, string | number> {
  const given = fields.flatMap(({ name, choices }): [string, string | number][] => {
    const value = choices?.find((one) => `${one}` === values[name]) ?? values[name];
    return value === undefined ? [] : [[name, value]];
  });
  return { ...fixed, ...Object.fromEntries(given) };
}

const CredentialFields = ({ way: { fields } }: { readonly way: Way }) => (
  <>
    {fields.map((field) => (
      <Input key={field.name} {...field} />
    ))}
  </>
);

function Input({ name, required, isSecret, choices }: WayField) {
  const label = t.fields[name] ?? name;
  if (!choices) return <TextField name={name} label={label} required={required} secret={isSecret} />;
  return (
    <Select
      name={name}
      label={label}
      isRequired={required}
      options={[...(required ? [] : [['', t.unsaid] as const]), ...choices.map((one) => [`${one}`, `${one}`] as const)]}
    />
  );
}

interface ChangeProps {
  readonly account: Account;
  readonly onChange: () => Promise<unknown>;
}

/** Name, number and pace. A number that stays is not given anew: of some providers it cannot be taken away. */
export function EditAccount({ account: { id, name, phone, pacing }, onChange }: ChangeProps) {
  const save = async (values: Values) => {
    const inMs = (seconds = '') => Math.round(Number(seconds) * 1000);
    const body = {
      name: values.name ?? null,
      ...(values.phone !== phone && { phone: values.phone ?? null }),
      pacing: { minMs: inMs(values.shortest), maxMs: inMs(values.longest) },
    };
    await asked(api.PATCH('/api/accounts/{id}', { params: { path: { id } }, body }));
  };
  return (
    <Form title={t.edit} act={texts.save} onSubmit={save} said={texts.saved} onDone={onChange}>
      <TextField name="name" label={texts.name} hint={texts.nameHint} value={name ?? ''} />
      <TextField name="phone" label={texts.phone} hint={t.phoneHint} value={phone ?? ''} />
      <div class="pair">
        <TextField name="shortest" label={t.shortest} value={String(pacing.minMs / 1000)} required />
        <TextField name="longest" label={t.longest} value={String(pacing.maxMs / 1000)} required />
      </div>
    </Form>
  );
}

/** Where they were changed at the provider. They are asked for whole: what is kept is never shown again. */
export function NewCredentials(props: ChangeProps) {
  const [isOpened, setOpened] = useState(false);
  return (
    <details onToggle={({ currentTarget }) => currentTarget.open && setOpened(true)}>
      <summary>{t.newCredentials}</summary>
      {isOpened && <CredentialForms {...props} />}
    </details>
  );
}

/** Which there are, the API's whole document says: it is large, and few who look at an account need it. */
function CredentialForms(props: ChangeProps) {
  const { provider, channel } = props.account;
  const live = useOnce(loadWays);
  return (
    <Loaded live={live}>
      {(all) => {
        const ways = all.filter((way) => way.provider === provider && way.channel === channel && way.fields.length > 0);
        if (ways.length === 0) return <p class="faint">{t.noCredentials}</p>;
        return ways.map((way) => <CredentialForm key={JSON.stringify(way.fixed)} way={way} {...props} />);
      }}
    </Loaded>
  );
}

function CredentialForm({ way, account: { id }, onChange }: ChangeProps & { readonly way: Way }) {
  const save = async (values: Values) => {
    const body = { credentials: credentialsOf(way, values) };
    return (await asked(api.PATCH('/api/accounts/{id}', { params: { path: { id } }, body }))).warning;
  };
  const title = [t.newCredentials, ...Object.values(way.fixed)].join(', ');
  return (
    <Form title={title} act={texts.save} onSubmit={save} said={texts.saved} onDone={onChange}>
      <p class="faint">{t.newCredentialsHint}</p>
      <CredentialFields way={way} />
    </Form>
  );
}

/** Asks the provider, for some seconds: on demand, and never by itself. */
export function Connection({ id }: { readonly id: string }) {
  const [tested, setTested] = useState<AccountTest>();
  const run = async () => {
    setTested(undefined);
    setTested(await asked(api.POST('/api/accounts/{id}/test', { params: { path: { id } } })));
  };
  return (
    <Card title={t.connection}>
      <p class="faint">{t.connectionHint}</p>
      {tested && <Tested test={tested} />}
      <div class="actions">
        <Acts acts={[{ label: t.test, run }]} />
      </div>
    </Card>
  );
}

/** What the provider says, and what is to be done about it. */
function Tested({ test: { ok, state, phone, message } }: { readonly test: AccountTest }) {
  return (
    <div role="status">
      <p>
        <Badge state={ok ? 'connected' : 'failed'} /> {[state, phone].filter(Boolean).join(', ')}
      </p>
      {message && <p>{message}</p>}
    </div>
  );
}
