import type { Content, File } from '#lib/domain/content.ts';
import type { Message } from '#lib/domain/message.ts';
import type { Content as Sent } from './schema.ts';

type ContentReader = (sent: Sent) => Content;

/**
 * What each type of Cooby's list becomes. Most types come without anything but their name (where a place is, what a
 * poll asks, which message a reaction is to): those are `unsupported`, so that the chat still shows that they came.
 */
const contents: Readonly<Record<string, ContentReader>> = {
  chat: (sent) => ({ type: 'text', text: wordsOf(sent) ?? '', ...beside(sent) }),
  image: media('image'),
  video: media('video'),
  audio: media('audio'),
  sticker: media('sticker'),
  document: media('document'),
  payment: (sent) => ({ type: 'payment', ...said(sent), ...beside(sent) }),
  product: (sent) => ({ type: 'product', ...said(sent), ...beside(sent) }),
  order: (sent) => ({ type: 'order', ...said(sent), ...beside(sent) }),
  buttons_response: (sent) => ({ type: 'reply', source: 'button', ...said(sent) }),
  list_response: (sent) => ({ type: 'reply', source: 'list', ...said(sent) }),
  template_button_reply: (sent) => ({ type: 'reply', source: 'template', ...said(sent) }),
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
export function errorOf(sent: Sent): { error?: NonNullable<Message['error']> } {
  if (sent.is_error !== true && sent.error_code === undefined) return {};
  const code = sent.error_code ?? 'unknown_error';
  return { error: { code, message: sent.error_message ?? sent.error_messages ?? code } };
}

/** With an attachment, `text` and `caption` say the same: never both. */
function wordsOf(sent: Sent): string | undefined {
  return sent.text ?? sent.caption;
}

function said(sent: Sent): { text?: string } {
  const text = wordsOf(sent);
  return text === undefined ? {} : { text };
}

function beside(sent: Sent): { file?: File } {
  const file = fileOf(sent);
  return file ? { file } : {};
}

function media(type: 'image' | 'video' | 'audio' | 'sticker' | 'document'): ContentReader {
  return (sent) => {
    // A file that Cooby could not fetch is a file still; `error` says why it is empty.
    const file = fileOf(sent) ?? (errorOf(sent).error && {});
    if (!file) return unsupported(sent);
    const caption = wordsOf(sent);
    return { type, file, ...(caption !== undefined && { caption }) };
  };
}

function fileOf(sent: Sent): File | undefined {
  const { file_url: url, file_name: name } = sent;
  if (url === undefined && name === undefined) return undefined;
  return {
    ...(url !== undefined && { url }),
    ...(name !== undefined && { name, ...(isGenerated(name) && { nameGenerated: true }) }),
  };
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
  return { type: 'system', event: sent.type, ...said(sent) };
}

function unsupported(sent: Sent): Content {
  return { type: 'unsupported', providerType: sent.type, ...said(sent), ...beside(sent) };
}
