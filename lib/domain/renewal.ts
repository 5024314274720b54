import type { Content } from './content.ts';
import { Event, Message, type MessageEvent, type OwnAccount, Payload, type Person } from './event.ts';
import { isVague, typeByName } from './file.ts';
import { sha256 } from './ids.ts';
import { canonicalJson, isRecord } from './json.ts';
import { ownAccountOf } from './parties.ts';
import { isSamePhone } from './person.ts';
import { checked, known } from './schema.ts';

/**
 * What makes a message itself, beside its ids. Links and made-up names of files, names of people and chats, and times
 * are told anew with each delivery, and are none of it.
 */
function substanceOf({ content, direction, sender, quoted }: Message): object {
  const words = Object.entries(without(content, TOLD_ANEW)).filter(([, value]) => value !== '');
  return { content: Object.fromEntries(words), direction, sender: sender.phone ?? sender.id, quoted: quoted?.id };
}

const TOLD_ANEW = ['file', 'thumbnail', 'preview', 'ad', 'mediaUrl', 'fromTemplate'];

const without = (content: Content, names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(content).filter(([name]) => !names.includes(name)));

/**
 * What makes any other event itself. Times, names, explanations and figures are told anew as well. Undefined for what
 * has no id: there each delivery is an event of its own.
 */
function substanceOfOther(payload: Payload | Event): object | undefined {
  switch (payload.kind) {
    case 'status': {
      const { messageId, state, direction } = payload.status;
      return known({ messageId, state, direction });
    }
    case 'reaction': {
      const { messageId, emoji, removed, direction } = payload.reaction;
      return known({ messageId, emoji, removed, direction });
    }
    case 'call': {
      const { messageId, state, direction } = payload.call;
      return known({ messageId, state, direction });
    }
    case 'chat': {
      const { id, change } = payload.chat;
      return { id, change };
    }
    case 'ussd': {
      const { device, code, response } = payload.ussd;
      return { device, code, response };
    }
    case 'notification':
      return payload.notification;
    default:
      return undefined;
  }
}

/** Equal for events under one id that are one; of anything else, what `contentHash` is. */
export function substanceHash(payload: Payload | Event, contentHash: string): string {
  const substance = payload.kind === 'message' ? substanceOf(payload.message) : substanceOfOther(payload);
  return substance === undefined ? contentHash : sha256(canonicalJson(substance));
}

/** Whether two deliveries under one identity tell the same event. */
export function isSameEvent(one: Event, other: Event): boolean {
  if (areTwo(ownAccountOf(one), ownAccountOf(other))) return false;
  if (one.kind === 'message' && other.kind === 'message') return isSameMessage(one.message, other.message);
  const isOthers =
    one.kind === 'reaction' && other.kind === 'reaction' && differ(one.reaction.sender, other.reaction.sender);
  const substance = substanceOfOther(one);
  if (one.kind !== other.kind || isOthers || substance === undefined) return false;
  return canonicalJson(substance) === canonicalJson(substanceOfOther(other));
}

/** The same of messages. A sender, or a detail beside the words, that one of them does not name is no other. */
export function isSameMessage(one: Message, other: Message): boolean {
  return (
    one.direction === other.direction &&
    !differ(one.sender, other.sender) &&
    one.quoted?.id === other.quoted?.id &&
    isSameContent(one.content, other.content)
  );
}

function differ(one: Person, other: Person): boolean {
  if (one.phone !== undefined && other.phone !== undefined) return !isSamePhone(one.phone, other.phone);
  if (one.id === undefined || other.id === undefined) return false;
  // Whoever hides their number has an id of another kind beside the one that shows it.
  return one.id !== other.id && one.id.split('@')[1] === other.id.split('@')[1];
}

/** Our accounts, each by what a delivery tells of it: what came to the one has not come to the other. */
function areTwo(one: OwnAccount, other: OwnAccount): boolean {
  if (one.instance !== undefined && one.instance === other.instance) return false;
  return differ(known({ phone: one.phone, id: one.instance }), known({ phone: other.phone, id: other.instance }));
}

function isSameContent(one: Content, other: Content): boolean {
  const [mine, theirs] = [detailsOf(one), detailsOf(other)];
  return isSameType(one, other) && mine.words === theirs.words && agree(mine.details, theirs.details);
}

/** What somebody wrote, and what the message says beside it, without what is told anew. */
function detailsOf(content: Content): { readonly words: string; readonly details: object } {
  if (content.type === 'location') {
    const { latitude, longitude } = content;
    return { words: '', details: { latitude, longitude } };
  }
  // Of a tally nothing is left out: an option without voters has none.
  if (content.type === 'poll_vote') return { words: canonicalJson([content.of, content.votes]), details: {} };
  if (content.type === 'invite') {
    const { code, caption = '', group } = content;
    return { words: caption, details: { code, group: group.id } };
  }
  const { text = '', caption = '', ...details } = without(content, [...TOLD_ANEW, 'type', 'videoNote']);
  return { words: canonicalJson([text, caption]), details };
}

/** Whether nothing of one contradicts the other. */
function agree(one: unknown, other: unknown): boolean {
  if (isEmpty(one) || isEmpty(other)) return true;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((entry, index) => agree(entry, other[index]));
  }
  if (isRecord(one) && isRecord(other)) return Object.keys(one).every((name) => agree(one[name], other[name]));
  return one === other;
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);

const FILES = ['image', 'video', 'audio', 'voice', 'document', 'sticker'] as const;
type FileContent = Extract<Content, { type: (typeof FILES)[number] }>;
const isFile = (content: Content): content is FileContent => FILES.some((type) => type === content.type);

/** A file of which nothing is known but that it is one may turn out to be anything, and a recording a voice message. */
function isSameType(one: Content, other: Content): boolean {
  if (one.type === other.type) return true;
  if (!isFile(one) || !isFile(other)) return false;
  const areRecordings = [one, other].every(({ type }) => type === 'audio' || type === 'voice');
  return areRecordings || certaintyOf(one) === 0 || certaintyOf(other) === 0;
}

/** How well the type of a file is known: by what it is, by the provider's word or its name, or not at all. */
function certaintyOf({ type, file }: FileContent): 0 | 1 | 2 {
  if (!isVague(file.mimeType)) return 2;
  return type === 'document' && (typeByName(file.name) ?? typeByName(file.url)) === undefined ? 0 : 1;
}

/** What later data make of an event: they replace what was told before, but nothing of theirs that is empty does. */
function renewedPayload(before: Payload, after: Payload): Payload {
  if (before.kind === 'message' && after.kind === 'message') {
    return { kind: 'message', message: renewedMessage(before.message, after.message) };
  }
  return checked(Payload, over(before, after), () => 'a renewed event');
}

function renewedMessage(before: Message, later: Message): Message {
  const after = { ...later, content: asExactAs(before.content, later.content) };
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

/** What is known of a file's type is not lost to a delivery that tells less of it. */
function asExactAs(before: Content, after: Content): Content {
  if (!isFile(before) || !isFile(after)) return after;
  const [was, is] = [certaintyOf(before), certaintyOf(after)];
  const { mimeType, ...rest } = after.file;
  const file = isVague(mimeType) && !isVague(before.file.mimeType) ? rest : after.file;
  const type = was > is || (was === is && before.type === 'voice' && after.type === 'audio') ? before.type : after.type;
  return { ...after, type, file };
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

/** An event that was told again: as it is now. Undefined where nothing of it is new. */
export function renewed(before: MessageEvent, told: MessageEvent): MessageEvent | undefined;
export function renewed(before: Event, told: Event): Event | undefined;
export function renewed(before: Event, told: Event): Event | undefined {
  if (before.kind === 'unknown' || told.kind === 'unknown') return undefined;
  const latest = before.renewedAt ?? before.receivedAt;
  // What came late, as through a queue, only fills what is still missing.
  const isLater = told.receivedAt >= latest;
  const [was, is] = [payloadOf(before), payloadOf(told)];
  const payload = isLater ? renewedPayload(was, is) : renewedPayload(is, was);
  const occurredAt = isLater && isTheirs(told) ? told.occurredAt : before.occurredAt;
  // One delivery may name the account that another leaves open.
  const accountId = before.accountId ?? told.accountId;
  const isNew =
    occurredAt !== before.occurredAt || accountId !== before.accountId || canonicalJson(payload) !== canonicalJson(was);
  if (!isNew) return undefined;
  const renewedAt = isLater ? told.receivedAt : latest;
  // And with it the chat, which the account is a part of.
  const chat = accountId !== before.accountId && 'chatId' in told ? known({ chatId: told.chatId }) : {};
  const more = { ...known({ accountId }), ...chat, occurredAt, renewedAt, deliveries: (before.deliveries ?? 1) + 1 };
  return checked(Event, { ...before, ...payload, ...more }, () => 'a renewed event');
}

/** What an event says, without what is about the event. */
export function payloadOf(event: Event): Payload {
  return checked(Payload, event, () => 'an event');
}

/** The time is the provider's, and not that of the arrival. */
const isTheirs = ({ occurredAt, receivedAt }: Event): boolean => occurredAt !== receivedAt;
