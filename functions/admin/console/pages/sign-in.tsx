import { signIn } from '../api.ts';
import { Form, TextField } from '../parts/form.tsx';
import { Failure } from '../parts/small.tsx';
import { texts } from '../texts.ts';

/** `fault`: why a link did not sign in. */
export function SignIn({ fault }: { readonly fault?: Error | undefined }) {
  const t = texts.signIn;
  return (
    <main id="main" class="sign-in">
      <h1>{t.title}</h1>
      {fault && <Failure error={fault} />}
      <Form act={t.act} onSubmit={({ key = '', workspace }) => signIn(key, workspace)}>
        <TextField name="key" label={t.key} hint={t.keyHint} required secret />
        <TextField name="workspace" label={t.workspace} hint={t.workspaceHint} />
      </Form>
    </main>
  );
}
