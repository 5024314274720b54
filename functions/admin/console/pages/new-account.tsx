import { useState } from 'preact/hooks';
import { addressOf, go } from '../address.ts';
import { type NewAccount as AccountBody, type AccountTest, api, asked } from '../api.ts';
import { useOnce } from '../live.ts';
import { Form, TextField, type Values } from '../parts/form.tsx';
import { Loaded, Page } from '../parts/page.tsx';
import { Select } from '../parts/select.tsx';
import { tell } from '../parts/toast.tsx';
import { texts } from '../texts.ts';
import { loadWays, type Way } from '../ways.ts';
import { CredentialFields, credentialsOf, Tested } from './credentials.tsx';

const t = texts.accounts;
const labelOf = ({ provider, channel, fixed }: Way) =>
  [t.providers[provider] ?? provider, texts.channels[channel] ?? channel, ...Object.values(fixed)].join(', ');

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
