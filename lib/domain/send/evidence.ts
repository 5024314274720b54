import { createHmac } from 'node:crypto';
import { safeFileName } from '../file.ts';
import type { Message } from '../message.ts';
import { normaliseJid, phoneOfJid, toPhone } from '../person.ts';
import { recipientOf } from './recipient.ts';

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
    const [attempt, ...rivals] = attempts.filter(
      (one) => isAlike(one, sighting) && isInTime(one, sighting, windowMs, WRONG_CLOCK_MS),
    );
    if (!attempt?.isOpen || rivals.length > 0 || !isInTime(attempt, sighting, windowMs)) return [];
    const others = sightings.filter(
      (other) =>
        other.providerId !== sighting.providerId && isAlike(attempt, other) && isInTime(attempt, other, windowMs),
    );
    return others.length > 0 ? [] : [{ attempt, sighting }];
  });
}

function isAlike(attempt: Attempt, sighting: Sighting): boolean {
  const isSame = sighting.file === undefined || sighting.file === attempt.file;
  return isSame && attempt.traces.some((trace) => sighting.traces.includes(trace));
}

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
  return addresses.map((address) =>
    keyed(account, [said.kind, address, ...(said.kind === 'text' ? [wordsIn(said)] : [])]),
  );
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
  const chat = kept.provider_chat === undefined ? [] : [addressOf(kept.provider_chat)];
  switch (recipient?.kind) {
    case 'phone':
      return unique([`phone:${recipient.phone}`, ...chat]);
    case 'jid':
      return unique([addressOf(toPhone(recipient.jid) ?? recipient.jid), ...chat]);
    case 'chat_id':
      return unique([addressOf(recipient.id), ...chat]);
    case 'chat_name':
      return unique([`title:${recipient.name}`, ...chat]);
    case undefined:
      return [];
  }
}

/** The same of a message that a provider tells of. A provider that knows chats by WhatsApp's ids is never asked by title. */
export function addressesIn({ chat, recipient }: Pick<Message, 'chat' | 'recipient'>): string[] {
  const phones = [chat.phone, recipient?.phone].flatMap((phone) => (phone === undefined ? [] : [`phone:${phone}`]));
  const titles = chat.title === undefined || chat.id.includes('@') ? [] : [`title:${chat.title}`];
  return unique([addressOf(chat.id), ...phones, ...titles]);
}

/** Providers name a person by number or by an id that holds it; other chats by an id of their own. */
function addressOf(id: string): string {
  const phone = id.startsWith('+') ? toPhone(id) : phoneOfJid(id);
  return phone === undefined ? `chat:${normaliseJid(id)}` : `phone:${phone}`;
}

const unique = (addresses: readonly string[]): string[] => [...new Set(addresses)];

/** Undefined for what no send of ours holds. */
export function saidIn({ content }: Message): Said | undefined {
  if (content.type === 'text') return { kind: 'text', text: content.text };
  if (!('file' in content) || content.file?.name === undefined) return undefined;
  return { kind: 'file', name: content.file.name, caption: 'caption' in content ? content.caption : undefined };
}
