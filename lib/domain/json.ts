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
    return {
      ok: false,
      // To find the place may take as long as reading ten such bodies, and of most texts that are tried nobody asks for it.
      get issue() {
        return { path: '', message: `not valid JSON at ${placeOf(error, text)}` };
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
  const isCutOff = /^(?:Unexpected end|Unterminated)/.test(message);
  if (position === undefined && !isCutOff && text.length > LONGEST_SEARCHED)
    return 'a place that is not looked for in so long a text';
  const before = text.slice(0, isCutOff ? text.length : Number(position ?? misplacedAt(text)));
  const place = `line ${before.split('\n').length}, column ${before.length - before.lastIndexOf('\n')}`;
  if (isCutOff) return `${place}: it stops before its end: a quote or bracket is missing`;
  return `${place}: ${message.startsWith('Bad control') ? LINE_BREAK : REMEDY}`;
}

const LINE_BREAK = 'a line break inside a text is written \\n, a tab \\t';
const REMEDY = 'a comma or double quote is missing or too many; inside a text " is written \\" and \\ is written \\\\';

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
