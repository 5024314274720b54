import { sha256 } from '#lib/domain/ids.ts';
import { isRecord, parseJson } from '#lib/domain/json.ts';
import type { Delivery, Proof } from '#lib/inbox/provider.ts';
import { decodeForm, deliveriesIn, encodeForm, HOLDER, looksLikeJson, type Part, parseBody, partsOf } from './body.ts';

/** `secret`, `data[secret]`, `amp;secret`, but neither `secrets` nor `my_secret`. */
function isSecretName(name: string): boolean {
  return /(?:^|[^\w-])secret(?:$|[^\w-])/i.test(name);
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
function jsonWithoutSecret(text: string): string {
  // An escape may spell the name otherwise.
  if (!/secret|\\/i.test(text)) return text;
  let result = '';
  let from = 0;
  for (const { start, end, text: replacement } of editsOf(text)) {
    result += text.slice(from, start) + replacement;
    from = end;
  }
  return result + text.slice(from);
}

/**
 * Where to cut, from left to right. A member goes with the comma before it, or the one after it if it is the first; of a
 * pair `["secret","…"]` the second text goes.
 */
function* editsOf(text: string): Generator<Edit> {
  let comma: number | undefined;
  let opensList = false;
  // A text holds JSON, or a form, where it is the whole body, or `data` and its like: any other is somebody's message.
  let mayHoldJson = true;
  for (let at = 0; at < text.length; ) {
    if (text.charAt(at) !== '"') {
      if (text.charAt(at) === ',') comma = at;
      else if (!isBlank(text.charAt(at))) comma = undefined;
      opensList = text.charAt(at) === '[' || (opensList && isBlank(text.charAt(at)));
      at += 1;
      continue;
    }
    const end = endOfString(text, at);
    const valueAt = afterMark(text, end, ':');
    const name = valueAt === undefined ? undefined : textOf(text.slice(at, end));
    const pairEnd = opensList && isSecretName(textOf(text.slice(at, end))) ? endOfPair(text, end) : undefined;
    opensList = false;
    if (pairEnd !== undefined) {
      yield { start: end, end: pairEnd, text: '' };
      at = pairEnd;
    } else if (valueAt !== undefined && name !== undefined && isSecretName(name)) {
      const valueEnd = endOfValue(text, valueAt);
      const cutEnd = comma === undefined ? (afterMark(text, valueEnd, ',') ?? valueEnd) : valueEnd;
      yield { start: comma ?? at, end: cutEnd, text: '' };
      at = cutEnd;
    } else {
      if (name === undefined && mayHoldJson) yield* editOfText(text, at, end);
      mayHoldJson = name !== undefined && HOLDER.test(name);
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

function* editOfText(text: string, start: number, end: number): Generator<Edit> {
  const value = textOf(text.slice(start, end));
  const cleaned = value.includes('=') ? textWithoutSecret(value) : jsonWithoutSecret(value);
  if (cleaned !== value) yield { start, end, text: toLatin1(JSON.stringify(fromLatin1(cleaned))) };
}

/** What a string of JSON says; its inside as it stands, where it is none. */
function textOf(token: string): string {
  if (!token.includes('\\')) return token.slice(1, token.length > 1 && token.endsWith('"') ? -1 : undefined);
  const parsed = parseJson(Buffer.from(token, 'latin1'));
  return parsed.ok && typeof parsed.value === 'string' ? toLatin1(parsed.value) : token.slice(1, -1);
}

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

function toLatin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function fromLatin1(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}

/** The secret stands in the body, or in what a relay has wrapped: two that differ prove nothing. */
export function proofOf(_delivery: Delivery, body: unknown): Proof {
  const bodies = [body, ...deliveriesIn(body).map(({ delivery }) => delivery)];
  const presented = bodies.map((one) => (isRecord(one) ? one.secret : undefined)).filter((one) => one !== undefined);
  // A relay that guesses types makes a number of a secret in digits.
  const isSecret = presented.every((one) => typeof one === 'string' || typeof one === 'number');
  const [secret, ...others] = new Set(presented.map(String));
  return isSecret && secret !== undefined && others.length === 0 ? { secretHash: sha256(secret) } : {};
}

/**
 * The body's bytes as they came, but for every field named `secret`, however it is spelled and whether or not the
 * webhook has one set: nothing that is kept or logged may hold it.
 */
export function withoutSecret(body: Uint8Array, contentType: string): Uint8Array {
  // Latin-1 turns each byte into one character and back, so that what is not cut stays as it was.
  const text = Buffer.from(body).toString('latin1');
  const cut = textWithoutSecret(text);
  const cleaned = parseBody(body, contentType).ok ? cut : roughlyWithoutSecret(cut);
  return cleaned === text ? body : Buffer.from(cleaned, 'latin1');
}

function textWithoutSecret(text: string): string {
  const parts = partsOf(text);
  if (parts) return partsWithoutSecret(text, parts);
  return looksLikeJson(Buffer.from(text, 'latin1')) ? jsonWithoutSecret(text) : formWithoutSecret(text);
}

/** The parts are the front of the text, each with the line before it. */
function partsWithoutSecret(text: string, parts: readonly Part[]): string {
  const end = parts.reduce((length, part) => length + part.text.length, 0);
  const kept = parts.filter(({ name }) => !isSecretName(name));
  return kept.map(partWithoutSecret).join('') + text.slice(end);
}

function partWithoutSecret({ text, name, valueAt, isFile }: Part): string {
  if (isFile || !HOLDER.test(name)) return text;
  return text.slice(0, valueAt) + textWithoutSecret(text.slice(valueAt));
}

function formWithoutSecret(text: string): string {
  return text.split('&').flatMap(keptOf).join('&');
}

function keptOf(pair: string): string[] {
  const name = decodeForm(nameOf(pair));
  if (!isSecretName(name)) return [withoutSecretInData(pair)];
  return isFormKey(name) ? [] : [withoutSecretInText(pair)];
}

/** Any text can be read as a form; what no form has for a name is somebody's words, and kept. */
function isFormKey(name: string): boolean {
  return /^\s*[\w.[\];-]+\s*$/.test(name);
}

function nameOf(pair: string): string {
  const end = pair.indexOf('=');
  return end < 0 ? pair : pair.slice(0, end);
}

/** `data` may be JSON within the form, and what a relay has wrapped a form. */
function withoutSecretInData(pair: string): string {
  const name = nameOf(pair);
  if (!HOLDER.test(decodeForm(name))) return pair;
  const value = decodeForm(pair.slice(name.length + 1));
  const cleaned = textWithoutSecret(value);
  return cleaned === value ? pair : `${name}=${encodeForm(cleaned)}`;
}

/** Words, XML, or JSON in percent signs: they stay, but for a secret among them. */
function withoutSecretInText(text: string): string {
  const cut = roughlyWithoutSecret(text);
  const decoded = decodeForm(cut);
  const cleaned = roughlyWithoutSecret(jsonWithoutSecret(decoded));
  return cleaned === decoded ? cut : encodeForm(cleaned);
}

/** For what nobody can parse: whatever follows the name, as JavaScript, a form, a multipart body or XML has it. */
function roughlyWithoutSecret(text: string): string {
  const after = /\s*[:=]\s*|\r?\n(?:[^\r\n]+\r?\n){0,4}\r?\n/.source;
  const value = /"[^"]*"?|'[^']*'?|[^\s,;&}\]]*/.source;
  return text
    .replace(/(<secret\b[^<>]*>)[^<]*/gi, '$1')
    .replace(new RegExp(`["']?\\bsecret["')\\]}]{0,3}(?:${after})(?:${value})`, 'gi'), '');
}
