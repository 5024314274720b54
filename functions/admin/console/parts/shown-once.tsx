import { signal } from '@preact/signals';
import { untilSignedOut } from '../api.ts';
import { texts } from '../texts.ts';
import { Code, useCopy } from './small.tsx';

interface Kept {
  /** A secret, or a URL that holds one. */
  readonly text: string;
  /** The provider's own, of a webhook. */
  readonly secret?: string | undefined;
  /** Of the last call through the URL that a webhook had before. */
  readonly after?: string | undefined;
}

/** What the hub has told since this page was loaded and cannot tell again, by the id of what it opens. */
const kept = signal<Readonly<Record<string, Kept>>>({});
untilSignedOut({
  clear: () => {
    kept.value = {};
  },
});
export const keptOf = (id: string): Kept | undefined => kept.value[id];
export function keep(id: string, what: Kept): void {
  kept.value = { ...kept.value, [id]: what };
}

interface ShownOnceProps {
  readonly of: string;
  readonly copy: string;
  readonly hint?: string;
}

/** What nobody can show again: to be copied now. */
export const ShownOnce = ({ of, ...props }: ShownOnceProps) => {
  const text = keptOf(of)?.text;
  return text === undefined ? null : <Shown text={text} {...props} />;
};

function Shown({ text, copy: label, hint }: Omit<ShownOnceProps, 'of'> & Pick<Kept, 'text'>) {
  const { copy, icon } = useCopy(text);
  return (
    <section class="card shown-once">
      <p>{texts.shownOnce}</p>
      <Code text={text} />
      <div class="actions">
        <button type="button" class="primary" onClick={copy}>
          {icon}
          {label}
        </button>
      </div>
      {hint && <p>{hint}</p>}
    </section>
  );
}
