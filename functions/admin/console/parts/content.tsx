import { useState } from 'preact/hooks';
import type { Content } from '../api.ts';
import { texts } from '../texts.ts';
import { isWeb, Link, MessageText } from './message-text.tsx';

type Media = Extract<Content, { file: unknown }>;
type Rest = Exclude<Content, Media>;

/** What a message says, in a line: for lists, and for kinds that have no picture. */
export function lineOf(content: Content): string {
  if (isMedia(content)) return [nameOf(content), content.caption].filter(Boolean).join(': ');
  return restLine(content);
}

const isMedia = (content: Content): content is Media => content.type !== 'text' && 'file' in content;
const nameOf = ({ type, file }: Media) => file.name ?? type.replaceAll('_', ' ');

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
      return 'text' in content && content.text ? content.text : content.type.replaceAll('_', ' ');
  }
}

export function ContentView({ content }: { readonly content: Content }) {
  if (isMedia(content)) {
    return (
      <>
        <FileView content={content} />
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
      {content.type !== 'reply' && <span class="kind">{content.type.replaceAll('_', ' ')} </span>}
      {lineOf(content)}
    </p>
  );
}

/** Nothing is fetched from elsewhere before somebody asks: it would tell the other side who looks, and when. */
function FileView({ content }: { readonly content: Media }) {
  const [isShown, show] = useState(false);
  const { type, file } = content;
  const name = nameOf(content);
  if (!isWeb(file.url)) return <p class="file">{name}</p>;
  const isPicture = type === 'image' || type === 'sticker';
  const isSound = type === 'audio' || type === 'voice';
  const canShow = file.url.startsWith('https:') && (isPicture || isSound || type === 'video');
  if (isShown && isPicture) return <img class="media" src={file.url} alt={name} referrerpolicy="no-referrer" />;
  return (
    <div class="file">
      {isShown && isSound && (
        // biome-ignore lint/a11y/useMediaCaption: what people record has no captions
        <audio controls src={file.url} />
      )}
      {isShown && type === 'video' && (
        // biome-ignore lint/a11y/useMediaCaption: what people record has no captions
        <video class="media" controls src={file.url} />
      )}
      <Link url={file.url}>{name}</Link>
      {canShow && !isShown && (
        <button type="button" onClick={() => show(true)}>
          {texts.inbox.show(type)}
        </button>
      )}
    </div>
  );
}
