import type { ProviderRequest } from '#lib/app/sending/outbound.ts';
import type { Outgoing } from '#lib/app/sending/ports.ts';
import { phoneOfJid } from '#lib/domain/jid.ts';
import { recipientOf, whatsappChatOf } from '#lib/domain/sending/recipient.ts';
import { apiUrl, type Copy } from './outbound-copy.ts';
import { withoutSpintax } from './outbound-spintax.ts';

export interface Refused {
  readonly refused: string;
}

const MEDIA = new Set(['jpg', 'png', 'gif', 'mp4', 'mp3', 'ogg']);
const DOCUMENTS = new Set(['pdf', 'xml', 'xls', 'xlsx', 'doc', 'docx']);

/** Files need a multipart body; texts get one as well, so that there is one way. */
export function requestFor(copy: Copy, { recipient, content }: Outgoing): ProviderRequest | Refused {
  const to = addressOf(copy, recipient);
  if (to === undefined) return { refused: 'the recipient is neither a phone number nor a group that Zender can reach' };
  if (copy.mode !== undefined) {
    if (content.kind === 'file') return { refused: 'an SMS carries no file' };
    return post(copy, 'send/sms', { ...wayOf(copy), phone: to, message: withoutSpintax(content.text) });
  }
  const fields = { account: copy.account, recipient: to };
  if (content.kind === 'text') {
    return post(copy, 'send/whatsapp', { ...fields, type: 'text', message: withoutSpintax(content.text) });
  }
  return fileRequest(copy, fields, content);
}

function fileRequest(
  copy: Copy,
  fields: Readonly<Record<string, string>>,
  { name, mimeType, bytes }: Extract<Outgoing['content'], { kind: 'file' }>,
): ProviderRequest | Refused {
  // They know the one spelling only.
  const known = name.replace(/\.jpeg$/i, '.jpg');
  const extension = /\.([^.]+)$/.exec(known)?.[1]?.toLowerCase() ?? '';
  const attachment = { name: known, mimeType, bytes };
  if (MEDIA.has(extension)) {
    // Any other word than these, even `image`, would be taken for a text, and the picture lost.
    const file = { field: 'media_file', ...attachment };
    return post(copy, 'send/whatsapp', { ...fields, type: 'media', message: '' }, file);
  }
  if (DOCUMENTS.has(extension)) {
    const file = { field: 'document_file', ...attachment };
    return post(copy, 'send/whatsapp', { ...fields, type: 'document', message: '', document_name: known }, file);
  }
  const taken = [...MEDIA, ...DOCUMENTS].join(', ');
  return { refused: `Zender takes files of the types ${taken} only` };
}

type File = NonNullable<Extract<ProviderRequest['body'], { kind: 'multipart' }>['file']>;

function post(copy: Copy, path: string, fields: Readonly<Record<string, string>>, file?: File): ProviderRequest {
  const body = { kind: 'multipart', fields: { secret: copy.secret, ...fields }, ...(file && { file }) } as const;
  return { method: 'POST', url: apiUrl(copy, path), body };
}

function wayOf(copy: Exclude<Copy, { mode?: undefined }>): Record<string, string> {
  if (copy.mode === 'credits') return { mode: 'credits', gateway: copy.gateway };
  return { mode: 'devices', device: copy.device, sim: String(copy.sim ?? 1) };
}

/** A number with `+`; by WhatsApp also a group. SMS knows no JIDs, not even those that hold a number. */
export function addressOf(copy: Copy, kept: Outgoing['recipient']): string | undefined {
  const recipient = recipientOf(kept);
  if (copy.mode !== undefined && recipient?.kind === 'jid') return undefined;
  const chat = recipient && whatsappChatOf(recipient);
  return phoneOfJid(chat) ?? (copy.mode === undefined && chat?.endsWith('@g.us') ? chat : undefined);
}
