import type { ComponentChildren } from 'preact';
import { texts } from '../texts.ts';
import { Acts, type ActsProps } from './acts.tsx';

export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => ComponentChildren;
  readonly numeric?: boolean;
}

interface TableProps<Row> {
  /** For who hears the page. */
  readonly label: string;
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly columns: readonly Column<Row>[];
  /** Instead of a table without rows. */
  readonly empty?: ComponentChildren;
  /** What can be done with a row, in a column behind the others. */
  readonly acts?: (row: Row) => ActsProps['acts'];
  readonly onDone?: ActsProps['onDone'];
}

/** A table, whose rows become cards where there is no room for columns. */
export function Table<Row>({ label, rows, keyOf, acts, onDone, empty, ...props }: TableProps<Row>) {
  if (rows.length === 0 && empty) return <>{empty}</>;
  const actions = acts && {
    head: texts.act,
    cell: (row: Row) => <Acts isSmall acts={acts(row)} onDone={onDone} />,
  };
  const columns: readonly Column<Row>[] = actions ? [...props.columns, actions] : props.columns;
  return (
    <div class="table-room">
      <table class="table" aria-label={label}>
        <thead>
          <tr>
            {columns.map(({ head, numeric }) => (
              <th key={head} scope="col" class={numeric ? 'numeric' : undefined}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ head, cell, numeric }) => (
                <td key={head} data-head={head} class={numeric ? 'numeric' : undefined}>
                  <div class="cell">{cell(row)}</div>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
