import { useContext, useMemo, useRef, useState } from 'preact/hooks';
import { allAccounts, api, asked, errorOf, type NewRule } from '../api.ts';
import { useOnce } from '../live.ts';
import { CheckBox, Field, Form } from '../parts/form.tsx';
import { Failure } from '../parts/small.tsx';
import { accountName, texts } from '../texts.ts';
import { ActionForm, Nameable, newAction } from './action.tsx';
import { Conditions } from './condition.tsx';
import { AddButton, Folded, NumberBox, type Place, Places, TextBox } from './controls.tsx';
import {
  type Draft,
  draftIn,
  fits,
  type Guard,
  jsonIn,
  misfitIn,
  RULE,
  type RuleInForm,
  textOf,
  withField,
  withItem,
  withoutItem,
} from './draft.ts';
import { ruleTexts } from './texts.ts';
import { Trial } from './trial.tsx';

const t = ruleTexts;

interface EditorProps {
  readonly begun: Draft;
  /** What of it is to be filled in. */
  readonly places?: readonly Place[];
  readonly onSave: (rule: NewRule) => Promise<unknown>;
}

/** A rule as a form or as JSON, and the trial of what stands there. */
export function Editor({ begun, places = [], onSave }: EditorProps) {
  const [rule, setRule] = useState(begun);
  /** While it is shown as JSON, whatever was typed. */
  const [text, setText] = useState(fits(RULE, begun) ? undefined : textOf(begun));
  const [fault, setFault] = useState<Error>();
  const fields = useRef<HTMLDivElement>(null);
  const names = useOnce(loadNames);
  const nameable = useMemo(() => names.data ?? { accounts: [], endpoints: [] }, [names.data]);
  const written = (): Draft => {
    if (text === undefined) return rule;
    const read = draftIn(text);
    if (!read) throw new Error(jsonIn(text) ? t.noRule : t.noJson);
    return read;
  };
  const show = (what: 'form' | 'json') => {
    try {
      const now = written();
      const misfit = misfitIn(RULE, now);
      if (what === 'form' && misfit !== undefined) throw new Error(t.noField(misfit));
      setFault(undefined);
      setRule(now);
      setText(what === 'json' ? textOf(now) : undefined);
    } catch (cause) {
      setFault(errorOf(cause));
    }
  };
  return (
    <Nameable.Provider value={nameable}>
      <Places.Provider value={places}>
        <div class="stack rule">
          <div class="stack" ref={fields}>
            <fieldset class="actions" aria-label={t.view}>
              <button type="button" aria-pressed={text === undefined} onClick={() => show('form')}>
                {t.form}
              </button>
              <button type="button" aria-pressed={text !== undefined} onClick={() => show('json')}>
                {t.json}
              </button>
            </fieldset>
            {names.error && <Failure error={names.error} />}
            {fault && <Failure error={fault} />}
            <Form act={texts.save} onSubmit={() => onSave(asRule(written()))}>
              {text === undefined && fits(RULE, rule) ? (
                <RuleFields rule={rule} onChange={setRule} />
              ) : (
                <Field label={t.json} hint={t.jsonHint}>
                  <textarea
                    class="code"
                    rows={24}
                    spellcheck={false}
                    value={text}
                    onInput={({ currentTarget }) => setText(currentTarget.value)}
                  />
                </Field>
              )}
            </Form>
          </div>
          <Trial
            isFilled={() => fields.current?.querySelector('form')?.reportValidity() !== false}
            ruleOf={() => asRule(written())}
          />
        </div>
      </Places.Provider>
    </Nameable.Provider>
  );
}

/** Somebody writes it freely; the API checks it, and names the field that is wrong. */
const asRule = (draft: Draft): NewRule => JSON.parse(JSON.stringify(draft));

async function loadNames() {
  const [accounts, endpoints] = await Promise.all([allAccounts(), asked(api.GET('/api/endpoints'))]);
  return {
    accounts: accounts.map((account) => [account.id, `${accountName(account)} (${account.channel})`] as const),
    endpoints: endpoints.items.map(({ id, name, url }) => [id, name ?? url] as const),
  };
}

const TYPES = Object.entries(t.types);
const ZONES = Intl.supportedValuesOf('timeZone');
const ACTIONS = 5;

interface FieldsProps {
  readonly rule: RuleInForm;
  readonly onChange: (rule: Draft) => void;
}

function RuleFields({ rule, onChange }: FieldsProps) {
  const set = (name: string) => (value: unknown) => onChange(withField(rule, name, value));
  const { name, enabled, on = [], accounts = [], do: actions = [] } = rule;
  const { accounts: known } = useContext(Nameable);
  const places = useContext(Places);
  return (
    <>
      <section class="card" tabIndex={-1}>
        <TextBox label={texts.name} isRequired value={name ?? ''} onChange={set('name')} />
        <CheckBox label={t.enabled} value={enabled ?? true} onChange={set('enabled')} />
      </section>
      <section class="card" tabIndex={-1}>
        <h2>{t.on}</h2>
        <Folded label={t.typesLabel} value={on} options={TYPES} onChange={set('on')} />
        <Folded
          label={t.accounts}
          none={t.allAccounts}
          value={accounts}
          options={known}
          onChange={(chosen) => set('accounts')(chosen.length === 0 ? undefined : chosen)}
        />
      </section>
      <section class="card" tabIndex={-1}>
        <h2>{t.conditions}</h2>
        <Conditions when={rule.when} onChange={set('when')} />
      </section>
      <section class="card" tabIndex={-1}>
        <h2>{t.do}</h2>
        {actions.map((action, i) => (
          <ActionForm
            key={i}
            action={action}
            path={`do.${i}`}
            onChange={(changed) => set('do')(withItem(actions, i, changed))}
            onRemove={actions.length > 1 ? () => set('do')(withoutItem(actions, i)) : undefined}
          />
        ))}
        {actions.length < ACTIONS && (
          <div class="actions">
            <AddButton label={t.addAction} onClick={() => set('do')([...actions, newAction()])} />
          </div>
        )}
      </section>
      <details class="card" open={places.some(({ path }) => path === 'timeZone')}>
        <summary>{t.more}</summary>
        <More rule={rule} onChange={onChange} />
      </details>
    </>
  );
}

/** What most rules leave as it is. */
function More({ rule, onChange }: FieldsProps) {
  const set = (name: string) => (value: unknown) => onChange(withField(rule, name, value));
  const { timeZone, order, stop, guard } = rule;
  return (
    <div class="form">
      <TextBox
        label={t.timeZone}
        hint={t.timeZoneHint}
        path="timeZone"
        offered={ZONES}
        value={timeZone ?? ''}
        onChange={(zone) => set('timeZone')(zone === '' ? undefined : zone)}
      />
      <NumberBox label={t.order} hint={t.orderHint} otherwise={100} value={order} onChange={set('order')} />
      <CheckBox label={t.stop} value={stop ?? false} onChange={set('stop')} />
      <h3>{t.guard}</h3>
      <GuardFields guard={guard} onChange={set('guard')} />
    </div>
  );
}

interface GuardProps {
  readonly guard: Guard | undefined;
  readonly onChange: (guard: Draft) => void;
}

function GuardFields({ guard, onChange }: GuardProps) {
  const set = (name: string) => (value: unknown) => onChange(withField({ ...guard }, name, value));
  const { max = 1, seconds = 600 } = guard?.perContact ?? {};
  return (
    <>
      <div class="pair">
        <NumberBox label={t.perContactMax} value={max} onChange={(most) => set('perContact')({ seconds, max: most })} />
        <NumberBox
          label={t.perContactSeconds}
          hint={t.lasts(seconds)}
          value={seconds}
          onChange={(within) => set('perContact')({ max, seconds: within })}
        />
      </div>
      <NumberBox
        label={t.quiet}
        hint={t.lasts(guard?.quietAfterHumanSeconds ?? 3600)}
        otherwise={3600}
        value={guard?.quietAfterHumanSeconds}
        onChange={set('quietAfterHumanSeconds')}
      />
      <NumberBox
        label={t.maxAge}
        hint={t.lasts(guard?.maxAgeSeconds ?? 900)}
        otherwise={900}
        value={guard?.maxAgeSeconds}
        onChange={set('maxAgeSeconds')}
      />
      <CheckBox label={t.inGroups} value={guard?.groups === true} onChange={set('groups')} />
    </>
  );
}
