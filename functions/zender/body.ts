import qs from 'qs';
import { isRecord, type Json, type ParsedJson, parseJson } from '#lib/domain/json.ts';

/** More than any version sends; a form is read into memory key by key. */
const LIMITS = { depth: 4, strictDepth: true, parameterLimit: 200, throwOnLimitExceeded: true } as const;

/** Zender posts forms with nested keys; relays in between post the same as JSON, not always marked as such. */
export function parseBody(body: Uint8Array, contentType: string): ParsedJson {
  if (/^\s*multipart\//i.test(contentType)) return refused('a multipart body is not read');
  return isJson(body, contentType) ? parseJson(body) : parseForm(body);
}

/** No form of Zender begins with a bracket or a quote, whatever the content type claims. */
export function looksLikeJson(body: Uint8Array): boolean {
  return /^(?:\xef\xbb\xbf)?\s*[{["]/.test(Buffer.from(body.subarray(0, 1024)).toString('latin1'));
}

function isJson(body: Uint8Array, contentType: string): boolean {
  return /[/+]json\b/i.test(contentType) || looksLikeJson(body);
}

function parseForm(body: Uint8Array): ParsedJson {
  const text = Buffer.from(body);
  // A form is ASCII; whoever does not encode it at all still writes UTF-8.
  if (!Buffer.from(text.toString('utf8')).equals(text)) return refused('the body is not valid UTF-8');
  if (text.toString('utf8').trim() === '') return refused('the body is empty');
  if (/__proto__/.test(decodeForm(text.toString('latin1')))) return refused('has a key that is not allowed: __proto__');
  try {
    // The last of several wins, as in PHP. qs leaves names out that objects are born with.
    const fields = qs.parse(text.toString('utf8'), { ...LIMITS, duplicates: 'last', parseArrays: false });
    return { ok: true, value: toJson(fields) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return refused('more fields, or deeper ones, than a form may have');
  }
}

function toJson(value: qs.ParsedQs[string]): Json {
  if (value === undefined || typeof value === 'string') return value ?? null;
  if (Array.isArray(value)) return value.map(toJson);
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, toJson(child)]));
}

/** Percent-decodes bytes held as Latin-1, whether or not they make sense as UTF-8. */
export function decodeForm(latin1: string): string {
  return latin1
    .replaceAll('+', ' ')
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function refused(message: string): ParsedJson {
  return { ok: false, issue: { path: '', message } };
}

/** The body with its `data` as an object, where a relay has flattened it (`"data[phone]"`) or made it a text. */
export function unfolded(body: unknown): unknown {
  if (!isRecord(body)) return body;
  const flat = Object.entries(body).flatMap(([key, value]) => {
    const name = /^data\[(\w+)\]$/.exec(key)?.[1];
    return name === undefined ? [] : [[name, value] as const];
  });
  const data = typeof body.data === 'string' ? objectIn(body.data) : body.data;
  if (flat.length === 0) return data === undefined ? body : { ...body, data };
  return { ...body, data: { ...(isRecord(data) && data), ...Object.fromEntries(flat) } };
}

/** The object that a text holds as JSON, or else the text. */
function objectIn(text: string): unknown {
  const parsed = parseJson(Buffer.from(text));
  return parsed.ok ? parsed.value : text;
}
