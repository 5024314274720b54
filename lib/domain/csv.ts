// What a spreadsheet takes for the beginning of a formula, whatever it cannot see stands before it: blanks, control
// characters as NUL, marks of order and direction. Wide and small forms of the signs count as well.
const FORMULA =
  /^[\s\p{C}\p{Default_Ignorable_Code_Point}]*[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b]|^\p{Cc}/u;
const LINE_BREAK = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/g;

/**
 * A cell that is safe to open in a spreadsheet, in quotes. What looks like a formula becomes a text by a leading `'`;
 * line breaks are written as `\n`, so that a row is always one line.
 */
export function csvCell(value: string | number | undefined): string {
  const text = String(value ?? '');
  const harmless = FORMULA.test(text) ? `'${text}` : text;
  return `"${harmless.replace(LINE_BREAK, '\\n').replaceAll('"', '""')}"`;
}

/** Rows as RFC 4180 has them, a line each. */
export function csv(rows: readonly (readonly (string | number | undefined)[])[]): string {
  return rows.map((row) => `${row.map(csvCell).join(',')}\r\n`).join('');
}
