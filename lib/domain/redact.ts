import { timingSafeEqual } from 'node:crypto';

const BYTES = 32;

/**
 * Whether two SHA-256 in hex are of the same secret: secrets are kept as hashes only. Digests are of one length, so the
 * time taken tells nothing about how much of a guess was right.
 */
export function matchesHash(presented: string, expected: string): boolean {
  const [actual, wanted] = [Buffer.from(presented, 'hex'), Buffer.from(expected, 'hex')];
  return actual.length === BYTES && wanted.length === BYTES && timingSafeEqual(actual, wanted);
}

/*
 * What is logged, kept with an attempt or answered as an error holds no secret. Secrets are told by three things:
 * their value, where it is known; their name, as `token=…`; and their form, as the password in a URL. Marks that a form
 * needs (`/ : @ = &`) are found as they are, in percent signs however often encoded, and escaped as in JSON.
 * The message itself is never changed by this: what was received is kept byte for byte elsewhere.
 */

const HIDDEN = '[redacted]';

/** The longest excerpt of a body that a log of attempts keeps, in characters. */
const EXCERPT = 4_000;
/** Of a text, what stands behind this is not looked at and never shown: a hostile text must not take long. */
const LOOKED_AT = 4 * EXCERPT;

/** Shorter values are parts of ordinary words. */
const SHORTEST_VALUE = 4;
/** A value that only its name gives away is looked for in the rest of the body from this length on. */
const SHORTEST_NAMED_VALUE = 8;
const MOST_NAMED_VALUES = 20;

const NAME =
  /secret|token|authorization|password|passwd|passphrase|(?:api|access|private|account)[-_]?key|credential|signature|cookie/i;
/** Names too short to be looked for within others. */
const WHOLE_NAME = /^(?:sig|pwd|pass|auth|jwt|hmac)$/i;

/**
 * A text without its secrets. `known`: secrets by value. What is longer than 16,000 characters is cut, so that a cut
 * that follows cannot leave a half of a secret.
 */
export function redacted(text: string, known: readonly string[] = []): string {
  const plain = text
    .slice(0, LOOKED_AT)
    .replace(ESCAPED, (run, hex?: string) => (hex === undefined ? run : String.fromCharCode(parseInt(hex, 16))));
  return RULES.reduce((left, rule) => rule(left), withoutValues(plain, known));
}

/** An excerpt of a body in which no secret is left. It is cut last: a cut must not save a half of one. */
export function redactedBody(body: string, known: readonly string[] = []): string {
  const search: Search = { values: new Set(known), textsLeft: MOST_TEXTS };
  const text = redactedJson(body, search) ?? body;
  return redacted(text, [...search.values]).slice(0, EXCERPT);
}

/** The values in a body, or among headers, that their names give away. */
export function namedSecrets(source: string | Readonly<Record<string, string | undefined>>): readonly string[] {
  const search: Search = { values: new Set(), textsLeft: MOST_TEXTS };
  if (typeof source !== 'string') hide(source, search);
  else if (redactedJson(source, search) === undefined) hide(Object.fromEntries(new URLSearchParams(source)), search);
  return [...search.values];
}

interface Search {
  readonly values: Set<string>;
  /** How many texts may still be tried as JSON: where one is none, that takes longer than to read it. */
  textsLeft: number;
}
const MOST_TEXTS = 1_000;

function redactedJson(text: string, search: Search): string | undefined {
  if (search.textsLeft === 0 || !/^\s*[[{"]/.test(text)) return undefined;
  search.textsLeft -= 1;
  try {
    return JSON.stringify(hide(JSON.parse(text), search));
  } catch {
    return undefined; // Not JSON: the caller takes it as text.
  }
}

/** Hides values by their names, and notes them: they may stand elsewhere under no name. */
function hide(value: unknown, search: Search): unknown {
  if (typeof value === 'string') return redactedJson(value, search) ?? value;
  if (Array.isArray(value)) return value.map((child) => hide(child, search));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => {
      if (!NAME.test(key) && !WHOLE_NAME.test(key)) return [key, hide(child, search)];
      noteValue(child, search.values);
      return [key, HIDDEN];
    }),
  );
}

function noteValue(value: unknown, values: Set<string>): void {
  if (typeof value !== 'string' && typeof value !== 'number') return;
  // `Bearer abc`: the scheme belongs to no secret.
  for (const word of String(value).split(/\s+/)) {
    if (word.length >= SHORTEST_NAMED_VALUE && values.size < MOST_NAMED_VALUES) values.add(word);
  }
}

function withoutValues(text: string, known: readonly string[]): string {
  const values = known.filter((value) => value.length >= SHORTEST_VALUE && value.length <= text.length);
  if (values.length === 0) return text;
  const lower = lowered(text);
  const spelled = SPELLED.test(text) ? spelling(text) : undefined;
  const found = values.flatMap((value) => [
    ...inBase64(value).flatMap((piece) => placesOf(piece, text)),
    ...placesOf(lowered(value), lower),
    ...(spelled ? spelledPlaces(value, spelled) : []),
  ]);
  let left = '';
  let end = 0;
  for (const place of found.sort((one, other) => one.from - other.from || other.to - one.to)) {
    if (place.from >= end) left += `${text.slice(end, place.from)}${HIDDEN}`;
    end = Math.max(end, place.to);
  }
  return left + text.slice(end);
}

interface Place {
  readonly from: number;
  readonly to: number;
}

function placesOf(sought: string, text: string): readonly Place[] {
  const places: Place[] = [];
  for (let at = text.indexOf(sought); at !== -1; at = text.indexOf(sought, at + sought.length))
    places.push({ from: at, to: at + sought.length });
  return places;
}

/** As long as before: what would take another length stays. */
function lowered(text: string): string {
  return text.replaceAll(/\p{Lu}/gu, (letter) => {
    const lower = letter.toLowerCase();
    return lower.length === letter.length ? lower : letter;
  });
}

/** What a value looks like within a longer text in base64: its bytes may begin at each of three places. */
function inBase64(value: string): readonly string[] {
  if (value.length < SHORTEST_NAMED_VALUE) return [];
  const bytes = Buffer.from(value, 'utf8');
  const pieces = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64url');
    return text.slice(Math.ceil((before * 4) / 3), Math.floor(((before + bytes.length) * 4) / 3));
  });
  return pieces.flatMap((piece) => [piece, piece.replaceAll('-', '+').replaceAll('_', '/')]);
}

/** What is not seen, and may stand within a word. */
const UNSEEN = '\\u00ad\\u200b-\\u200d\\u2060\\ufeff';
/** What a value may be spelled with, or broken by, where it is not written as it is. */
const SPELLED = new RegExp(`[%\\\\&+\\r\\n${UNSEEN}]`);

/** A text as bytes of UTF-8, each a character of the string, and where in the text each of them stands. */
interface Spelling {
  readonly bytes: string;
  readonly places: readonly Place[];
}

function spelledPlaces(value: string, { bytes, places }: Spelling): readonly Place[] {
  // A value may begin with what a mail puts before a line, and that is left out behind the end of one.
  const sought = spelling(value).bytes.replace(/^[ >]+/, '');
  // It is made of such marks: where it stands cannot be told.
  if (sought.length < SHORTEST_VALUE) return [{ from: 0, to: places.at(-1)?.to ?? 0 }];
  return placesOf(sought, bytes).map(({ from, to }) => ({
    from: places[from]?.from ?? 0,
    to: places[to - 1]?.to ?? 0,
  }));
}

/**
 * The same for all ways to write a text: in percent signs, with escapes of JSON, with entities, one within the other, in
 * capital letters, with blanks as `+`, with unseen characters, or over the ends of lines with what a mail or a quotation puts
 * there. Both a text and the value that is sought in it are read so: whatever is left out or taken for something else here
 * is so in both. Each character is looked at once, however hostile the text.
 */
function spelling(text: string): Spelling {
  let bytes = '';
  const places: Place[] = [];
  let isBehindBreak = false;
  const add = (byte: number, place: Place): void => {
    const char = PLAINER[byte] ?? String.fromCharCode(byte);
    isBehindBreak = BREAKS.includes(byte) || (isBehindBreak && ' >'.includes(char));
    if (char === '' || isBehindBreak) return;
    bytes += char;
    places.push(place);
  };
  for (const { 0: whole, index: from, groups = {} } of text.matchAll(UNIT)) {
    const { pair, low, unit, short, byte, hex, decimal, name } = groups;
    const place = { from, to: from + whole.length };
    if (byte !== undefined) add(parseInt(byte, 16), place);
    else if (!/^[%&\\]/.test(whole) || whole === '%' || whole === '&') {
      let at = from;
      for (const char of whole) {
        for (const one of Buffer.from(char)) add(one, { from: at, to: at + char.length });
        at += char.length;
      }
    } else {
      const char =
        pair === undefined
          ? pointOf(unit ?? hex, 16) ||
            pointOf(decimal, 10) ||
            (SHORT[short?.toLowerCase() ?? ''] ?? NAMED_ENTITIES[name?.toLowerCase() ?? ''] ?? '')
          : String.fromCharCode(parseInt(pair, 16), parseInt(low ?? '', 16));
      for (const one of Buffer.from(char)) add(one, place);
    }
  }
  return withoutUnseen({ bytes, places });
}

/** Of a code point that Unicode does not have, nothing. */
function pointOf(digits: string | undefined, base: number): string {
  const point = parseInt(digits ?? '', base);
  return point <= 0x10ffff ? String.fromCodePoint(point) : '';
}

/** What is not seen, in UTF-8. */
const UNSEEN_BYTES = /\xc2\xad|\xe2\x80[\x8b-\x8d]|\xe2\x81\xa0|\xef\xbb\xbf/g;

function withoutUnseen({ bytes, places }: Spelling): Spelling {
  const left = [...places];
  for (const { index, 0: found } of [...bytes.matchAll(UNSEEN_BYTES)].reverse()) left.splice(index, found.length);
  return { bytes: bytes.replaceAll(UNSEEN_BYTES, ''), places: left };
}

const BREAKS = [...Buffer.from('\r\n')];

/** Blanks are alike, and capital letters as small ones. A `=` may stand at the end of a line that goes on. */
const PLAINER: Readonly<Record<number, string>> = {
  ...Object.fromEntries(
    Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ', (letter) => [letter.charCodeAt(0), letter.toLowerCase()]),
  ),
  ...Object.fromEntries(Array.from('\r\n=\\', (mark) => [mark.charCodeAt(0), ''])),
  ...Object.fromEntries(Array.from('\t+', (blank) => [blank.charCodeAt(0), ' '])),
};
const SHORT: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
const NAMED_ENTITIES: Readonly<Record<string, string>> = {
  ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", sol: '/' },
};

function percent(hex: string): string {
  return `%(?:25)*(?:${hex})`;
}

/**
 * `\u002f` or `%5Cu002f` for `/`. Quotes and the backslash stay: they tell where a text ends. A run that escapes nothing is
 * matched too, for it would be looked through from each of its backslashes else.
 */
const ESCAPED = /(?:\\|%(?:25)*5c)+(?:u00((?!22|27|5c)[2-7][0-9a-f]))?/gi;

const BACKSLASH = `(?:\\\\|${percent('5c')})`;

/** What is written as one: a run of backslashes with what it escapes, a byte in percent signs, an entity, or ordinary text. */
const UNIT = new RegExp(
  `${BACKSLASH}+(?:u(?<pair>d[89ab][\\da-f]{2})${BACKSLASH}+u(?<low>d[c-f][\\da-f]{2})|u(?<unit>[\\da-f]{4})|(?<short>[bfnrt]))?` +
    '|%(?:25)*(?<byte>[\\da-f]{2})' +
    '|&(?:amp;)*(?:#x0*(?<hex>[\\da-f]{1,6})|#0*(?<decimal>\\d{1,7})|(?<name>amp|lt|gt|quot|apos|sol));' +
    '|[%&]|[^%&\\\\]+',
  'gi',
);

const SLASH = `(?:[\\\\/]|${percent('2f|5c')}|&(?:#x0{0,4}2f|#0{0,4}47|sol);)`;
const SLASHES = `${SLASH}+`;
const COLON = `(?::|${percent('3a')})`;
const AT = new RegExp(`@|${percent('40')}`, 'gi');
const EQUALS = `(?:=|${percent('3d')})`;
const BLANK = `(?:[\\s+:]|\\\\+[tnr]|${percent('20|09|3a')})`;
/** A piece of a path. */
const PIECE = '[\\w.~%-]';
/** Up to the next field of a form, blank, or end of a quoted text, which a run of backslashes may stand before. */
const VALUE = `(?:(?!${percent('26')})[^\\s&"'<>\\\\]|\\\\+(?![\\\\"']))+`;

type Rule = (text: string) => string;

/** Hides what follows the first group. */
function hidden(pattern: string): Rule {
  const expression = new RegExp(pattern, 'gi');
  return (text) => text.replace(expression, (_, before: string) => `${before}${HIDDEN}`);
}

/** No host's name is as long; without an end to it, it may be a password. */
const LONGEST_HOST = 1_000;

/** Up to the last `@` before the path. A password may hold one. */
function withoutUserinfo(text: string): string {
  return text.replace(AUTHORITY, (whole, before: string, authority: string) => {
    const at = Array.from(authority.matchAll(AT)).at(-1)?.index;
    if (at !== undefined) return `${before}${HIDDEN}${authority.slice(at)}`;
    return authority.length > LONGEST_HOST ? `${before}${HIDDEN}` : whole;
  });
}

/** What stands behind a host's colon and is no port is a password, also one with a slash, which would end the host. */
const SLASHED_PASSWORD = hidden(
  `(${COLON}${SLASH}{2,})[^\\s\\\\/?#"<>@:%[]{0,256}${COLON}(?!\\d{1,5}(?:${SLASH}|[?#]|$))` +
    `(?:(?!${AT.source})[^\\s"<>]){1,512}(?=${AT.source})`,
);

const AUTHORITY = new RegExp(
  `(https?${COLON}${SLASH}*|(?<!${SLASH})${SLASH}{2,})((?:(?!${percent('2f|5c|3f|23|22|20')})[^\\s\\\\/?#"<>])+)`,
  'gi',
);

/**
 * What has the form of a webhook's token or of an admin key and stands alone: 24 or 32 random bytes. Digits of a hash have
 * one case, and names no digits.
 */
function withoutBareTokens(text: string): string {
  return text.replace(BARE, (whole) => (BARE_MARKS.every((mark) => mark.test(whole)) ? HIDDEN : whole));
}

const BARE = /(?:(?<![\w-])|(?<=%[\da-f]{2}|\\[tnr]))(?:[\w-]{43}|[\w-]{32})(?![\w-])/gi;
const BARE_MARKS = [/[a-z]/, /[A-Z]/, /[\d_-]/];

/** English has words behind these, too. */
function withoutScheme(text: string): string {
  return text.replace(SCHEME, (whole, before: string, value: string) =>
    /^[a-z]{1,15}$/.test(value) ? whole : `${before}${HIDDEN}`,
  );
}

const SCHEME = new RegExp(`((?:bearer|basic)${BLANK}+)([\\w.~+/%=-]+)`, 'gi');

/** `name=…`, `"name": "…"`, `name%3D…`, `<name>…`: a quoted value to its end, a list to the end of the line. */
function withoutNamed(text: string): string {
  return text.replace(NAMED, (_, before: string, quote: string | undefined, end: string | undefined) =>
    quote === undefined ? `${before}${HIDDEN}` : `${before}${quote}${HIDDEN}${end ?? ''}`,
  );
}

const NAMED = new RegExp(
  `((?:${NAME.source})[\\w%[\\].-]{0,40}?(?:\\\\*["'])?\\s*(?:[:=]>?|>|${percent('3[ad]')})\\s*)` +
    `(?:(\\\\*["'])[\\s\\S]*?(?:(?<!\\\\)(\\2)|$)|[[{](?!redacted\\])[^\\r\\n]*|${VALUE})`,
  'gi',
);

const RULES: readonly Rule[] = [
  SLASHED_PASSWORD,
  withoutUserinfo,
  hidden(`(hooks${SLASHES}[\\w.~-]{1,64}${SLASHES})${PIECE}{16,}`),
  hidden(`((?<=${SLASH})send${SLASHES})${PIECE}{16,}`),
  hidden(`(waInstance\\d{1,20}${SLASHES}\\w{1,64}${SLASHES})${PIECE}+`),
  hidden('(whsec_)[\\w+/=%-]+'),
  hidden('(hk_)[\\w%-]{16,}'),
  withoutBareTokens,
  // A signed token of JSON, whatever it is called.
  hidden('()eyJ[\\w-]{8,1000}\\.[\\w-]+\\.[\\w-]*'),
  withoutScheme,
  // A header or a line of words may hold blanks.
  hidden('((?:authorization|cookie|password|passphrase):\\s)(?:(?!\\\\[nr])[^\\r\\n"])+'),
  // A field of a multipart body: its value begins after an empty line and ends before the next boundary.
  hidden(
    `(name="[^"\\r\\n]{0,100}?(?:${NAME.source})[^\\r\\n]*(?:\\r?\\n[^\\r\\n]+){0,4}\\r?\\n\\r?\\n)[\\s\\S]*?(?=\\r?\\n--|$)`,
  ),
  withoutNamed,
  hidden(
    `((?<=^|[?&;#"'\\s]|${percent('3f|26|23|3b')})(?:sig|key|pwd|pass|auth|jwt|hmac|sid|code)${EQUALS})(?:${VALUE})`,
  ),
];
