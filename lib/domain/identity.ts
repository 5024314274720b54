import type { Content } from './content.ts';
import { Event, Message, type MessageEvent, type OwnAccount, Payload, type Person } from './event.ts';
import { isVague } from './file.ts';
import { derivedId, sha256 } from './ids.ts';
import { canonicalJson, isRecord } from './json.ts';
import { ownAccountOf } from './parties.ts';
import { commonSpelling, isSamePhone, phoneOf } from './person.ts';
import { checked, known } from './schema.ts';

/**
 * What makes an event itself and no other, in the provider's words. Never the bare message id: a status reuses the id
 * of its message, two of our own accounts in one chat see the same id, and ids are unique within a chat only.
 */
export interface Identity {
  /** Our own account as the provider names it; two of them may see the same message. */
  readonly instance?: string;
  /** The event's name, twins folded together (a message announced under two names is one event). */
  readonly type: string;
  readonly chat?: string;
  /** The provider's id. Where there is none, the whole content stands in for it. */
  readonly id?: string;
  readonly status?: string;
  /** The provider's ids are unique whichever of its accounts they belong to: told without it, it is the same event. */
  readonly isUnique?: boolean;
  /** Tells an edit, a vote or another later version from its original where they share an id. */
  readonly edit?: string;
}

export interface Origin {
  readonly workspace: string;
  readonly provider: string;
  readonly webhookId: string;
  /** The account that the webhook is for. */
  readonly accountId?: string;
}

/**
 * An account may have several webhooks, and what comes through two of them is one event. Whose it is the event's own
 * words say, so that it has its id without a look at anything; only where they do not, what the webhook says.
 */
export function eventId(
  { workspace, provider, webhookId, accountId }: Origin,
  identity: Identity,
  contentHash: string,
): string {
  const { type, chat, id, status, edit, isUnique, instance } = identity;
  const account = isUnique ? '' : (spelt(instance) ?? accountId ?? webhookId);
  return derivedId('evt', [workspace, provider, account, type, spelt(chat), id ?? contentHash, status, edit]);
}

/** One way to write who is told of now by a number, in either of its spellings, and now by the id that holds it. */
function spelt(name: string | undefined): string | undefined {
  const phone = phoneOf(name);
  return phone === undefined ? name : commonSpelling(phone);
}

/** The id of what has the identity of event `id` but says something else: what is that, in a hash. */
export function conflictId(id: string, substance: string): string {
  return derivedId('evt', ['conflict', id, substance]);
}

/** The id of a body that was not understood: the same bytes on the same webhook are the same event. */
export function quarantineId(origin: Origin, bodyHash: string): string {
  return derivedId('evt', ['raw', origin.workspace, origin.provider, origin.webhookId, bodyHash]);
}

/**
 * Equal for two deliveries that say the same, whatever their spelling. Providers sign a file's link anew for each
 * delivery, so the query of a file's URL does not count.
 */
export function contentHash(payload: Payload, occurredAt: number | undefined): string {
  return sha256(canonicalJson({ occurredAt, ...withoutSignatures(payload) }));
}

function withoutSignatures(payload: Payload): object {
  if (payload.kind !== 'message') return payload;
  const content = payload.message.content;
  if (!('file' in content) || !isRecord(content.file) || typeof content.file.url !== 'string') return payload;
  const file = { ...content.file, url: content.file.url.split('?')[0] };
  return { ...payload, message: { ...payload.message, content: { ...content, file } } };
}

/** Told anew with each delivery, and no part of what makes a message itself: links and made-up names of files as well. */
const TOLD_ANEW = ['type', 'videoNote', 'file', 'thumbnail', 'preview', 'ad', 'mediaUrl', 'fromTemplate'];

/**
 * What makes an event itself, beside its ids. Times, names, explanations and figures are told anew as well. Undefined for
 * what has no id: there each delivery is an event of its own.
 */
function substanceOf(payload: Payload | Event): object | undefined {
  switch (payload.kind) {
    case 'message': {
      const { content, direction, sender, quoted } = payload.message;
      const said = { type: content.type, ...detailsOf(content), direction, quoted: quoted?.id };
      return known({ ...said, sender: sender.phone ?? sender.id });
    }
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
  const substance = substanceOf(payload);
  return substance === undefined ? contentHash : sha256(canonicalJson(substance));
}

/** Whether two deliveries under one identity tell the same event. */
export function isSameEvent(one: Event, other: Event): boolean {
  if (areTwo(ownAccountOf(one), ownAccountOf(other))) return false;
  if (one.kind === 'message' && other.kind === 'message') return isSameMessage(one.message, other.message);
  const isOthers =
    one.kind === 'reaction' && other.kind === 'reaction' && differ(one.reaction.sender, other.reaction.sender);
  const substance = substanceOf(one);
  if (one.kind !== other.kind || isOthers || substance === undefined) return false;
  return canonicalJson(substance) === canonicalJson(substanceOf(other));
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
  const lasting = Object.entries(content).filter(([name, value]) => !TOLD_ANEW.includes(name) && value !== '');
  const { text, caption, ...details } = Object.fromEntries(lasting);
  return { words: canonicalJson([text ?? '', caption ?? '']), details };
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
  return areRecordings || !isTyped(one) || !isTyped(other);
}

const isTyped = ({ type, file }: FileContent): boolean => type !== 'document' || !isVague(file.mimeType);

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
  const { mimeType, ...rest } = after.file;
  const isLess = isTyped(before) && isVague(mimeType) && (after.type === 'document' || before.type === 'voice');
  return { ...after, type: isLess ? before.type : after.type, file: isVague(mimeType) ? rest : after.file };
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
