import type { Event, MessageEvent, Payload } from './event.ts';
import { sha256 } from './ids.ts';
import { canonicalJson, isRecord } from './json.ts';
import { Message, type Person } from './message.ts';
import { checked } from './schema.ts';

/**
 * What makes a message itself, beside its ids. Links and made-up names of files, names of people and chats, and times
 * are told anew with each delivery, and are none of it.
 */
function substanceOf({ content, direction, sender, quoted }: Message): object {
  const {
    file: _file,
    thumbnail: _thumbnail,
    preview: _preview,
    ad: _ad,
    mediaUrl: _mediaUrl,
    fromTemplate: _fromTemplate,
    ...said
  }: Record<string, unknown> = content;
  const words = Object.entries(said).filter(([, value]) => value !== '');
  return { content: Object.fromEntries(words), direction, sender: sender.phone ?? sender.id, quoted: quoted?.id };
}

/** Equal for messages under one id that are one; of anything else, what `contentHash` is. */
export function substanceHash(payload: Payload | Event, contentHash: string): string {
  return payload.kind === 'message' ? sha256(canonicalJson(substanceOf(payload.message))) : contentHash;
}

/** Whether two deliveries under one identity tell the same message. A sender that one of them does not name is no other. */
export function isSameMessage(one: Message, other: Message): boolean {
  const sender = differ(one.sender, other.sender) ? {} : { sender: one.sender };
  return canonicalJson(substanceOf(one)) === canonicalJson(substanceOf({ ...other, ...sender }));
}

function differ(one: Person, other: Person): boolean {
  if (one.phone !== undefined && other.phone !== undefined) return one.phone !== other.phone;
  return one.id !== undefined && other.id !== undefined && one.id !== other.id;
}

/** What later data make of a message: they replace what was told before, but nothing of theirs that is empty does. */
function renewedMessage(before: Message, after: Message): Message {
  const merged = checked(Message, over(before, after), () => 'a renewed message');
  const file = fileIn(after);
  const { error: _error, ...message } = {
    ...merged,
    via: after.via === 'unknown' ? before.via : after.via,
    content: withFileName(merged, before, after),
  };
  // A file that is there now was not too large, nor away.
  const error = file?.url === undefined ? before.error : after.error;
  return { ...message, ...(error && { error }) };
}

const fileIn = ({ content }: Message) => ('file' in content ? content.file : undefined);

/** A name that the provider made up tells less than one that somebody gave, and only its own one is `nameGenerated`. */
function withFileName({ content }: Message, before: Message, after: Message): Message['content'] {
  if (!('file' in content) || content.file === undefined) return content;
  const [old, latest] = [fileIn(before), fileIn(after)];
  const isKept = latest?.name === undefined || (latest.nameGenerated === true && old?.name && !old.nameGenerated);
  const { name: _name, nameGenerated: _generated, ...rest } = content.file;
  const { name, nameGenerated } = (isKept ? old : latest) ?? {};
  const file = { ...rest, ...(name !== undefined && { name }), ...(nameGenerated !== undefined && { nameGenerated }) };
  return Object.assign({}, content, { file });
}

function over(before: unknown, after: unknown): unknown {
  if (after === undefined || after === null || after === '') return before;
  if (Array.isArray(after)) return after.length === 0 ? before : after;
  if (!isRecord(before) || !isRecord(after)) return after;
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return Object.fromEntries([...names].map((name) => [name, over(before[name], after[name])]));
}

/** A message that was told again: as it is now. Undefined where nothing of it is new. */
export function renewed(before: MessageEvent, told: MessageEvent): MessageEvent | undefined {
  const latest = before.renewedAt ?? before.receivedAt;
  // What came late, as through a queue, only fills what is still missing.
  const isLater = told.receivedAt >= latest;
  const message = isLater ? renewedMessage(before.message, told.message) : renewedMessage(told.message, before.message);
  const occurredAt = isLater && isTheirs(told) ? told.occurredAt : before.occurredAt;
  const isNew = occurredAt !== before.occurredAt || canonicalJson(message) !== canonicalJson(before.message);
  if (!isNew) return undefined;
  const renewedAt = isLater ? told.receivedAt : latest;
  return { ...before, message, occurredAt, renewedAt, deliveries: (before.deliveries ?? 1) + 1 };
}

/** The time is the provider's, and not that of the arrival. */
const isTheirs = ({ occurredAt, receivedAt }: MessageEvent): boolean => occurredAt !== receivedAt;
