import { CheckBox, Select } from '../parts/form.tsx';
import { texts } from '../texts.ts';
import { AddButton, Checks, JsonBox, LinesBox, RemoveButton, TextBox } from './controls.tsx';
import {
  type Comparison,
  comparedBy,
  comparisonOf,
  type Draft,
  FOLDED,
  grouped,
  groupOf,
  isOperator,
  limitIn,
  NEW_LEAF,
  type Operand,
  operatorsFor,
  withField,
  withItem,
  withoutItem,
} from './draft.ts';
import { ruleTexts } from './texts.ts';

const t = ruleTexts;

interface ConditionsProps {
  readonly when: unknown;
  readonly onChange: (when: unknown) => void;
}

/** Comparisons of which all or any must hold; what is none, as a group within a group, is shown as JSON. */
export function Conditions({ when, onChange }: ConditionsProps) {
  const group = groupOf(when);
  const { kind, of, isAlone } = group;
  const change = (changed: readonly unknown[]) => onChange(grouped({ ...group, of: changed }));
  return (
    <>
      {of.length === 0 && <p class="faint">{t.noCondition}</p>}
      {of.length > 1 && (
        <Select
          label={t.group}
          isBare
          value={kind}
          options={[
            ['all', t.groups.all],
            ['any', t.groups.any],
          ]}
          onChange={(head) => onChange(grouped({ ...group, kind: head }))}
        />
      )}
      {of.map((one, i) => {
        const set = (changed: unknown) => change(withItem(of, i, changed));
        const shown = comparisonOf(one);
        return (
          <div key={i} class="condition">
            {shown ? (
              <ComparisonForm of={shown} path={isAlone ? 'when' : `when.${kind}.${i}`} onChange={set} />
            ) : (
              <JsonBox label={t.asJson} isBare value={one} onChange={set} />
            )}
            <RemoveButton label={t.removeCondition} onClick={() => change(withoutItem(of, i))} />
          </div>
        );
      })}
      <div class="actions">
        <AddButton label={t.addComparison} onClick={() => change([...of, NEW_LEAF])} />
      </div>
    </>
  );
}

interface ComparisonProps {
  readonly of: Comparison;
  readonly path: string;
  readonly onChange: (condition: unknown) => void;
}

const FIELDS = Object.entries(t.fields);
/** Stands in the list for every field that has no short name. */
const OTHER = '…';

function ComparisonForm({ of: { isNot, leaf, field, operator, operand }, path, onChange }: ComparisonProps) {
  const isShort = Object.hasOwn(t.fields, field);
  const operators = operatorsFor(field);
  const set = (changed: Draft, not = isNot) => onChange(not ? { not: changed } : changed);
  return (
    <div class="compared">
      <Select
        label={t.field}
        isBare
        value={isShort ? field : OTHER}
        options={[...FIELDS, [OTHER, t.otherField]]}
        onChange={(chosen) => set(comparedBy(leaf, chosen === OTHER ? '' : chosen, operator))}
      />
      {!isShort && (
        <TextBox
          label={t.path}
          isBare
          isRequired
          value={field}
          onChange={(typed) => set(withField(leaf, 'field', typed))}
        />
      )}
      <CheckBox label={t.not} value={isNot} onChange={(not) => set(leaf, not)} />
      <Select
        label={t.operator}
        isBare
        value={operator}
        options={(operators.includes(operator) ? operators : [operator, ...operators]).map((one) => [
          one,
          t.operators[one] ?? one,
        ])}
        onChange={(chosen) => isOperator(chosen) && set(comparedBy(leaf, field, chosen))}
      />
      <OperandBox
        operand={operand}
        path={`${path}${isNot ? '.not' : ''}.${operator}`}
        onChange={(value) => set(withField(leaf, operator, value))}
      />
      {FOLDED.includes(operator) && ['text', 'lines'].includes(operand.kind) && (
        <CheckBox
          label={t.caseSensitive}
          value={leaf.caseSensitive === true}
          onChange={(counts) => set(withField(leaf, 'caseSensitive', counts || undefined))}
        />
      )}
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
      return <CheckBox label={t.yes} value={operand.value} onChange={onChange} />;
    case 'limit':
      return (
        <TextBox {...common} isRequired value={String(operand.value)} onChange={(said) => onChange(limitIn(said))} />
      );
    case 'lines':
      return <LinesBox {...common} value={operand.value} onChange={onChange} />;
    case 'days':
      return <Checks label={t.value} value={operand.value} options={Object.entries(t.days)} onChange={onChange} />;
    case 'times':
      return <Times times={operand.value} onChange={onChange} />;
  }
}

interface TimesProps {
  readonly times: readonly [string, string];
  readonly onChange: (times: readonly [string, string]) => void;
}

const Times = ({ times: [from, to], onChange }: TimesProps) => (
  <div class="actions">
    <TimeBox label={texts.from} value={from} onChange={(time) => onChange([time, to])} />
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
