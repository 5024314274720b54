import { addressOf } from '../address.ts';
import { api, asked, done, type Muted, mayChange, type RunsOfDay } from '../api.ts';
import { useLive } from '../live.ts';
import { Acts } from '../parts/acts.tsx';
import { Damaged, Loaded, Page } from '../parts/page.tsx';
import { Badge, Empty, Time } from '../parts/small.tsx';
import { Table } from '../parts/table.tsx';
import { texts } from '../texts.ts';
import { ruleTexts } from './texts.ts';

const t = ruleTexts;

/** The rules in the order in which they are asked, what keeps all of them from sending, and where none answers. */
export function RuleList() {
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
    <Page title={t.title} call="GET /api/rules" actions={(live.data?.items.length ?? 0) > 0 && make}>
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
              label={t.title}
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
              acts={({ id, enabled }) => [
                { label: enabled ? t.switchOff : t.switchOn, run: () => toggle(id, !enabled) },
              ]}
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

interface OfDayProps {
  readonly id: string;
  readonly runs: RunsOfDay;
}

function OfDay({ id, runs: { total, failed, guarded, more } }: OfDayProps) {
  if (total === 0) return <>{t.runsOf(total, more)}</>;
  return (
    <a href={addressOf('rules', id)}>
      {t.runsOf(total, more)}
      {failed > 0 && <small class="by wrong">{t.failedOf(failed)}</small>}
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
        { head: t.by, cell: ({ rule }) => <By rule={rules.find(({ id }) => id === rule)} /> },
        { head: texts.since, cell: ({ since }) => <Time at={since} /> },
        { head: t.till, cell: ({ until }) => <Time at={until} /> },
      ]}
      acts={({ chatId: chat }) => [
        { label: t.unmute, run: () => done(api.DELETE('/api/rules/muted', { params: { query: { chat } } })) },
      ]}
      onDone={onDone}
    />
  </>
);

/** Its page tells, run by run, what led to it. */
function By({ rule }: { readonly rule: MutedProps['rules'][number] | undefined }) {
  return rule ? <a href={addressOf('rules', rule.id)}>{rule.name}</a> : <span class="faint">{t.deletedRule}</span>;
}
