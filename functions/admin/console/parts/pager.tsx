import { useRef, useState } from 'preact/hooks';
import { texts } from '../texts.ts';
import { attempt } from './toast.tsx';

export interface Listed<Item> {
  readonly items: readonly Item[];
  readonly cursor?: string;
}

interface Older<Item> {
  readonly key: string;
  readonly items: readonly Item[];
  readonly cursor: string | undefined;
}

/**
 * A list of which the first page alone is live: what is older changes no more. Once older ones are shown, what a newer item
 * pushes off the first page stays as well, or there would be a gap. `key` says which list it is.
 */
export function useOlder<Item>(
  key: string,
  first: Listed<Item> | undefined,
  idOf: (item: Item) => string,
  load: (cursor: string) => Promise<Listed<Item>>,
) {
  const [loaded, setLoaded] = useState<Older<Item>>();
  const older = loaded?.key === key ? loaded : undefined;
  const seen = useRef<readonly Item[]>([]);
  const firstIds = new Set(first?.items.map(idOf));
  const rest = older ? [...seen.current, ...older.items].filter((item) => !firstIds.has(idOf(item))) : [];
  const items = [...new Map([...(first?.items ?? []), ...rest].map((item) => [idOf(item), item])).values()];
  seen.current = older ? items : [];
  const cursor = older ? older.cursor : first?.cursor;
  const more = async (from: string) => {
    const page = await load(from);
    seen.current = items;
    setLoaded({ key, items: [...(older?.items ?? []), ...page.items], cursor: page.cursor });
  };
  return { items, next: cursor === undefined ? undefined : () => attempt(() => more(cursor)) };
}

export function Pager({ next }: { readonly next: (() => Promise<unknown>) | undefined }) {
  if (!next) return null;
  return (
    <div class="pager">
      <button type="button" onClick={next}>
        {texts.older}
      </button>
    </div>
  );
}
