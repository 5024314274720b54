import './style.css';
import { signal } from '@preact/signals';
import { render } from 'preact';
import { errorOf, findSession, Refusal, session, signIn } from './api.ts';
import { Form, TextField } from './parts/form.tsx';
import { Failure, Loading } from './parts/small.tsx';
import { Toasts } from './parts/toast.tsx';
import { Shell } from './shell.tsx';
import { texts } from './texts.ts';

const fault = signal<Error | undefined>(undefined);

function App() {
  if (session.value === undefined) return fault.value ? <Failure error={fault.value} /> : <Loading />;
  return (
    <>
      {session.value ? <Shell /> : <SignIn because={fault.value} />}
      <Toasts />
    </>
  );
}

/** `because`: why a link did not sign in. */
function SignIn({ because }: { readonly because: Error | undefined }) {
  const t = texts.signIn;
  return (
    <main id="main" class="stack sign-in">
      <h1>{t.title}</h1>
      {because && <Failure error={because} />}
      <Form act={t.act} onSubmit={({ key = '', workspace }) => signIn(key, workspace)}>
        <TextField name="key" label={t.key} hint={t.keyHint} required secret />
        <TextField name="workspace" label={texts.workspace} hint={t.workspaceHint} />
      </Form>
    </main>
  );
}

/** The token of a link stands behind the `#`, which no server sees; it is gone from the address before it is used. */
async function begin(): Promise<void> {
  const [, token] = /^#(once_[\w-]+)$/.exec(location.hash) ?? [];
  try {
    if (token === undefined) return await findSession();
    history.replaceState(null, '', `${location.pathname}#/overview`);
    dispatchEvent(new HashChangeEvent('hashchange'));
    await signIn(token);
  } catch (error) {
    const isOld = token !== undefined && error instanceof Refusal && error.status === 401;
    fault.value = isOld ? new Error(texts.signIn.badLink) : errorOf(error);
    // Who is signed in already, and follows an old link, stays signed in.
    if (token !== undefined) await findSession().catch(() => undefined);
  }
}

render(<App />, document.body);
void begin();
