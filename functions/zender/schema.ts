import * as v from 'valibot';
import { isRecord } from '#lib/domain/json.ts';
import { known } from '#lib/domain/schema.ts';

/**
 * Forms know texts only, relays make numbers of what looks like one, and PHP says `false` or `null` for nothing: all
 * spellings come out alike.
 */
const Text = v.optional(
  v.pipe(
    v.unknown(),
    v.transform(single),
    v.nullish(v.union([v.string(), v.number(), v.boolean()])),
    v.transform((raw) => (raw === null || typeof raw === 'boolean' || raw === undefined ? undefined : String(raw))),
  ),
);
/** The same where an empty text says nothing, and no message is lost for what is no text. */
const Filled = v.fallback(
  v.optional(
    v.pipe(
      Text,
      v.transform((text) => (text?.trim() ? text : undefined)),
    ),
  ),
  undefined,
);
const Required = v.pipe(
  v.unknown(),
  v.transform(single),
  v.union([v.string(), v.number()]),
  v.transform(String),
  v.trim(),
  v.nonEmpty(),
);

/** `data[phone][]` is a list of one. */
function single(raw: unknown): unknown {
  return Array.isArray(raw) && raw.length === 1 ? raw[0] : raw;
}

/** An id of the kind `0`, or a name that came as `false`: PHP has nothing to say. */
const orNone = (text: string | undefined) => (isNone(text) ? undefined : text);
const Optional = v.optional(v.pipe(Filled, v.transform(orNone)));

/** PHP's form encoding turns `false` into `0` and drops `null`; relays spell them out. */
function isNone(text: string | undefined): boolean {
  return text === undefined || ['', '0', 'false', 'null', 'none', 'undefined'].includes(text.trim().toLowerCase());
}

/** The names under which copies and relays have given the link to a received file, the documented one first. */
const LINKS = [
  ...['attachment', 'attachment_url', 'attachmentUrl', 'media_url', 'mediaUrl', 'media', 'file_url', 'fileUrl', 'file'],
  ...['url', 'link', 'image', 'video', 'audio', 'voice', 'document', 'attachments', 'files'],
  ...['image_url', 'video_url', 'audio_url', 'voice_url', 'document_url'],
] as const;
const NAMES = ['file_name', 'fileName', 'filename', 'attachment_name', 'media_name'] as const;
const TYPES = ['mime_type', 'mimetype', 'mimeType', 'media_type', 'mediaType', 'file_type', 'content_type'] as const;

const received = { id: Optional, timestamp: Filled };
const device = { device: Optional, sim: Optional };
const body = <const Entries extends v.ObjectEntries>(data: Entries) => v.looseObject({ data: v.looseObject(data) });

export const Sms = body({ ...received, ...device, rid: Optional, phone: Required, message: Text });
export const Whatsapp = body({
  ...received,
  wid: Optional,
  phone: Required,
  message: Text,
  caption: Filled,
});
export const Ussd = body({ ...received, sim: Optional, device: Required, code: Required, response: Text });
export const Notification = body({ ...received, device: Required, package: Required, title: Filled, content: Filled });

/** The first versions: no type, and the fields beside the secret. `name` is the contact's, or false. */
export const Flat = v.looseObject({ phone: Required, name: Optional, message: Text, receive_date: Filled });

/** A received file: its link, and what stands beside that. */
interface ReceivedFile {
  readonly url: string;
  readonly name?: string;
  /** A MIME type, or no more than its first part. */
  readonly type?: string;
}
type Fields = Readonly<Record<string, unknown>>;

/** Undefined for each spelling of "none", and for what is no link under a name of ours. */
export function fileIn(data: Fields): ReceivedFile | undefined {
  const documented = data.attachment;
  if (typeof documented === 'string' && !isNone(documented)) return describedBy(documented, data);
  return LINKS.map((name) => fileAt(data[name], data, 0)).find((file) => file !== undefined);
}

export const linkIn = (data: Fields): string | undefined => fileIn(data)?.url;

/** A text, the first of a list, or an object that has it under one of the names. */
function fileAt(value: unknown, beside: Fields, depth: number): ReceivedFile | undefined {
  if (typeof value === 'string') return /^https?:\/\/\S+$/i.test(value.trim()) ? describedBy(value, beside) : undefined;
  if (depth > 2) return undefined;
  const inner = Array.isArray(value) ? { ...value } : value;
  if (!isRecord(inner)) return undefined;
  // Forms number what is a list.
  const names = [...LINKS, ...Object.keys(inner).filter((name) => /^\d+$/.test(name))];
  return names
    .map((name) => fileAt(inner[name], isRecord(value) ? value : beside, depth + 1))
    .find((file) => file !== undefined);
}

function describedBy(url: string, fields: Fields): ReceivedFile {
  const textAt = (names: readonly string[]) =>
    names.map((name) => fields[name]).find((text) => typeof text === 'string' && !isNone(text));
  const [name, type] = [textAt(NAMES), textAt(TYPES)].map((text) =>
    typeof text === 'string' ? text.trim() : undefined,
  );
  return known({ url: url.trim(), name, type });
}
