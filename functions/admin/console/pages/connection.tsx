import { useState } from 'preact/hooks';
import { type AccountTest, api, asked } from '../api.ts';
import { Acts } from '../parts/acts.tsx';
import { Badge, Loading } from '../parts/small.tsx';
import { attempt } from '../parts/toast.tsx';
import { texts } from '../texts.ts';

const t = texts.accounts;

/** Asks the provider, for some seconds: on demand, and never by itself. */
export function Connection({ id }: { readonly id: string }) {
  const [tested, setTested] = useState<AccountTest>();
  const [isAsking, setAsking] = useState(false);
  const run = async () => {
    setAsking(true);
    setTested(undefined);
    await attempt(async () =>
      setTested(await asked(api.POST('/api/accounts/{id}/test', { params: { path: { id } } }))),
    );
    setAsking(false);
  };
  return (
    <section class="card">
      <h2>{t.connection}</h2>
      <p class="faint">{t.connectionHint}</p>
      {isAsking && <Loading />}
      {tested && <Tested test={tested} />}
      <div class="actions">
        <Acts acts={[{ label: t.test, run }]} />
      </div>
    </section>
  );
}

/** What the provider says, and what is to be done about it. */
export function Tested({ test: { ok, state, phone, message } }: { readonly test: AccountTest }) {
  return (
    <div role="status">
      <p>
        <Badge state={ok ? 'connected' : 'failed'} /> {[state, phone].filter(Boolean).join(', ')}
      </p>
      {message && <p>{message}</p>}
    </div>
  );
}
