import { texts } from '../texts.ts';

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
