import { address, addressOf, go } from '../address.ts';
import { api, asked, done, type Muted, mayChange, type NewRule, type Run, type RunsOfDay } from '../api.ts';
import { useLive, useOnce } from '../live.ts';
import { Acts, deletion } from '../parts/acts.tsx';
import { Select } from '../parts/form.tsx';
import { collection, Damaged, List, useList } from '../parts/list.tsx';
import { Loaded, Page } from '../parts/page.tsx';
import { keep, ShownOnce } from '../parts/shown-once.tsx';
import { Badge, Code, Empty, Failure, Loading, Time } from '../parts/small.tsx';
import { Table } from '../parts/table.tsx';
import { tell } from '../parts/toast.tsx';
import { newAction } from '../rules/action.tsx';
import { textOf } from '../rules/draft.ts';
import { Editor } from '../rules/form.tsx';
import { ruleTexts } from '../rules/texts.ts';
import { texts } from '../texts.ts';

const t = ruleTexts;
const BLANK = { name: '', on: ['message.received'], do: [newAction()] };

function NewRulePage() {
  const { data: recipes, error } = useOnce(async () => (await asked(api.GET('/api/rules/recipes'))).items);
  const chosen = address.value.query.get('recipe') ?? '';
  const recipe = recipes?.find(({ id }) => id === chosen);
  const create = async (body: NewRule) => {
    const { id, secret } = await asked(api.POST('/api/rules', { body }));
    if (secret !== undefined) keep(id, { text: secret });
    go(addressOf('rules', id));
  };
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
  const list = useList({
    name: `rule ${id}`,
    idOf: ({ event }: Run) => event,
    load: (cursor) =>
      asked(api.GET('/api/rules/{id}/runs', { params: { path: { id }, query: cursor ? { cursor } : {} } })),
    beside: () => asked(api.GET('/api/rules/{id}', path)),
  });
  const save = async (body: NewRule) => {
    const { secret } = await asked(api.PUT('/api/rules/{id}', { ...path, body }));
    if (secret !== undefined) keep(id, { text: secret });
    tell(texts.saved);
    await list.live.again();
  };
  const name = list.live.data?.beside.name;
  const remove = deletion('rules', t.deleteText(name ?? id), () => done(api.DELETE('/api/rules/{id}', path)));
  return (
    <Page title={name ?? t.one} call="GET /api/rules/{id}" actions={<Acts acts={[remove]} />}>
      <ShownOnce of={id} copy={texts.copySecret} hint={t.secretHint} />
      <List of={list}>
        {({
          id: _id,
          failures: _failures,
          disabledBecause,
          callsFailingSince,
          createdAt: _made,
          updatedAt: _changed,
          ...written
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
            <Runs runs={list.items} isOn={written.enabled} />
          </>
        )}
      </List>
    </Page>
  );
}

/** The rules in the order in which they are asked, what keeps all of them from sending, and where none answers. */
function RuleList() {
  const live = useLive(
    'rules',
    async () => {
      const query = { last24h: 'true' as const };
      const [rules, muted] = await Promise.all([
        asked(api.GET('/api/rules', { params: { query } })),
        asked(api.GET('/api/rules/muted')),
      ]);
      return { ...rules, muted: muted.items };
    },
    { isSlow: true },
  );
  const toggle = (id: string, enabled: boolean) =>
    asked(api.PATCH('/api/rules/{id}', { params: { path: { id } }, body: { enabled } }));
  const make = (
    <a class="button primary" href={addressOf('rules', 'new')}>
      {t.make}
    </a>
  );
  return (
    <Page title={texts.pages.rules} call="GET /api/rules" actions={(live.data?.items.length ?? 0) > 0 && make}>
      <Loaded live={live}>
        {({ items, damaged, paused, muted }) => (
          <>
            <Damaged of={damaged} />
            {paused && (
              <div class="failure page-head" role="alert">
                <p>{t.paused(paused.why)}</p>
                <div class="actions">
                  <Acts
                    isSmall
                    acts={[{ label: t.resume, run: () => done(api.POST('/api/rules/resume')), said: t.resumed }]}
                    onDone={live.again}
                  />
                </div>
              </div>
            )}
            <Table
              label={texts.pages.rules}
              rows={items}
              keyOf={({ id }) => id}
              columns={[
                { head: texts.name, cell: ({ id, name }) => <a href={addressOf('rules', id)}>{name}</a> },
                {
                  head: texts.state,
                  cell: ({ enabled, disabledBecause }) => (
                    <>
                      <Badge state={enabled ? 'on' : 'off'} /> {!enabled && disabledBecause}
                    </>
                  ),
                },
                { head: t.on, cell: ({ on }) => on.map((type) => t.types[type] ?? type).join(', ') },
                {
                  head: t.do,
                  cell: (rule) => rule.do.map(({ action }) => t.actions[action] ?? action).join(', '),
                },
                { head: t.ofDay, cell: ({ id, last24h }) => last24h && <OfDay id={id} runs={last24h} /> },
              ]}
              acts={({ id, enabled }) => [{ label: enabled ? texts.off : texts.on, run: () => toggle(id, !enabled) }]}
              onDone={live.again}
              empty={
                <Empty title={t.empty} hint={t.emptyHint}>
                  {mayChange() && make}
                </Empty>
              }
            />
            {muted.length > 0 && <MutedChats muted={muted} rules={items} onDone={live.again} />}
          </>
        )}
      </Loaded>
    </Page>
  );
}

function OfDay({ id, runs: { total, failed, guarded, more } }: { readonly id: string; readonly runs: RunsOfDay }) {
  if (total === 0) return <>{t.runsOf(total, more)}</>;
  return (
    <a href={addressOf('rules', id)}>
      {t.runsOf(total, more)}
      {failed > 0 && <small class="by bad">{t.failedOf(failed)}</small>}
      {guarded > 0 && <small class="by">{t.guardedOf(guarded)}</small>}
    </a>
  );
}

interface MutedProps {
  readonly muted: readonly Muted[];
  readonly rules: readonly { readonly id: string; readonly name: string }[];
  readonly onDone: () => Promise<unknown>;
}

const MutedChats = ({ muted, rules, onDone }: MutedProps) => (
  <>
    <h2>{t.muted}</h2>
    <p class="faint">{t.mutedHint}</p>
    <Table
      label={t.muted}
      rows={muted}
      keyOf={({ chatId }) => chatId}
      columns={[
        {
          head: t.chat,
          cell: ({ chatId, title, phone }) => (
            <>
              <a href={addressOf('inbox', chatId)}>{title ?? phone ?? chatId}</a>
              {title && phone && title !== phone && <small class="by phone">{phone}</small>}
            </>
          ),
        },
        { head: texts.reason, cell: ({ why }) => why },
        {
          head: t.by,
          cell: ({ rule: id }) => (
            <a href={addressOf('rules', id)}>{rules.find((rule) => rule.id === id)?.name ?? id}</a>
          ),
        },
        { head: texts.since, cell: ({ since }) => <Time at={since} /> },
        { head: texts.till, cell: ({ until }) => <Time at={until} /> },
      ]}
      acts={({ chatId: chat }) => [
        { label: texts.unmute, run: () => done(api.DELETE('/api/rules/muted', { params: { query: { chat } } })) },
      ]}
      onDone={onDone}
    />
  </>
);

/** What a rule did, and what became of each of its actions. */
function Runs({ runs, isOn }: { readonly runs: readonly Run[]; readonly isOn: boolean }) {
  if (runs.length === 0) {
    return (
      <Empty title={t.noRun} hint={isOn ? t.noRunHint : t.offHint}>
        {isOn && <a href={addressOf('webhooks')}>{t.tryOut}</a>}
      </Empty>
    );
  }
  return (
    <>
      {runs.some(({ result }) => result === 'guarded') && <p class="faint">{t.heldBackHint}</p>}
      <Table
        label={t.runs}
        rows={runs}
        keyOf={({ event }) => event}
        columns={[
          { head: texts.at, cell: ({ at }) => <Time at={at} /> },
          { head: t.result, cell: ({ result }) => <Badge state={result} /> },
          {
            head: texts.act,
            cell: ({ why, actions }) => (
              <ul>
                {why && <li>{why}</li>}
                {actions.map(({ action, result, send, why }, i) => (
                  <li key={i}>
                    {t.actions[action] ?? action}: {texts.states[result] ?? result}
                    {why && `, ${why}`}
                    {send && (
                      <>
                        {' '}
                        <a href={addressOf('sends', send)}>{t.theSend}</a>
                      </>
                    )}
                  </li>
                ))}
              </ul>
            ),
          },
          { head: texts.events.one, cell: ({ event }) => <a href={addressOf('events', event)}>{texts.events.one}</a> },
        ]}
      />
    </>
  );
}

export const Rules = collection({ List: RuleList, New: NewRulePage, One: OneRule });
