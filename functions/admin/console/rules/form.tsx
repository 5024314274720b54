import { useContext } from 'preact/hooks';
import { CheckBox } from '../parts/form.tsx';
import { texts } from '../texts.ts';
import { ActionForm, Nameable, newAction } from './action.tsx';
import { ConditionForm } from './condition.tsx';
import { AddButton, ChosenBox, JsonBox, NumberBox, Places, TextBox } from './controls.tsx';
import {
  areLines,
  type Draft,
  hasOnly,
  isDraft,
  isNumberOrNone,
  isTextOrNone,
  isTruthOrNone,
  NEW_LEAF,
  withField,
  withItem,
  withoutItem,
} from './draft.ts';
import { ruleTexts } from './texts.ts';

const t = ruleTexts;
const TYPES = Object.entries(t.types);
const ZONES = Intl.supportedValuesOf('timeZone');
const FIELDS = ['name', 'enabled', 'on', 'accounts', 'when', 'timeZone', 'order', 'stop', 'do', 'guard'];
const ACTIONS = 5;

interface FormProps {
  readonly rule: Draft;
  readonly onChange: (rule: Draft) => void;
}

/** Of a rule as the API takes it; each part that the form has no control for is shown as JSON. */
export function RuleFields({ rule, onChange }: FormProps) {
  const set = (name: string) => (value: unknown) => onChange(withField(rule, name, value));
  const json = (name: string) => <JsonBox label={t.asJsonOf(name)} value={rule[name]} onChange={set(name)} />;
  const { name, enabled, on, accounts, when, do: actions } = rule;
  const { accounts: known } = useContext(Nameable);
  const places = useContext(Places);
  const unknown = Object.keys(rule).filter((field) => !FIELDS.includes(field));
  return (
    <>
      <section class="card" tabIndex={-1}>
        {isTextOrNone(name) ? (
          <TextBox label={texts.name} isRequired value={name ?? ''} onChange={set('name')} />
        ) : (
          json('name')
        )}
        {isTruthOrNone(enabled) ? (
          <CheckBox label={t.enabled} value={enabled ?? true} onChange={set('enabled')} />
        ) : (
          json('enabled')
        )}
      </section>
      <section class="card" tabIndex={-1}>
        <h2>{t.on}</h2>
        {on === undefined || areLines(on) ? (
          <ChosenBox label={t.typesLabel} value={on ?? []} options={typesWith(on ?? [])} onChange={set('on')} />
        ) : (
          json('on')
        )}
        {accounts === undefined || areLines(accounts) ? (
          <ChosenBox
            label={t.accounts}
            none={t.allAccounts}
            value={accounts ?? []}
            options={known}
            onChange={(chosen) => set('accounts')(chosen.length === 0 ? undefined : chosen)}
          />
        ) : (
          json('accounts')
        )}
      </section>
      <section class="card" tabIndex={-1}>
        <h2>{t.conditions}</h2>
        {when === undefined ? (
          <>
            <p class="faint">{t.noCondition}</p>
            <div class="actions">
              <AddButton label={t.addComparison} onClick={() => set('when')(NEW_LEAF)} />
              <AddButton label={t.addGroup} onClick={() => set('when')({ all: [NEW_LEAF] })} />
            </div>
          </>
        ) : (
          <>
            <ConditionForm
              condition={when}
              path="when"
              onChange={set('when')}
              onRemove={() => set('when')(undefined)}
            />
            {!(isDraft(when) && ('all' in when || 'any' in when)) && (
              <div class="actions">
                <AddButton label={t.addComparison} onClick={() => set('when')({ all: [when, NEW_LEAF] })} />
              </div>
            )}
          </>
        )}
      </section>
      <section class="card" tabIndex={-1}>
        <h2>{t.do}</h2>
        {actions === undefined || Array.isArray(actions) ? (
          <Actions actions={actions ?? []} onChange={set('do')} />
        ) : (
          json('do')
        )}
      </section>
      <details class="card" open={places.some(({ path }) => path === 'timeZone')}>
        <summary>{t.more}</summary>
        <div class="form unfolded">
          <More rule={rule} onChange={onChange} />
        </div>
      </details>
      {unknown.map((field) => (
        <section class="card" tabIndex={-1} key={field}>
          {json(field)}
        </section>
      ))}
    </>
  );
}

const typesWith = (on: readonly string[]) => [
  ...TYPES,
  ...on.filter((one) => !Object.hasOwn(t.types, one)).map((one) => [one, one] as const),
];

interface ActionsProps {
  readonly actions: readonly unknown[];
  readonly onChange: (actions: readonly unknown[]) => void;
}

function Actions({ actions, onChange }: ActionsProps) {
  return (
    <>
      {actions.map((action, i) => (
        <ActionForm
          key={i}
          action={action}
          path={`do.${i}`}
          onChange={(changed) => onChange(withItem(actions, i, changed))}
          onRemove={actions.length > 1 ? () => onChange(withoutItem(actions, i)) : undefined}
        />
      ))}
      {actions.length < ACTIONS && (
        <div class="actions">
          <AddButton label={t.addAction} onClick={() => onChange([...actions, newAction()])} />
        </div>
      )}
    </>
  );
}

/** What most rules leave as it is. */
function More({ rule, onChange }: FormProps) {
  const set = (name: string) => (value: unknown) => onChange(withField(rule, name, value));
  const { timeZone, order, stop, guard } = rule;
  return (
    <>
      {isTextOrNone(timeZone) ? (
        <TextBox
          label={t.timeZone}
          hint={t.timeZoneHint}
          path="timeZone"
          offered={ZONES}
          value={timeZone ?? ''}
          onChange={(zone) => set('timeZone')(zone === '' ? undefined : zone)}
        />
      ) : (
        <JsonBox label={t.timeZone} value={timeZone} onChange={set('timeZone')} />
      )}
      {isNumberOrNone(order) ? (
        <NumberBox label={t.order} hint={t.orderHint} otherwise={100} value={order} onChange={set('order')} />
      ) : (
        <JsonBox label={t.order} value={order} onChange={set('order')} />
      )}
      {isTruthOrNone(stop) ? (
        <CheckBox label={t.stop} value={stop ?? false} onChange={set('stop')} />
      ) : (
        <JsonBox label={t.stop} value={stop} onChange={set('stop')} />
      )}
      <h3>{t.guard}</h3>
      <GuardFields guard={guard} onChange={set('guard')} />
    </>
  );
}

const NUMBERS = ['quietAfterHumanSeconds', 'maxAgeSeconds'];

function GuardFields({
  guard = {},
  onChange,
}: {
  readonly guard: unknown;
  readonly onChange: (guard: unknown) => void;
}) {
  if (!isDraft(guard) || !isGuard(guard)) return <JsonBox label={t.guard} value={guard} onChange={onChange} />;
  const set = (name: string) => (value: unknown) => onChange(withField(guard, name, value));
  const number = (value: unknown) => (typeof value === 'number' ? value : undefined);
  const per = isDraft(guard.perContact) ? guard.perContact : undefined;
  const { max = 1, seconds = 600 } = per ?? {};
  return (
    <>
      <div class="pair">
        <NumberBox
          label={t.perContactMax}
          value={number(max)}
          onChange={(most) => set('perContact')({ seconds, max: most })}
        />
        <NumberBox
          label={t.perContactSeconds}
          hint={t.lasts(number(seconds) ?? 0)}
          value={number(seconds)}
          onChange={(within) => set('perContact')({ max, seconds: within })}
        />
      </div>
      <NumberBox
        label={t.quiet}
        hint={t.lasts(number(guard.quietAfterHumanSeconds) ?? 3600)}
        otherwise={3600}
        value={number(guard.quietAfterHumanSeconds)}
        onChange={set('quietAfterHumanSeconds')}
      />
      <NumberBox
        label={t.maxAge}
        hint={t.lasts(number(guard.maxAgeSeconds) ?? 900)}
        otherwise={900}
        value={number(guard.maxAgeSeconds)}
        onChange={set('maxAgeSeconds')}
      />
      <CheckBox label={t.inGroups} value={guard.groups === true} onChange={set('groups')} />
    </>
  );
}

function isGuard(guard: Draft): boolean {
  const { perContact, groups } = guard;
  const isPer =
    perContact === undefined ||
    (isDraft(perContact) &&
      hasOnly(perContact, ['max', 'seconds']) &&
      typeof perContact.max === 'number' &&
      typeof perContact.seconds === 'number');
  return (
    isPer &&
    hasOnly(guard, ['perContact', 'groups', ...NUMBERS]) &&
    isTruthOrNone(groups) &&
    NUMBERS.every((name) => isNumberOrNone(guard[name]))
  );
}
