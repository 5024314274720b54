import { isRecord } from '#lib/domain/json.ts';
import { known } from '#lib/domain/schema.ts';

/** The names under which copies and relays have given the link to a received file, the documented one first. */
const LINKS = [
  ...['attachment', 'attachment_url', 'attachmentUrl', 'media_url', 'mediaUrl', 'media', 'file_url', 'fileUrl', 'file'],
  ...['url', 'link', 'image', 'video', 'audio', 'voice', 'document', 'attachments', 'files'],
  ...['image_url', 'video_url', 'audio_url', 'voice_url', 'document_url'],
] as const;
const NAMES = ['file_name', 'fileName', 'filename', 'attachment_name', 'media_name'] as const;
const TYPES = ['mime_type', 'mimetype', 'mimeType', 'media_type', 'mediaType', 'file_type', 'content_type'] as const;

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

/** PHP's form encoding turns `false` into `0` and drops `null`; relays spell them out. */
export function isNone(text: string | undefined): boolean {
  return text === undefined || ['', '0', 'false', 'null', 'none', 'undefined'].includes(text.trim().toLowerCase());
}
