import { useEffect, useRef, useState } from 'preact/hooks';
import { workspace } from '../api.ts';
import { texts } from '../texts.ts';
import { attempt } from './toast.tsx';

export interface Listed<Item> {
  readonly items: readonly Item[];
  readonly cursor?: string;
  readonly damaged?: readonly string[];
}

interface Older<Item> {
  readonly key: string;
  readonly items: readonly Item[];
  readonly cursor: string | undefined;
}

/**
 * A list of which the first page alone is live: what is older changes no more. Once older ones are shown, what a newer item
 * pushes off the first page stays as well, or there would be a gap. `name` says which list it is.
 */
export function useOlder<Item>(
  name: string,
  first: Listed<Item> | undefined,
  idOf: (item: Item) => string,
  load: (cursor: string) => Promise<Listed<Item>>,
) {
  const key = `${workspace.value} ${name}`;
  const [loaded, setLoaded] = useState<Older<Item>>();
  const older = loaded?.key === key ? loaded : undefined;
  const seen = useRef<readonly Item[]>([]);
  const firstIds = new Set(first?.items.map(idOf));
  const rest = older ? [...seen.current, ...older.items].filter((item) => !firstIds.has(idOf(item))) : [];
  const items = [...new Map([...(first?.items ?? []), ...rest].map((item) => [idOf(item), item])).values()];
  seen.current = items;
  const cursor = older ? older.cursor : first?.cursor;
  const shown = useRef<string>();
  shown.current = key;
  useEffect(
    () => () => {
      shown.current = undefined;
    },
    [],
  );
  /** Whoever asks for older ones is shown some, through however many the hub has to look. */
  const more = async (start: string) => {
    const known = new Set(items.map(idOf));
    const found: Item[] = [];
    let from: string | undefined = start;
    while (from !== undefined && found.length === 0 && shown.current === key) {
      const page = await load(from);
      found.push(...page.items.filter((item) => !known.has(idOf(item))));
      from = page.cursor;
    }
    if (shown.current === key) setLoaded({ key, items: [...(older?.items ?? []), ...found], cursor: from });
  };
  return { items, next: cursor === undefined ? undefined : () => attempt(() => more(cursor)) };
}

export function Pager({ next }: { readonly next: (() => Promise<unknown>) | undefined }) {
  const [isLooking, setLooking] = useState(false);
  if (!next) return null;
  const look = async () => {
    if (isLooking) return;
    setLooking(true);
    await next();
    setLooking(false);
  };
  return (
    <div class="pager">
      <button type="button" aria-disabled={isLooking} onClick={look}>
        {isLooking ? texts.busy : texts.older}
      </button>
    </div>
  );
}
