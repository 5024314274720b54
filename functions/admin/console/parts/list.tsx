import type { ComponentChildren, ComponentType } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { addressOf } from '../address.ts';
import { mayChange, workspace } from '../api.ts';
import { type Live, type Pace, useLive } from '../live.ts';
import { texts } from '../texts.ts';
import { Loaded, Page } from './page.tsx';
import { Empty, Failures } from './small.tsx';
import { type Column, Table } from './table.tsx';
import { attempt } from './toast.tsx';

interface Listed<Item> {
  readonly items: readonly Item[];
  readonly cursor?: string;
  /** What the list leaves out, for it cannot be read. */
  readonly damaged?: readonly string[];
}

interface ListOptions<Item, Beside> extends Pace {
  /** Says which list it is, with all by which it is filtered. */
  readonly name: string;
  readonly idOf: (item: Item) => string;
  readonly load: (cursor?: string) => Promise<Listed<Item>>;
  /** What is shown with the list, and loaded with its first page. */
  readonly beside: () => Promise<Beside>;
}

interface Older<Item> {
  readonly key: string;
  readonly items: readonly Item[];
  readonly cursor: string | undefined;
}

export interface Loading<Beside> {
  readonly live: Live<{ readonly first: Listed<unknown>; readonly beside: Beside }>;
  /** Left out where nothing is older. */
  readonly next: (() => Promise<unknown>) | undefined;
}

/**
 * A list of which the first page alone is live: what is older changes no more. Once older ones are shown, what a newer item
 * pushes off the first page stays as well, or there would be a gap.
 *
 *     const list = useList({ name: 'events', idOf, load, beside: loadTypes, of: ['events'] });
 *     <List of={list}>{(types) => <EventTable events={list.items} types={types} />}</List>
 */
export function useList<Item, Beside>(options: ListOptions<Item, Beside>) {
  const { name, idOf, load, beside: loadBeside, ...pace } = options;
  const loadAll = async () => {
    const [first, beside] = await Promise.all([load(), loadBeside()]);
    return { first, beside };
  };
  const live = useLive(name, loadAll, pace);
  const first = live.data?.first;
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
  return { live, items, next: cursor === undefined ? undefined : () => attempt(() => more(cursor)) };
}

export function Pager({ next }: Pick<Loading<unknown>, 'next'>) {
  const [isLooking, setLooking] = useState(false);
  if (!next) return null;
  const look = async () => {
    if (isLooking) return;
    setLooking(true);
    await next();
    setLooking(false);
  };
  return (
    <div class="pager actions">
      <button type="button" aria-disabled={isLooking} onClick={look}>
        {isLooking ? texts.busy : texts.older}
      </button>
    </div>
  );
}

interface ListProps<Beside> {
  readonly of: Loading<Beside>;
  readonly children: (beside: Beside) => ComponentChildren;
}

export function List<Beside>({ of: { live, next }, children }: ListProps<Beside>) {
  return (
    <>
      <Loaded live={live}>
        {({ first, beside }) => (
          <>
            <Damaged of={first.damaged} />
            {children(beside)}
          </>
        )}
      </Loaded>
      <Pager next={next} />
    </>
  );
}

export const Damaged = ({ of }: { readonly of: readonly string[] | undefined }) =>
  of ? <Failures of={of} title={texts.damaged} /> : null;

interface NoneProps {
  readonly of: Pick<Loading<unknown>, 'next'>;
  readonly texts: Readonly<
    Record<'empty' | 'emptyHint', string> & Partial<Record<'noneSuch' | 'noneSuchHint', string>>
  >;
  readonly isFiltered?: boolean;
  /** The address of the list without a filter. */
  readonly all?: string;
  /** What brings the first. */
  readonly children?: ComponentChildren;
}

/** Of a list that shows nothing: what would stand there, or that the filter leaves nothing, as far as was looked. */
export function None({ of: { next }, texts: t, isFiltered = false, all, children }: NoneProps) {
  if (next) return <Empty title={texts.noneYet} />;
  if (!isFiltered) {
    return (
      <Empty title={t.empty} hint={t.emptyHint}>
        {mayChange() && children}
      </Empty>
    );
  }
  return (
    <Empty title={t.noneSuch ?? t.empty} hint={t.noneSuchHint}>
      {all && (
        <a class="button" href={all}>
          {texts.allAgain}
        </a>
      )}
    </Empty>
  );
}

interface Views {
  readonly List: ComponentType;
  readonly New: ComponentType;
  readonly One: ComponentType<{ readonly id: string }>;
}

/**
 * The page of a kind of things that people make: its list, a new one at `#/rules/new`, and one of them at `#/rules/rule_1`.
 *
 *     export const Accounts = collection({ List: AccountList, New: NewAccount, One: OneAccount });
 *     const AccountList = () => <ListPage page="accounts" texts={t} call="GET /api/accounts" load={load} columns={columns} />;
 *
 * `One` is a `Page` with `actions={<Acts … />}` and `<Facts of={[[t.state, …]]} />`.
 */
export function collection({ List: All, New, One }: Views) {
  return function Collection({ id }: { readonly id?: string | undefined }) {
    if (id === 'new') return <New />;
    return id === undefined ? <All /> : <One key={id} id={id} />;
  };
}

interface ListPageProps<Item> extends Pace {
  /** As in the address. */
  readonly page: 'accounts' | 'endpoints' | 'webhooks';
  readonly texts: NoneProps['texts'] & { readonly make: string };
  readonly call: string;
  readonly load: (cursor?: string) => Promise<Listed<Item>>;
  readonly columns: readonly Column<Item>[];
}

/** A list of what was made, with the way to a new one; where there is none yet it says what would stand here. */
export function ListPage<Item extends { readonly id: string }>(props: ListPageProps<Item>) {
  const { page, texts: t, call, load, columns, ...pace } = props;
  const list = useList({ name: page, idOf: ({ id }: Item) => id, load, beside: async () => undefined, ...pace });
  const title = texts.pages[page];
  const make = (
    <a class="button primary" href={addressOf(page, 'new')}>
      {t.make}
    </a>
  );
  const empty = (
    <None of={list} texts={t}>
      {make}
    </None>
  );
  return (
    <Page title={title} call={call} actions={list.items.length > 0 && make}>
      <List of={list}>
        {() => <Table label={title} rows={list.items} keyOf={({ id }) => id} columns={columns} empty={empty} />}
      </List>
    </Page>
  );
}
