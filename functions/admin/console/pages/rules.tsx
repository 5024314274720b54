import { useState } from 'preact/hooks';
import { address, addressOf, go } from '../address.ts';
import { api, asked, done, mayChange, type NewRule } from '../api.ts';
import { useLive, useOnce } from '../live.ts';
import { Acts, deletion } from '../parts/acts.tsx';
import { collection } from '../parts/collection.tsx';
import { Loaded, Page } from '../parts/page.tsx';
import { Pager, useOlder } from '../parts/pager.tsx';
import { Select } from '../parts/select.tsx';
import { Code, Failure, Loading, ShownOnce, Time } from '../parts/small.tsx';
import { tell } from '../parts/toast.tsx';
import { newAction } from '../rules/action.tsx';
import { textOf } from '../rules/draft.ts';
import { Editor } from '../rules/editor.tsx';
import { RuleList } from '../rules/list.tsx';
import { Runs } from '../rules/runs.tsx';
import { ruleTexts } from '../rules/texts.ts';
import { texts } from '../texts.ts';

const t = ruleTexts;
const BLANK = { name: '', on: ['message.received'], do: [newAction()] };

function NewRulePage() {
  const { data: recipes, error } = useOnce(async () => (await asked(api.GET('/api/rules/recipes'))).items);
  const [made, setMade] = useState<{ readonly id: string; readonly secret: string }>();
  const chosen = address.value.query.get('recipe') ?? '';
  const recipe = recipes?.find(({ id }) => id === chosen);
  const create = async (body: NewRule) => {
    const { id, secret } = await asked(api.POST('/api/rules', { body }));
    if (secret === undefined) go(addressOf('rules', id));
    else setMade({ id, secret });
  };
  if (made) {
    return (
      <Page title={t.made} call="POST /api/rules">
        <ShownOnce text={made.secret} copy={texts.copySecret} hint={t.secretHint} />
        <a href={addressOf('rules', made.id)}>{t.toRule}</a>
      </Page>
    );
  }
  return (
    <Page title={t.make} call="POST /api/rules">
      <section class="card">
        <Select
          label={t.begin}
          hint={recipe?.text}
          value={chosen}
          options={[['', t.nothing], ...(recipes ?? []).map(({ id, title }) => [id, title] as const)]}
          onChange={(id) => go(addressOf('rules', 'new', { recipe: id }))}
        />
        {recipe && <p class="advice">{t.fill}</p>}
      </section>
      {error && <Failure error={error} />}
      {recipes === undefined && error === undefined && chosen !== '' ? (
        <Loading />
      ) : (
        <Editor key={recipe?.id} begun={recipe?.rule ?? BLANK} places={recipe?.fill ?? []} onSave={create} />
      )}
    </Page>
  );
}

function OneRule({ id }: { readonly id: string }) {
  const path = { params: { path: { id } } };
  const load = (cursor?: string) =>
    asked(api.GET('/api/rules/{id}/runs', { params: { path: { id }, query: cursor ? { cursor } : {} } }));
  const live = useLive(`rule ${id}`, async () => {
    const [rule, runs] = await Promise.all([asked(api.GET('/api/rules/{id}', path)), load()]);
    return { rule, runs };
  });
  const { items, next } = useOlder(id, live.data?.runs, ({ event }) => event, load);
  const [secret, setSecret] = useState<string>();
  const save = async (body: NewRule) => {
    const saved = await asked(api.PUT('/api/rules/{id}', { ...path, body }));
    setSecret(saved.secret);
    tell(texts.saved);
    await live.again();
  };
  const name = live.data?.rule.name;
  const remove = deletion('rules', t.deleteText(name ?? id), () => done(api.DELETE('/api/rules/{id}', path)));
  return (
    <Page title={name ?? t.one} call="GET /api/rules/{id}" actions={<Acts acts={[remove]} />}>
      {secret && <ShownOnce text={secret} copy={texts.copySecret} hint={t.secretHint} />}
      <Loaded live={live}>
        {({
          rule: {
            id: _id,
            failures: _failures,
            disabledBecause,
            callsFailingSince,
            createdAt: _made,
            updatedAt: _changed,
            ...written
          },
        }) => (
          <>
            {disabledBecause && <p class="failure">{disabledBecause}</p>}
            {callsFailingSince && (
              <p class="failure">
                {t.callsFail} <Time at={callsFailingSince} />
              </p>
            )}
            {mayChange() ? <Editor begun={written} onSave={save} /> : <Code text={textOf(written)} />}
            <h2>{t.runs}</h2>
            <Runs runs={items} isOn={written.enabled} />
          </>
        )}
      </Loaded>
      <Pager next={next} />
    </Page>
  );
}

export const Rules = collection({ List: RuleList, New: NewRulePage, One: OneRule });
