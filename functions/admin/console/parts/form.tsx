import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { errorOf } from '../api.ts';
import { Failure } from './small.tsx';

interface FieldProps {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly children: ComponentChildren;
}

export function Field({ label, hint, children }: FieldProps) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is what it is given
    <label class="field">
      <span>{label}</span>
      {children}
      {hint && <small>{hint}</small>}
    </label>
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
    <Field label={label} hint={hint}>
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

export type Values = Readonly<Record<string, string>>;

interface FormProps {
  readonly act: string;
  /** What was filled in, without blanks around it; what is empty is left out. */
  readonly onSubmit: (values: Values) => Promise<unknown>;
  readonly children: ComponentChildren;
  readonly class?: string;
}

/** Says under the fields why something was refused; while it is under way it cannot be sent twice. */
export function Form({ act, onSubmit, children, class: className = 'form' }: FormProps) {
  const [error, setError] = useState<Error>();
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (isBusy || !(event.currentTarget instanceof HTMLFormElement)) return;
    const values = [...new FormData(event.currentTarget)].flatMap(([name, value]) =>
      typeof value === 'string' && value.trim() !== '' ? [[name, value.trim()]] : [],
    );
    setBusy(true);
    setError(undefined);
    try {
      await onSubmit(Object.fromEntries(values));
    } catch (cause) {
      setError(errorOf(cause));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class={className} onSubmit={submit}>
      {children}
      {error && <Failure error={error} />}
      <div class="actions end">
        <button type="submit" class="primary" aria-disabled={isBusy}>
          {act}
        </button>
      </div>
    </form>
  );
}
