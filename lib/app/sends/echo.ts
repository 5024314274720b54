import { normaliseJid, phoneOfJid } from '#lib/domain/jid.ts';
import type { Message } from '#lib/domain/message.ts';
import { recipientOf } from '#lib/domain/sending/recipient.ts';
import type { Echo } from '../sending/echo.ts';

/** What can be compared with a part: its text, or the name of its file. Undefined for what no send of ours holds. */
export function contentOf({ content }: Message): Pick<Echo, 'text' | 'fileName'> | undefined {
  if (content.type === 'text') return { text: content.text };
  if (!('file' in content) || content.file?.name === undefined) return undefined;
  return { fileName: content.file.name };
}

/** Providers name a person by number or by an id that holds it; a chat by an id of their own. */
export function isFor({ chat, recipient }: Message): Echo['isTo'] {
  const phones = [chat.phone, recipient?.phone, phoneOfJid(chat.id), chat.id];
  return (kept) => {
    const wanted = recipientOf(kept);
    switch (wanted?.kind) {
      case 'phone':
        return phones.includes(wanted.phone);
      case 'jid': {
        const phone = phoneOfJid(wanted.jid);
        return normaliseJid(wanted.jid) === normaliseJid(chat.id) || (phone !== undefined && phones.includes(phone));
      }
      case 'chat_id':
        return wanted.id === chat.id;
      case 'chat_name':
        return wanted.name === chat.title;
      case undefined:
        return false;
    }
  };
}
