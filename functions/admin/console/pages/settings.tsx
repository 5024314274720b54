import { useState } from 'preact/hooks';
import { api, asked, chooseWorkspace, done, session, workspace } from '../api.ts';
import { useLive } from '../live.ts';
import { Acts } from '../parts/acts.tsx';
import { Field, Form, TextField, type Values } from '../parts/form.tsx';
import { Loaded, Page } from '../parts/page.tsx';
import { Empty, Id, ShownOnce, Time } from '../parts/small.tsx';
import { Table } from '../parts/table.tsx';
import { texts } from '../texts.ts';

const t = texts.settings;

export function Settings() {
  const live = useLive('health', () => asked(api.GET('/health')));
  const id = workspace.value ?? session.value?.workspace ?? '';
  return (
    <Page title={t.title}>
      <dl class="facts card">
        <dt>{t.workspace}</dt>
        <dd>
          <Id id={id} />
        </dd>
        <dt>{t.version}</dt>
        <dd>{live.data?.version ?? texts.none}</dd>
      </dl>
      {session.value?.admin ? (
        <>
          <Workspaces chosen={id} />
          <Keys key={id} id={id} />
        </>
      ) : (
        <p class="faint">{t.adminOnly}</p>
      )}
    </Page>
  );
}

function Workspaces({ chosen }: { readonly chosen: string }) {
  const live = useLive('workspaces', () => asked(api.GET('/api/workspaces', { params: { query: { limit: 200 } } })));
  const create = async ({ name = '' }: Values) => {
    const made = await asked(api.POST('/api/workspaces', { body: { name } }));
    chooseWorkspace(made.id);
  };
  return (
    <section class="card">
      <h2>{t.workspaces}</h2>
      <Loaded live={live}>
        {({ items }) => (
          <Field label={t.workIn}>
            <select value={chosen} onChange={({ currentTarget }) => chooseWorkspace(currentTarget.value)}>
              {items.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          </Field>
        )}
      </Loaded>
      <Form act={t.makeWorkspace} onSubmit={create}>
        <TextField name="name" label={t.newWorkspace} required />
      </Form>
    </section>
  );
}

function Keys({ id }: { readonly id: string }) {
  const path = { params: { path: { id } } };
  const live = useLive(`keys ${id}`, () => asked(api.GET('/api/workspaces/{id}/keys', path)));
  const [made, setMade] = useState<string>();
  const create = async ({ name }: Values) => {
    const { key } = await asked(api.POST('/api/workspaces/{id}/keys', { ...path, body: name ? { name } : {} }));
    setMade(key);
    await live.again();
  };
  const remove = (keyId: string) =>
    done(api.DELETE('/api/workspaces/{id}/keys/{keyId}', { params: { path: { id, keyId } } }));
  return (
    <section class="card">
      <h2>{t.keys}</h2>
      {made && <ShownOnce text={made} copy={t.copyKey} />}
      <Loaded live={live}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title={t.noKey} />
          ) : (
            <Table
              label={t.keys}
              rows={items}
              keyOf={(key) => key.id}
              columns={[
                { head: t.name, cell: ({ name }) => name ?? texts.none },
                { head: t.begins, cell: ({ prefix }) => <code>{prefix}…</code> },
                { head: t.made, cell: ({ createdAt }) => <Time at={createdAt} /> },
                {
                  head: t.act,
                  cell: (key) => (
                    <Acts
                      isSmall
                      acts={[
                        {
                          label: t.delete,
                          run: () => remove(key.id),
                          asks: t.deleteText(key.name ?? key.prefix),
                          look: 'danger',
                          said: t.deleted,
                        },
                      ]}
                      onDone={live.again}
                    />
                  ),
                },
              ]}
            />
          )
        }
      </Loaded>
      <Form act={t.makeKey} onSubmit={create}>
        <TextField name="name" label={t.keyFor} />
      </Form>
    </section>
  );
}
