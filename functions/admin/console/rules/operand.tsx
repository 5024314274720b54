import { CheckBox } from '../parts/form.tsx';
import { LinesBox, NumberBox, SelectBox, TextBox } from './controls.tsx';
import { DAYS, type Draft, isOfAnyKind, limitIn, type Operand } from './draft.ts';
import { ruleTexts } from './texts.ts';

const t = ruleTexts;

interface OperandProps {
  readonly field: string;
  readonly operator: string;
  readonly operand: Operand;
  readonly path: string;
  readonly onChange: (value: unknown) => void;
}

/** What is compared with, by the control that suits it. */
export function OperandBox({ field, operator, operand, path, onChange }: OperandProps) {
  const common = { label: t.value, isBare: true, path };
  const kinds = ['is', 'isNot'].includes(operator) && isOfAnyKind(field) && (
    <SelectBox
      label={t.valueKind}
      isBare
      value={operand.kind}
      options={[
        ['text', t.kinds.text],
        ['number', t.kinds.number],
        ['truth', t.kinds.truth],
      ]}
      onChange={(kind) => onChange(convertedTo(kind, operand.value))}
    />
  );
  switch (operand.kind) {
    case 'text':
      return (
        <>
          {kinds}
          <TextBox {...common} value={operand.value} onChange={onChange} />
        </>
      );
    case 'number':
      return (
        <>
          {kinds}
          <NumberBox {...common} value={operand.value} onChange={onChange} />
        </>
      );
    case 'truth':
      return (
        <>
          {kinds}
          <SelectBox
            {...common}
            value={operand.value ? 'yes' : 'no'}
            options={[
              ['yes', t.yes],
              ['no', t.no],
            ]}
            onChange={(said) => onChange(said === 'yes')}
          />
        </>
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

function convertedTo(kind: Operand['kind'], value: Operand['value']): Draft[string] {
  if (kind === 'truth') return true;
  return kind === 'number' ? Number(value) || 0 : String(value);
}

interface DaysProps {
  readonly days: readonly string[];
  readonly onChange: (days: readonly string[]) => void;
}

const Days = ({ days, onChange }: DaysProps) => (
  <div class="days">
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
  <div class="times">
    <input
      type="time"
      required
      class={from === '' ? 'place' : undefined}
      aria-label={t.from}
      value={from}
      onInput={({ currentTarget }) => onChange([currentTarget.value, to])}
    />
    <span>{t.until}</span>
    <input
      type="time"
      required
      class={to === '' ? 'place' : undefined}
      aria-label={t.until}
      value={to}
      onInput={({ currentTarget }) => onChange([from, currentTarget.value])}
    />
  </div>
);
