import * as v from 'valibot';
import { type Contact, type Content, cardsIn, type File } from '#lib/domain/content.ts';
import type { Message } from '#lib/domain/event.ts';
import { kindOfFile } from '#lib/domain/file.ts';
import { isRecord } from '#lib/domain/json.ts';
import { normaliseJid } from '#lib/domain/person.ts';
import { anyKnown, checked, ifValid, known } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { interactiveIn } from './interactive.ts';
import { firstOf, flag, instant, jid, list, MemberId, number, text, under, words } from './values.ts';

export type Fault = NonNullable<Message['error']>;

const MEANINGS: ReadonlyMap<string, string> = new Map([
  ['SWE001', 'The content could not be read on a linked device; the message itself may follow'],
  ['SWE002', 'The file is over the size limit and was not fetched'],
  ['SWE003', 'The keys to read the message were lost; ask the sender to repeat it'],
  ['SWE004', 'The group is above the supported size'],
  ['SWE999', 'The message could not be read'],
]);

export function faultOf(code: string): Fault {
  return { code, message: MEANINGS.get(code) ?? 'The content could not be handed over' };
}

/** A mark that says nothing to a reader. */
const BARE = /^\s*\{\{(SWE\d{3})\}\}\s*$/;
const WITH_WORDS = /^\s*(SWE004)(?::|\s*$)/;

/** What is wrong, where a text or link is one of the marks that GREEN-API puts in the place of what it does not have. */
export function markerIn(written = ''): Fault | undefined {
  const code = (BARE.exec(written) ?? WITH_WORDS.exec(written))?.[1];
  return code === undefined ? undefined : faultOf(code);
}

const ExtendedText = v.looseObject({
  text: words,
  title: words,
  description: words,
  previewType: text,
  jpegThumbnail: text,
  stanzaId: text,
  participant: jid,
  // Messages that start from an advert.
  containsAutoReply: flag,
  mediaType: words,
  showAdAttribution: flag,
  sourceId: words,
  sourceType: text,
  sourceUrl: text,
  thumbnailUrl: text,
  conversionSource: text,
  entryPointConversionApp: text,
});
type ExtendedText = v.InferOutput<typeof ExtendedText>;

const FileData = v.looseObject({
  downloadUrl: text,
  caption: words,
  fileName: words,
  jpegThumbnail: text,
  mimeType: text,
  isAnimated: flag,
  videoNote: flag,
});
type FileData = v.InferOutput<typeof FileData>;

/** Which message is answered; its content follows flat, in a way of its own (`messages.ts`). */
const Quoted = v.looseObject({ stanzaId: text, participant: jid, typeMessage: text });
export type Quoted = v.InferOutput<typeof Quoted>;

/** What a message says, under a key that does not follow from `typeMessage` by rule. */
export const Contents = v.looseObject({
  typeMessage: text,
  textMessageData: ifValid(v.looseObject({ textMessage: words, isTemplateMessage: flag })),
  extendedTextMessageData: ifValid(ExtendedText),
  fileMessageData: ifValid(FileData),
  quotedMessage: ifValid(Quoted),
});
export type Contents = v.InferOutput<typeof Contents>;

const Card = v.looseObject({ displayName: words, vcard: text });
type Card = v.InferOutput<typeof Card>;
const Poll = {
  name: words,
  options: list(v.looseObject({ optionName: words })),
  multipleAnswers: flag,
  selectableOptionsCount: number,
};
/**
 * Which key is there decides, since sources disagree on types. What tells of another message may bring that along; a text
 * comes last, it may stand beside the others.
 */
const keyedContent = firstOf<Content>([
  under(['editedMessageData'], { stanzaId: text, textMessage: words, caption: words }, (edited) => {
    const told = anyKnown({ of: edited.stanzaId, text: edited.textMessage ?? edited.caption });
    return told && { type: 'edit', ...told };
  }),
  under(['deletedMessageData'], { stanzaId: text }, ({ stanzaId: of }) =>
    of === undefined ? undefined : { type: 'delete', of },
  ),
  // Of a shop's catalogue, with its picture.
  under(
    ['productMessage'],
    {
      productId: words,
      title: words,
      description: words,
      currencyCode: text,
      price: words,
      url: text,
      fileMessageData: ifValid(FileData),
    },
    ({ productId: id, title, description, price, currencyCode: currency, url, fileMessageData: file }) => {
      const said = [title, description].filter((line) => line !== undefined).join('\n') || undefined;
      const facts = anyKnown({ text: said, id, price, currency, url, file: file && fileOf(file) });
      return facts && { type: 'product', ...facts };
    },
  ),
  // A cart that somebody has sent; what is in it, GREEN-API tells by a call of its own.
  under(
    ['orderMessage'],
    {
      orderId: words,
      message: words,
      orderTitle: words,
      totalPrice: words,
      currencyCode: text,
      totalCurrencyCode: text,
      itemCount: number,
      sellerJid: text,
      jpegThumbnail: text,
    },
    ({ orderId: id, message, orderTitle, totalPrice: total, itemCount, sellerJid, jpegThumbnail, ...order }) => {
      const facts = anyKnown({
        text: message ?? orderTitle,
        id,
        total,
        currency: order.currencyCode ?? order.totalCurrencyCode,
        itemCount,
        seller: sellerJid && normaliseJid(sellerJid),
        file: anyKnown({ thumbnail: jpegThumbnail }),
      });
      return facts && { type: 'order', ...facts };
    },
  ),
  under(
    ['locationMessageData'],
    { nameLocation: words, address: words, latitude: number, longitude: number, jpegThumbnail: text },
    ({ latitude, longitude, nameLocation: name, address, jpegThumbnail: thumbnail }) =>
      latitude === undefined || longitude === undefined
        ? undefined
        : known({ type: 'location' as const, latitude, longitude, name, address, thumbnail }),
  ),
  under(['contactMessageData'], Card.entries, (card) => contactsIn([card])),
  under(['messageData'], { contacts: list(Card) }, ({ contacts }) => contactsIn(contacts)),
  (data) => contactsIn(checked(list(Card), data.contacts, () => 'contacts')),
  under(
    ['pollMessageData', 'pollCreationMessage'],
    Poll,
    ({ name, options, selectableOptionsCount: selectable, multipleAnswers }) =>
      name === undefined || options === undefined
        ? undefined
        : known({
            type: 'poll' as const,
            name,
            options: options.map(({ optionName }) => optionName).filter((option) => option !== undefined),
            multipleAnswers: multipleAnswers ?? (selectable === undefined ? undefined : selectable !== 1),
          }),
  ),
  under(
    ['pollMessageData'],
    {
      ...Poll,
      stanzaId: text,
      votes: list(v.looseObject({ optionName: words, optionVoters: list(MemberId) })),
    },
    ({ stanzaId: of, name, votes, multipleAnswers }) =>
      of === undefined || votes === undefined
        ? undefined
        : known({
            type: 'poll_vote' as const,
            of,
            name,
            votes: votes.flatMap(({ optionName: option, optionVoters = [] }) =>
              option === undefined ? [] : [{ option, voters: optionVoters.map(normaliseJid) }],
            ),
            multipleAnswers,
          }),
  ),
  under(
    ['groupInviteMessageData'],
    {
      groupJid: text,
      inviteCode: text,
      inviteExpiration: instant,
      groupName: words,
      caption: words,
      name: text,
      jpegThumbnail: text,
    },
    ({ groupJid, groupName, inviteCode: code, inviteExpiration, caption, name, jpegThumbnail: thumbnail }) =>
      groupJid === undefined && code === undefined
        ? undefined
        : known({
            type: 'invite' as const,
            group: known({ id: groupJid && normaliseJid(groupJid), name: groupName }),
            code,
            expiresAt: inviteExpiration === undefined ? undefined : toIso(inviteExpiration),
            caption,
            name,
            thumbnail,
          }),
  ),
  interactiveIn,
]);

/** What a message says, where all that its type requires is really there. */
export function contentOf(data: Contents): Content | undefined {
  return keyedContent(data) ?? fileIn(data) ?? textIn(data);
}

/** What is not understood, or lacks what it is about, is shown as having come, with the text that it has. */
export function unsupported({ quotedMessage: _quoted, ...data }: Contents): Content {
  const words = Object.values(data)
    .filter(isRecord)
    .flatMap((part) => WORDS.map((name) => part[name]));
  const text = words.filter((word) => typeof word === 'string').find((word) => word !== '' && !BARE.test(word));
  return known({ type: 'unsupported' as const, providerType: data.typeMessage ?? 'unknown', text });
}

const WORDS = [
  ...['textMessage', 'text', 'contentText', 'caption', 'titleText', 'title', 'name', 'nameLocation', 'address'],
  'description',
];

type FileType = 'image' | 'video' | 'document' | 'audio' | 'voice' | 'sticker';
const FILE_TYPES: ReadonlyMap<string | undefined, FileType> = new Map([
  ['imageMessage', 'image'],
  ['videoMessage', 'video'],
  ['documentMessage', 'document'],
  ['audioMessage', 'audio'],
  ['stickerMessage', 'sticker'],
]);

export const isFileType = (typeMessage: string | undefined): boolean => FILE_TYPES.has(typeMessage);

function fileIn({ typeMessage, fileMessageData: found }: Contents): Content | undefined {
  if (!found) return undefined;
  const { caption, mimeType, isAnimated, videoNote } = found;
  const described = fileOf(found);
  const type = fileType(typeMessage, mimeType);
  if (!type)
    return known({ type: 'unsupported' as const, providerType: typeMessage ?? '', text: caption, file: described });
  const nameGenerated = described.name !== undefined && type !== 'document' ? true : undefined;
  const animated = type === 'sticker' ? isAnimated : undefined; // on pictures it says nothing
  const file = known({ ...described, nameGenerated, animated });
  // Of a video that is no note it is told as well, and means nothing.
  return type === 'video'
    ? known({ type, file, caption, videoNote: videoNote || undefined })
    : known({ type, file, caption });
}

/** Voice notes have no type of their own: they are what is recorded in Opus. */
function fileType(typeMessage: string | undefined, mimeType = ''): FileType | undefined {
  // Without a type the file tells it itself.
  const type = typeMessage === undefined ? kindOfFile(mimeType) : FILE_TYPES.get(typeMessage);
  return type === 'audio' && /^audio\/(?:opus\b|ogg\b.*\bopus\b)/i.test(mimeType) ? 'voice' : type;
}

function fileOf({ downloadUrl, fileName, mimeType, jpegThumbnail }: FileData): File {
  const url = markerIn(downloadUrl) ? undefined : downloadUrl;
  return known({ url, name: fileName, mimeType, thumbnail: jpegThumbnail });
}

function contactsIn(cards: readonly Card[] = []): Content | undefined {
  const contacts = cards.flatMap(contactsOf);
  return contacts.length > 0 ? { type: 'contacts', contacts } : undefined;
}

/** The name that is told is that of a card which stands alone. */
function contactsOf({ displayName: name, vcard }: Card): Contact[] {
  if (vcard === undefined) return name === undefined ? [] : [{ name, phones: [] }];
  const cards = cardsIn(vcard);
  return cards.length > 1 ? [...cards] : cards.map((card) => ({ ...card, ...known({ name: name ?? card.name }) }));
}

/** Other types may bring their text under the same keys (a reaction its emoji); they are not texts. */
const TEXTS: ReadonlySet<string | undefined> = new Set([
  undefined,
  'textMessage',
  'extendedTextMessage',
  'quotedMessage',
]);

function textIn({ typeMessage, textMessageData: plain, extendedTextMessageData: extended }: Contents) {
  const words = plain?.textMessage ?? extended?.text;
  const preview = extended && previewIn(extended);
  const ad = extended && adIn(extended);
  if (!TEXTS.has(typeMessage) || markerIn(words) || (words === undefined && !preview && !ad)) return undefined;
  return known({ type: 'text' as const, text: words ?? '', fromTemplate: plain?.isTemplateMessage, preview, ad });
}

/** WhatsApp previews the first link of a text, and GREEN-API does not repeat it. */
function previewIn({ text, title, description, jpegThumbnail: thumbnail, previewType }: ExtendedText) {
  const type = previewType === 'None' ? undefined : previewType;
  const preview = anyKnown({ title, description, thumbnail, type });
  return preview && known({ ...preview, url: /https?:\/\/\S+/i.exec(text ?? '')?.[0] });
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
