import { isRecord, type Json, type JsonObject, parseJson } from '#lib/domain/json.ts';
import type { Issue } from '#lib/domain/schema.ts';

type ReadBody =
  | { readonly ok: true; readonly fields: JsonObject }
  | { readonly ok: false; readonly issues: readonly Issue[] };

const refused = (message: string, path = ''): ReadBody => ({ ok: false, issues: [{ path, message }] });

const FORM = 'application/x-www-form-urlencoded';
const MULTIPART = 'multipart/form-data';
const BOUNDARY = /^\s*--([^\r\n"]{1,70})\r?\ncontent-disposition:/i;

/**
 * The fields of a body in JSON or as a form. Many tools say that they send a form, or nothing, and send JSON: what begins
 * like JSON is JSON, and what begins like a form of several parts is one.
 */
export async function readBody(body: Uint8Array, contentType = ''): Promise<ReadBody> {
  const type = contentType.split(';')[0]?.trim().toLowerCase();
  const beginning = Buffer.from(body.subarray(0, 1024)).toString('latin1');
  const boundary = BOUNDARY.exec(beginning)?.[1];
  if (boundary !== undefined && !(type === MULTIPART && /boundary=/i.test(contentType)))
    return readMultipart(body, `${MULTIPART}; boundary="${boundary}"`);
  if (type === MULTIPART && !/^(?:\xef\xbb\xbf)?\s*[[{"]/.test(beginning)) return readMultipart(body, contentType);
  const text = textOf(body);
  if (text === undefined) return refused(NOT_UTF8);
  const isForm = /^[\w%.+ [\]-]+=/.test(text) || (type === FORM && text.includes('='));
  return isForm && !/^\s*[[{"]/.test(text) ? readForm(text) : readJson(body, text);
}

const NOT_UTF8 = 'the body is not valid UTF-8: send it in that encoding, and not compressed';

/** Undefined where it is none. UTF-16 without its mark is full of zeros. */
function textOf(body: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

function readJson(body: Uint8Array, text: string): ReadBody {
  const parsed = parseJson(body);
  if (!parsed.ok) {
    const kind = kindOf(text);
    return kind === undefined ? { ok: false, issues: [parsed.issue] } : refused(neither(kind));
  }
  const { value } = parsed;
  if (isObject(value)) return fieldsIn(value);
  if (Array.isArray(value))
    return refused('the body must be an object, and is a list: send it without the [ ] around it');
  const isWrapped = typeof value === 'string' && value.trimStart().startsWith('{');
  return refused(
    isWrapped
      ? 'the body must be an object, and is a text that holds one: send it without the quotes around it'
      : 'the body must be an object, as {"action": "send", "phone": "+14155550123", "text": "Hello"}',
  );
}

const EXAMPLE = '{"action": "send", "phone": "+14155550123", "text": "Hello"}';
const neither = (kind: string) => `the body must be a JSON object or a form, and is ${kind}: send it as ${EXAMPLE}`;

/** What begins with a letter of any script is none of the words of JSON here: those can be read. */
function kindOf(text: string): string | undefined {
  if (/^\s*\p{L}/u.test(text)) return 'plain text';
  return /^\s*</.test(text) ? 'XML or HTML' : undefined;
}

/** Tools for automation put what they are given below a name of their own, alone or beside what else they know. */
const WRAPPER = /^(?:data|body|payload|json|message|params|request|fields|input)$/i;

function fieldsIn(body: JsonObject): ReadBody {
  const names = Object.keys(body);
  const around = names.some((name) => /^action$/i.test(name))
    ? undefined
    : names.flatMap((name) => wrapping(body, name));
  const [first] = around ?? [];
  return first === undefined ? { ok: true, fields: body } : refused(first);
}

/** What is wrong with a body whose fields stand below this name. */
function wrapping(body: JsonObject, name: string): string[] {
  const inner = body[name];
  const isAlone = Object.keys(body).length === 1;
  if (isAlone && name.startsWith('{')) return ['the form has JSON for the name of a field: send the JSON as it stands'];
  if (!WRAPPER.test(name)) return [];
  const marks = marksAround(inner, isAlone);
  if (marks === undefined) return [];
  return [`the fields must stand in the body itself: send it without "${name}": ${marks} around them`];
}

function marksAround(inner: Json | undefined, isAlone: boolean): string | undefined {
  if (isRecord(inner)) return isAlone || Object.hasOwn(inner, 'action') ? '{ }' : undefined;
  if (Array.isArray(inner)) return inner.some(isRecord) ? '[ ]' : undefined;
  return typeof inner === 'string' && inner.trimStart().startsWith('{') ? '" "' : undefined;
}

const isObject = (value: Json): value is JsonObject => isRecord(value);

function readForm(text: string): ReadBody {
  const parts = text.trim().split('&');
  // The end of a text would be lost without a word.
  if (parts.some((part) => part !== '' && !part.includes('=')))
    return refused('a part of the form has no "=": write & inside a value as %26');
  const decoded = [...new URLSearchParams(text.trim())];
  if (areBroken(decoded, /\ufffd|%ef%bf%bd/i.test(text))) return refused(NOT_UTF8);
  return fieldsOf(decoded.map(([name, value]) => [name, withPlus(name, value)]));
}

/** Decoders put a mark in the place of what is no UTF-8; somebody may have written that mark. */
const areBroken = (entries: readonly (readonly [string, string])[], isWritten: boolean): boolean =>
  !isWritten && entries.some((entry) => entry.join('').includes('\ufffd'));

/** A plus sign that nobody has encoded is a blank in a form. */
const withPlus = (name: string, value: string): string =>
  /phone$/.test(name) && /^ ?\s*\d/.test(value) && value.startsWith(' ') ? `+${value.trimStart()}` : value;

async function readMultipart(body: Uint8Array, contentType: string): Promise<ReadBody> {
  let form: FormData;
  try {
    const headers = { 'content-type': contentType };
    form = await new Response(new Uint8Array(body), { headers }).formData();
  } catch {
    // Of what is wrong the parser tells nothing.
    return refused(
      'the body is not the multipart form that its Content-Type says; its boundary must be the same in both, and its lines end in CR LF',
    );
  }
  const entries: [string, string][] = [];
  for (const [name, value] of form) {
    // A field for a file in which somebody has chosen none.
    if (typeof value !== 'string' && value.name === '' && value.size === 0) continue;
    if (typeof value !== 'string')
      return refused('is a file: give a link to it as file_url, and its name as file_name', name);
    entries.push([name, value]);
  }
  if (areBroken(entries, Buffer.from(body).includes('\ufffd'))) return refused(NOT_UTF8);
  return fieldsOf(entries);
}

/** A name twice with two values: nobody can tell which one counts. An empty one is as good as none. */
function fieldsOf(entries: readonly (readonly [string, string])[]): ReadBody {
  const fields = new Map<string, string>();
  for (const [name, value] of entries) {
    const other = fields.get(name) ?? '';
    if (other !== '' && value !== '' && other !== value) return refused('is given twice: give it once', name);
    fields.set(name, value === '' ? other : value);
  }
  return fieldsIn(Object.fromEntries(fields));
}
