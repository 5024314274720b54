import type { Content, File } from '#lib/domain/content.ts';
import { anyKnown, known } from '#lib/domain/known.ts';
import type { Message } from '#lib/domain/message.ts';
import type { Content as Sent } from './schema.ts';

type ContentReader = (sent: Sent) => Content;

/**
 * What each type of Cooby's list becomes. Most types come without anything but their name (where a place is, what a
 * poll asks, which message a reaction is to): those are `unsupported`, so that the chat still shows that they came.
 */
const contents: Readonly<Record<string, ContentReader>> = {
  chat: (sent) => ({ type: 'text', text: wordsOf(sent) ?? '', ...known({ file: fileOf(sent) }) }),
  image: media('image'),
  video: media('video'),
  audio: media('audio'),
  sticker: media('sticker'),
  document: media('document'),
  payment: (sent) => ({ type: 'payment', ...wordsAndFile(sent) }),
  product: (sent) => ({ type: 'product', ...wordsAndFile(sent) }),
  order: (sent) => ({ type: 'order', ...wordsAndFile(sent) }),
  buttons_response: (sent) => ({ type: 'reply', source: 'button', ...known({ text: wordsOf(sent) }) }),
  list_response: (sent) => ({ type: 'reply', source: 'list', ...known({ text: wordsOf(sent) }) }),
  template_button_reply: (sent) => ({ type: 'reply', source: 'template', ...known({ text: wordsOf(sent) }) }),
  revoked: () => ({ type: 'delete' }),
  call_log: system,
  keep_in_chat: system,
  pin_message: system,
  request_phone_number: system,
  'biz-cover-photo': system,
};

export function contentOf(sent: Sent): Content {
  // `constructor` is a name, too.
  const read = Object.hasOwn(contents, sent.type) ? contents[sent.type] : undefined;
  if (read) return read(sent);
  return isFileKind(sent) ? media('document')(sent) : unsupported(sent);
}

/** A failure concerns the file alone: the rest of the message stands. */
export function errorOf(sent: Sent): Message['error'] {
  if (sent.is_error !== true && sent.error_code === undefined) return undefined;
  const code = sent.error_code ?? 'unknown_error';
  return { code, message: sent.error_message ?? sent.error_messages ?? code };
}

/** With an attachment, `text` and `caption` say the same: never both. */
function wordsOf(sent: Sent): string | undefined {
  return sent.text ?? sent.caption;
}

function wordsAndFile(sent: Sent): { text?: string; file?: File } {
  return known({ text: wordsOf(sent), file: fileOf(sent) });
}

function media(type: 'image' | 'video' | 'audio' | 'sticker' | 'document'): ContentReader {
  return (sent) => {
    // A file that Cooby could not fetch is a file still; `error` says why it is empty.
    const file = fileOf(sent) ?? (errorOf(sent) && {});
    return file ? { type, file, ...known({ caption: wordsOf(sent) }) } : unsupported(sent);
  };
}

function fileOf({ file_url: url, file_name: name }: Sent): File | undefined {
  return anyKnown({ url, name, nameGenerated: name !== undefined && isGenerated(name) ? true : undefined });
}

/** `Cooby Image 2023-07-12 at 11.13.32 AM`: type, date, a word that is translated, time. Never an extension. */
function isGenerated(name: string): boolean {
  return /^Cooby \S+ \d{4}-\d\d-\d\d \S+ \d{1,2}\.\d\d\.\d\d( [AP]M)?$/i.test(name);
}

/** `pdf`, `csv`, `doc`: for such files the original kind stands in the place of the type. */
function isFileKind(sent: Sent): boolean {
  const kind = sent.type.toLowerCase();
  return ['pdf', 'csv', 'doc', 'docx'].includes(kind) || sent.file_name?.toLowerCase().endsWith(`.${kind}`) === true;
}

function system(sent: Sent): Content {
  return { type: 'system', event: sent.type, ...known({ text: wordsOf(sent) }) };
}

function unsupported(sent: Sent): Content {
  return { type: 'unsupported', providerType: sent.type, ...wordsAndFile(sent) };
}
