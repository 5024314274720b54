import * as v from 'valibot';
import { isRecord } from '#lib/domain/json.ts';

/**
 * Forms know texts only, relays make numbers of what looks like one, and PHP says `false` or `null` for nothing: all
 * spellings come out alike.
 */
const Text = v.optional(
  v.pipe(
    v.nullable(v.union([v.string(), v.number(), v.boolean()])),
    v.transform((raw) => (raw === null || typeof raw === 'boolean' ? undefined : String(raw))),
  ),
);
/** The same where an empty text says nothing. */
const Filled = v.optional(
  v.pipe(
    Text,
    v.transform((text) => (text?.trim() ? text : undefined)),
  ),
);
const Required = v.pipe(v.union([v.string(), v.number()]), v.transform(String), v.trim(), v.nonEmpty());

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
  ...['url', 'link', 'image', 'video', 'audio', 'voice', 'document'],
] as const;

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

/** The link to the received file; undefined for each spelling of "none", and for what is no link under a name of ours. */
export function linkIn(data: Readonly<Record<string, unknown>>): string | undefined {
  const documented = data.attachment;
  if (typeof documented === 'string' && !isNone(documented)) return documented.trim();
  return LINKS.map((name) => linkOf(data[name], 0)).find((link) => link !== undefined);
}

/** A text, the first of a list, or an object that has it under one of the names. */
function linkOf(value: unknown, depth: number): string | undefined {
  if (typeof value === 'string') return /^https?:\/\/\S+$/i.test(value.trim()) ? value.trim() : undefined;
  if (depth > 2) return undefined;
  if (Array.isArray(value)) return value.map((one) => linkOf(one, depth + 1)).find((link) => link !== undefined);
  if (!isRecord(value)) return undefined;
  return LINKS.map((name) => linkOf(value[name], depth + 1)).find((link) => link !== undefined);
}
