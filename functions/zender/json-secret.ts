import { parseJson } from '#lib/domain/json.ts';
import { isSecretName } from './secret-name.ts';

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * JSON without its members named `secret`, at any depth and however often, and otherwise as it was written: the text is
 * cut, not parsed and written anew, so that it also works on JSON that is broken. Bytes are held as Latin-1.
 */
export function jsonWithoutSecret(text: string): string {
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
  // A text holds JSON where it is the whole body, or `data`: any other is somebody's message, and left alone.
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
      mayHoldJson = name === 'data';
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
  const cleaned = jsonWithoutSecret(value);
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
