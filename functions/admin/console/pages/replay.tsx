import { useState } from 'preact/hooks';
import { api, asked } from '../api.ts';
import { useLive } from '../live.ts';
import { Field, Form, type Values } from '../parts/form.tsx';
import { Loaded } from '../parts/page.tsx';
import { Select } from '../parts/select.tsx';
import { Badge } from '../parts/small.tsx';
import { texts } from '../texts.ts';

const t = texts.endpoints;
const ONLY = ['missing', 'failed', 'all'] as const;

/** As the field has it, in the reader's own time. */
function yesterday(): string {
  const at = new Date(Date.now() - 86_400_000);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 'YYYY-MM-DDTHH:MM'.length);
}

/** Asks since when and what, and then shows how far it is. */
export function Replay({ endpoint }: { readonly endpoint: string }) {
  const [id, setId] = useState<string>();
  const start = async ({ since = '', ...values }: Values) => {
    const only = ONLY.find((one) => one === values.only) ?? 'missing';
    const body = { since: new Date(since).toISOString(), only };
    setId((await asked(api.POST('/api/endpoints/{id}/replay', { params: { path: { id: endpoint } }, body }))).id);
  };
  return (
    <section class="card">
      <h2>{t.replay}</h2>
      {id === undefined ? (
        <Form act={t.replay} onSubmit={start}>
          <p>{t.replayHint}</p>
          <Field label={texts.since}>
            <input type="datetime-local" name="since" defaultValue={yesterday()} required />
          </Field>
          <Select name="only" label={t.only} options={Object.entries(t.onlyThese)} />
        </Form>
      ) : (
        <ReplayProgress id={id} />
      )}
    </section>
  );
}

function ReplayProgress({ id }: { readonly id: string }) {
  const live = useLive(`replay ${id}`, () => asked(api.GET('/api/replays/{id}', { params: { path: { id } } })));
  return (
    <Loaded live={live}>
      {({ state, scanned, queued }) => (
        <p>
          <Badge state={state} /> {t.replayed(scanned, queued)}
        </p>
      )}
    </Loaded>
  );
}
