import { useState } from 'preact/hooks';
import { address, addressOf, go } from '../address.ts';
import { type Attempt, allAccounts, api, asked, hubUrl, mayChange, Refusal, type Webhook } from '../api.ts';
import { guides } from '../guides.ts';
import { useLive } from '../live.ts';
import { Acts } from '../parts/acts.tsx';
import { MessageText } from '../parts/content.tsx';
import { Card, Form, Select, TextField, type Values } from '../parts/form.tsx';
import { Page } from '../parts/page.tsx';
import { keep, keptOf } from '../parts/shown-once.tsx';
import { Badge, Code } from '../parts/small.tsx';
import { hasSecretOfItsOwn, isProvider, providerNames, sampleOf } from '../samples.ts';
import { accountOptions, providerName, texts } from '../texts.ts';

const t = texts.webhooks;

/** Asked for another kind, it begins anew. */
export function NewWebhook() {
  const kind = address.value.query.get('kind') === 'send' ? 'send' : 'receive';
  return <Asked key={kind} first={kind} />;
}

function Asked({ first }: { readonly first: 'receive' | 'send' }) {
  const [kind, setKind] = useState<string>(first);
  const [provider, setProvider] = useState<string>('sandbox');
  const create = async ({ name, secret, account }: Values) => {
    const named = { ...(name !== undefined && { name }), ...(account !== undefined && { accountId: account }) };
    const body =
      kind === 'send' || !isProvider(provider)
        ? { kind: 'send' as const, ...named }
        : { kind: 'receive' as const, provider, ...named, ...(secret !== undefined && { secret }) };
    const { id, url } = await asked(api.POST('/api/webhooks', { body }));
    keep(id, { text: url, secret });
    go(addressOf('webhooks', id));
  };
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
        {kind === 'receive' && hasSecretOfItsOwn(provider) && (
          <TextField name="secret" label={t.secret} hint={t.secretHint} secret />
        )}
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
function Bound({ kind, provider, value }: BoundProps) {
  const live = useLive('accounts to choose', allAccounts, { of: ['accounts'] });
  const fitting = live.data?.filter((account) => kind === 'send' || account.provider === provider) ?? [];
  if (fitting.length === 0) return null;
  return (
    <Select
      key={`${provider} ${kind}`}
      label={texts.account}
      hint={kind === 'send' ? t.boundSendHint : t.boundHint}
      name="account"
      value={value}
      options={[['', kind === 'send' ? t.unboundSend : t.unbound], ...accountOptions(fitting)]}
    />
  );
}

export function Binding({
  webhook,
  onChange,
}: {
  readonly webhook: Webhook;
  readonly onChange: () => Promise<unknown>;
}) {
  const { id, kind, provider, accountId, name } = webhook;
  if (!mayChange()) return null;
  const save = async (values: Values) => {
    const { secret } = values;
    const body = { name: values.name ?? null, accountId: values.account ?? null, ...(secret && { secret }) };
    await asked(api.PATCH('/api/webhooks/{id}', { params: { path: { id } }, body }));
  };
  return (
    <Form title={t.bind} act={texts.save} onSubmit={save} said={texts.saved} onDone={onChange}>
      <TextField name="name" label={texts.name} hint={texts.nameHint} {...(name !== undefined && { value: name })} />
      <Bound kind={kind} provider={provider} value={accountId} />
      {hasSecretOfItsOwn(provider) && <TextField name="secret" label={t.secret} hint={t.newSecretHint} secret />}
    </Form>
  );
}

interface FirstCallProps {
  readonly webhook: Webhook;
  readonly attempts: readonly Attempt[];
  readonly onDone: () => Promise<unknown>;
}

/** Turns green with the first call, and makes one where the URL is known. */
export function FirstCall({ webhook: { id, provider }, attempts, onDone }: FirstCallProps) {
  const known = keptOf(id);
  const { after = '' } = known ?? {};
  const hasCall = attempts.some(({ at }) => at > after);
  return (
    <section class="card">
      <p role="status">
        <Badge state={hasCall ? 'connected' : 'waiting'} /> {hasCall ? t.called : t.waiting}
      </p>
      {!hasCall && <p class="faint">{t.waitingHint}</p>}
      {known && provider !== undefined && (
        <>
          <p class="faint">{t.sampleHint(provider)}</p>
          <div class="actions">
            <Acts
              acts={[
                { label: t.sample, run: () => postSample(provider, known.text, known.secret), said: t.sampleSent },
              ]}
              onDone={onDone}
            />
            {hasCall && <a href={addressOf('inbox')}>{t.toMessage}</a>}
          </div>
        </>
      )}
    </section>
  );
}

/** Later on the hub does not know the URL any more: whoever has it gives it. */
export function SampleForm({ webhook: { id, provider, enabled, hasSecret }, attempts, onDone }: FirstCallProps) {
  if (provider === undefined || !enabled || !mayChange() || keptOf(id)) return null;
  const send = async ({ url = '', secret }: Values) => {
    if (!URL.canParse(url) || !new URL(url).pathname.includes(`/hooks/${provider}/`))
      throw new Error(t.noUrl(provider));
    await postSample(provider, url, secret);
  };
  return (
    <details open={attempts.length === 0}>
      <summary>{t.sample}</summary>
      <section class="card">
        <p class="faint">
          {t.sampleHint(provider)} {t.urlLost}
        </p>
        <Form act={t.sample} onSubmit={send} said={t.sampleSent} onDone={onDone}>
          <TextField name="url" label={t.itsUrlField} hint={t.itsUrlHint} required />
          {hasSecret && <TextField name="secret" label={t.secret} secret required />}
        </Form>
      </section>
    </details>
  );
}

/**
 * Another one each time. Where a person has just answered, rules are silent: the sample that a newcomer tries a rule with begins
 * a conversation of its own.
 */
let person = Math.floor(Math.random() * 1_000);

/** As the provider would, but from here: it says whether the URL works. */
async function postSample(provider: string, url: string, secret: string | undefined) {
  person += 1;
  const told = { now: Date.now(), id: crypto.randomUUID(), text: t.sampleText, person, secret };
  const sample = sampleOf(provider, told);
  if (!sample) throw new Error(t.noSample(providerName(provider)));
  const { body, contentType, headers } = sample;
  // The hub may be reached by another name here than the one that providers are given.
  const here = new URL(url).pathname.slice(new URL(hubUrl()).pathname.replace(/\/$/, '').length);
  const response = await fetch(`${hubUrl()}${here}`, {
    method: 'POST',
    headers: { 'content-type': contentType, ...headers },
    body,
    credentials: 'omit',
  });
  if (!response.ok) throw new Refusal(response.status, t.sampleRefused(response.status));
}

/** Where exactly at the provider it goes, and what is to be ticked there. */
export function Guide({
  provider,
  url = t.itsUrl,
}: {
  readonly provider: string | undefined;
  readonly url: string | undefined;
}) {
  const guide = guides[provider ?? 'send'];
  if (!guide) return null;
  return (
    <Card title={guide.title}>
      <ol class="stack tight guide">
        {guide.steps.map((step) => (
          <li key={step}>
            <MessageText text={step} />
          </li>
        ))}
      </ol>
      {guide.note && <p class="faint">{guide.note}</p>}
      {provider === undefined && <Code text={t.curl(url)} />}
    </Card>
  );
}
