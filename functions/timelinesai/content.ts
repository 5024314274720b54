import type { Content, File } from '#lib/domain/content.ts';
import { known } from '#lib/domain/known.ts';
import type { Attachment, TheirMessage } from './schema.ts';

/**
 * What a message says, one content per attachment as WhatsApp itself would show them; the text is the first one's
 * caption. None at all where the message says nothing that is passed on.
 */
export function contentsOf(message: TheirMessage): Content[] {
  const [first, ...others] = attachmentsOf(message);
  if (first !== undefined) {
    return [{ ...toFile(first), ...known({ caption: message.text }) }, ...others.map(toFile)];
  }
  return message.text === undefined ? [] : [{ type: 'text', text: message.text }];
}

/** Older payloads have one `attachment`, later ones a list; where both stand there, the list has it, too. */
function attachmentsOf(message: TheirMessage): Attachment[] {
  const listed = (message.attachments ?? []).filter(isThere);
  if (listed.length > 0) return listed;
  return message.attachment !== undefined && isThere(message.attachment) ? [message.attachment] : [];
}

function isThere({ temporary_download_url: url, filename, mimetype }: Attachment): boolean {
  return (url ?? filename ?? mimetype) !== undefined;
}

function toFile(attachment: Attachment) {
  const file: File = known({
    url: attachment.temporary_download_url,
    name: attachment.filename,
    mimeType: attachment.mimetype,
    size: attachment.size,
  });
  return { type: fileTypeOf(attachment.mimetype), file };
}

function fileTypeOf(mimeType = ''): 'image' | 'video' | 'audio' | 'voice' | 'document' {
  const type = mimeType.toLowerCase();
  if (type.startsWith('image/')) return 'image';
  if (type.startsWith('video/')) return 'video';
  if (!type.startsWith('audio/')) return 'document';
  // WhatsApp records voice messages in Opus, as `audio/ogg; codecs=opus`.
  return /ogg|opus/.test(type) ? 'voice' : 'audio';
}
