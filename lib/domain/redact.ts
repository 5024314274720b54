/*
 * What is logged, kept with an attempt or answered as an error holds no secret. Secrets are told by three things: their
 * value, where it is known; their name, as `token=…`; and their form, as the password in a URL. It is better to hide too much:
 * the message itself is never changed by this, what was received is kept byte for byte elsewhere.
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

/** A body in JSON, in a form, in JSON again is undone with these; nobody wraps deeper. */
const MOST_PASSES = 5;

/**
 * A text without its secrets. `known`: secrets by value. What is longer than 16,000 characters is cut, so that a cut
 * that follows cannot leave a half of a secret. Where a secret shows only once percent signs and escapes are undone, the
 * text that is answered has them undone.
 */
export function redacted(text: string, known: readonly string[] = []): string {
  const values = known.filter(({ length }) => length >= SHORTEST_VALUE && length <= LOOKED_AT).flatMap(spellings);
  const longestFirst = [...new Set(values)].sort((one, other) => other.length - one.length);
  const hide = (plain: string): string => {
    const left = longestFirst.reduce((rest, value) => rest.replaceAll(value, HIDDEN), plain);
    return RULES.reduce((rest, [pattern, shown]) => rest.replace(pattern, shown), left);
  };
  let shown = hide(shortened(text));
  let current = shown;
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    const plain = undone(current);
    if (plain === current) break;
    current = hide(plain);
    if (current !== plain) shown = current;
  }
  return shown;
}

/** The last run of characters may be a half of a secret. */
const shortened = (text: string): string =>
  text.length <= LOOKED_AT ? text : text.slice(0, LOOKED_AT).replace(/(?<![^\s"'&,;<>])[^\s"'&,;<>]*$/, '');

/** An excerpt of a body in which no secret is left. It is cut last: a cut must not save a half of one. */
export function redactedBody(body: string, known: readonly string[] = []): string {
  const values = new Set(known);
  const text = redactedJson(body, values) ?? body;
  return redacted(text, [...values]).slice(0, EXCERPT);
}

/** The values in a body, or among headers, that their names give away. */
export function namedSecrets(source: string | Readonly<Record<string, string | undefined>>): readonly string[] {
  const values = new Set<string>();
  if (typeof source !== 'string') hideNamed(source, values);
  else if (redactedJson(source, values) === undefined)
    hideNamed(Object.fromEntries(new URLSearchParams(source)), values);
  return [...values];
}

function redactedJson(text: string, values: Set<string>): string | undefined {
  try {
    return JSON.stringify(hideNamed(JSON.parse(text), values));
  } catch {
    return undefined; // Not JSON, or nested too deep: the caller takes it as text.
  }
}

/** Hides values by their names, and notes them: they may stand elsewhere under no name. */
function hideNamed(value: unknown, values: Set<string>): unknown {
  if (Array.isArray(value)) return value.map((child) => hideNamed(child, values));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => {
      if (!NAME.test(key) && !WHOLE_NAME.test(key)) return [key, hideNamed(child, values)];
      noteValue(child, values);
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

/** How a value may be written; undone as the text is in which it is sought, too. */
function spellings(value: string): readonly string[] {
  const plain = undone(value);
  return [
    ...[value, encodeURIComponent(value.toWellFormed()), JSON.stringify(value).slice(1, -1), plain, undone(plain)],
    ...inBase64(value),
  ].filter(({ length }) => length >= SHORTEST_VALUE);
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

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/**
 * Without backslashes, however often one is written in itself, with blanks of a form as blanks, and with percent signs
 * undone once: a secret ends at a blank, and one in percent signs within it is still no blank then.
 */
function undone(text: string): string {
  return text
    .replaceAll('+', ' ')
    .replace(/(?:%[\da-f]{2})+/gi, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'))
    .replace(/\\+(?:u([\da-f]{4})|([bfnrt]))?/gi, (_, unit?: string, short?: string) =>
      unit === undefined ? (ESCAPES[short ?? ''] ?? short ?? '') : String.fromCharCode(parseInt(unit, 16)),
    );
}

const NAMED = `(?:${NAME.source})[\\w.[\\]-]{0,40}`;

/** What each pattern finds is hidden but for its first group. */
const RULES: readonly (readonly [pattern: RegExp, shown: string])[] = (
  [
    // What may stand before a host: up to the last `@`, since a password may hold one, and a slash.
    /(:\/\/)[^\s"'<>]{1,2000}(?=@)/g,
    // URLs of the hub, and of a provider that has its token in the path.
    /((?:hooks\/[\w.~-]{1,64}|(?<=\/)send)\/)[\w.~-]{16,}/gi,
    /(waInstance\d{1,20}\/\w{1,64}\/)[\w.~-]+/gi,
    // Signing secrets, keys of the hub, signed tokens of JSON.
    /(whsec_)[\w+/=-]+/g,
    /(hk_)[\w-]{16,}/g,
    /()eyJ[\w-]{8,1000}\.[\w-]+\.[\w-]*/g,
    // A webhook's token or an admin key that stands alone: 24 or 32 random bytes. Hashes have one case, names no digits.
    /()(?<![\w-])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*[\d_-])(?:[\w-]{43}|[\w-]{32})(?![\w-])/g,
    // English has words behind these, too.
    /((?:bearer|basic)[\s:]+)(?![a-z]{1,15}(?![\w.~+/=-]))[\w.~+/=-]+/gi,
    // A header or a line of words may hold blanks.
    /((?:authorization|cookie|password|passphrase):\s)[^\r\n"]+/gi,
    // A field of a multipart body: its value begins after an empty line and ends before the next boundary.
    new RegExp(
      `(name="[^"\\r\\n]{0,100}?${NAMED}[^\\r\\n]*(?:\\r?\\n[^\\r\\n]+){0,4}\\r?\\n\\r?\\n)[\\s\\S]*?(?=\\r?\\n--|$)`,
      'gi',
    ),
    // `name=…`, `"name": "…"`, `<name>…`: a quoted value to its end, a list to the end of the line.
    new RegExp(
      `(${NAMED}["']?\\s{0,9}(?:[:=]>?|>)\\s{0,9}(["']?))` +
        '(?:(?<=["\'])(?:(?!\\2)[^\\\\]|\\\\[\\s\\S])*|[[{](?!redacted\\])[^\\r\\n]*|[^\\s&"\'<>[{][^\\s&"\'<>]*)',
      'gi',
    ),
    /((?<=^|[?&;#"'\s])(?:sig|key|pwd|pass|auth|jwt|hmac|sid|code)=)[^\s&"'<>]+/gi,
  ] as const
).map((pattern) => [pattern, `$1${HIDDEN}`]);
