import { type Aim, type Figure, isReached, ratioOf } from './figure.ts';

const HEAD = ['', 'figure', 'floor', 'ratio', 'aim', ''];

/** Figures as lines of text, one column under the other. */
export function table(figures: readonly Figure[]): string {
  const rows = [HEAD, ...figures.map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const pad = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

function cells(figure: Figure): string[] {
  const { name, value, unit, floor, aim } = figure;
  const ratio = ratioOf(figure);
  const floorCell = floor === undefined ? '' : `${short(floor)} ${unit}`;
  const ratioCell = ratio === undefined ? '' : ratio.toFixed(2);
  return [name, `${short(value)} ${unit}`, floorCell, ratioCell, aim ? aimCell(aim, unit) : '', verdict(figure)];
}

function aimCell({ of, at, bound }: Aim, unit: string): string {
  return `${at === 'most' ? '≤' : '≥'} ${of === 'ratio' ? bound.toFixed(2) : `${bound} ${unit}`}`;
}

function verdict(figure: Figure): string {
  const reached = isReached(figure);
  if (reached === undefined) return '';
  if (reached) return 'ok';
  return figure.aim?.at === 'least' ? 'under' : 'over';
}

function short(value: number): string {
  return Number.isInteger(value) || Math.abs(value) >= 1000 ? value.toFixed(0) : value.toPrecision(3);
}
