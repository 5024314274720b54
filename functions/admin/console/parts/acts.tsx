import { useRef, useState } from 'preact/hooks';
import { addressOf, go } from '../address.ts';
import { mayChange } from '../api.ts';
import { texts } from '../texts.ts';
import { Confirm } from './dialog.tsx';
import { attempt } from './toast.tsx';

export interface Act {
  readonly label: string;
  /** What takes several calls says how far it is. */
  readonly run: (say: (progress: string) => void) => Promise<unknown>;
  /** Told once it is done. */
  readonly said?: string;
  /** What goes, by its name: it is asked for before what cannot be undone. */
  readonly asks?: string;
  readonly look?: 'primary' | 'danger';
  /** The address that it leads to once it is done, as a deleted thing's list. */
  readonly leadsTo?: string;
}

/** Names what goes before it does, for good, and leads back to the list of its kind. */
export const deletion = (page: string, asks: string, run: Act['run']): Act => ({
  ...{ label: texts.delete, asks, run, look: 'danger', said: texts.deleted, leadsTo: addressOf(page) },
});

export interface ActsProps {
  readonly acts: readonly (Act | false | undefined)[];
  /** Asks anew for what was changed. */
  readonly onDone?: (() => Promise<unknown>) | undefined;
  /** In a row of a table. */
  readonly isSmall?: boolean;
}

/**
 * What can be done with something, as buttons; nothing for whom only reads. A second click waits for the first to end.
 *
 *     <Acts acts={[{ label: t.delete, run: remove, asks: t.deleteText(name), look: 'danger' }]} onDone={live.again} />
 */
export function Acts({ acts, onDone, isSmall }: ActsProps) {
  const [asking, ask] = useState<Act>();
  const [doing, setDoing] = useState<string>();
  const isBusy = useRef(false);
  const offered = acts.flatMap((act) => act || []);
  const isIdle = doing === undefined && asking === undefined;
  if (!mayChange() || (offered.length === 0 && isIdle)) return null;
  const begin = async ({ run, said, leadsTo }: Act) => {
    if (isBusy.current) return;
    isBusy.current = true;
    setDoing(isSmall ? '' : texts.busy);
    const isDone = await attempt(() => run(setDoing), said);
    isBusy.current = false;
    setDoing(undefined);
    if (isDone && leadsTo !== undefined) go(leadsTo);
    else await onDone?.();
  };
  return (
    <>
      <span class="busy faint" role="status">
        {doing}
      </span>
      {offered.map((act) => (
        <button
          key={act.label}
          type="button"
          aria-disabled={doing !== undefined}
          class={`${act.look ?? ''} ${isSmall ? 'small' : ''}`}
          onClick={() => (act.asks === undefined ? begin(act) : ask(act))}
        >
          {act.label}
        </button>
      ))}
      {asking && (
        <Confirm
          title={asking.label}
          text={asking.asks ?? ''}
          act={asking.label}
          onClose={() => ask(undefined)}
          onConfirm={() => begin(asking)}
        />
      )}
    </>
  );
}
