import { Plus, X } from 'lucide-preact';
import { createContext } from 'preact';
import { useContext, useId, useState } from 'preact/hooks';
import { CheckBox, Field } from '../parts/form.tsx';
import { jsonIn, numberIn, textOf } from './draft.ts';
import { ruleTexts } from './texts.ts';

const t = ruleTexts;

/** A place of a recipe that waits to be filled in: its control says what belongs there. */
export interface Place {
  readonly path: string;
  readonly label: string;
  readonly example?: unknown;
}

export const Places = createContext<readonly Place[]>([]);

interface ControlProps<Value> {
  readonly label: string;
  readonly value: Value;
  readonly onChange: (value: Value) => void;
  readonly hint?: string | undefined;
  /** Where it stands in the rule. */
  readonly path?: string;
  /** The label is read aloud alone: what stands beside it says the rest. */
  readonly isBare?: boolean | undefined;
}

/** What a recipe wants there, and an example of it as it is typed. */
function usePlace(path: string | undefined) {
  const place = useContext(Places).find((one) => one.path === path);
  if (!place) return undefined;
  const { label, example } = place;
  return { label, example: Array.isArray(example) ? example.join('\n') : String(example ?? '') };
}

interface TextProps extends ControlProps<string> {
  readonly rows?: number;
  readonly isRequired?: boolean;
  /** What may be meant. */
  readonly offered?: readonly string[];
}

/** A line, or several where it has or may have them. */
export function TextBox({ label, value, onChange, hint, path, isBare, rows = 1, isRequired, offered }: TextProps) {
  const place = usePlace(path);
  const id = useId();
  const common = {
    value,
    placeholder: place?.example,
    class: place && value === '' ? 'place' : undefined,
    required: isRequired === true || place !== undefined,
    spellcheck: false,
  };
  return (
    <Field label={place?.label ?? label} hint={hint} isBare={isBare}>
      {rows > 1 || /[\r\n]/.test(value) ? (
        <textarea {...common} rows={rows} onInput={({ currentTarget }) => onChange(currentTarget.value)} />
      ) : (
        <input
          {...common}
          type="text"
          list={offered && id}
          autocomplete="off"
          onInput={({ currentTarget }) => onChange(currentTarget.value)}
        />
      )}
      {offered && (
        <datalist id={id}>
          {offered.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
    </Field>
  );
}

const linesIn = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');

/** Several texts, one in a line. */
export function LinesBox({ label, value, onChange, hint, path, isBare }: ControlProps<readonly string[]>) {
  const place = usePlace(path);
  const [typed, type] = useState('');
  // A line being begun must not vanish.
  const text = linesIn(typed).join('\n') === value.join('\n') ? typed : value.join('\n');
  return (
    <Field label={place?.label ?? label} hint={hint ?? t.oneALine} isBare={isBare}>
      <textarea
        rows={Math.min(6, Math.max(2, value.length + 1))}
        value={text}
        placeholder={place?.example ?? (isBare ? t.oneALine : undefined)}
        class={place && value.length === 0 ? 'place' : undefined}
        required
        spellcheck={false}
        onInput={({ currentTarget }) => {
          type(currentTarget.value);
          onChange(linesIn(currentTarget.value));
        }}
      />
    </Field>
  );
}

interface NumberProps extends ControlProps<number | undefined> {
  /** What counts where it is left empty; without it a number is needed. */
  readonly otherwise?: number;
}

export function NumberBox({ label, value, onChange, hint, otherwise }: NumberProps) {
  return (
    <Field label={label} hint={hint}>
      <input
        type="number"
        step="any"
        defaultValue={value}
        placeholder={otherwise === undefined ? undefined : String(otherwise)}
        required={otherwise === undefined}
        onInput={({ currentTarget }) => {
          const number = numberIn(currentTarget.value);
          if ((number !== undefined || otherwise !== undefined) && number !== value) onChange(number);
        }}
      />
    </Field>
  );
}

interface ChecksProps extends ControlProps<readonly string[]> {
  readonly options: readonly (readonly [value: string, label: string])[];
}

/** Some of many. */
export function Checks({ label, value, options, onChange }: ChecksProps) {
  const others = value.filter((one) => options.every(([option]) => option !== one)).map((one) => [one, one] as const);
  return (
    <fieldset class="actions spread" aria-label={label}>
      {[...options, ...others].map(([one, said]) => (
        <CheckBox
          key={one}
          label={said}
          value={value.includes(one)}
          onChange={(isIn) => onChange(isIn ? [...value, one] : value.filter((other) => other !== one))}
        />
      ))}
    </fieldset>
  );
}

/** The same of very many: those that are chosen stand before them. `none`: what stands there while none is. */
export function Folded({ none = '', ...props }: ChecksProps & { readonly none?: string }) {
  const { label, value, options } = props;
  const nameOf = (one: string) => options.find(([option]) => option === one)?.[1] ?? one;
  return (
    <details>
      <summary>
        {label}: {value.map(nameOf).join(', ') || none}
      </summary>
      <Checks {...props} />
    </details>
  );
}

/** What there is no control for. While it is no JSON it says so, cannot be saved, and counts as it was. */
export function JsonBox({ label, value, onChange, hint, isBare }: ControlProps<unknown>) {
  const shown = value === undefined ? '' : textOf(value);
  const [typed, type] = useState({ text: shown, of: shown });
  const text = typed.of === shown ? typed.text : shown;
  const isWrong = jsonIn(text) === undefined;
  return (
    <Field label={label} hint={isWrong ? t.noJson : hint} isBare={isBare}>
      <textarea
        ref={(element) => element?.setCustomValidity(isWrong ? t.noJson : '')}
        class="code"
        rows={Math.min(14, Math.max(3, text.split('\n').length))}
        spellcheck={false}
        value={text}
        aria-invalid={isWrong}
        onInput={({ currentTarget }) => {
          const now = currentTarget.value;
          const read = jsonIn(now);
          type({ text: now, of: read ? textOf(read.json) : shown });
          if (read && textOf(read.json) !== shown) onChange(read.json);
        }}
      />
    </Field>
  );
}

interface IconButtonProps {
  readonly label: string;
  readonly onClick: () => void;
}

/** What it takes away takes the button along: the card around it gets the focus, so that the keyboard keeps its place. */
export function RemoveButton({ label, onClick }: IconButtonProps) {
  const remove = ({ currentTarget }: { readonly currentTarget: HTMLElement }) => {
    const home = currentTarget.closest<HTMLElement>('.card');
    onClick();
    home?.focus();
  };
  return (
    <button type="button" class="plain" aria-label={label} title={label} onClick={remove}>
      <X aria-hidden="true" />
    </button>
  );
}

export const AddButton = ({ label, onClick }: IconButtonProps) => (
  <button type="button" class="small" onClick={onClick}>
    <Plus aria-hidden="true" />
    {label}
  </button>
);
