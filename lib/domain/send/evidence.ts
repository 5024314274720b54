import { createHmac } from 'node:crypto';
import type { Message } from '../event.ts';
import { safeFileName } from '../file.ts';
import { commonSpelling, normaliseJid, phoneOf, toPhone } from '../person.ts';
import { type Recipient, recipientOf } from './recipient.ts';

/**
 * Which message at the provider is which attempt of ours, where no answer has told. One rule for what webhooks say, now
 * or before, and for what the provider lists: what is ambiguous stays open, since a wrong id would give one send the
 * statuses of another, and refund what was delivered.
 */

/** What a message says, as far as both sides tell it. */
export interface Said {
  readonly kind: 'text' | 'file';
  readonly text?: string | undefined;
  readonly name?: string | undefined;
  readonly caption?: string | undefined;
}

/** A part that the provider was called with, and that has no id of the provider's. */
export interface Attempt {
  readonly traces: readonly string[];
  readonly file: string | undefined;
  /** When it began. */
  readonly since: number;
  /** It is over and may still be settled. Others can only be what a message is as well. */
  readonly isOpen: boolean;
}

/** A message at the provider that is known to be nobody's. */
export interface Sighting {
  readonly providerId: string;
  readonly traces: readonly string[];
  /** Undefined for a text, and where the provider does not keep the names of files. */
  readonly file: string | undefined;
  /** By the provider's clock. Undefined where the provider's own list was asked for this attempt's time. */
  readonly at: number | undefined;
}

/** How far the clocks of a provider and of our hosts may differ. */
const CLOCK_TOLERANCE_MS = 60_000;
/** How far a clock may be wrong. Who relies on it loses evidence, and none goes to the wrong attempt. */
const WRONG_CLOCK_MS = 2 * 3_600_000;

/** The attempts and messages that can only be each other's, as far as the time of the one allows the other. */
export function matching<A extends Attempt, S extends Sighting>(
  attempts: readonly A[],
  sightings: readonly S[],
  windowMs: number,
): readonly { readonly attempt: A; readonly sighting: S }[] {
  return sightings.flatMap((sighting) => {
    const possible = attempts.filter((one) => isInTime(one, sighting, windowMs, WRONG_CLOCK_MS));
    // Whoever shares a name with it comes before those who may only be hidden behind it.
    const alike = possible.filter((one) => likeness(one, sighting) === 'named');
    const [attempt, ...rivals] =
      alike.length > 0 ? alike : possible.filter((one) => likeness(one, sighting) === 'hidden');
    if (!attempt?.isOpen || rivals.length > 0 || !isInTime(attempt, sighting, windowMs)) return [];
    const isRival = alike.length > 0 ? isNamed : isAny;
    const others = sightings.filter(
      (other) =>
        other.providerId !== sighting.providerId &&
        isRival(likeness(attempt, other)) &&
        isInTime(attempt, other, windowMs),
    );
    return others.length > 0 ? [] : [{ attempt, sighting }];
  });
}

type Likeness = 'named' | 'hidden' | 'none';
const isNamed = (likeness: Likeness): boolean => likeness === 'named';
const isAny = (likeness: Likeness): boolean => likeness !== 'none';

function likeness(attempt: Attempt, sighting: Sighting): Likeness {
  if (sighting.file !== undefined && sighting.file !== attempt.file) return 'none';
  const shared = attempt.traces.filter((trace) => sighting.traces.includes(trace));
  if (shared.length === 0) return 'none';
  if (!shared.every(isOfHidden)) return 'named';
  // Of a file, words say nothing, and nothing is left without its name.
  return attempt.file === undefined || sighting.file !== undefined ? 'hidden' : 'none';
}

/** Whether a trace says no more of the recipient than that somebody may be hidden there. */
export const isOfHidden = (trace: string): boolean => trace.startsWith(OF_HIDDEN);
const OF_HIDDEN = '~';

function isInTime({ since }: Attempt, { at }: Sighting, windowMs: number, tolerance = CLOCK_TOLERANCE_MS): boolean {
  return at === undefined || (at >= since - tolerance && at <= since + windowMs + tolerance);
}

/**
 * What both sides are found by: a hash of words and recipient for each way in which the recipient may be named. Files to
 * one person share theirs, because some providers do not keep names; the name is compared apart.
 *
 * The hash is keyed with the account, whose id is 80 random bits: equal words look alike within one account alone, and
 * cannot be looked up in a list made beforehand. It does not hide them from somebody who reads the table with the sends.
 */
export function tracesOf(account: string, said: Said, addresses: readonly string[]): string[] {
  return addresses.map((address) => {
    const trace = keyed(account, [said.kind, address, ...(said.kind === 'text' ? [wordsIn(said)] : [])]);
    return address === HIDDEN ? `${OF_HIDDEN}${trace}` : trace;
  });
}

export function fileTrace(account: string, { kind, name, caption }: Said): string | undefined {
  if (kind === 'text') return undefined;
  // Files go out under a cleaned name.
  return keyed(account, [safeFileName(name ?? ''), wordsIn({ kind: 'text', text: caption })]);
}

const keyed = (account: string, parts: readonly string[]): string =>
  createHmac('sha256', account).update(JSON.stringify(parts)).digest('hex').slice(0, 32);

/** Providers change line breaks, and drop blanks at the ends. */
const wordsIn = ({ text = '' }: Said): string => text.toWellFormed().replace(/\r\n?/g, '\n').trim();

/** How a send's recipient may be named, by itself and by the chat in which its message stands. */
export function addressesOf(kept: Readonly<Record<string, string>>): string[] {
  const recipient = recipientOf(kept);
  if (!recipient) return [];
  const others = [kept.provider_chat, kept.lid, kept.number].flatMap((id) => (id === undefined ? [] : addresses(id)));
  const all = unique([...ownAddresses(recipient), ...others]);
  const isHidden = all.some((address) => address.endsWith('@lid'));
  return isHidden || !all.some((address) => address.startsWith('phone:')) ? all : [...all, HIDDEN];
}

function ownAddresses(recipient: Recipient): string[] {
  switch (recipient.kind) {
    case 'phone':
      return addresses(recipient.phone);
    case 'jid':
      return addresses(toPhone(recipient.jid) ?? recipient.jid);
    case 'chat_id':
      return addresses(recipient.id);
    case 'chat_name':
      return [`title:${recipient.name}`];
  }
}

/**
 * Somebody whose number is hidden, or whose hidden id nobody has seen: where the one side names a number and the other a
 * `@lid`, they may be the same, and words, time and being the only ones decide.
 */
const HIDDEN = 'hidden';

/** The same of a message that a provider tells of. A provider that knows chats by WhatsApp's ids is never asked by title. */
export function addressesIn(
  { chat, recipient, via }: Pick<Message, 'chat' | 'recipient' | 'via'>,
  names: readonly string[] = [],
): string[] {
  const told = [chat.id, chat.phone, recipient?.phone, ...names].flatMap((id) =>
    id === undefined ? [] : addresses(id),
  );
  const titles = chat.title === undefined || chat.id.includes('@') ? [] : [`title:${chat.title}`];
  const isHidden = via === 'api' && chat.id.endsWith('@lid') && !told.some((address) => address.startsWith('phone:'));
  return unique([...told, ...titles, ...(isHidden ? [HIDDEN] : [])]);
}

/**
 * Providers name a person by number or by an id that holds it; other chats by an id of their own. A number that has two
 * spellings is found by both: marks of an earlier version know only the one that was told.
 */
function addresses(id: string): string[] {
  const phone = phoneOf(id);
  return phone === undefined ? [`chat:${normaliseJid(id)}`] : [`phone:${phone}`, `phone:${commonSpelling(phone)}`];
}

const unique = (addresses: readonly string[]): string[] => [...new Set(addresses)];

/** Undefined for what no send of ours holds. */
export function saidIn({ content }: Message): Said | undefined {
  if (content.type === 'text') return { kind: 'text', text: content.text };
  if (!('file' in content) || content.file?.name === undefined) return undefined;
  return { kind: 'file', name: content.file.name, caption: 'caption' in content ? content.caption : undefined };
}
