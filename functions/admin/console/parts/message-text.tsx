import type { ComponentChild } from 'preact';

/** WhatsApp's marks, and links: whole words between `*`, `_`, `~` and back ticks. Everything becomes text nodes. */
const MARKS =
  /```([\s\S]+?)```|`([^`\n]+)`|(?<![\w*])\*(?! )([^*\n]+?)(?<! )\*(?![\w*])|(?<![\w_])_(?! )([^_\n]+?)(?<! )_(?![\w_])|(?<![\w~])~(?! )([^~\n]+?)(?<! )~(?![\w~])|(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]])/g;

export function MessageText({ text }: { readonly text: string }) {
  return <p class="message-text">{marked(text)}</p>;
}

function marked(text: string): ComponentChild[] {
  const parts: ComponentChild[] = [];
  let end = 0;
  for (const match of text.matchAll(MARKS)) {
    if (match.index > end) parts.push(text.slice(end, match.index));
    parts.push(element(match));
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push(text.slice(end));
  return parts;
}

function element([whole, block, code, bold, italic, struck, url]: RegExpMatchArray): ComponentChild {
  if (block !== undefined || code !== undefined) return <code>{block ?? code}</code>;
  if (bold !== undefined) return <strong>{marked(bold)}</strong>;
  if (italic !== undefined) return <em>{marked(italic)}</em>;
  if (struck !== undefined) return <s>{marked(struck)}</s>;
  return url === undefined ? whole : <Link url={url}>{url}</Link>;
}

/** A link that came from outside: http and https alone, and the other side learns nothing of us. */
export function Link({ url, children }: { readonly url: string; readonly children: ComponentChild }) {
  if (!isWeb(url)) return <>{children}</>;
  return (
    <a href={url} target="_blank" rel="noreferrer noopener">
      {children}
    </a>
  );
}

export function isWeb(url: string | undefined): url is string {
  return url !== undefined && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}
