import { CheckBox, Select } from '../parts/form.tsx';
import { AddButton, JsonBox, LinesBox, RemoveButton, TextBox } from './controls.tsx';
import {
  comparedBy,
  DAYS,
  FOLDED,
  isOperator,
  limitIn,
  NEW_LEAF,
  type Operand,
  operatorsFor,
  regrouped,
  type Shown,
  shownOf,
  withField,
  withItem,
  withoutItem,
} from './draft.ts';
import { ruleTexts } from './texts.ts';

const t = ruleTexts;

interface ConditionProps {
  readonly condition: unknown;
  readonly path: string;
  readonly onChange: (condition: unknown) => void;
  readonly onRemove: () => void;
}

/** A comparison, or several of which all or any must hold; what is neither is shown as JSON. */
export function ConditionForm({ condition, path, onChange, onRemove }: ConditionProps) {
  const shown = shownOf(condition);
  if (shown.kind === 'json') {
    return (
      <div class="condition">
        <JsonBox label={t.asJson} isBare value={condition} onChange={onChange} />
        <RemoveButton label={t.removeCondition} onClick={onRemove} />
      </div>
    );
  }
  if (shown.kind === 'leaf') return <Comparison shown={shown} path={path} onChange={onChange} onRemove={onRemove} />;
  return (
    <fieldset class="condition group" aria-label={t.groups[shown.kind]}>
      <div class="head">
        <Select
          label={t.group}
          isBare
          value={shown.kind}
          options={[
            ['all', t.groups.all],
            ['any', t.groups.any],
            ['not', t.groups.not],
          ]}
          onChange={(kind) => onChange(regrouped(condition, kind))}
        />
        <RemoveButton label={t.removeGroup} onClick={onRemove} />
      </div>
      {shown.kind === 'not' ? (
        <ConditionForm
          condition={shown.of}
          path={`${path}.not`}
          onChange={(not) => onChange({ not })}
          onRemove={onRemove}
        />
      ) : (
        <Members {...shown} path={path} onChange={onChange} onRemove={onRemove} />
      )}
    </fieldset>
  );
}

interface MembersProps extends Omit<ConditionProps, 'condition'> {
  readonly kind: 'all' | 'any';
  readonly of: readonly unknown[];
}

function Members({ kind, of, path, onChange, onRemove }: MembersProps) {
  const without = (at: number) => (of.length === 1 ? onRemove() : onChange({ [kind]: withoutItem(of, at) }));
  return (
    <>
      {of.map((one, i) => (
        <ConditionForm
          key={i}
          condition={one}
          path={`${path}.${kind}.${i}`}
          onChange={(changed) => onChange({ [kind]: withItem(of, i, changed) })}
          onRemove={() => without(i)}
        />
      ))}
      <div class="actions">
        <AddButton label={t.addComparison} onClick={() => onChange({ [kind]: [...of, NEW_LEAF] })} />
        <AddButton
          label={t.addGroup}
          onClick={() => onChange({ [kind]: [...of, { [kind === 'all' ? 'any' : 'all']: [NEW_LEAF] }] })}
        />
      </div>
    </>
  );
}

interface ComparisonProps extends Omit<ConditionProps, 'condition'> {
  readonly shown: Extract<Shown, { kind: 'leaf' }>;
}

const FIELDS = Object.entries(t.fields);
/** Stands in the list for every field that has no short name. */
const OTHER = '…';

function Comparison({ shown: { leaf, field, operator, operand }, path, onChange, onRemove }: ComparisonProps) {
  const isShort = Object.hasOwn(t.fields, field);
  const operators = operatorsFor(field);
  return (
    <div class="condition">
      <div class="compared">
        <Select
          label={t.field}
          isBare
          value={isShort ? field : OTHER}
          options={[...FIELDS, [OTHER, t.otherField]]}
          onChange={(chosen) => onChange(comparedBy(leaf, chosen === OTHER ? '' : chosen, operator))}
        />
        {!isShort && (
          <TextBox
            label={t.path}
            isBare
            isRequired
            value={field}
            onChange={(typed) => onChange(withField(leaf, 'field', typed))}
          />
        )}
        <Select
          label={t.operator}
          isBare
          value={operator}
          options={(operators.includes(operator) ? operators : [operator, ...operators]).map((one) => [
            one,
            t.operators[one] ?? one,
          ])}
          onChange={(chosen) => isOperator(chosen) && onChange(comparedBy(leaf, field, chosen))}
        />
        <OperandBox
          operand={operand}
          path={`${path}.${operator}`}
          onChange={(value) => onChange(withField(leaf, operator, value))}
        />
        {FOLDED.includes(operator) && ['text', 'lines'].includes(operand.kind) && (
          <CheckBox
            label={t.caseSensitive}
            value={leaf.caseSensitive === true}
            onChange={(counts) => onChange(withField(leaf, 'caseSensitive', counts || undefined))}
          />
        )}
      </div>
      <RemoveButton label={t.removeCondition} onClick={onRemove} />
    </div>
  );
}

interface OperandProps {
  readonly operand: Operand;
  readonly path: string;
  readonly onChange: (value: unknown) => void;
}

/** What is compared with, by the control that suits it. */
function OperandBox({ operand, path, onChange }: OperandProps) {
  const common = { label: t.value, isBare: true, path };
  switch (operand.kind) {
    case 'text':
      return <TextBox {...common} value={operand.value} onChange={onChange} />;
    case 'truth':
      return (
        <Select
          {...common}
          value={operand.value ? 'yes' : 'no'}
          options={[
            ['yes', t.yes],
            ['no', t.no],
          ]}
          onChange={(said) => onChange(said === 'yes')}
        />
      );
    case 'limit':
      return (
        <TextBox {...common} isRequired value={String(operand.value)} onChange={(said) => onChange(limitIn(said))} />
      );
    case 'lines':
      return <LinesBox {...common} value={operand.value} onChange={onChange} />;
    case 'days':
      return <Days days={operand.value} onChange={onChange} />;
    case 'times':
      return <Times times={operand.value} onChange={onChange} />;
  }
}

interface DaysProps {
  readonly days: readonly string[];
  readonly onChange: (days: readonly string[]) => void;
}

const Days = ({ days, onChange }: DaysProps) => (
  <div class="actions spread">
    {DAYS.map((day) => (
      <CheckBox
        key={day}
        label={t.days[day] ?? day}
        value={days.includes(day)}
        onChange={(isIn) => onChange(isIn ? [...days, day] : days.filter((one) => one !== day))}
      />
    ))}
  </div>
);

interface TimesProps {
  readonly times: readonly [string, string];
  readonly onChange: (times: readonly [string, string]) => void;
}

const Times = ({ times: [from, to], onChange }: TimesProps) => (
  <div class="actions">
    <TimeBox label={t.from} value={from} onChange={(time) => onChange([time, to])} />
    <span>{t.until}</span>
    <TimeBox label={t.until} value={to} onChange={(time) => onChange([from, time])} />
  </div>
);

interface TimeProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (time: string) => void;
}

const TimeBox = ({ label, value, onChange }: TimeProps) => (
  <input
    type="time"
    required
    class={value === '' ? 'place' : undefined}
    aria-label={label}
    value={value}
    onInput={({ currentTarget }) => onChange(currentTarget.value)}
  />
);
