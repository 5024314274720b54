import { isRecord } from './json.ts';

const SECRET = /secret|token|authorization|password|passwd|api[-_]?key|credential|signature/i;
const HIDDEN = '[redacted]';

/** The longest excerpt of a body that a log of attempts keeps, in characters. */
const EXCERPT = 4_000;

/**
 * An excerpt of a body in which no secret is left, whatever its form: secrets are taken out before the text is cut, so
 * that a cut cannot save a half of one.
 */
export function redactedBody(body: string): string {
  return (redactedJson(body) ?? redactedForm(body)).slice(0, EXCERPT);
}

function redactedJson(body: string): string | undefined {
  try {
    return JSON.stringify(hide(JSON.parse(body)));
  } catch {
    return undefined; // Not JSON: the caller takes it as text.
  }
}

function hide(value: unknown): unknown {
  if (typeof value === 'string') return withoutSignature(value);
  if (Array.isArray(value)) return value.map(hide);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [key, SECRET.test(key) ? HIDDEN : hide(child)]),
  );
}

/** A link that is signed opens what it leads to for everybody who reads it. */
function withoutSignature(text: string): string {
  return /^https?:\/\//i.test(text) ? redactedForm(text).replace(/([?&]sig=)[^&#]*/gi, `$1${HIDDEN}`) : text;
}

/**
 * Forms, broken JSON and free text: the value after anything that looks like a secret's name goes. What stands far behind
 * the excerpt is not looked at: the search takes time with the square of a text that is made for it.
 */
function redactedForm(body: string): string {
  return body
    .slice(0, 4 * EXCERPT)
    .replace(
      /((?:secret|token|authorization|password|passwd|api[-_]?key|credential|signature)[\w%[\]-]*"?\s*[=:]\s*)("(?:[^"\\]|\\.)*"?|[^&\s,;}]*)/gi,
      `$1${HIDDEN}`,
    );
}
