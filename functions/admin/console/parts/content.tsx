import { signal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import { useState } from 'preact/hooks';
import type { Content } from '../api.ts';
import { texts, typeName } from '../texts.ts';
import { CheckBox } from './form.tsx';

type Media = Extract<Content, { file: unknown }>;
type Rest = Exclude<Content, Media>;

/** What a message says, in a line: for lists, and for kinds that have no picture. */
export function lineOf(content: Content): string {
  if (isMedia(content)) return [nameOf(content), content.caption].filter(Boolean).join(': ');
  return restLine(content);
}

const isMedia = (content: Content): content is Media => content.type !== 'text' && 'file' in content;
const nameOf = ({ type, file }: Pick<Media, 'type' | 'file'>) => file.name ?? typeName(type);

function restLine(content: Rest): string {
  switch (content.type) {
    case 'location':
      return content.name ?? content.address ?? `${content.latitude}, ${content.longitude}`;
    case 'contacts':
      return content.contacts.map(({ name, phones }) => [name, ...phones].filter(Boolean).join(' ')).join(', ');
    case 'poll':
      return `${content.name}: ${content.options.join(' / ')}`;
    case 'poll_vote':
      return content.votes.map(({ option, voters }) => `${option}: ${voters.length}`).join(', ');
    case 'edit':
      return texts.inbox.editedTo(content.text ?? '');
    case 'delete':
      return texts.inbox.deletedOne;
    default:
      return 'text' in content && content.text ? content.text : typeName(content.type);
  }
}

export function ContentView({ content }: { readonly content: Content }) {
  if (isMedia(content)) {
    return (
      <>
        <FileView type={content.type} file={content.file} />
        {content.caption && <MessageText text={content.caption} />}
      </>
    );
  }
  if (content.type === 'text') return <MessageText text={content.text} />;
  if (content.type === 'location') {
    const map = `https://www.openstreetmap.org/?mlat=${content.latitude}&mlon=${content.longitude}`;
    return (
      <p class="message-text">
        <Link url={map}>{lineOf(content)}</Link>
      </p>
    );
  }
  return (
    <p class="message-text">
      {content.type !== 'reply' && <span class="kind">{typeName(content.type)} </span>}
      {lineOf(content)}
    </p>
  );
}

const LOADS = 'load-media';

/** Undefined where the browser refuses to keep anything: what is chosen lasts as long as the page, then. */
function unlessRefused<Value>(act: () => Value): Value | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

/** Whether this browser fetches what others have sent without being asked to. */
const loadsMedia = signal(unlessRefused(() => localStorage.getItem(LOADS) === 'yes') ?? false);

function loadMedia(isWanted: boolean): void {
  loadsMedia.value = isWanted;
  unlessRefused(() => localStorage.setItem(LOADS, isWanted ? 'yes' : 'no'));
}

export function MediaSetting() {
  return (
    <div>
      <CheckBox label={texts.inbox.loadMedia} value={loadsMedia.value} onChange={loadMedia} />
      <small>{texts.inbox.loadMediaHint}</small>
    </div>
  );
}

const SHOWN: Readonly<Record<string, 'img' | 'audio' | 'video'>> = {
  ...{ image: 'img', sticker: 'img', audio: 'audio', voice: 'audio', video: 'video' },
};

/** Nothing is fetched from elsewhere before somebody asks: it would tell the other side who looks, and when. */
function FileView({ type, file }: Pick<Media, 'type' | 'file'>) {
  const [isAskedFor, askFor] = useState(false);
  const [isGone, setGone] = useState(false);
  const name = nameOf({ type, file });
  const { url } = file;
  if (!isWeb(url)) return <p class="file">{name}</p>;
  const Shown = url.startsWith('https:') && !isGone ? SHOWN[type] : undefined;
  const isShown = isAskedFor || loadsMedia.value;
  const player = { src: url, onError: () => setGone(true) };
  if (isShown && Shown === 'img') return <img class="media" {...player} alt={name} referrerpolicy="no-referrer" />;
  return (
    <div class="file">
      {isShown && Shown === 'audio' && <audio controls {...player} />}
      {isShown && Shown === 'video' && <video class="media" controls {...player} />}
      <Link url={url}>{name}</Link>
      {Shown && !isShown && (
        <button type="button" class="small" onClick={() => askFor(true)}>
          {Shown === 'img' ? texts.inbox.show : texts.inbox.play}
        </button>
      )}
      {isGone && <span class="faint">{texts.inbox.mediaGone}</span>}
    </div>
  );
}

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
function Link({ url, children }: { readonly url: string; readonly children: ComponentChild }) {
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
