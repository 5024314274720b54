import { api, asked, type Endpoint } from '../api.ts';
import { Form, TextField, type Values } from '../parts/form.tsx';
import { tell } from '../parts/toast.tsx';
import { texts } from '../texts.ts';

const t = texts.endpoints;

export const typesIn = (text = ''): string[] => text.split(/[\s,]+/).filter(Boolean);

interface EditEndpointProps {
  readonly endpoint: Endpoint;
  readonly onChange: () => Promise<unknown>;
}

/** What it counts for is what is stored from then on. */
export function EditEndpoint({ endpoint: { id, name, url, types }, onChange }: EditEndpointProps) {
  const save = async (values: Values) => {
    const body = { name: values.name ?? null, url: values.url ?? '', types: typesIn(values.types) };
    const { headersDropped } = await asked(api.PATCH('/api/endpoints/{id}', { params: { path: { id } }, body }));
    tell(headersDropped ? t.savedWithout(headersDropped.join(', ')) : t.saved);
    await onChange();
  };
  return (
    <details>
      <summary>{t.edit}</summary>
      <section class="card">
        <Form act={texts.save} onSubmit={save}>
          <TextField name="name" label={t.name} value={name ?? ''} />
          <TextField name="url" label={t.url} hint={t.newUrlHint} value={url} required />
          <TextField name="types" label={t.types} hint={t.typesHint} value={types.join(', ')} required />
        </Form>
      </section>
    </details>
  );
}
