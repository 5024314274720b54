import { parseJson } from '#lib/domain/json.ts';
import {
  base64In,
  bytesIn,
  decodeForm,
  encodeForm,
  encodingOf,
  looksLikeJson,
  MOST_ENCODINGS,
  MOST_UNPACKED,
  type Part,
  partsOf,
  type Room,
  roomToUnpack,
  toBytes,
  toText,
} from '#lib/inbox/body.ts';
import { isHolder } from '#lib/inbox/relayed.ts';

/**
 * `secret`, `data[secret]`, `amp;secret`, but neither `secrets` nor `my_secret`. Relays call it by a header's name:
 * `x-webhook-secret`, `authorization`.
 */
export function isSecretName(name: string): boolean {
  return /secret|authorization/i.test(name) && SECRET_NAME.test(name);
}

const SECRET_NAME =
  /(?:^|[^\w-])(?:http[-_])?(?:authorization|(?:x[-_](?:[a-z\d]+[-_]){0,3}|(?:web[-_]?hook|hook|zender)[-_]?)?secret)(?:$|[^\w-])/i;

/** Under such names stand addresses that somebody called, with what they asked for. */
const ADDRESS = /^(?:(?:original|request|raw|full|webhook)_?)?(?:ur[il]|href|path|query_?string|search)$/i;

/** A file of Zender's may stand under one of these names: its link stays as it is. */
export const isAddress = (name: string, holder: string): boolean => ADDRESS.test(name) && !/^data$/i.test(holder);

/** What all texts within one body share while they are cut, and how many hold this one. */
interface Walk {
  readonly room: Room;
  readonly depth: number;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * JSON without its members named `secret`, at any depth and however often, and otherwise as it was written: the text is
 * cut, not parsed and written anew, so that it also works on JSON that is broken. Bytes are held as Latin-1.
 */
function jsonWithoutSecret(text: string, walk: Walk, name = 'body'): string {
  let result = '';
  let from = 0;
  for (const { start, end, text: replacement } of editsOf(text, walk, name)) {
    result += text.slice(from, start) + replacement;
    from = end;
  }
  return result + text.slice(from);
}

/**
 * Where to cut, from left to right. A member goes with the comma before it, or the one after it if it is the first; of a
 * pair `["secret","…"]` the second text goes. `name`: of the member whose value `text` is.
 */
function* editsOf(text: string, walk: Walk, name: string): Generator<Edit> {
  let comma: number | undefined;
  let opensList = false;
  /** Of the member whose value is next. A text that is none, as within a list after others, is somebody's words. */
  let member: string | undefined = name;
  /** Of the members in whose values we are. */
  const holders: string[] = [];
  let namesSecret = false;
  for (let at = 0; at < text.length; ) {
    const char = text.charAt(at);
    if (char !== '"') {
      const bytesEnd = char === '{' && member !== undefined && isHolder(member) ? endOfBytes(text, at) : undefined;
      if (bytesEnd !== undefined && member !== undefined) {
        yield* editOfBytes(text, at, bytesEnd, walk, member);
        at = bytesEnd;
        continue;
      }
      if (!isBlank(char)) comma = char === ',' ? at : undefined;
      opensList = char === '[' || (opensList && isBlank(char));
      namesSecret &&= char !== '{' && char !== '}';
      if (char === '{') holders.push(member ?? '');
      if (char === '}') holders.pop();
      at += 1;
      continue;
    }
    const end = endOfString(text, at);
    const valueAt = afterMark(text, end, ':');
    const said = textOf(text.slice(at, end));
    const pairEnd = opensList && isSecretName(said) ? endOfPair(text, end) : undefined;
    opensList = false;
    if (pairEnd !== undefined) {
      yield { start: end, end: pairEnd, text: '' };
      at = pairEnd;
    } else if (valueAt === undefined) {
      const cleaned = heldWithoutSecret(member ?? '', said, holders.at(-1) ?? '', walk);
      if (cleaned !== said) yield { start: at, end, text: toText(Buffer.from(JSON.stringify(fromLatin1(cleaned)))) };
      namesSecret ||= /^(?:name|key)$/i.test(member ?? '') && isSecretName(said);
      member = undefined;
      at = end;
    } else if (isSecretName(said) || (namesSecret && /^value$/i.test(said))) {
      const valueEnd = endOfValue(text, valueAt);
      const cutEnd = comma === undefined ? (afterMark(text, valueEnd, ',') ?? valueEnd) : valueEnd;
      yield { start: comma ?? at, end: cutEnd, text: '' };
      at = cutEnd;
    } else {
      member = said;
      at = end;
    }
    comma = undefined;
  }
}

/** Where the text ends that is the rest of a list. */
function endOfPair(text: string, from: number): number | undefined {
  const valueAt = afterMark(text, from, ',');
  if (valueAt === undefined || text.charAt(valueAt) !== '"') return undefined;
  const end = endOfString(text, valueAt);
  return ']'.includes(text.charAt(afterBlanks(text, end))) ? end : undefined;
}

/** Where bytes end that begin here, as Node writes them in JSON. */
function endOfBytes(text: string, start: number): number | undefined {
  const bytes = /\{\s*"type"\s*:\s*"Buffer"\s*,\s*"data"\s*:\s*\[[\d,\s]*\]\s*\}/y;
  bytes.lastIndex = start;
  return bytes.test(text) ? bytes.lastIndex : undefined;
}

function* editOfBytes(text: string, start: number, end: number, walk: Walk, name: string): Generator<Edit> {
  const parsed = parseJson(Buffer.from(text.slice(start, end), 'latin1'));
  const held = parsed.ok ? bytesIn(parsed.value)?.toString('latin1') : undefined;
  const cleaned = held === undefined ? undefined : heldWithoutSecret(name, held, '', walk);
  if (cleaned === undefined || cleaned === held) return;
  yield { start, end, text: JSON.stringify(Buffer.from(cleaned, 'latin1')) };
}

/** What a string of JSON says. What is no escape stays as it is: to try each of them as JSON takes its time. */
function textOf(token: string): string {
  const inside = token.slice(1, token.length > 1 && token.endsWith('"') ? -1 : undefined);
  if (!inside.includes('\\')) return inside;
  return inside.replace(ESCAPES, (escapes) => toText(Buffer.from(String(JSON.parse(`"${escapes}"`)))));
}

/** A run of them: two may be one character. */
const ESCAPES = /(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))+/g;

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text.charAt(at) === '\\') at += 1;
    else if (text.charAt(at) === '"') return at + 1;
  }
  return text.length;
}

function endOfValue(text: string, start: number): number {
  if (text.charAt(start) === '"') return endOfString(text, start);
  let depth = 0;
  for (let at = start; at < text.length; ) {
    const char = text.charAt(at);
    if ('}]'.includes(char)) depth -= 1;
    if (depth < 0 || (depth === 0 && (char === ',' || isBlank(char)))) return at;
    if ('{['.includes(char)) depth += 1;
    at = char === '"' ? endOfString(text, at) : at + 1;
  }
  return text.length;
}

/** The place after `mark` and the blanks around it; undefined where something else comes first. */
function afterMark(text: string, from: number, mark: string): number | undefined {
  const at = afterBlanks(text, from);
  return text.charAt(at) === mark ? afterBlanks(text, at + 1) : undefined;
}

function afterBlanks(text: string, from: number): number {
  let at = from;
  while (isBlank(text.charAt(at))) at += 1;
  return at;
}

function isBlank(char: string): boolean {
  return char === ' ' || char === '\n' || char === '\r' || char === '\t';
}

function fromLatin1(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}

/**
 * The body's bytes as they came, but for every field named `secret` in the spellings in which forms and relays are used to
 * write it.
 */
export function cut(body: Uint8Array): Uint8Array {
  const walk = newWalk();
  return inBytes(body, (text) => undone(text, walk, (said) => saidWithoutSecret(said, walk)));
}

const newWalk = (): Walk => ({ room: roomToUnpack(), depth: 0 });

/** The same bytes where nothing has changed. */
function inBytes(body: Uint8Array, change: (text: string) => string): Uint8Array {
  const text = toText(body);
  const changed = change(text);
  return changed === text ? body : toBytes(changed);
}

/** A text with what it says once its encodings are undone cut, and encoded as before. */
function undone(text: string, walk: Walk, change: (said: string) => string, encodings = 0): string {
  const encoded = encodings < MOST_ENCODINGS ? encodedIn(text, walk.room) : undefined;
  if (encoded && !('fault' in encoded)) {
    const cleaned = undone(encoded.text, walk, change, encodings + 1);
    return cleaned === encoded.text ? text : encoded.write(cleaned);
  }
  // Gzip that nobody can unpack has proven nothing, and stays.
  return walk.depth > 0 && encoded?.isBeyond ? NOT_UNPACKED : change(text);
}

/** In the place of what the reading, which walks another way, may have unpacked. */
const NOT_UNPACKED = `gzip beyond the ${MOST_UNPACKED} bytes that all of a body may have once unpacked`;

/** What a text says once its encoding is undone, and the way back; undefined where it has none. */
function encodedIn(text: string, room: Room) {
  const encoded = encodingOf(toBytes(text), room);
  if (encoded)
    return 'fault' in encoded ? encoded : { ...encoded, write: (cleaned: string) => toText(encoded.write(cleaned)) };
  const inner = base64In(text);
  const name = /[-_]/.test(text) ? 'base64url' : 'base64';
  return inner === undefined ? undefined : { text: inner, write: (cleaned: string) => toBytes(cleaned).toString(name) };
}

/** `name`: of the holder under which the text stands. */
function saidWithoutSecret(text: string, walk: Walk, name?: string): string {
  const parts = partsOf(text);
  if (parts) return partsWithoutSecret(text, parts, walk);
  const isWords = name !== undefined && !text.includes('=');
  return isWords || looksLikeJson(toBytes(text.slice(0, 1024)))
    ? jsonWithoutSecret(text, walk, name)
    : formWithoutSecret(text, walk);
}

/** Deeper than relays wrap. */
const DEEPEST = 10;

/** What a relay got, or an address, stands under this name, and no words of somebody's. */
const isHeld = (name: string, holder: string): boolean => isHolder(name) || isAddress(name, holder);

function heldWithoutSecret(name: string, value: string, holder: string, { room, depth }: Walk): string {
  const walk = { room, depth: depth + 1 };
  if (depth === DEEPEST || !isHeld(name, holder)) return value;
  return isAddress(name, holder)
    ? addressWithoutSecret(value, walk)
    : undone(value, walk, (said) => saidWithoutSecret(said, walk, name));
}

/** Of a bare query or of that of a URL. */
function addressWithoutSecret(address: string, walk: Walk): string {
  const [, before = '', query = '', after = ''] = /^([^?]*\?)?([^#]*)(.*)$/s.exec(address) ?? [];
  return query.includes('=') ? `${before}${formWithoutSecret(query, walk)}${after}` : address;
}

/** The parts are the front of the text, each with the line before it. */
function partsWithoutSecret(text: string, parts: readonly Part[], walk: Walk): string {
  const end = parts.reduce((length, part) => length + part.text.length, 0);
  const kept = parts.filter(({ name }) => !isSecretName(name));
  return kept.map((part) => partWithoutSecret(part, walk)).join('') + text.slice(end);
}

function partWithoutSecret({ text, name, valueAt, isFile }: Part, walk: Walk): string {
  const { field, holder } = fieldOf(name);
  if (isFile) return text;
  const value = text.slice(valueAt);
  // The line end before the next boundary is none of what the part says.
  const end = /\r?\n?$/.exec(value)?.[0] ?? '';
  return (
    text.slice(0, valueAt) + heldWithoutSecret(field, value.slice(0, value.length - end.length), holder, walk) + end
  );
}

function formWithoutSecret(text: string, walk: Walk): string {
  const pairs = text.split('&').map((written, index) => {
    // A form that somebody has escaped for a page is parted by `&amp;`; its first pair has nothing before it.
    const mark = index > 0 && written.startsWith('amp;') ? 'amp;' : '';
    return { mark, left: pairWithoutSecret(written.slice(mark.length), walk) };
  });
  const kept = pairs.filter(({ left }) => left !== undefined);
  return kept.map(({ mark, left }, index) => (index === 0 && pairs[0] !== kept[0] ? left : `${mark}${left}`)).join('&');
}

/** Undefined where nothing of it is kept. */
function pairWithoutSecret(pair: string, walk: Walk): string | undefined {
  const [written = ''] = pair.split('=', 1);
  const name = decodeForm(written);
  if (isSecretName(name)) return isFieldName(name) ? undefined : withoutSecretInText(pair, walk);
  const { field, holder } = fieldOf(name);
  if (!isHeld(field, holder)) return pair;
  const value = decodeForm(pair.slice(written.length + 1));
  const cleaned = heldWithoutSecret(field, value, holder, walk);
  return cleaned === value ? pair : `${written}=${encodeForm(cleaned)}`;
}

/** Any text can be read as a form; what no form has for a name is somebody's words, and kept. */
export function isFieldName(name: string): boolean {
  return /^\s*[\w.[\];-]+\s*$/.test(name);
}

/** `event[request][url]` is the field `url` of `request`. */
function fieldOf(name: string): { readonly field: string; readonly holder: string } {
  if (!name.includes('[')) return { field: name, holder: '' };
  const [field = '', holder = ''] = name.replaceAll(']', '').split('[').reverse();
  return { field, holder };
}

/** Words, XML, or JSON in percent signs: they stay, but for a secret among them. */
function withoutSecretInText(text: string, walk: Walk): string {
  const cut = roughlyWithoutSecret(text);
  const decoded = decodeForm(cut);
  const cleaned = roughlyWithoutSecret(jsonWithoutSecret(decoded, walk));
  return cleaned === decoded ? cut : encodeForm(cleaned);
}

/** Whatever follows the name, as JavaScript, a form, a multipart body or XML has it; its value is one of the groups. */
const AFTER = /\s*[:=]\s*|\r?\n(?:[^\r\n]+\r?\n){0,4}\r?\n/.source;
const VALUE = /"([^"]*)"?|'([^']*)'?|&quot;([\s\S]*?)(?:&quot;|$)|([^\s,;&}\]]*)/.source;
const XML = /<secret\b[^<>]*>(?:<!\[CDATA\[)?([^<]*?)(?=\]\]>|<|$)/.source;
const ROUGHLY = new RegExp(`${XML}|(?:["']|&quot;)?\\bsecret(?:["')\\]}]|&quot;){0,3}(?:${AFTER})(?:${VALUE})`, 'gi');

/** What a secret's value would be in what nobody can parse. */
export function roughSecretsIn(body: Uint8Array): readonly string[] {
  const encoded = encodingOf(body, roomToUnpack());
  const text = encoded && 'text' in encoded ? encoded.text : toText(body);
  return Array.from(text.matchAll(ROUGHLY), ([, ...values]) => values.find((value) => value !== undefined) ?? '');
}

/** The same without them. */
export const roughlyCut = (body: Uint8Array): Uint8Array =>
  inBytes(body, (text) => undone(text, newWalk(), roughlyWithoutSecret));

function roughlyWithoutSecret(text: string): string {
  return text.replace(ROUGHLY, (found, xml: string | undefined) =>
    xml === undefined ? '' : found.slice(0, found.length - xml.length),
  );
}
