import type { Content } from '#lib/domain/content.ts';
import { anyKnown, known } from '#lib/domain/known.ts';
import { markerIn } from './markers.ts';
import type { Contents, ExtendedText } from './message-schema.ts';

/** Other types may bring their text under the same keys (a reaction its emoji); they are not texts. */
const TEXTS: ReadonlySet<string | undefined> = new Set([
  undefined,
  'textMessage',
  'extendedTextMessage',
  'quotedMessage',
]);

export function textIn(data: Contents): Content | undefined {
  const extended = data.extendedTextMessageData ?? {};
  const words = data.textMessageData?.textMessage ?? extended.text;
  const preview = previewIn(extended);
  const ad = adIn(extended);
  if (!TEXTS.has(data.typeMessage) || markerIn(words)) return undefined;
  if (words === undefined && !preview && !ad) return undefined;
  const fromTemplate = data.textMessageData?.isTemplateMessage;
  return known({ type: 'text' as const, text: words ?? '', fromTemplate, preview, ad });
}

/** WhatsApp previews the first link of a text, and GREEN-API does not repeat it. */
function previewIn(extended: ExtendedText) {
  const { title, description, jpegThumbnail: thumbnail, previewType } = extended;
  const type = previewType === 'None' ? undefined : previewType;
  const preview = anyKnown({ title, description, thumbnail, type });
  return preview && known({ ...preview, url: /https?:\/\/\S+/i.exec(extended.text ?? '')?.[0] });
}

/** The advert from which the sender started to write. */
function adIn(extended: ExtendedText) {
  const { sourceId, sourceType, sourceUrl, mediaType, thumbnailUrl, conversionSource } = extended;
  const ad = known({
    sourceId,
    sourceType,
    sourceUrl,
    mediaType,
    thumbnailUrl,
    showAttribution: extended.showAdAttribution,
    autoReply: extended.containsAutoReply,
    conversionSource,
    entryPointApp: extended.entryPointConversionApp,
  });
  return Object.values(ad).some((value) => value !== false) ? ad : undefined;
}
