import { useState } from 'preact/hooks';
import { address } from '../address.ts';
import { allAccounts, api, asked } from '../api.ts';
import { useLive } from '../live.ts';
import { Form, TextField, type Values } from '../parts/form.tsx';
import { Page } from '../parts/page.tsx';
import { Select } from '../parts/select.tsx';
import { hasSecretOfItsOwn, isProvider, providerNames } from '../samples.ts';
import { accountOptions, providerName, texts } from '../texts.ts';
import { keepUrl, type Made, Paste } from './paste.tsx';

const t = texts.webhooks;

/** Asked for another kind, it begins anew. */
export function NewWebhook() {
  const kind = address.value.query.get('kind') === 'send' ? 'send' : 'receive';
  return <Asked key={kind} first={kind} />;
}

function Asked({ first }: { readonly first: 'receive' | 'send' }) {
  const [kind, setKind] = useState<string>(first);
  const [provider, setProvider] = useState<string>('sandbox');
  const [made, setMade] = useState<Made>();
  const create = async ({ name, secret, account }: Values) => {
    const named = { ...(name !== undefined && { name }), ...(account !== undefined && { accountId: account }) };
    const body =
      kind === 'send' || !isProvider(provider)
        ? { kind: 'send' as const, ...named }
        : { kind: 'receive' as const, provider, ...named, ...(secret !== undefined && { secret }) };
    const webhook = await asked(api.POST('/api/webhooks', { body }));
    setMade(keepUrl({ id: webhook.id, url: webhook.url, provider: webhook.provider, secret }));
  };
  if (made) return <Paste made={made} />;
  const hasSecret = kind === 'receive' && hasSecretOfItsOwn(provider);
  return (
    <Page title={t.make} call="POST /api/webhooks">
      <Form act={t.make} onSubmit={create} class="form wide">
        <Select
          label={t.kind}
          hint={kind === 'send' ? t.sendHint : t.receiveHint}
          value={kind}
          options={Object.entries(t.kinds)}
          onChange={setKind}
        />
        {kind === 'receive' && (
          <Select
            label={texts.provider}
            value={provider}
            options={providerNames.map((one) => [one, providerName(one)] as const)}
            onChange={setProvider}
          />
        )}
        <TextField name="name" label={texts.name} hint={texts.nameHint} />
        <Bound kind={kind} provider={provider} />
        {hasSecret && <TextField name="secret" label={t.secret} hint={t.secretHint} secret />}
      </Form>
    </Page>
  );
}

interface BoundProps {
  readonly kind: string;
  readonly provider: string | undefined;
  readonly value?: string | undefined;
}

/** Whose events come in here, or who sends what names no account. */
export function Bound({ kind, provider, value }: BoundProps) {
  const live = useLive('accounts to choose', allAccounts, { of: ['accounts'] });
  const fitting = live.data?.filter((account) => kind === 'send' || account.provider === provider) ?? [];
  if (fitting.length === 0) return null;
  return (
    <Select
      key={`${provider} ${kind}`}
      label={t.bound}
      hint={kind === 'send' ? t.boundSendHint : t.boundHint}
      name="account"
      value={value}
      options={[['', kind === 'send' ? t.unboundSend : t.unbound], ...accountOptions(fitting)]}
    />
  );
}
