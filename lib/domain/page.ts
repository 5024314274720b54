const LOOKED_AT = 1024;
const UTF16_FACTOR = 2;

// White space, and what a byte order mark or UTF-16 puts between: HT LF VT FF CR SP NUL, EF BB BF, FE FF.
const SKIPPED = new Set([0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0x00, 0xef, 0xbb, 0xbf, 0xfe, 0xff]);

const PAGE = /^<(?:!doctype\s+html|html|head|body|script|meta|iframe|title|style)[\s/>]/;
const SVG = /^<(?:!doctype\s+svg|svg)[\s>]/;

/**
 * Whether the bytes are a web page, whatever their host calls them. Only how they begin counts: a text may speak of
 * `<html>` further down. The words are ASCII, so without its NULs UTF-16 of either order reads like UTF-8.
 */
export function isPage(bytes: Uint8Array): boolean {
  const start = bytes.findIndex((byte) => !SKIPPED.has(byte));
  if (start === -1) return false;
  const head = bytes.subarray(start, start + LOOKED_AT * UTF16_FACTOR).filter((byte) => byte !== 0);
  const text = String.fromCharCode(...head.subarray(0, LOOKED_AT)).toLowerCase();
  const markup = afterPreamble(text);
  return PAGE.test(markup) || (text.startsWith('<!--') && !SVG.test(markup));
}

/** Without the XML declaration and the comments that XHTML and drawings may begin with. */
function afterPreamble(text: string): string {
  const end = preambleEnd(text);
  return end === undefined ? text : afterPreamble(text.slice(end).trimStart());
}

function preambleEnd(text: string): number | undefined {
  const close = text.startsWith('<?xml') ? '?>' : '-->';
  if (close === '-->' && !text.startsWith('<!--')) return undefined;
  const at = text.indexOf(close);
  return at === -1 ? undefined : at + close.length;
}
