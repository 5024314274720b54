import type { ComponentType } from 'preact';
import { addressOf } from '../address.ts';
import { mayChange } from '../api.ts';
import { type Pace, useLive } from '../live.ts';
import { Damaged, Loaded, Page } from './page.tsx';
import { type Listed, Pager, useOlder } from './pager.tsx';
import { Empty } from './small.tsx';
import { type Column, Table } from './table.tsx';

interface Views {
  readonly List: ComponentType;
  readonly New: ComponentType;
  readonly One: ComponentType<{ readonly id: string }>;
}

/**
 * The page of a kind of things that people make: its list, a new one at `#/rules/new`, and one of them at `#/rules/rule_1`.
 *
 *     export const Rules = collection({ List: RuleList, New: NewRule, One: OneRule });
 *     const RuleList = () => <ListPage page="rules" texts={t} call="GET /api/rules" load={load} columns={columns} />;
 *
 * `One` is a `Page` with `actions={<Acts … />}` and `<Facts of={[[t.state, …]]} />`.
 */
export function collection({ List, New, One }: Views) {
  return function Collection({ id }: { readonly id?: string | undefined }) {
    if (id === 'new') return <New />;
    return id === undefined ? <List /> : <One key={id} id={id} />;
  };
}

interface ListPageProps<Item> {
  /** As in the address. */
  readonly page: string;
  readonly texts: Readonly<Record<'title' | 'make' | 'empty' | 'emptyHint', string>>;
  readonly call: string;
  readonly load: (cursor?: string) => Promise<Listed<Item>>;
  readonly columns: readonly Column<Item>[];
  readonly pace?: Pace;
}

/** A list of what was made, with the way to a new one; where there is none yet it says what would stand here. */
export function ListPage<Item extends { readonly id: string }>({ page, texts: t, ...props }: ListPageProps<Item>) {
  const { call, load, columns, pace } = props;
  const live = useLive(page, load, pace);
  const { items, next } = useOlder(page, live.data, ({ id }) => id, load);
  const make = (
    <a class="button primary" href={addressOf(page, 'new')}>
      {t.make}
    </a>
  );
  return (
    <Page title={t.title} call={call} actions={items.length > 0 && make}>
      <Loaded live={live}>
        {({ damaged }) => (
          <>
            <Damaged of={damaged} />
            <Table
              label={t.title}
              rows={items}
              keyOf={({ id }) => id}
              columns={columns}
              empty={
                <Empty title={t.empty} hint={t.emptyHint}>
                  {mayChange() && make}
                </Empty>
              }
            />
          </>
        )}
      </Loaded>
      <Pager next={next} />
    </Page>
  );
}
