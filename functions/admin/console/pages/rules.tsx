import { useState } from 'preact/hooks';
import { addressOf, go } from '../address.ts';
import { api, asked, done, mayChange, type NewRule } from '../api.ts';
import { useLive } from '../live.ts';
import { Confirm } from '../parts/dialog.tsx';
import { Field, Form } from '../parts/form.tsx';
import { Loaded, Page } from '../parts/page.tsx';
import { Badge, Code, Empty } from '../parts/small.tsx';
import { Table } from '../parts/table.tsx';
import { attempt } from '../parts/toast.tsx';
import { texts } from '../texts.ts';

const t = texts.rules;

/** What people begin with; everything in them can be changed before it is made. */
const RECIPES: readonly { readonly name: string; readonly rule: object }[] = [
  {
    name: 'Answer a word',
    rule: {
      name: 'Price list',
      on: ['message.received'],
      when: { field: 'text', words: ['price', 'preis', 'precio'] },
      do: [{ action: 'reply', text: "Hi {{ sender.name | default: 'there' }}, our list: https://example.com/prices" }],
    },
  },
  {
    name: 'Greet whoever writes',
    rule: { name: 'Greeting', on: ['message.received'], do: [{ action: 'reply', text: 'Thank you, we answer soon.' }] },
  },
  {
    name: 'Call a URL when a send fails',
    rule: { name: 'Failed sends', on: ['send.failed'], do: [{ action: 'call', url: 'https://example.com/failed' }] },
  },
];
const textOf = (rule: object) => JSON.stringify(rule, null, 2);

/** Somebody writes it freely; the API checks it, and names the field that is wrong. */
function ruleIn(text: string): NewRule {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(t.noJson, { cause });
  }
}

export function Rules({ id }: { readonly id?: string | undefined }) {
  if (id === 'new') return <Editor />;
  return id === undefined ? <RuleList /> : <OneRule key={id} id={id} />;
}

function RuleList() {
  const live = useLive('rules', () => asked(api.GET('/api/rules')));
  const toggle = async (id: string, enabled: boolean) => {
    await attempt(() => asked(api.PATCH('/api/rules/{id}', { params: { path: { id } }, body: { enabled } })));
    await live.again();
  };
  const make = (
    <a class="button primary" href={addressOf('rules', 'new')}>
      {t.make}
    </a>
  );
  return (
    <Page title={t.title} call="GET /api/rules" actions={make}>
      <Loaded live={live}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title={t.empty}>
              <p>{t.emptyHint}</p>
            </Empty>
          ) : (
            <Table
              label={t.title}
              rows={items}
              keyOf={({ id }) => id}
              columns={[
                { head: t.name, cell: ({ id, name }) => <a href={addressOf('rules', id)}>{name}</a> },
                { head: t.state, cell: ({ enabled }) => <Badge state={enabled ? 'on' : 'off'} /> },
                { head: t.on, cell: ({ on }) => on.join(', ') },
                { head: t.do, cell: (rule) => rule.do.map(({ action }) => action).join(', ') },
                { head: t.why, cell: ({ disabledBecause }) => disabledBecause ?? texts.none },
                {
                  head: t.act,
                  cell: ({ id, enabled }) =>
                    mayChange() && (
                      <button type="button" class="small" onClick={() => toggle(id, !enabled)}>
                        {enabled ? t.switchOff : t.switchOn}
                      </button>
                    ),
                },
              ]}
            />
          )
        }
      </Loaded>
    </Page>
  );
}

interface EditorProps {
  readonly id?: string;
  readonly begun?: string;
}

function Editor({ id, begun }: EditorProps) {
  const [text, setText] = useState(begun ?? textOf(RECIPES[0]?.rule ?? {}));
  const save = async () => {
    const body = ruleIn(text);
    if (id) await asked(api.PUT('/api/rules/{id}', { params: { path: { id } }, body }));
    else go(addressOf('rules', (await asked(api.POST('/api/rules', { body }))).id));
  };
  const form = (
    <>
      <Form act={texts.save} onSubmit={save}>
        {!id && (
          <Field label={t.recipe}>
            <select onChange={({ currentTarget }) => setText(textOf(RECIPES[Number(currentTarget.value)]?.rule ?? {}))}>
              {RECIPES.map(({ name }, index) => (
                <option key={name} value={index}>
                  {name}
                </option>
              ))}
            </select>
          </Field>
        )}
        <Field label={t.json} hint={t.jsonHint}>
          <textarea
            class="code"
            rows={14}
            spellcheck={false}
            value={text}
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
        </Field>
      </Form>
      <Trial text={text} />
    </>
  );
  if (id) return form;
  return (
    <Page title={t.make} call="POST /api/rules">
      {form}
    </Page>
  );
}

interface Tried {
  readonly event: string;
  readonly type?: string;
  readonly matched: boolean;
  readonly trace: readonly {
    readonly field: string;
    readonly operator: string;
    readonly found?: unknown;
    readonly holds: boolean;
  }[];
  readonly guard?: { readonly may: boolean; readonly why?: string };
  readonly actions: readonly { readonly action: string; readonly would: unknown; readonly why?: string }[];
}

/** The last events, condition by condition; nothing is sent. */
function Trial({ text }: { readonly text: string }) {
  const [tried, setTried] = useState<readonly Tried[]>();
  const run = () =>
    attempt(async () => {
      const { items } = await asked(api.POST('/api/rules/try', { body: { rule: ruleIn(text), last: 50 } }));
      setTried(items);
    });
  return (
    <section class="card">
      <div class="page-head">
        <h2>{t.trial}</h2>
        <button type="button" onClick={run}>
          {t.try}
        </button>
      </div>
      {tried && <p role="status">{t.matched(tried.filter(({ matched }) => matched).length, tried.length)}</p>}
      {tried && tried.length > 0 && (
        <Table
          label={t.trial}
          rows={tried}
          keyOf={({ event }) => event}
          columns={[
            { head: t.event, cell: ({ event, type }) => <a href={addressOf('events', event)}>{type ?? event}</a> },
            { head: t.fits, cell: ({ matched }) => <Badge state={matched ? t.yes : t.no} /> },
            {
              head: t.conditions,
              cell: ({ trace, guard }) =>
                [
                  ...trace.map(({ field, operator, holds }) => `${field} ${operator}: ${holds ? t.yes : t.no}`),
                  guard?.why,
                ]
                  .filter(Boolean)
                  .join('; ') || texts.none,
            },
            {
              head: t.would,
              cell: ({ actions }) =>
                actions.length > 0 ? <Code text={JSON.stringify(actions, null, 2)} /> : texts.none,
            },
          ]}
        />
      )}
    </section>
  );
}

function OneRule({ id }: { readonly id: string }) {
  const path = { params: { path: { id } } };
  const [isAsking, ask] = useState(false);
  const live = useLive(`rule ${id}`, async () => {
    const [rule, runs] = await Promise.all([
      asked(api.GET('/api/rules/{id}', path)),
      asked(api.GET('/api/rules/{id}/runs', path)),
    ]);
    return { rule, runs: runs.items };
  });
  const remove = async () => {
    if (await attempt(() => done(api.DELETE('/api/rules/{id}', path)), t.deleted)) go(addressOf('rules'));
  };
  return (
    <Page
      title={live.data?.rule.name ?? t.one}
      call="GET /api/rules/{id}"
      actions={
        <button type="button" class="danger" onClick={() => ask(true)}>
          {t.delete}
        </button>
      }
    >
      <Loaded live={live}>
        {({
          rule: { id: _id, failures: _failures, disabledBecause, createdAt: _made, updatedAt: _changed, ...written },
          runs,
        }) => (
          <>
            {disabledBecause && <p class="failure">{disabledBecause}</p>}
            <Editor id={id} begun={textOf(written)} />
            <h2>{t.runs}</h2>
            {runs.length === 0 ? <Empty title={t.noRun} /> : <Code text={JSON.stringify(runs, null, 2)} />}
          </>
        )}
      </Loaded>
      {isAsking && (
        <Confirm
          title={t.delete}
          text={t.deleteText(live.data?.rule.name ?? id)}
          act={t.delete}
          onClose={() => ask(false)}
          onConfirm={remove}
        />
      )}
    </Page>
  );
}
