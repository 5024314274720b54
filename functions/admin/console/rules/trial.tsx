import { Check, X } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { addressOf } from '../address.ts';
import { api, asked, type NewRule } from '../api.ts';
import { Code } from '../parts/small.tsx';
import { attempt } from '../parts/toast.tsx';
import { texts } from '../texts.ts';
import { isDraft, textOf } from './draft.ts';
import { ruleTexts } from './texts.ts';

const t = ruleTexts;
const LAST = 50;

const tryOn = async (rule: NewRule) => (await asked(api.POST('/api/rules/try', { body: { rule, last: LAST } }))).items;
type Tried = Awaited<ReturnType<typeof tryOn>>[number];

interface TrialProps {
  /** Points to the first field that is not filled in. */
  readonly isFilled: () => boolean;
  /** Throws where there is none. */
  readonly ruleOf: () => NewRule;
}

/** What the rule would have done with the last events, condition by condition; nothing is sent. */
export function Trial({ isFilled, ruleOf }: TrialProps) {
  const [done, setDone] = useState<{ readonly rule: NewRule; readonly tried: readonly Tried[] }>();
  const run = () =>
    attempt(async () => {
      if (!isFilled()) return;
      const rule = ruleOf();
      setDone({ rule, tried: await tryOn(rule) });
    });
  const { rule, tried = [] } = done ?? {};
  const fitting = tried.filter(({ matched }) => matched);
  // What fits is what is looked for.
  const shown = [...fitting, ...tried.filter(({ matched }) => !matched)];
  return (
    <section class="card trial">
      <div class="page-head">
        <h2>{t.trial}</h2>
        <button type="button" onClick={run}>
          {t.try}
        </button>
      </div>
      <p class="faint" role="status">
        {done ? t.matched(fitting.length, tried.length) : t.trialHint}
      </p>
      {shown.length > 0 && (
        <ul>
          {shown.map((one, i) => (
            <li key={one.event}>
              <OneTried tried={one} when={rule?.when} isOpen={i === 0} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

interface OneTriedProps {
  readonly tried: Tried;
  /** What was tried. */
  readonly when: unknown;
  readonly isOpen: boolean;
}

function OneTried({ tried: { event, type, matched, why, trace, guard, actions }, when, isOpen }: OneTriedProps) {
  return (
    <details open={isOpen}>
      <summary>
        <span class={`badge ${matched ? 'good' : ''}`}>{matched ? t.fits : t.fitsNot}</span>{' '}
        {type === undefined ? t.noNotice : (t.types[type] ?? type)}
      </summary>
      <div class="stack tight">
        {why !== undefined && <p class="failure">{why}</p>}
        {trace.length === 0 && <p class="faint">{matched ? t.always : t.notMeant}</p>}
        {trace.length > 0 && (
          <ul class="findings">
            {trace.map(({ at, field, operator, found, holds }) => (
              <li key={at}>
                {holds ? <Check class="good" aria-label={t.yes} /> : <X class="bad" aria-label={t.no} />}
                <span>
                  {t.fields[field] ?? field} {t.operators[operator] ?? operator} {operandAt(when, at, operator)}
                </span>
                <q class="faint">{found === undefined ? t.nothingFound : String(found)}</q>
              </li>
            ))}
          </ul>
        )}
        {guard?.why !== undefined && <p class="failure">{t.mayNot(guard.why)}</p>}
        {actions.map(({ action, would, why }, i) => (
          <div key={i} class="stack tight">
            <strong>{t.actions[action] ?? action}</strong>
            {why === undefined ? <Would would={would} /> : <p class="failure">{why}</p>}
          </div>
        ))}
        <a href={addressOf('events', event)}>{texts.events.one}</a>
      </div>
    </details>
  );
}

/** What a comparison compares with, in words; `at` is its place in the condition, as `all.0.not`. */
function operandAt(when: unknown, at: string, operator: string): string {
  const leaf = (at === '' ? [] : at.split('.')).reduce<unknown>((one, key) => Object(one)[key], when);
  const operand: unknown = Object(leaf)[operator];
  if (operator === 'exists') return operand === true ? '' : t.no;
  if (typeof operand === 'boolean') return operand ? t.yes : t.no;
  return Array.isArray(operand) ? operand.join(', ') : String(operand ?? '');
}

/** The text as it would be read, and whatever else there is. */
function Would({ would }: { readonly would: unknown }) {
  if (!isDraft(would)) return <Code text={textOf(would)} />;
  const { text, action: _send, ...rest } = would;
  return (
    <>
      {Object.keys(rest).length > 0 && <Code text={textOf(rest)} />}
      {typeof text === 'string' && <p class="bubble ours message-text">{text}</p>}
    </>
  );
}
