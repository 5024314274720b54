import { isUtf8 } from 'node:buffer';
import qs from 'qs';
import { isRecord, type Json, type ParsedJson, parseJson } from '#lib/domain/json.ts';
import { known } from '#lib/domain/schema.ts';
import { type Part, partsOf, type Spell, sparingly, spellWithin } from '#lib/inbox/relayed.ts';

/** More than any version sends; a form is read into memory key by key. */
const LIMITS = { depth: 4, strictDepth: true, parameterLimit: 200, throwOnLimitExceeded: true } as const;

/** Zender posts forms with nested keys; relays in between post the same as JSON, not always marked as such. */
export function parseBody(body: Uint8Array, contentType: string): ParsedJson {
  const wide = utf16In(body);
  if (wide) return parseBody(Buffer.from(wide.text, 'latin1'), contentType);
  const text = Buffer.from(body).toString('latin1');
  const inner = base64In(text);
  if (inner !== undefined) return parseBody(Buffer.from(inner, 'latin1'), '');
  const parts = partsOf(text);
  if (parts) return parseForm(formOf(parts));
  if (/^\s*multipart\//i.test(contentType)) return refused('a multipart body without parts');
  if (isJson(body, contentType)) return parseWritten(body);
  // JSON that was taken for the name of a field, without a value.
  return /^\s*(?:%5B)?%7B/i.test(text) ? parseWritten(Buffer.from(decodeForm(text), 'latin1')) : parseForm(text);
}

/** A body in UTF-16, as the bytes of UTF-8 held as Latin-1, and the way back. */
interface Utf16 {
  readonly text: string;
  readonly write: (latin1: string) => Buffer;
}

/** Undefined where a body is not in UTF-16: it tells it by its mark, or by every other byte of its first signs being 0. */
export function utf16In(body: Uint8Array): Utf16 | undefined {
  const [first, second, third, fourth] = body;
  const isLittle = (first === 0xff && second === 0xfe) || (!!first && second === 0 && !!third && fourth === 0);
  const isBig = (first === 0xfe && second === 0xff) || (first === 0 && !!second && third === 0 && !!fourth);
  if (body.length % 2 !== 0 || !(isLittle || isBig)) return undefined;
  const turned = (bytes: Buffer) => (isBig ? bytes.swap16() : bytes);
  return {
    text: Buffer.from(turned(Buffer.from(body)).toString('utf16le')).toString('latin1'),
    write: (latin1) => turned(Buffer.from(Buffer.from(latin1, 'latin1').toString(), 'utf16le')),
  };
}

/** Bytes in UTF-8 or, where they are none, in what Windows writes by itself. */
function inWords(bytes: Uint8Array): string {
  return new TextDecoder(isUtf8(bytes) ? 'utf-8' : 'windows-1252').decode(bytes);
}

/**
 * JSON as relays put it together from pieces: line breaks and tabs may stand in a text as they are, and what was posted
 * as a form may end in `=`.
 */
function parseWritten(body: Uint8Array): ParsedJson {
  const strict = parseJson(isUtf8(body) ? body : Buffer.from(inWords(body)));
  if (strict.ok) return strict;
  let isInText = false;
  const mended = inWords(body)
    .replace(/=\s*$/, '')
    .replace(/\\.|["\p{Cc}]/gsu, (sign) => {
      if (sign === '"') isInText = !isInText;
      return isInText && /^\p{Cc}$/u.test(sign) ? JSON.stringify(sign).slice(1, -1) : sign;
    });
  const lenient = parseJson(Buffer.from(mended));
  return lenient.ok ? lenient : strict;
}

/** The fields as a form in percent signs. A file among them is kept in the body as it came, and nowhere else. */
function formOf(parts: readonly Part[]): string {
  const fields = parts.filter(({ name, isFile }) => name !== '' && !isFile);
  return fields.map(({ text, name, valueAt }) => `${encodeForm(name)}=${encodeForm(text.slice(valueAt))}`).join('&');
}

/** No form of Zender begins with a bracket or a quote, whatever the content type claims. */
export function looksLikeJson(body: Uint8Array): boolean {
  return /^(?:\xef\xbb\xbf)?\s*[{["]/.test(Buffer.from(body.subarray(0, 1024)).toString('latin1'));
}

function isJson(body: Uint8Array, contentType: string): boolean {
  return /[/+]json\b/i.test(contentType) || looksLikeJson(body);
}

/** `latin1`: the bytes of the form, which is ASCII as a rule, but not everybody encodes what is none. */
function parseForm(latin1: string): ParsedJson {
  const text = latin1.replace(/^\xef\xbb\xbf/, '');
  if (text.trim() === '') return refused('the body is empty');
  if (/__proto__/.test(decodeForm(text))) return refused('has a key that is not allowed: __proto__');
  try {
    // The last of several wins, as in PHP. qs leaves names out that objects are born with.
    // No value has a bare `&`: where `&amp;` stands, somebody has escaped the form for a page.
    const fields = qs.parse(text.replaceAll('&amp;', '&'), {
      ...LIMITS,
      duplicates: 'last',
      parseArrays: false,
      decoder: decodeWords,
    });
    return { ok: true, value: toJson(fields) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return refused('more fields, or deeper ones, than a form may have');
  }
}

function toJson(value: unknown): Json {
  if (Array.isArray(value)) return value.map(toJson);
  if (isRecord(value)) return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, toJson(child)]));
  return typeof value === 'string' ? value : null;
}

export const toLatin1 = (text: string): string => Buffer.from(text).toString('latin1');

/** Whoever writes a form, in parts above all, may end lines in a way of its own. */
const decodeWords = (latin1: string): string =>
  inWords(Buffer.from(decodeForm(latin1), 'latin1')).replaceAll('\r\n', '\n');

/** Percent-decodes bytes held as Latin-1, whether or not they make sense as UTF-8. */
export function decodeForm(latin1: string): string {
  return latin1
    .replaceAll('+', ' ')
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function refused(message: string): ParsedJson {
  return { ok: false, issue: { path: '', message } };
}

export function encodeForm(latin1: string): string {
  return latin1.replace(/[^\w.~-]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

/** A search for what it may not hold: matched from end to end, a text of megabytes exhausts the stack. */
const isBase64 = (text: string) => text.length >= 16 && !/[^\w+/-]/.test(text.replace(/={1,2}$/, ''));

/** What base64 says, as Latin-1, where that may be a delivery; proxies hand over bodies so. */
export function base64In(text: string): string | undefined {
  const written = text.replace(/\s+/g, '');
  if (!isBase64(written)) return undefined;
  const bytes = Buffer.from(written, 'base64');
  const said = bytes.toString('latin1');
  // A file among the parts is no text.
  if (partsOf(said)) return said;
  const mayBeDelivery = looksLikeJson(bytes) || said.includes('=');
  // Words in Latin letters pass for base64, too, but then say nothing that is text.
  return mayBeDelivery && isUtf8(bytes) && !/[^\P{Cc}\s]/u.test(said.replace(/[\x80-\xff]/g, '')) ? said : undefined;
}

/** As Node writes bytes in JSON: `{"type":"Buffer","data":[123,34]}`. */
export function bytesIn(value: unknown): Buffer | undefined {
  if (!isRecord(value) || value.type !== 'Buffer' || !Array.isArray(value.data)) return undefined;
  return value.data.every((byte) => Number.isInteger(byte)) ? Buffer.from(value.data) : undefined;
}

/** What a holder holds as a text or as bytes, spelled out: JSON, a form, or either in base64. */
function spelledOut(value: unknown): unknown {
  const bytes = typeof value === 'string' ? Buffer.from(value) : bytesIn(value);
  if (bytes === undefined) return value;
  const parsed = parseBody(bytes, '');
  return parsed.ok ? parsed.value : value;
}

/** For one walk through a body. */
export const speller = (): Spell<unknown> => sparingly(spelledOut);

interface Walk {
  readonly spell: Spell<unknown>;
  /** Of `data`, which in a delivery itself is an object and never a form. */
  readonly spellData: Spell<unknown>;
}

/** A delivery as Zender posts it, and where it stands in the whole body, as `0.body`. */
export interface Found {
  readonly delivery: unknown;
  readonly path: string;
}

/** Deeper than relays wrap. */
const DEEPEST = 4;

/**
 * The deliveries of a body: it is one as a rule. Relays put what they got into a list or an object of their own, beside
 * its headers, and some leave it a text. Where nothing looks like one, the body itself counts.
 */
export function deliveriesIn(raw: unknown): readonly Found[] {
  const walk: Walk = { spell: speller(), spellData: sparingly(objectIn) };
  const body = walk.spell('body', raw);
  const whole = { delivery: unfolded(body, walk), path: '' };
  if (isOfZender(whole.delivery) || isFlat(whole.delivery)) return oneByOne(whole);
  const found = wrappedIn({ delivery: body, path: '' }, walk, 0);
  return found.length > 0 ? found.flatMap(oneByOne) : [whole];
}

/** Several of one type may share an envelope. */
function oneByOne(found: Found): readonly Found[] {
  const { delivery } = found;
  if (!isRecord(delivery) || !Array.isArray(delivery.data) || delivery.data.length === 0) return [found];
  return delivery.data.map((data) => ({ ...found, delivery: { ...delivery, data } }));
}

function wrappedIn({ delivery: raw, path }: Found, walk: Walk, depth: number): readonly Found[] {
  const delivery = unfolded(raw, walk);
  const here = depth > 0 && isWhole(delivery) ? [{ delivery, path }] : [];
  if (depth === DEEPEST || (here.length > 0 && (isOfZender(delivery) || isFlat(delivery)))) return here;
  const inner: Walk = { ...walk, spell: spellWithin(raw, walk.spell) };
  const look = (name: string, value: unknown) =>
    wrappedIn({ delivery: inner.spell(name, value), path: under(path, name) }, inner, depth + 1);
  const within = Array.isArray(raw) ? listedIn(raw, path, look) : namedIn(raw, look);
  return within.length > 0 ? within : here;
}

const under = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

type Look = (name: string, value: unknown) => readonly Found[];

function namedIn(raw: unknown, look: Look): readonly Found[] {
  if (!isRecord(raw)) return [];
  for (const [name, value] of Object.entries(raw)) {
    const found = look(name, value);
    if (found.length > 0) return found;
  }
  return [];
}

/** Relays and queues wrap what they got in events of their own, with a type and data as well. */
export function isOfZender(body: unknown): body is { readonly type: string } {
  return (
    isRecord(body) && typeof body.type === 'string' && /^\s*(?:sms|whatsapp|ussd|notifications?)\s*$/i.test(body.type)
  );
}

/** Where one of a list is a delivery, all are: what is none is to be seen in quarantine. */
function listedIn(list: readonly unknown[], path: string, look: Look): readonly Found[] {
  const found = list.map((entry, index) => look(`${index}`, entry));
  return found.some(({ length }) => length > 0)
    ? list.flatMap((delivery, index) =>
        found[index]?.length ? found[index] : [{ delivery, path: under(path, `${index}`) }],
      )
    : [];
}

/** Within something else only what has all of a delivery is one: many things have a type, or a phone. */
function isWhole(body: unknown): boolean {
  if (!isRecord(body)) return false;
  if (typeof body.type === 'string') return isRecord(body.data);
  return isFlat(body) && body.message !== undefined && body.receive_date !== undefined;
}

/** As the first versions posted it: no type, and the fields beside the secret. */
export function isFlat(body: unknown): boolean {
  return isRecord(body) && body.type === undefined && body.data === undefined && body.phone !== undefined;
}

/** The body with its `data` as an object, where a relay has flattened it or made it a text. */
function unfolded(body: unknown, { spellData }: Walk): unknown {
  if (!isRecord(body)) return body;
  const names = isOfZender(body) ? ANY_FLATTENED : IN_BRACKETS;
  const flat = Object.entries(body).flatMap(([key, value]) => {
    const name = names.exec(key)?.[1];
    return name === undefined ? [] : [[name, value] as const];
  });
  const whole = spellData('data', body.data);
  const data =
    flat.length > 0 ? { ...Object.fromEntries(flat), ...(isRecord(whole) && whole) } : (whole ?? spreadIn(body));
  return data === undefined ? body : { ...body, data: isRecord(data) ? named(decodedTwice(data)) : data };
}

const IN_BRACKETS = /^data\[(\w+)\]$/;
/** Also `data.phone` and, as PHP and some relays make of these, `data_phone` and `data__phone`. */
const ANY_FLATTENED = /^data(?:\[(?=\w+\]$)|\.|__?(?=[a-z]))(\w+)\]?$/;

/** What stands beside the type, where a relay has left `data` out. */
function spreadIn(body: Record<string, unknown>): Record<string, unknown> | undefined {
  const { type: _type, secret: _secret, ...data } = body;
  return isOfZender(body) && (data.phone ?? data.device) !== undefined ? data : undefined;
}

/** What the lists of received messages, which some relays fetch, call otherwise. Sent ones have a status. */
function named(data: Record<string, unknown>): Record<string, unknown> {
  if (data.recipient === undefined || data.status !== undefined || data.api !== undefined) return data;
  const { recipient: phone, account: wid, created: timestamp } = data;
  return { ...known({ phone, wid, timestamp }), ...data };
}

/** A form that somebody has encoded twice shows it by its numbers. */
function decodedTwice(data: Record<string, unknown>): Record<string, unknown> {
  const isTwice = [data.phone, data.wid].some((number) => typeof number === 'string' && /^%2B\d/i.test(number));
  if (!isTwice) return data;
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [
      name,
      typeof value === 'string' ? decodeWords(toLatin1(value)) : value,
    ]),
  );
}

/** What a text holds as JSON. */
function objectIn(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const parsed = parseJson(Buffer.from(value));
  return parsed.ok ? parsed.value : value;
}
