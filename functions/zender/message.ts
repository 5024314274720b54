import type { Content } from '#lib/domain/content.ts';
import { chatKindOfJid, normaliseJid, phoneOfJid } from '#lib/domain/jid.ts';
import { known } from '#lib/domain/known.ts';
import type { Chat, Person } from '#lib/domain/message.ts';
import { toPhone } from '#lib/domain/phone.ts';
import { linkIn } from './schema.ts';

/**
 * Whom an address names: a number with or without `+`, a short code or a name (service messages), or an id of
 * WhatsApp's (a group has one). A device suffix, as in `+15550100001:12`, is dropped.
 */
export function chatAt(address: string): Chat {
  if (address.includes('@')) {
    const id = normaliseJid(address);
    return { id, kind: chatKindOfJid(id), ...known({ phone: phoneOfJid(id) }) };
  }
  const bare = address.replace(/(?<=.):\d+$/, '');
  const phone = toPhone(bare);
  return { id: phone ?? bare, kind: 'individual', ...known({ phone }) };
}

/** In a group the author is not told. */
export function senderAt({ id, kind, phone }: Chat): Person {
  if (kind !== 'individual') return {};
  return phone === undefined ? { id } : { phone };
}

/** What came by WhatsApp. A file whose kind its link does not tell is a document. */
export function whatsappContent(message: string | undefined, attachment: unknown): Content {
  const url = linkIn(attachment);
  if (url !== undefined) return { type: fileType(url), file: { url }, ...(message && { caption: message }) };
  // Older versions report a picture as a message without words.
  return message ? { type: 'text', text: message } : { type: 'unsupported', providerType: 'whatsapp' };
}

/** An SMS may be empty, but not without a text at all. */
export function smsContent(message: string | undefined): Content {
  return message === undefined ? { type: 'unsupported', providerType: 'sms' } : { type: 'text', text: message };
}

function fileType(url: string): 'image' | 'video' | 'audio' | 'document' {
  const extension = /\.(\w+)$/.exec(url.split(/[?#]/)[0] ?? '')?.[1]?.toLowerCase() ?? '';
  if (['jpg', 'jpeg', 'png', 'gif', 'webp'].includes(extension)) return 'image';
  if (['mp4', '3gp', 'mov', 'webm', 'mkv'].includes(extension)) return 'video';
  return ['mp3', 'ogg', 'oga', 'opus', 'm4a', 'aac', 'amr', 'wav'].includes(extension) ? 'audio' : 'document';
}
