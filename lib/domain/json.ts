import { lazily } from './lazily.ts';
import { redacted } from './redact.ts';
import type { Issue } from './schema.ts';

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** Keys are the sender's, and may be as long as the body. */
const LONGEST_PATH = 200;

export type Parsed<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly issue: Issue };
export type ParsedJson = Parsed<Json>;

/** To make one costs more than to read an ordinary body. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Deeper nesting than any provider sends; a reader that recurses must not run out of stack. */
const MAX_DEPTH = 32;

/** What is compressed cannot be read as UTF-8 either, whatever it was compressed by. */
export const NOT_UTF8 =
  'the body is not valid UTF-8: send it in that encoding, not compressed, and without Content-Encoding';

/**
 * JSON from UTF-8 bytes. Refuses what is no UTF-8 or no JSON (with line and column, never a piece of the body), nesting
 * beyond 32 levels, and a key `__proto__`, which would reach an object's prototype when copied.
 */
export function parseJson(bytes: Uint8Array): ParsedJson {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return refused(NOT_UTF8);
  }
  if (text.trim() === '') return refused('the body is empty');
  try {
    const value: Json = JSON.parse(text);
    return checked(value);
  } catch (error) {
    // To find the place may take as long as reading ten such bodies, and of most texts that are tried nobody asks for it.
    const issue = lazily(() => ({ path: '', message: `not valid JSON at ${placeOf(error, text)}` }));
    return {
      ok: false,
      get issue() {
        return issue();
      },
    };
  }
}

function checked(value: Json): ParsedJson {
  const fault = isContainer(value) ? faultIn(value, '', 1) : undefined;
  return fault === undefined ? { ok: true, value } : { ok: false, issue: fault };
}

const isContainer = (value: Json): value is JsonObject | readonly Json[] => typeof value === 'object' && value !== null;

function faultIn(value: JsonObject | readonly Json[], path: string, depth: number): Issue | undefined {
  if (depth > MAX_DEPTH) return { path: '', message: `nested deeper than ${MAX_DEPTH} levels` };
  for (const [key, child] of Object.entries(value)) {
    if (key === '__proto__')
      return { path: redacted(path).slice(0, LONGEST_PATH), message: 'has a key that is not allowed: __proto__' };
    const fault = isContainer(child) ? faultIn(child, path === '' ? key : `${path}.${key}`, depth + 1) : undefined;
    if (fault) return fault;
  }
  return undefined;
}

function refused(message: string): ParsedJson {
  return { ok: false, issue: { path: '', message } };
}

/** To find a place that V8 does not name takes as long as reading a text twenty times. */
const LONGEST_SEARCHED = 100_000;

/** V8 names a position in its message for most faults, and none for an early end or for a character out of place. */
function placeOf(error: unknown, text: string): string {
  const message = error instanceof Error ? error.message : '';
  const position = /at position (\d+)/.exec(message)?.[1];
  const isCutOff = message.startsWith('Unexpected end');
  if (position === undefined && !isCutOff && text.length > LONGEST_SEARCHED)
    return 'a place that is not looked for in so long a text';
  const unplaced = () => (isCutOff ? text.length : misplacedAt(text));
  const at = position === undefined ? unplaced() : Number(position);
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  const remedy = message.includes('after JSON') ? ONE_VALUE : remedyAt(text, at);
  return `line ${line}, column ${before.length - before.lastIndexOf('\n')}${remedy}`;
}

const ONE_VALUE = ': nothing may stand after the last bracket';

/** What programs that put JSON together from pieces get wrong most. */
function remedyAt(text: string, at: number): string {
  const found = text.charAt(at);
  if (/[\n\r]/.test(found) && isWithinText(text, at)) return ': a line break inside a text is written \\n';
  if (found !== '' && found < ' ' && isWithinText(text, at))
    return ': a tab or control character inside a text is written \\t or \\u0000';
  if (/[^\s,:\]}"]/.test(found) && endsText(text, at)) return ': a quote inside a text is written \\"';
  return punctuationAt(text, at);
}

/** The same where a text has begun and ended as it must. */
function punctuationAt(text: string, at: number): string {
  const found = text.charAt(at);
  const before = text.slice(0, at).trimEnd().slice(-1);
  if (found === '') return ': it stops before its end: a quote or bracket is missing';
  if (text[at - 1] === '\\') return ': a backslash inside a text is written \\\\';
  if (found === '{' && before === '{') return ': whoever has sent it has not filled in {{ }}';
  if (/^(?:\/[/*]|#)/.test(text.slice(at, at + 2))) return ': JSON has no comments';
  if (/[\]}]/.test(found) && before === ',') return ': there is a comma too many before it';
  if (/[,\]}]/.test(found) && before === ':') return ': there is nothing where a value must be: write "" for none';
  if (/["{[]/.test(found) && /["\d\]}el]/.test(before)) return ': a comma is missing before it';
  if (FOREIGN.test(text.slice(at, at + 20))) return ': outside of quotes stand numbers, true, false and null alone';
  if (found === '+' || (/\d/.test(found) && before === '0'))
    return ': a number with + or with zeros before it stands in double quotes';
  return /['‘’“”„«»_\p{L}]/u.test(found) ? ': texts and names stand in straight double quotes' : '';
}

/** Values as other languages write them, and no names. */
const FOREIGN = /^(?:True|False|None|undefined|NaN|Infinity)\b(?!\s*:)/;

/** The remedies are for what people write by hand. */
const LONGEST_TEXT = 2000;

/** A text, and not its name, ends right before it, or before the blanks there: it was meant to go on. */
function endsText(text: string, at: number): boolean {
  const line = text.slice(Math.max(text.lastIndexOf('\n', at - 1) + 1, at - LONGEST_TEXT), at).replace(/\\./g, '');
  return /[:[,]\s*"[^"]*"\s*$/.test(line);
}

/** An odd number of quotes stands before it in its line. */
function isWithinText(text: string, at: number): boolean {
  const line = text.slice(text.lastIndexOf('\n', at - 1) + 1, at);
  return line.replace(/\\./g, '').split('"').length % 2 === 0;
}

/** Where the first character stands that fits nowhere; the end of the text where it merely stops too soon. */
function misplacedAt(text: string): number {
  let [fine, bad] = [0, text.length + 1];
  while (bad - fine > 1) {
    const middle = Math.floor((fine + bad) / 2);
    if (isMisplacedWithin(text.slice(0, middle))) bad = middle;
    else fine = middle;
  }
  return bad - 1;
}

/** A text that is merely cut off fails in other words. */
function isMisplacedWithin(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch (error) {
    return error instanceof Error && error.message.startsWith('Unexpected token');
  }
}

/** The same JSON for the same content, whatever the order of keys. Keys without a value are left out. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, child: unknown) =>
    isRecord(child)
      ? Object.fromEntries(
          Object.keys(child)
            .sort()
            .map((key) => [key, child[key]]),
        )
      : child,
  );
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
