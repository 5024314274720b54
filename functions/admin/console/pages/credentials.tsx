import { useState } from 'preact/hooks';
import { type Account, api, asked } from '../api.ts';
import { useOnce } from '../once.ts';
import { Field, Form, TextField, type Values } from '../parts/form.tsx';
import { Loaded } from '../parts/page.tsx';
import { tell } from '../parts/toast.tsx';
import { texts } from '../texts.ts';
import { loadWays, type Way, type WayField } from '../ways.ts';

const t = texts.accounts;

/** What was filled in for a way of connecting, as the API takes it. Of several numbers one is chosen: it is a number. */
export function credentialsOf({ fixed, fields }: Way, values: Values): Record<string, string | number> {
  const given = fields.flatMap(({ name, choices }): [string, string | number][] => {
    const value = choices?.find((one) => `${one}` === values[name]) ?? values[name];
    return value === undefined ? [] : [[name, value]];
  });
  return { ...fixed, ...Object.fromEntries(given) };
}

export const CredentialFields = ({ way: { fields } }: { readonly way: Way }) => (
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
    <Field label={label}>
      <select name={name} required={required}>
        {!required && <option value="">{t.unsaid}</option>}
        {choices.map((choice) => (
          <option key={choice}>{choice}</option>
        ))}
      </select>
    </Field>
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
    tell(t.saved);
    await onChange();
  };
  return (
    <section class="card">
      <h2>{t.edit}</h2>
      <Form act={texts.save} onSubmit={save}>
        <TextField name="name" label={t.name} hint={t.nameHint} value={name ?? ''} />
        <TextField name="phone" label={t.phone} hint={t.phoneHint} value={phone ?? ''} />
        <div class="pair">
          <TextField name="shortest" label={t.shortest} value={String(pacing.minMs / 1000)} required />
          <TextField name="longest" label={t.longest} value={String(pacing.maxMs / 1000)} required />
        </div>
      </Form>
    </section>
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
  const kind = Object.values(way.fixed).join(', ');
  const save = async (values: Values) => {
    const body = { credentials: credentialsOf(way, values) };
    const { warning } = await asked(api.PATCH('/api/accounts/{id}', { params: { path: { id } }, body }));
    tell(warning ?? t.saved);
    await onChange();
  };
  return (
    <section class="card">
      {kind && <h2>{kind}</h2>}
      <p class="faint">{t.newCredentialsHint}</p>
      <Form act={texts.save} onSubmit={save}>
        <CredentialFields way={way} />
      </Form>
    </section>
  );
}
