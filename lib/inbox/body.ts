import { isUtf8 } from 'node:buffer';
import { gunzipSync } from 'node:zlib';
import { isRecord, type Parsed, parseJson } from '#lib/domain/json.ts';

/**
 * A body in any spelling in which providers post and relays hand on: JSON, also with bare line breaks and in the encoding of
 * old Windows programs, forms with nested keys, multipart forms; each of these also gzipped, in UTF-16 or in base64.
 */
export function parseBody(body: Uint8Array, contentType: string, room = roomToUnpack()): Parsed<unknown> {
  // The ordinary body is one of two kinds, and costs no look for the others.
  const written = body[0] === CURLY ? parseJson(body) : undefined;
  if (written?.ok) return written;
  const decoded = decodedBody(body, room);
  if (!decoded.ok) return decoded;
  const bytes = decoded.value;
  const text = toText(bytes);
  const parts = partsOf(text);
  if (parts && parts.length > MOST_PARTS) return refused(`a multipart body with more than ${MOST_PARTS} parts`);
  if (parts)
    return fieldsOf(parts.filter(({ isFile }) => !isFile).map((part) => [part.name, part.text.slice(part.valueAt)]));
  if (looksLikeJson(bytes)) return parseWritten(bytes);
  // A form may be called so, and what stands in base64 or gzip may be of another kind than the headers say.
  if (bytes === body && /^\s*multipart\//i.test(contentType) && !isForm(text, ''))
    return refused('a multipart body without parts');
  // JSON that was taken for the name of a field, without a value.
  const named = /^\s*(?:%5B)?%7B/i.test(text) ? parseWritten(toBytes(decodeForm(text))) : undefined;
  if (named?.ok || (named && !text.includes('='))) return named;
  if (/^\s*<[?!\w]/.test(text)) return refused(`the body is XML or HTML, which is not read: ${REMEDY}`);
  return isForm(text, contentType) ? parseForm(text) : parseWritten(bytes);
}

const CURLY = 0x7b;
const REMEDY = 'post it as JSON or as a form';

/** Bytes as a text of one character each, and back: what is not read stays as it was. */
export const toText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
export const toBytes = (text: string): Buffer => Buffer.from(text, 'latin1');

/** What a gzipped body may become: as much as a body may be. */
const MOST_UNPACKED = 1024 * 1024;

/** How many bytes may still be unpacked. All that stands gzipped within one body shares it: each may become a thousand times as long. */
export interface Room {
  left: number;
}
export const roomToUnpack = (): Room => ({ left: MOST_UNPACKED });

/** Gzip may hold itself. */
const MOST_ENCODINGS = 4;

/** The body with gzip, UTF-16 and base64 undone, whatever the headers claim; itself where it is in none of them. */
export function decodedBody(body: Uint8Array, room = roomToUnpack(), encodings = 0): Parsed<Uint8Array> {
  const isPacked = body[0] === 0x1f && body[1] === 0x8b;
  const unpacked = isPacked ? unpack(body, room) : undefined;
  if (unpacked?.ok === false) return unpacked;
  const inner = unpacked?.value ?? utf16In(body) ?? base64In(toText(body));
  if (inner === undefined) return { ok: true, value: body };
  return encodings < MOST_ENCODINGS
    ? decodedBody(inner, room, encodings + 1)
    : refused(`the body is encoded more than ${MOST_ENCODINGS} times: ${REMEDY}`);
}

function unpack(body: Uint8Array, room: Room): Parsed<Uint8Array> {
  const most = room.left;
  // What turns out to be damaged has been unpacked as well.
  room.left = 0;
  try {
    if (most === 0) throw new RangeError('nothing may be unpacked any more');
    const unpacked = gunzipSync(body, { maxOutputLength: most });
    room.left = most - unpacked.length;
    return { ok: true, value: unpacked };
  } catch (error) {
    const isTooLong = error instanceof RangeError;
    const fault = isTooLong ? `is more than ${MOST_UNPACKED} bytes once unpacked` : 'is damaged, or not whole';
    return refused(`the body is gzip that ${fault}: send it without Content-Encoding`);
  }
}

/** A body tells by its mark that it is in UTF-16, or by every other byte of its first signs being 0. */
function utf16In(body: Uint8Array): Buffer | undefined {
  const [first, second, third, fourth] = body;
  const isLittle = (first === 0xff && second === 0xfe) || (!!first && second === 0 && !!third && fourth === 0);
  const isBig = (first === 0xfe && second === 0xff) || (first === 0 && !!second && third === 0 && !!fourth);
  if (body.length % 2 !== 0 || !(isLittle || isBig)) return undefined;
  const bytes = Buffer.from(body);
  return Buffer.from((isBig ? bytes.swap16() : bytes).toString('utf16le'));
}

/** Bytes in UTF-8 or, where they are none, in what Windows writes by itself. */
function inWords(bytes: Uint8Array): string {
  return (isUtf8(bytes) ? utf8 : windows1252).decode(bytes);
}
const utf8 = new TextDecoder('utf-8');
const windows1252 = new TextDecoder('windows-1252');

function parseWritten(body: Uint8Array): Parsed<unknown> {
  const strict = parseJson(isUtf8(body) ? body : Buffer.from(inWords(body)));
  return strict.ok ? strict : leniently(body, strict);
}

/**
 * JSON as relays put it together from pieces: line breaks and tabs may stand in a text as they are, a comma before the last
 * bracket, and what was posted as a form may end in `=`. Or several of them, a line each.
 */
function leniently(body: Uint8Array, strict: Parsed<unknown>): Parsed<unknown> {
  const words = inWords(body);
  let isInText = false;
  const mended = words.replace(/=\s*$/, '').replace(/\\.|["\p{Cc}]|,(?=\s*[}\]])/gsu, (sign) => {
    if (sign === '"') isInText = !isInText;
    if (sign === ',') return isInText ? sign : '';
    return isInText && /^\p{Cc}$/u.test(sign) ? JSON.stringify(sign).slice(1, -1) : sign;
  });
  // What is as it was fails as it did.
  const lenient = mended === words && isUtf8(body) ? strict : parseJson(Buffer.from(mended));
  return lenient.ok ? lenient : (inLines(words) ?? strict);
}

/** One more is refused as too many, wherever deliveries are read. */
const MOST_LINES = 2000;

/** Collectors of logs post what they have got as JSON, one line each. */
function inLines(words: string): Parsed<unknown> | undefined {
  const lines = words.split('\n', MOST_LINES + 1).filter((line) => line.trim() !== '');
  if (lines.length < 2 || !lines.every((line) => /^\s*\{/.test(line))) return undefined;
  const values: unknown[] = [];
  for (const line of lines) {
    const parsed = parseJson(Buffer.from(line));
    if (!parsed.ok) return undefined;
    values.push(parsed.value);
  }
  return { ok: true, value: values };
}

/** No form begins with a bracket or a quote, whatever the content type claims. */
export function looksLikeJson(body: Uint8Array): boolean {
  return /^(?:\xef\xbb\xbf)?\s*[{["]/.test(toText(body.subarray(0, 1024)));
}

/** Where nothing says so, a text is a form if it begins with a field. */
function isForm(text: string, contentType: string): boolean {
  return /\bx-www-form-urlencoded\b/i.test(contentType) || /^(?:\xef\xbb\xbf)?[\s&]*[\w.%()[\]+;-]{1,200}=/.test(text);
}

/** More than any provider sends; a form is read into memory field by field. */
const MOST_FIELDS = 200;
const DEEPEST_FIELD = 5;

/** `text`: the bytes of the form, which is ASCII as a rule, but not everybody encodes what is none. */
function parseForm(text: string): Parsed<unknown> {
  // Not `trim`: the last byte of an à that is not encoded would pass for a blank.
  const form = text.replace(/^(?:\xef\xbb\xbf)?[ \t\r\n]*/, '').replace(/(?<![ \t\r\n])[ \t\r\n]+$/, '');
  if (form === '') return refused('the body is empty');
  // No value has a bare `&`: where `&amp;` stands, somebody has escaped the form for a page.
  const pairs = (form.includes('&amp;') ? form.replaceAll('&amp;', '&') : form).split('&', MOST_FIELDS + 1);
  return fieldsOf(
    pairs.map((pair) => {
      const [name = ''] = pair.split('=', 1);
      return [decodeForm(name), decodeForm(pair.slice(name.length + 1))];
    }),
  );
}

/** Names and values as bytes held as texts. A value without a name says nothing. */
function fieldsOf(entries: readonly (readonly [name: string, value: string])[]): Parsed<unknown> {
  if (entries.length > MOST_FIELDS) return refused(`has more than the ${MOST_FIELDS} fields that a form may have`);
  const fields: Fields = {};
  for (const [written, value] of entries) {
    const name = wordsOf(written);
    if (name.includes('__proto__')) return refused('has a key that is not allowed: __proto__');
    const path = pathOf(name);
    if (path.length > DEEPEST_FIELD) return refused('has deeper fields than a form may have');
    if (name !== '') putAt(fields, path, wordsOf(value));
  }
  return { ok: true, value: Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, listed(value)])) };
}

type Fields = Record<string, unknown>;

function pathOf(name: string): readonly string[] {
  const [, first = '', inner = ''] = /^([^[\]]*)((?:\[[^[\]]*\])*)/.exec(name) ?? [];
  if (inner === '') return [name];
  return [...(first === '' ? [] : [first]), ...inner.slice(1, -1).split('][')];
}

/**
 * Puts it where it belongs; what holds nothing there yet, or a text, gives way. Of a field that comes twice the last counts,
 * and one without a name, as in `a[]`, is the next of a list.
 */
export function putAt(fields: Fields, path: readonly string[], value: unknown): void {
  path.reduce((within, written, depth) => {
    const name = written === '' ? nextIn(within) : written;
    const next: unknown = within[name];
    const inner: Fields = isRecord(next) ? next : {};
    within[name] = depth === path.length - 1 ? value : inner;
    return inner;
  }, fields);
}

/** After the highest number in use, as PHP counts: what came with a number of its own stays. */
function nextIn(fields: Fields): string {
  const numbers = Object.keys(fields).map(Number).filter(Number.isSafeInteger);
  return `${Math.max(-1, ...numbers) + 1}`;
}

/** What is numbered from 0 on is a list. */
function listed(value: unknown): unknown {
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).map(([name, inner]) => [name, listed(inner)] as const);
  return entries.every(([name], index) => name === `${index}`)
    ? entries.map(([, inner]) => inner)
    : Object.fromEntries(entries);
}

/** Whoever writes a form, in parts above all, may end lines in a way of its own. */
function wordsOf(text: string): string {
  const words = /[\x80-\xff]/.test(text) ? inWords(toBytes(text)) : text;
  return words.replaceAll('\r\n', '\n');
}

/** Percent-decodes bytes held as a text, whether or not they make sense as UTF-8. */
export function decodeForm(text: string): string {
  if (!/[%+]/.test(text)) return text;
  return text
    .replaceAll('+', ' ')
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function refused(message: string): Parsed<never> {
  return { ok: false, issue: { path: '', message } };
}

/** A part of a multipart body, the line before it included: the parts are the whole body but its end. */
export interface Part {
  readonly text: string;
  readonly name: string;
  /** Where in `text` what it says begins. */
  readonly valueAt: number;
  readonly isFile: boolean;
}

const BOUNDARY = /^\s*(--[^\r\n]{1,200}?)[ \t]{0,200}\r?\n(?=content-)/i;

/** More than any form has: one more is all the rest. A body of 1 MB may have one in each five bytes. */
const MOST_PARTS = 1_000;

/** Undefined where the body is not multipart. It tells its boundary itself, whatever the content type makes of it. */
export function partsOf(body: string): readonly Part[] | undefined {
  const boundary = BOUNDARY.exec(body)?.[1];
  if (boundary === undefined) return undefined;
  const line = new RegExp(`(?:^\\s*|\\r?\\n)${boundary.replace(/[^\w-]/g, '\\$&')}(--)?[ \\t]*(?=\\r?\\n|$)`, 'g');
  const marks: RegExpExecArray[] = [];
  for (const mark of body.matchAll(line)) if (marks.push(mark) > MOST_PARTS) break;
  const last = marks.findIndex(([, end]) => end !== undefined);
  return (last < 0 ? marks : marks.slice(0, last)).map(({ index }, i) =>
    partOf(body.slice(index, marks[i + 1]?.index ?? body.length)),
  );
}

function partOf(text: string): Part {
  const [head = ''] = /^\s*--[^\r\n]*(?:\r?\n[^\r\n]+)*(?:\r?\n){0,2}/.exec(text) ?? [];
  const disposition = /\bcontent-disposition:([^\r\n]*)/i.exec(head)?.[1] ?? '';
  const [, quoted, bare] = /[;\s]name=(?:"([^"]*)"|([^\s;"]+))/i.exec(disposition) ?? [];
  return { text, name: quoted ?? bare ?? '', valueAt: head.length, isFile: /[;\s]filename\*?=/i.test(disposition) };
}

/** A search for what it may not hold: matched from end to end, a text of megabytes exhausts the stack. */
const isBase64 = (text: string) => text.length >= 16 && !/[^\w+/-]/.test(text.replace(/={1,2}$/, ''));

/** What base64 says, where that may be a delivery; proxies hand over bodies so. */
function base64In(text: string): Buffer | undefined {
  // Most texts show by their first signs that they are none.
  if (/[^\w+/=\s-]/.test(text.slice(0, 100))) return undefined;
  const written = text.replace(/\s+/g, '');
  if (!isBase64(written)) return undefined;
  const bytes = Buffer.from(written, 'base64');
  const said = toText(bytes);
  // A file among the parts is no text, and gzip is none at all.
  if (partsOf(said) || said.startsWith('\x1f\x8b') || utf16In(bytes)) return bytes;
  const mayBeDelivery = looksLikeJson(bytes) || said.includes('=');
  // Words in Latin letters pass for base64, too, but then say nothing that is text.
  return mayBeDelivery && isUtf8(bytes) && !/[^\P{Cc}\s]/u.test(said.replace(/[\x80-\xff]/g, '')) ? bytes : undefined;
}

/** As Node writes bytes in JSON: `{"type":"Buffer","data":[123,34]}`. */
export function bytesIn(value: unknown): Buffer | undefined {
  if (!isRecord(value) || value.type !== 'Buffer' || !Array.isArray(value.data)) return undefined;
  return value.data.every((byte) => Number.isInteger(byte)) ? Buffer.from(value.data) : undefined;
}
