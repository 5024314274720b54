import { addressOf } from '../address.ts';
import { api, asked, hubUrl, Refusal, untilSignedOut } from '../api.ts';
import { guides } from '../guides.ts';
import { useLive } from '../live.ts';
import { type Act, Acts } from '../parts/acts.tsx';
import { Form, TextField, type Values } from '../parts/form.tsx';
import { MessageText } from '../parts/message-text.tsx';
import { Page } from '../parts/page.tsx';
import { Badge, Code, ShownOnce } from '../parts/small.tsx';
import { tell } from '../parts/toast.tsx';
import { sampleOf } from '../samples.ts';
import { providerName, texts } from '../texts.ts';

const t = texts.webhooks;

export interface Made {
  readonly id: string;
  readonly url: string;
  /** Left out of one for sending. */
  readonly provider: string | undefined;
  readonly secret?: string | undefined;
  /** Of the last call through the URL that it had before. */
  readonly after?: string | undefined;
}

/** The URLs that were shown since this page was loaded: what they lead to can be tried out until it is loaded anew. */
const urls = untilSignedOut(new Map<string, Made>());
export const urlOf = (id: string): Made | undefined => urls.get(id);
export function keepUrl(made: Made): Made {
  urls.set(made.id, made);
  return made;
}

/** Where to paste the URL, which is shown this once; it turns green with the first call. */
export function Paste({ made }: { readonly made: Made }) {
  return (
    <Page title={t.paste} call="POST /api/webhooks">
      <ShownOnce text={made.url} copy={t.copyUrl} />
      <FirstCall made={made} />
      <Guide provider={made.provider} url={made.url} />
      <p class="actions">
        <a href={addressOf('webhooks', made.id)}>{t.toWebhook}</a>
      </p>
    </Page>
  );
}

export function FirstCall({ made }: { readonly made: Made }) {
  const path = { params: { path: { id: made.id } } };
  const { provider, secret, after = '' } = made;
  const live = useLive(`first call ${made.id}`, async () => {
    const { items } = await asked(api.GET('/api/webhooks/{id}/attempts', path));
    const came = items.filter(({ at }) => at > after);
    const stored = came.find(({ id }) => id?.startsWith('evt_'))?.id;
    return { hasCall: came.length > 0, message: stored && (await placeOf(stored)) };
  });
  const { hasCall = false, message } = live.data ?? {};
  return (
    <section class="card">
      <p role="status">
        <Badge state={hasCall ? 'connected' : 'waiting'} /> {hasCall ? t.called : t.waiting}
      </p>
      {provider !== undefined && (
        <>
          <p class="faint">{t.sampleHint(provider)}</p>
          <div class="actions">
            <Acts
              acts={[{ label: t.sample, run: () => postSample(provider, made.url, secret), said: t.sampleSent }]}
              onDone={live.again}
            />
            {message && <a href={message}>{t.toMessage}</a>}
          </div>
        </>
      )}
    </section>
  );
}

/** The conversation in which an event stands; the event itself where it is in none. */
async function placeOf(id: string): Promise<string> {
  const { data } = await api.GET('/api/events/{id}', { params: { path: { id } } });
  return data && 'chatId' in data && data.chatId !== undefined
    ? addressOf('inbox', data.chatId)
    : addressOf('events', id);
}

interface SampleFormProps {
  readonly provider: string;
  readonly hasSecret: boolean;
  /** Gives it another URL: offered here as long as nothing has come through the one that it has. */
  readonly rotate?: Act | undefined;
  readonly onDone: () => Promise<unknown>;
}

/** Later on the hub does not know the URL any more: whoever has it gives it. */
export function SampleForm({ provider, hasSecret, rotate, onDone }: SampleFormProps) {
  const send = async ({ url = '', secret }: Values) => {
    if (!URL.canParse(url) || !new URL(url).pathname.includes(`/hooks/${provider}/`))
      throw new Error(t.noUrl(provider));
    await postSample(provider, url, secret);
    tell(t.sampleSent);
    await onDone();
  };
  return (
    <section class="card" aria-label={t.sample}>
      {rotate && <h2>{t.sample}</h2>}
      <p class="faint">{t.sampleHint(provider)}</p>
      <Form act={t.sample} onSubmit={send}>
        <TextField name="url" label={t.itsUrlField} hint={t.itsUrlHint} required />
        {hasSecret && <TextField name="secret" label={t.secret} secret required />}
      </Form>
      {rotate && (
        <>
          <p class="faint">{t.urlLost}</p>
          <div class="actions">
            <Acts acts={[rotate]} onDone={onDone} />
          </div>
        </>
      )}
    </section>
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
export function Guide({ provider, url }: { readonly provider: string | undefined; readonly url?: string }) {
  const guide = guides[provider ?? 'send'];
  if (!guide) return null;
  return (
    <section class="card">
      <h2>{guide.title}</h2>
      <ol class="guide">
        {guide.steps.map((step) => (
          <li key={step}>
            <MessageText text={step} />
          </li>
        ))}
      </ol>
      {guide.note && <p class="faint">{guide.note}</p>}
      {provider === undefined && <Code text={t.curl(url ?? t.itsUrl)} />}
    </section>
  );
}
