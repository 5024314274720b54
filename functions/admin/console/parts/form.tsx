import { type ComponentChildren, cloneElement, isValidElement, toChildArray } from 'preact';
import { useId, useState } from 'preact/hooks';
import { errorOf } from '../api.ts';
import { texts } from '../texts.ts';
import { Failure } from './small.tsx';
import { tell } from './toast.tsx';

interface FieldProps {
  readonly label: string;
  readonly hint?: string | undefined;
  /** The label is read aloud alone: what stands beside it says the rest. */
  readonly isBare?: boolean | undefined;
  /** The control first. */
  readonly children: ComponentChildren;
}

/** A control with its name, and what describes it: read aloud after it, and not as its name. */
export function Field({ label, hint, isBare, children }: FieldProps) {
  const id = useId();
  const hintId = hint ? `${id}-hint` : undefined;
  const [control, ...beside] = toChildArray(children);
  const named = (names: object) => (isValidElement(control) ? cloneElement(control, names) : control);
  if (isBare) return <>{named({ 'aria-label': label })}</>;
  return (
    <div class="field">
      <label htmlFor={id}>{label}</label>
      {named({ id, 'aria-describedby': hintId })}
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

interface SelectProps<Value extends string> extends Omit<FieldProps, 'children'> {
  readonly options: readonly (readonly [value: Value, label: string])[];
  /** What is chosen; in a form, without `onChange`, at first. */
  readonly value?: Value | undefined;
  readonly onChange?: (value: Value) => void;
  readonly name?: string;
  readonly isRequired?: boolean;
}

/** One of several. What is chosen may come before the options do. */
export function Select<Value extends string>(props: SelectProps<Value>) {
  const { options, value, onChange, name, isRequired, ...field } = props;
  return (
    <Field {...field}>
      <select
        name={name}
        required={isRequired}
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
    </Field>
  );
}

interface SearchProps {
  readonly label: string;
  readonly value: string | undefined;
  readonly onChange: (value: string) => void;
}

/** Looks for what is written once it is whole: enter says so. */
export const Search = ({ label, value = '', onChange }: SearchProps) => (
  <input
    type="search"
    aria-label={label}
    placeholder={label}
    value={value}
    onChange={({ currentTarget }) => onChange(currentTarget.value.trim())}
  />
);

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

/** As a field has it: year, month and day, which is how Swedish writes it. */
function written(at = ''): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? '' : date.toLocaleDateString('sv');
}

const momentOf = (day: string): string => (day === '' ? '' : new Date(`${day}T00:00`).toISOString());

export type Values = Readonly<Record<string, string>>;

interface FormProps {
  /** Of a form that is a card. */
  readonly title?: string;
  readonly act: string;
  /** What was filled in, without blanks around it; what is empty is left out. A text that it answers is told. */
  readonly onSubmit: (values: Values) => Promise<unknown>;
  /** Told once it is done. */
  readonly said?: string;
  /** Asks anew for what was changed. */
  readonly onDone?: () => Promise<unknown>;
  readonly children: ComponentChildren;
  readonly class?: string;
  /** What can be tried with it before. */
  readonly trial?: { readonly act: string; readonly run: (values: Values) => Promise<unknown> };
  /** Whenever something of it is written anew. */
  readonly onInput?: () => void;
}

/** Says under the fields why something was refused; while it is under way it cannot be sent twice. */
export function Form(props: FormProps) {
  const { title, act, onSubmit, said, onDone, children, class: className = 'form', trial, onInput } = props;
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
  const save = async (values: Values) => {
    const answer = await onSubmit(values);
    const told = typeof answer === 'string' ? answer : said;
    if (told) tell(told);
    await onDone?.();
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (event.currentTarget instanceof HTMLFormElement) void perform(event.currentTarget, save);
  };
  const tryIt = (form: HTMLFormElement | null) => {
    if (trial && form?.reportValidity()) void perform(form, trial.run);
  };
  const form = (
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
  return title === undefined ? form : <Card title={title}>{form}</Card>;
}

export const Card = ({ title, children }: { readonly title: string; readonly children: ComponentChildren }) => (
  <section class="card">
    <h2>{title}</h2>
    {children}
  </section>
);
