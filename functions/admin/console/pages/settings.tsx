import { useState } from 'preact/hooks';
import { go, inWorkspace } from '../address.ts';
import { allAccounts, api, asked, done, inParts, session, type Workspace, workspace } from '../api.ts';
import { useLive, useOnce } from '../live.ts';
import { type Act, Acts } from '../parts/acts.tsx';
import { MediaSetting } from '../parts/content.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { Card, Form, Select, TextField, type Values } from '../parts/form.tsx';
import { Damaged } from '../parts/list.tsx';
import { Loaded, Page } from '../parts/page.tsx';
import { keep, keptOf, ShownOnce } from '../parts/shown-once.tsx';
import { Empty, Facts, Id, Time } from '../parts/small.tsx';
import { Table } from '../parts/table.tsx';
import { attempt, tell } from '../parts/toast.tsx';
import { accountOptions, texts } from '../texts.ts';
import { Named } from './event.tsx';

const t = texts.settings;
/** It is always there. */
const MAIN = 'main';

export function Settings() {
  const health = useOnce(() => asked(api.GET('/health')));
  const id = workspace.value;
  return (
    <Page title={texts.pages.settings} call="GET /api/workspaces/{id}" callId={id}>
      {session.value?.admin ? (
        <>
          <div class="columns">
            <Workspaces id={id} />
          </div>
          <Keys key={id} id={id} />
        </>
      ) : (
        <OwnWorkspace id={id} />
      )}
      <Card title={t.conversations}>
        <MediaSetting />
      </Card>
      <Facts
        of={[
          [t.version, health.data?.version ?? texts.none],
          [t.costs, t.costsText],
        ]}
      />
    </Page>
  );
}

/** What a key of the workspace may look at and not change. */
function OwnWorkspace({ id }: InWorkspace) {
  const path = { params: { path: { id } } };
  const live = useLive(`workspace ${id}`, () => asked(api.GET('/api/workspaces/{id}', path)));
  return (
    <Loaded live={live}>
      {({ name, defaultAccountId: account, defaultCountry, retentionDays }) => (
        <>
          <Facts
            of={[
              [texts.workspace, name],
              [texts.id, <Id key="id" id={id} />],
              [t.defaultAccount, account ? <Named key="account" page="accounts" id={account} /> : t.lastConnected],
              [t.country, defaultCountry ?? t.noCountry],
              [t.retention, retentionDays ?? t.forEver],
            ]}
          />
          <p class="faint">{t.adminOnly}</p>
        </>
      )}
    </Loaded>
  );
}

interface InWorkspace {
  /** The workspace in which one works. */
  readonly id: string;
}

function Workspaces({ id }: InWorkspace) {
  const live = useLive('workspaces', () => asked(api.GET('/api/workspaces', { params: { query: { limit: 200 } } })));
  const create = async ({ name = '' }: Values) => {
    const made = await asked(api.POST('/api/workspaces', { body: { name } }));
    go(inWorkspace(made.id));
  };
  const chosen = live.data?.items.find((one) => one.id === id);
  const name = chosen?.name ?? id;
  const remove: Act = {
    ...{ label: t.deleteWorkspace(name), asks: t.deleteWorkspaceText(name), look: 'danger', said: texts.deleted },
    run: () => asked(api.DELETE('/api/workspaces/{id}', { params: { path: { id } } })),
    leadsTo: inWorkspace(MAIN),
  };
  return (
    <>
      <div class="stack">
        <Card title={texts.workspace}>
          <Loaded live={live}>
            {({ items }) => (
              <Select
                label={t.workIn}
                value={id}
                options={items.map((one) => [one.id, one.name] as const)}
                onChange={(one) => go(inWorkspace(one))}
              />
            )}
          </Loaded>
          <p>
            {texts.id} <Id id={id} />
          </p>
          {chosen && id !== MAIN && (
            <div class="actions">
              <Acts acts={[remove]} />
            </div>
          )}
        </Card>
        <Form title={t.newWorkspace} act={t.makeWorkspace} onSubmit={create}>
          <TextField name="name" label={texts.name} required />
        </Form>
      </div>
      {chosen && <Defaults key={JSON.stringify(chosen)} workspace={chosen} onChange={live.again} />}
    </>
  );
}

interface DefaultsProps {
  readonly workspace: Workspace;
  readonly onChange: () => Promise<unknown>;
}

function Defaults({ workspace, onChange }: DefaultsProps) {
  const { id, name, defaultAccountId, defaultCountry, retentionDays, retentionPending } = workspace;
  const live = useLive(`defaults ${id}`, allAccounts, { of: ['accounts'] });
  const save = async (values: Values) => {
    const body = {
      name: values.name ?? name,
      defaultAccountId: values.account ?? null,
      defaultCountry: values.country?.toUpperCase() ?? null,
      retentionDays: values.days === undefined ? null : Number(values.days),
    };
    await asked(api.PATCH('/api/workspaces/{id}', { params: { path: { id } }, body }));
    tell(texts.saved);
    await onChange();
  };
  /** Of these days what is older goes with the next night: that is asked for. */
  const [asking, ask] = useState<Values>();
  const submit = async (values: Values) => {
    if (values.days === undefined || Number(values.days) >= (retentionDays ?? Number.POSITIVE_INFINITY))
      return save(values);
    ask(values);
  };
  return (
    <section class="card">
      {asking && (
        <Confirm
          title={t.retention}
          text={t.retentionAsks(name, asking.days ?? '')}
          act={texts.save}
          onClose={() => ask(undefined)}
          onConfirm={() => attempt(() => save(asking))}
        />
      )}
      <h2>{t.sending}</h2>
      <Form act={texts.save} onSubmit={submit}>
        <TextField name="name" label={texts.name} value={name} required />
        <Select
          name="account"
          label={t.defaultAccount}
          hint={texts.webhooks.boundSendHint}
          value={defaultAccountId}
          options={[['', t.lastConnected], ...accountOptions(live.data)]}
        />
        <TextField name="country" label={t.country} hint={t.countryHint} value={defaultCountry ?? ''} />
        <TextField name="days" label={t.retention} hint={t.retentionHint} value={String(retentionDays ?? '')} />
      </Form>
      {retentionPending && (
        <div class="actions">
          <p>{t.pending}</p>
          <Acts
            acts={[
              {
                label: t.apply,
                run: (say) => applyRetention(id, say),
                asks: t.applyAsks(retentionDays),
                said: t.applied,
              },
            ]}
            onDone={onChange}
          />
        </div>
      )}
    </section>
  );
}

const applyRetention = (id: string, say: (progress: string) => void) =>
  inParts(
    (body) => asked(api.POST('/api/workspaces/{id}/retention/apply', { params: { path: { id } }, body })),
    (so) => say(t.appliedSoFar(so.flatMap(({ applied }) => Object.values(applied)).reduce((sum, one) => sum + one, 0))),
  );

const SCOPES = ['all', 'read', 'send'] as const;
const isScope = (text: string | undefined): text is (typeof SCOPES)[number] => SCOPES.some((scope) => scope === text);

function Keys({ id }: InWorkspace) {
  const path = { params: { path: { id } } };
  const live = useLive(`keys ${id}`, () => asked(api.GET('/api/workspaces/{id}/keys', path)));
  const shown = `keys of ${id}`;
  const create = async ({ name, scope }: Values) => {
    const body = { ...(name && { name }), ...(isScope(scope) && { scope }) };
    const { key } = await asked(api.POST('/api/workspaces/{id}/keys', { ...path, body }));
    keep(shown, { text: key });
    await live.again();
  };
  const remove = (keyId: string) =>
    done(api.DELETE('/api/workspaces/{id}/keys/{keyId}', { params: { path: { id, keyId } } }));
  return (
    <section class="card">
      <h2>{t.keys}</h2>
      <ShownOnce of={shown} copy={t.copyKey} />
      <Loaded live={live}>
        {({ items, damaged }) => (
          <>
            <Damaged of={damaged} />
            <Table
              label={t.keys}
              rows={items}
              keyOf={(key) => key.id}
              columns={[
                { head: texts.name, cell: ({ name }) => name ?? texts.none },
                { head: t.scope, cell: ({ scope }) => t.scopes[scope] },
                { head: t.begins, cell: ({ prefix }) => <code>{prefix}…</code> },
                { head: texts.made, cell: ({ createdAt }) => <Time at={createdAt} /> },
              ]}
              acts={(key) => [
                {
                  label: texts.delete,
                  run: () => remove(key.id),
                  asks: t.deleteText(key.name ?? key.prefix),
                  look: 'danger',
                  said: texts.deleted,
                },
              ]}
              onDone={live.again}
              empty={<Empty title={t.noKey} hint={t.noKeyHint} />}
            />
          </>
        )}
      </Loaded>
      <Form key={keptOf(shown)?.text} act={t.makeKey} onSubmit={create}>
        <TextField name="name" label={t.keyFor} />
        <Select name="scope" label={t.scope} options={Object.entries(t.scopes)} />
      </Form>
    </section>
  );
}
