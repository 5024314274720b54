import { isRecord, type Json, type JsonObject, parseJson } from '#lib/domain/json.ts';
import type { Issue } from '#lib/domain/schema.ts';

type ReadBody =
  | { readonly ok: true; readonly fields: JsonObject }
  | { readonly ok: false; readonly issues: readonly Issue[] };

const refused = (message: string, path = ''): ReadBody => ({ ok: false, issues: [{ path, message }] });

const FORM = 'application/x-www-form-urlencoded';

/**
 * The fields of a body in JSON or as a form. Many tools say that they send a form, or nothing, and send JSON: what begins
 * like JSON is JSON.
 */
export async function readBody(body: Uint8Array, contentType = ''): Promise<ReadBody> {
  const type = contentType.split(';')[0]?.trim().toLowerCase();
  if (type === 'multipart/form-data') return readMultipart(body, contentType);
  const text = Buffer.from(body).toString('utf8');
  const isForm = /^[\w%.+ -]+=/.test(text) || (type === FORM && text.trim() !== '');
  return isForm && !/^\s*[[{"]/.test(text) ? readForm(text) : readJson(body);
}

function readJson(body: Uint8Array): ReadBody {
  const parsed = parseJson(body);
  if (!parsed.ok) return isPlainText(body) ? refused(PLAIN_TEXT) : { ok: false, issues: [parsed.issue] };
  const { value } = parsed;
  if (isObject(value)) return wrapped(value) ?? { ok: true, fields: value };
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
const PLAIN_TEXT = `the body must be a JSON object or a form, and is plain text: send it as ${EXAMPLE}`;

/** It begins with a letter of any script, and is none of the words of JSON. */
function isPlainText(body: Uint8Array): boolean {
  const text = Buffer.from(body).toString('utf8');
  return /^\s*\p{L}/u.test(text) && !text.includes('\ufffd');
}

/** Tools for automation put what they are given below a name of their own. */
function wrapped(body: JsonObject): ReadBody | undefined {
  const [[name, inner] = ['', null], ...others] = Object.entries(body);
  if (others.length > 0 || !/^(?:data|body|payload|json|message|params|request|fields|input)$/i.test(name))
    return undefined;
  if (isRecord(inner))
    return refused(`the fields must stand in the body itself: send it without "${name}": { } around them`);
  const isText = typeof inner === 'string' && inner.trimStart().startsWith('{');
  return isText
    ? refused(`the fields must stand in the body itself: send it without "${name}": " " around them`)
    : undefined;
}

const isObject = (value: Json): value is JsonObject => isRecord(value);

function readForm(text: string): ReadBody {
  const decoded = new URLSearchParams(text.trim());
  const isBroken = [...decoded].some((entry) => entry.join('').includes('\ufffd'));
  if (isBroken && !/\ufffd|%ef%bf%bd/i.test(text)) return refused('the body is not valid UTF-8');
  return fieldsOf([...decoded].map(([name, value]) => [name, withPlus(name, value)]));
}

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
      'the body is not the multipart form that its Content-Type says; its boundary must be the same in both',
    );
  }
  const entries: [string, string][] = [];
  for (const [name, value] of form) {
    if (typeof value !== 'string')
      return refused('is a file: give a link to it as file_url, and its name as file_name', name);
    entries.push([name, value]);
  }
  return fieldsOf(entries);
}

/** A name twice with two values: nobody can tell which one counts. */
function fieldsOf(entries: readonly (readonly [string, string])[]): ReadBody {
  const fields = new Map<string, string>();
  for (const [name, value] of entries) {
    if (fields.has(name) && fields.get(name) !== value) return refused('is given twice: give it once', name);
    fields.set(name, value);
  }
  return { ok: true, fields: Object.fromEntries(fields) };
}
