import { Field } from './form.tsx';

export interface SelectProps<Value extends string> {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly options: readonly (readonly [value: Value, label: string])[];
  /** What is chosen; in a form, without `onChange`, at first. */
  readonly value?: Value | undefined;
  readonly onChange?: (value: Value) => void;
  readonly name?: string;
  readonly isRequired?: boolean;
  /** The label is read aloud alone: what stands beside it says the rest. */
  readonly isBare?: boolean | undefined;
}

/** One of several. What is chosen may come before the options do. */
export function Select<Value extends string>(props: SelectProps<Value>) {
  const { label, hint, options, value, onChange, name, isRequired, isBare } = props;
  const control = (
    <select
      name={name}
      required={isRequired}
      aria-label={isBare ? label : undefined}
      {...(onChange && { value })}
      onChange={({ currentTarget }) => {
        const [chosen] = options.find(([one]) => one === currentTarget.value) ?? [];
        if (chosen !== undefined && chosen !== value) onChange?.(chosen);
      }}
    >
      {options.map(([one, said]) => (
        <option key={one} value={one} selected={one === value}>
          {said}
        </option>
      ))}
    </select>
  );
  return isBare ? (
    control
  ) : (
    <Field label={label} hint={hint}>
      {control}
    </Field>
  );
}
