import { useState } from 'preact/hooks';
import { type AccountTest, api, asked } from '../api.ts';
import { Acts } from '../parts/acts.tsx';
import { Badge } from '../parts/small.tsx';
import { texts } from '../texts.ts';

const t = texts.accounts;

/** Asks the provider, for some seconds: on demand, and never by itself. */
export function Connection({ id }: { readonly id: string }) {
  const [tested, setTested] = useState<AccountTest>();
  const run = async () => {
    setTested(undefined);
    setTested(await asked(api.POST('/api/accounts/{id}/test', { params: { path: { id } } })));
  };
  return (
    <section class="card">
      <h2>{t.connection}</h2>
      <p class="faint">{t.connectionHint}</p>
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
