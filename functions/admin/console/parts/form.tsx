import { type ComponentChildren, cloneElement, isValidElement, toChildArray } from 'preact';
import { useId, useState } from 'preact/hooks';
import { errorOf } from '../api.ts';
import { texts } from '../texts.ts';
import { Failure } from './small.tsx';

interface FieldProps {
  readonly label: string;
  readonly hint?: string | undefined;
  /** The control first. */
  readonly children: ComponentChildren;
}

/** A control with its name, and what describes it: read aloud after it, and not as its name. */
export function Field({ label, hint, children }: FieldProps) {
  const id = useId();
  const hintId = hint ? `${id}-hint` : undefined;
  const [control, ...beside] = toChildArray(children);
  return (
    <div class="field">
      <label htmlFor={id}>{label}</label>
      {isValidElement(control) ? cloneElement(control, { id, 'aria-describedby': hintId }) : control}
      {beside}
      {hint && <small id={hintId}>{hint}</small>}
    </div>
  );
}

interface TextFieldProps {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly required?: boolean;
  readonly secret?: boolean;
  readonly value?: string;
  /** For what follows it while it is written, outside of a `Form`. */
  readonly onInput?: (value: string) => void;
}

export function TextField({ name, label, hint, required, secret, value, onInput }: TextFieldProps) {
  return (
    <Field label={label} hint={required || onInput ? hint : [texts.optional, hint].filter(Boolean).join(' ')}>
      <input
        name={name}
        type={secret ? 'password' : 'text'}
        required={required}
        {...(onInput
          ? { value, onInput: ({ currentTarget }) => onInput(currentTarget.value) }
          : { defaultValue: value })}
        autocomplete="off"
        spellcheck={false}
      />
    </Field>
  );
}

interface CheckBoxProps {
  readonly label: string;
  readonly value: boolean;
  readonly onChange: (value: boolean) => void;
}

export function CheckBox({ label, value, onChange }: CheckBoxProps) {
  return (
    <label class="check">
      <input type="checkbox" checked={value} onChange={({ currentTarget }) => onChange(currentTarget.checked)} />
      {label}
    </label>
  );
}

interface SelectProps<Value extends string> {
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

/** When the day of a moment began for who looks. */
export const dayOf = (at: Date): string => new Date(at.getFullYear(), at.getMonth(), at.getDate()).toISOString();

interface DaysProps {
  readonly after: string | undefined;
  readonly before: string | undefined;
  /** Moments, as the API takes them; '' where a day was taken away. */
  readonly onChange: (days: { readonly after?: string; readonly before?: string }) => void;
}

/** From which day on, and before which: days of who looks, wherever the hub is. */
export function Days({ after, before, onChange }: DaysProps) {
  return (
    <>
      <Day label={texts.from} at={after} onChange={(at) => onChange({ after: at })} />
      <Day label={texts.before} at={before} onChange={(at) => onChange({ before: at })} />
    </>
  );
}

interface DayProps {
  readonly label: string;
  readonly at: string | undefined;
  readonly onChange: (at: string) => void;
}

function Day({ label, at, onChange }: DayProps) {
  return (
    <label class="check">
      {label}
      <input
        type="date"
        value={written(at)}
        onChange={({ currentTarget }) => onChange(momentOf(currentTarget.value))}
      />
    </label>
  );
}

/** As a field has it: year, month and day. */
function written(at = ''): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return '';
  const two = (number: number) => String(number).padStart(2, '0');
  return `${String(date.getFullYear()).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function momentOf(day: string): string {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  return day === '' ? '' : new Date(year, month - 1, date).toISOString();
}

export type Values = Readonly<Record<string, string>>;

interface FormProps {
  readonly act: string;
  /** What was filled in, without blanks around it; what is empty is left out. */
  readonly onSubmit: (values: Values) => Promise<unknown>;
  readonly children: ComponentChildren;
  readonly class?: string;
  /** What can be tried with it before. */
  readonly trial?: { readonly act: string; readonly run: (values: Values) => Promise<unknown> };
  /** Whenever something of it is written anew. */
  readonly onInput?: () => void;
}

/** Says under the fields why something was refused; while it is under way it cannot be sent twice. */
export function Form({ act, onSubmit, children, class: className = 'form', trial, onInput }: FormProps) {
  const [error, setError] = useState<Error>();
  const [isBusy, setBusy] = useState(false);
  const perform = async (form: HTMLFormElement, what: FormProps['onSubmit']) => {
    if (isBusy) return;
    const values = [...new FormData(form)].flatMap(([name, value]) =>
      typeof value === 'string' && value.trim() !== '' ? [[name, value.trim()]] : [],
    );
    setBusy(true);
    setError(undefined);
    try {
      await what(Object.fromEntries(values));
    } catch (cause) {
      setError(errorOf(cause));
    } finally {
      setBusy(false);
    }
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (event.currentTarget instanceof HTMLFormElement) void perform(event.currentTarget, onSubmit);
  };
  const tryIt = (form: HTMLFormElement | null) => {
    if (trial && form?.reportValidity()) void perform(form, trial.run);
  };
  return (
    <form class={className} onSubmit={submit} onInput={onInput}>
      {children}
      {error && <Failure error={error} />}
      <div class="actions end">
        <span class="busy faint" role="status">
          {isBusy && texts.busy}
        </span>
        {trial && (
          <button type="button" aria-disabled={isBusy} onClick={({ currentTarget }) => tryIt(currentTarget.form)}>
            {trial.act}
          </button>
        )}
        <button type="submit" class="primary" aria-disabled={isBusy}>
          {act}
        </button>
      </div>
    </form>
  );
}
