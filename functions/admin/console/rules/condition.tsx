import { CheckBox } from '../parts/form.tsx';
import { AddButton, JsonBox, RemoveButton, SelectBox, TextBox } from './controls.tsx';
import {
  FOLDED,
  isOperator,
  NEW_LEAF,
  operatorsFor,
  regrouped,
  type Shown,
  shownOf,
  withField,
  withFieldName,
  withItem,
  withOperator,
  withoutItem,
} from './draft.ts';
import { OperandBox } from './operand.tsx';
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
      <div class="condition leaf">
        <JsonBox label={t.asJson} isBare value={condition} onChange={onChange} />
        <RemoveButton label={t.removeCondition} onClick={onRemove} />
      </div>
    );
  }
  if (shown.kind === 'leaf') return <Comparison shown={shown} path={path} onChange={onChange} onRemove={onRemove} />;
  return (
    <fieldset class="condition group">
      <legend class="unseen">{t.groups[shown.kind]}</legend>
      <div class="head">
        <SelectBox
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
    <div class="condition leaf">
      <div class="compared">
        <SelectBox
          label={t.field}
          isBare
          value={isShort ? field : OTHER}
          options={[...FIELDS, [OTHER, t.otherField]]}
          onChange={(chosen) => onChange(withFieldName(leaf, chosen === OTHER ? '' : chosen))}
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
        <SelectBox
          label={t.operator}
          isBare
          value={operator}
          options={(operators.includes(operator) ? operators : [operator, ...operators]).map((one) => [
            one,
            t.operators[one] ?? one,
          ])}
          onChange={(chosen) => isOperator(chosen) && onChange(withOperator(leaf, chosen))}
        />
        <OperandBox
          field={field}
          operator={operator}
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
