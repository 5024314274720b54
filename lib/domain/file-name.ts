const LONGEST = 120;
const NEUTRAL = 'file';

// What could end a header, quote its way out of one, or show another name than the one it is: control characters, line
// and paragraph separators, quotes, the byte order mark, and the marks that turn the direction of reading round.
const HARMFUL = /[\p{Cc}\u2028\u2029"'`\ufeff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffd]/gu;
const SEPARATORS = /[/\\]/;
// With a letter in it: `Offer v1.2` has none.
const EXTENSION = /\.(?=\d*[A-Za-z])([A-Za-z0-9]{1,10})$/;

/**
 * A name that is safe in a header, in a form and in a folder, out of one that a stranger chose: the last part of a path,
 * 1 to 120 characters, its extension kept. Cleaning a clean name changes nothing.
 */
export function safeFileName(raw: string): string {
  const name = cleanOnce(raw);
  // A cut can bring an ending to light, and composing a quote (U+1FEF), that was none before.
  return name === raw ? name : safeFileName(name);
}

function cleanOnce(raw: string): string {
  const name = clean(lastPart(clean(raw))).replace(/[.\s]+$/, '');
  const extension = EXTENSION.exec(name)?.[0] ?? '';
  return joined(name.slice(0, name.length - extension.length), extension);
}

/** In lower case and without its dot; undefined where the name has none. */
export function extensionOf(name: string): string | undefined {
  return EXTENSION.exec(name)?.[1]?.toLowerCase();
}

/** For a name that tells nothing of its type: whoever receives the file opens it by its extension. */
export function withExtension(name: string, extension: string): string {
  return joined(name, `.${extension}`);
}

// Composed last, since what was taken out may have kept a letter and its accent apart.
function clean(text: string): string {
  return text.toWellFormed().replace(HARMFUL, '').normalize('NFC').trim();
}

function lastPart(path: string): string {
  return path.split(SEPARATORS).findLast((part) => part.trim() !== '') ?? '';
}

/** Dots and blanks at either end would hide the file, or name a folder. */
function joined(stem: string, extension: string): string {
  const kept = cut(stem.replace(/^[.\s]+/, ''), LONGEST - extension.length).replace(/[.\s]+$/, '');
  return `${kept === '' ? NEUTRAL : kept}${extension}`;
}

/** At most so many UTF-16 units, whole characters only. */
function cut(text: string, most: number): string {
  let kept = '';
  for (const character of text) {
    if (kept.length + character.length > most) break;
    kept += character;
  }
  return kept;
}
