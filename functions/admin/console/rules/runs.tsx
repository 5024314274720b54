import { addressOf } from '../address.ts';
import { Badge, Empty, Time } from '../parts/small.tsx';
import { Table } from '../parts/table.tsx';
import { texts } from '../texts.ts';
import { ruleTexts } from './texts.ts';

const t = ruleTexts;

interface Run {
  readonly event: string;
  readonly at: string;
  readonly result: string;
  readonly why?: string;
  readonly actions: readonly {
    readonly action: string;
    readonly result: string;
    readonly send?: string;
    readonly why?: string;
  }[];
}

/** What a rule did, and what became of each of its actions. */
export function Runs({ runs, isOn }: { readonly runs: readonly Run[]; readonly isOn: boolean }) {
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
            head: t.actionsDone,
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
          { head: t.event, cell: ({ event }) => <a href={addressOf('events', event)}>{t.event}</a> },
        ]}
      />
    </>
  );
}
