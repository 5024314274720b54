import { mimes } from 'hono/utils/mime';

const LONGEST = 120;
const NEUTRAL = 'file';

// What could end a header, quote its way out of one, or show another name than the one it is: control characters, line
// and paragraph separators, quotes, the byte order mark, and the marks that turn the direction of reading round.
const HARMFUL = /[\p{Cc}\u2028\u2029"'`\ufeff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffd]/gu;
const SEPARATORS = /[/\\]/;
// With a letter in it: `Offer v1.2` has none.
const EXTENSION = /\.(?=\d*[A-Za-z])([A-Za-z0-9]{1,10})$/;

/**
 * A name that is safe in a header, in a form and in a folder, out of one that a stranger chose: the last part of a path,
 * 1 to 120 characters, its extension kept. Cleaning a clean name changes nothing.
 */
export function safeFileName(raw: string): string {
  const name = cleanOnce(raw);
  // A cut can bring an ending to light, and composing a quote (U+1FEF), that was none before.
  return name === raw ? name : safeFileName(name);
}

function cleanOnce(raw: string): string {
  const name = withoutEnd(clean(lastPart(clean(raw))));
  const extension = EXTENSION.exec(name)?.[0] ?? '';
  return joined(name.slice(0, name.length - extension.length), extension);
}

/** In lower case and without its dot; undefined where the name has none. */
export function extensionOf(name: string): string | undefined {
  return EXTENSION.exec(name)?.[1]?.toLowerCase();
}

/** For a name that tells nothing of its type: whoever receives the file opens it by its extension. */
export function withExtension(name: string, extension: string): string {
  return joined(name, `.${extension}`);
}

// Composed last, since what was taken out may have kept a letter and its accent apart.
function clean(text: string): string {
  return text.toWellFormed().replace(HARMFUL, '').normalize('NFC').trim();
}

function lastPart(path: string): string {
  return path.split(SEPARATORS).findLast((part) => part.trim() !== '') ?? '';
}

// Looked for where they begin alone: from each of them on, a long row would be looked through once more.
const withoutEnd = (name: string): string => name.replace(/(?<![.\s])[.\s]+$/, '');

/** Dots and blanks at either end would hide the file, or name a folder. */
function joined(stem: string, extension: string): string {
  const kept = withoutEnd(cut(stem.replace(/^[.\s]+/, ''), LONGEST - extension.length));
  return `${kept === '' ? NEUTRAL : kept}${extension}`;
}

/** At most so many UTF-16 units, whole characters only. */
function cut(text: string, most: number): string {
  let kept = '';
  for (const character of text) {
    if (kept.length + character.length > most) break;
    kept += character;
  }
  return kept;
}

/** What the first bytes of a file say that it is. */
export interface Sniffed {
  /** Without a dot, in lower case. */
  readonly extension: string;
  readonly mimeType: string;
}

// One container, many names: each line holds the extensions whose first bytes cannot be told apart, or need not be.
const FAMILIES = [
  'zip docx docm dotx xlsx xlsm xltx pptx ppsx pptm odt ods odp odg epub apk aab jar ipa kmz cbz xpi vsdx pages numbers key',
  'cfb doc dot xls xlt ppt pps msg msi vsd pub',
  'mp4 m4a m4v m4b m4p mov qt 3gp 3g2 f4v heic heif avif cr3',
  'ogg oga ogv ogx opus spx',
  'mkv webm mka',
  'mp3 mp2 mp1 mpga aac adts mpg mpeg',
  'asf wma wmv',
  'xml svg kml gpx rss atom xsd xsl xhtml html htm',
  'jpg jpeg',
  'tif tiff dng nef arw cr2',
  'mid midi',
].map((line) => new Set(line.split(' ')));

const TEXT_TYPES = /^text\/|[/+](?:json|xml|javascript|yaml)$/;
const UNKNOWN_TYPE = 'application/octet-stream';

/** Whether a file may bear this name, given what it is. An extension that stands for no type we know promises nothing. */
export function agrees(name: string, sniffed: Sniffed): boolean {
  const extension = extensionOf(name);
  if (extension === undefined || extension === sniffed.extension || typeNamedBy(name) === undefined) return true;
  return FAMILIES.some((family) => family.has(extension) && family.has(sniffed.extension));
}

/** The name's own word where there is one, since by now the bytes agree with it. */
export function mimeTypeOf(name: string, sniffed: Sniffed | undefined): string {
  return typeNamedBy(name) ?? sniffed?.mimeType ?? UNKNOWN_TYPE;
}

function typeNamedBy(name: string): string | undefined {
  const extension = extensionOf(name) ?? '';
  // Of a text, its encoding is not known.
  return Object.hasOwn(mimeTypes, extension) ? mimeTypes[extension]?.split(';')[0] : undefined;
}

/** The type that the ending of a name promises, or of a link, which may have a query behind it. */
export function typeByName(name = ''): string | undefined {
  const text = name.trim();
  return typeNamedBy(/^https?:/i.test(text) ? text.replace(/[?#].*$/s, '') : text);
}

/**
 * Whether this is plain text under a name for text. Some signatures are two letters long: a note that begins with
 * `BMW` or `MZ` is no picture and no program.
 */
export function isTextByName(name: string, sample: Uint8Array): boolean {
  return TEXT_TYPES.test(typeNamedBy(name) ?? '') && !sample.some(isBinary);
}

/** Tab, the line ends and escape are the controls that text has. */
function isBinary(byte: number): boolean {
  return byte < 0x09 || (byte > 0x0d && byte < 0x20 && byte !== 0x1b) || byte === 0x7f;
}

const office = 'application/vnd.openxmlformats-officedocument';
const open = 'application/vnd.oasis.opendocument';

/** The types that people send each other, by extension. Not taken from the file's host, which may say anything. */
const mimeTypes: Readonly<Record<string, string>> = {
  ...mimes,
  '7z': 'application/x-7z-compressed',
  amr: 'audio/amr',
  apk: 'application/vnd.android.package-archive',
  doc: 'application/msword',
  docx: `${office}.wordprocessingml.document`,
  eml: 'message/rfc822',
  exe: 'application/x-msdownload',
  flac: 'audio/flac',
  heic: 'image/heic',
  heif: 'image/heif',
  log: 'text/plain',
  m4a: 'audio/mp4',
  m4v: 'video/mp4',
  md: 'text/markdown',
  mkv: 'video/x-matroska',
  mov: 'video/quicktime',
  mpg: 'video/mpeg',
  odp: `${open}.presentation`,
  ods: `${open}.spreadsheet`,
  odt: `${open}.text`,
  ogg: 'audio/ogg',
  opus: 'audio/ogg',
  ppt: 'application/vnd.ms-powerpoint',
  pptx: `${office}.presentationml.presentation`,
  rar: 'application/vnd.rar',
  tar: 'application/x-tar',
  vcf: 'text/vcard',
  wav: 'audio/wav',
  wma: 'audio/x-ms-wma',
  wmv: 'video/x-ms-wmv',
  xls: 'application/vnd.ms-excel',
  xlsx: `${office}.spreadsheetml.sheet`,
  yaml: 'application/yaml',
  yml: 'application/yaml',
};

/** As WhatsApp shows a file of this type. */
export function kindOfFile(mimeType = ''): 'image' | 'video' | 'audio' | 'document' {
  const [kind] = mimeType.trim().toLowerCase().split('/');
  return kind === 'image' || kind === 'video' || kind === 'audio' ? kind : 'document';
}

/** Says no more than that there are bytes. */
export const isVague = (mimeType = ''): boolean =>
  /^(?:|(?:application|binary)\/(?:octet-stream|binary|(?:x-)?unknown))$/i.test(mimeType.split(';')[0]?.trim() ?? '');

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
