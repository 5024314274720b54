import type { File } from '#lib/domain/content.ts';
import { isVague, kindOfFile, typeByName } from '#lib/domain/file.ts';
import { anyKnown } from '#lib/domain/schema.ts';

/** The names under which providers and relays have given the link to a received file, and what they tell beside it. */
const LINK =
  /^(?:(?:(?:temporary_)?download|attachment|media|file|image|video|audio|voice|document)_?url|attachments?|media|files?|image|video|audio|voice|document|url|link)$/i;
const NAME = /^(?:file_?name|(?:attachment|media)_(?:file)?name)$/i;
const TYPE = /^(?:(?:attachment_)?mime_?type|(?:media|file|content)_?type)$/i;
const SIZE = /^(?:file_)?size$/i;

const WORDS = new Map<string, FileContent['type']>([
  ...(['image', 'video', 'audio', 'voice', 'document', 'sticker'] as const).map((word) => [word, word] as const),
  ['photo', 'image'],
]);

interface FileContent {
  readonly type: 'image' | 'video' | 'audio' | 'voice' | 'document' | 'sticker';
  readonly file: File;
}

/**
 * The file that stands under one of these names: as a link, the first of a list, or an object that describes it. Undefined
 * where there is none, in whatever spelling. `depth`: 0 for what has other fields beside those of the file.
 */
export function fileIn(value: unknown, depth = 1): FileContent | undefined {
  const file = describedIn(value, depth);
  return file && { type: typeOf(file), file: withoutKind(file) };
}

interface Described extends File {
  /** In a word of theirs. */
  readonly kind?: string;
}

const withoutKind = ({ kind: _, ...file }: Described): File => file;

function describedIn(value: unknown, depth: number): Described | undefined {
  if (typeof value === 'string') return /^\s*https?:\/\/\S+\s*$/i.test(value) ? { url: value.trim() } : undefined;
  if (typeof value !== 'object' || value === null || depth > 3) return undefined;
  const fields = Object.entries(value);
  // Forms number what is a list.
  const links = fields.filter(([name]) => LINK.test(name) || /^\d+$/.test(name));
  const linked = links.map(([, inner]) => describedIn(inner, depth + 1)).find((file) => file !== undefined);
  const textsAt = (pattern: RegExp, more: string) =>
    fields.flatMap(([name, text]) =>
      typeof text === 'string' && !isNone(text) && (pattern.test(name) || (depth > 0 && name === more))
        ? [text.trim()]
        : [],
    );
  const types = textsAt(TYPE, 'type');
  const size = Number(fields.find(([name]) => SIZE.test(name))?.[1] ?? Number.NaN);
  return anyKnown({
    ...linked,
    ...anyKnown({
      name: textsAt(NAME, 'name')[0],
      mimeType: types.find((type) => type.includes('/') && !isVague(type)),
      kind: types.find((type) => !type.includes('/')),
      size: size >= 0 && Number.isFinite(size) ? size : undefined,
    }),
  });
}

/** By its MIME type, then by their word for it, then by the ending of its name or link. */
function typeOf({ mimeType, kind = '', name, url }: Described): FileContent['type'] {
  if (mimeType !== undefined) return kindOfFile(mimeType);
  const byName = [name, url].map((one) => kindOfFile(typeByName(one))).find((type) => type !== 'document');
  return WORDS.get(kind.toLowerCase()) ?? byName ?? 'document';
}

/** PHP's form encoding turns `false` into `0` and drops `null`; relays spell them out. */
export function isNone(text: string | undefined): boolean {
  return text === undefined || ['', '0', 'false', 'null', 'none', 'undefined'].includes(text.trim().toLowerCase());
}
