import type { Payload } from './event.ts';
import { derivedId, sha256 } from './ids.ts';
import { canonicalJson, isRecord } from './json.ts';
import { commonSpelling, phoneOfJid } from './person.ts';

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
  const phone = name?.startsWith('+') ? name : phoneOfJid(name);
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
