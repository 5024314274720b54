import { type Contact, type Content, cardsIn, type File, type Button as OurButton } from '#lib/domain/content.ts';
import type { Message } from '#lib/domain/event.ts';
import { kindOfFile } from '#lib/domain/file.ts';
import { isRecord } from '#lib/domain/json.ts';
import { normaliseJid, toPhone } from '#lib/domain/person.ts';
import { anyKnown, known } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import type { Button, Card, Contents, ExtendedText, FileData, Tap } from './schema.ts';

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

const BARE = /^\{\{(SWE\d{3})\}\}$/;
const WITH_WORDS = /^(SWE004)(?::|$)/;

/** What is wrong, where a text or link is one of the marks that GREEN-API puts in the place of what it does not have. */
export function markerIn(text: string | undefined): Fault | undefined {
  const written = text?.trim() ?? '';
  const code = (BARE.exec(written) ?? WITH_WORDS.exec(written))?.[1];
  return code === undefined ? undefined : faultOf(code);
}

/** A mark that says nothing to a reader. */
function isBareMark(text: string): boolean {
  return BARE.test(text.trim());
}

/** Other types may bring their text under the same keys (a reaction its emoji); they are not texts. */
const TEXTS: ReadonlySet<string | undefined> = new Set([
  undefined,
  'textMessage',
  'extendedTextMessage',
  'quotedMessage',
]);

function textIn(data: Contents): Content | undefined {
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

/** Plain and interactive buttons. `interactiveButtonsReply` is a message with buttons, too, unless it tells a choice. */
function buttonsIn(data: Contents): Content | undefined {
  const found =
    data.buttonsMessage ?? data.interactiveButtons ?? data.interactiveButtonsReply ?? data.interactiveButtonReply;
  const text = found?.contentText ?? found?.body;
  if (!found || text === undefined) return undefined;
  return known({
    type: 'buttons' as const,
    title: found.titleText ?? found.header,
    text,
    footer: found.footerText ?? found.footer,
    buttons: buttonsOf(found.buttons),
  });
}

function templateIn({ templateMessage: found }: Contents): Content | undefined {
  if (found?.contentText === undefined) return undefined;
  return known({
    type: 'template' as const,
    namespace: found.namespace,
    name: found.elementName,
    title: found.titleText,
    text: found.contentText,
    footer: found.footer ?? found.footerText,
    mediaUrl: found.mediaUrl,
    buttons: buttonsOf(found.buttons),
  });
}

function listIn({ listMessage: found }: Contents): Content | undefined {
  if (found?.contentText === undefined) return undefined;
  const { title, contentText: text, footer, buttonText, sections = [] } = found;
  return known({
    type: 'list' as const,
    title,
    text,
    footer,
    buttonText,
    sections: sections.map((section) =>
      known({
        title: section.title,
        rows: (section.rows ?? []).map((row) =>
          known({ id: row.rowId, title: row.title, description: row.description }),
        ),
      }),
    ),
  });
}

/** What somebody chose: a button, a row of a list, or a button of a template. */
function replyIn(data: Contents): Content | undefined {
  const chosen = buttonTap(data) ?? rowTap(data) ?? templateTap(data);
  return chosen && (chosen.id !== undefined || chosen.text !== undefined) ? { type: 'reply', ...chosen } : undefined;
}

/** Of all the places where a tap on a button has been met, the one in which something was chosen. */
function buttonTap(data: Contents) {
  const places = [
    data.buttonsResponseMessage,
    data.interactiveButtonsResponse,
    data.interactiveButtonResponse,
    data.interactiveButtonsResponseMessage,
    data.interactiveButtonsReply,
    data.interactiveButtonReply,
  ];
  const [tapped] = places.flatMap((tap) => (tap && isTap(tap) ? [tap] : []));
  return tapped && { source: 'button' as const, ...chosenBy(tapped) };
}

const isTap = (tap: Tap): boolean => chosenBy(tap).id !== undefined || chosenBy(tap).text !== undefined;

function chosenBy(tap: Tap) {
  const id = tap.selectedId ?? tap.selectedButtonId ?? tap.buttonId;
  const text = tap.selectedDisplayText ?? tap.selectedButtonText ?? tap.buttonText;
  return known({ of: tap.stanzaId, id, text, index: tap.selectedIndex });
}

function rowTap({ listResponseMessage: tap }: Contents) {
  if (!tap) return undefined;
  const { stanzaId: of, singleSelectReply, selectedRowId, title: text, listType } = tap;
  return known({ source: 'list' as const, of, id: singleSelectReply ?? selectedRowId, text, listType });
}

function templateTap(data: Contents) {
  const tap = data.templateButtonReplyMessage ?? data.templateButtonsReplyMessage;
  return tap && { source: 'template' as const, ...chosenBy(tap) };
}

function buttonsOf(written: readonly Button[] = []): OurButton[] {
  return written.map(buttonOf).filter((button) => button !== undefined);
}

function buttonOf(button: Button): OurButton | undefined {
  const inner = button.urlButton ?? button.callButton ?? button.quickReplyButton;
  const phone = button.phoneNumber ?? inner?.phoneNumber;
  const facts = anyKnown({
    id: button.buttonId ?? inner?.id,
    index: button.index,
    text: button.buttonText ?? inner?.displayText,
    url: button.url ?? inner?.url,
    phone: toPhone(phone) ?? phone,
    code: button.copyCode,
  });
  return facts && { kind: kindOf(button), ...facts };
}

const KINDS: ReadonlyMap<string | undefined, OurButton['kind']> = new Map([
  ['copy', 'copy'],
  ['call', 'call'],
  ['url', 'url'],
  ['reply', 'reply'],
]);

function kindOf(button: Button): OurButton['kind'] {
  if (button.urlButton) return 'url';
  if (button.callButton) return 'call';
  return KINDS.get(button.type) ?? 'reply';
}

/**
 * Which key is there decides, since sources disagree on types. What tells of another message may bring that along; a text
 * comes last, it may stand beside the others.
 */
const READERS = [
  editIn,
  deletionIn,
  productIn,
  orderIn,
  fileIn,
  locationIn,
  contactsIn,
  pollIn,
  voteIn,
  inviteIn,
  buttonsIn,
  listIn,
  templateIn,
  replyIn,
  textIn,
] as const;

/** What a message says, where all that its type requires is really there. */
export function contentOf(data: Contents): Content | undefined {
  for (const read of READERS) {
    const content = read(data);
    if (content) return content;
  }
  return undefined;
}

/** What is not understood, or lacks what it is about, is shown as having come, with the text that it has. */
export function unsupported(data: Contents): Content {
  return known({ type: 'unsupported' as const, providerType: typeOf(data), text: anyText(data) });
}

function typeOf(data: Contents): string {
  return data.typeMessage ?? Object.keys(data).find((key) => isRecord(data[key])) ?? 'unknown';
}

function anyText(data: Contents): string | undefined {
  const texts = [
    data.textMessageData?.textMessage,
    data.extendedTextMessageData?.text,
    data.statusExtendedTextMessageData?.text,
    data.locationMessageData?.nameLocation,
    data.locationMessageData?.address,
    data.pollMessageData?.name,
    data.groupInviteMessageData?.caption,
  ];
  return texts.find((found) => found !== undefined && !isBareMark(found)) ?? wordsIn(data);
}

/** What is said under a key that we do not know. */
function wordsIn({ quotedMessage: _quoted, ...data }: Contents): string | undefined {
  const words = Object.values(data)
    .filter(isRecord)
    .flatMap((part) => [
      part.text,
      part.contentText,
      part.caption,
      part.titleText,
      part.title,
      part.name,
      part.description,
    ]);
  return words.filter((word) => typeof word === 'string').find((word) => word !== '' && !isBareMark(word));
}

type FileType = 'image' | 'video' | 'document' | 'audio' | 'voice' | 'sticker';
const FILE_TYPES: ReadonlyMap<string | undefined, FileType> = new Map([
  ['imageMessage', 'image'],
  ['videoMessage', 'video'],
  ['videoNoteMessage', 'video'],
  ['ptvMessage', 'video'],
  ['documentMessage', 'document'],
  ['audioMessage', 'audio'],
  ['stickerMessage', 'sticker'],
]);

export const isFileType = (typeMessage: string): boolean => FILE_TYPES.has(typeMessage);

const NOTES: ReadonlySet<string | undefined> = new Set(['videoNoteMessage', 'ptvMessage']);

/** Of a shop's catalogue, with its picture. */
function productIn(data: Contents): Content | undefined {
  const found = data.productMessage;
  const file = found?.fileMessageData ?? data.fileMessageData;
  if (!found) return undefined;
  const { productId: id, title, description, price, currencyCode: currency, url } = found;
  const words = [title, description].filter((line) => line !== undefined).join('\n');
  const facts = anyKnown({ text: words || undefined, id, price, currency, url, file: file && fileOf(file) });
  return facts && { type: 'product', ...facts };
}

/** A cart that somebody has sent; what is in it, GREEN-API tells by a call of its own. */
function orderIn({ orderMessage: found }: Contents): Content | undefined {
  if (!found) return undefined;
  const { orderId: id, totalPrice: total, itemCount, sellerJid, jpegThumbnail: thumbnail } = found;
  const facts = anyKnown({
    text: found.message ?? found.orderTitle,
    id,
    total,
    currency: found.currencyCode ?? found.totalCurrencyCode,
    itemCount,
    seller: sellerJid && normaliseJid(sellerJid),
    file: thumbnail === undefined ? undefined : { thumbnail },
  });
  return facts && { type: 'order', ...facts };
}

function fileIn(data: Contents): Content | undefined {
  const found = data.fileMessageData;
  if (!found) return undefined;
  const { caption, mimeType, isAnimated } = found;
  const described = fileOf(found);
  const type = fileType(data.typeMessage, mimeType);
  if (!type) return known({ type: 'unsupported' as const, providerType: typeOf(data), text: caption, file: described });
  const nameGenerated = described.name !== undefined && type !== 'document' ? true : undefined;
  const animated = type === 'sticker' ? isAnimated : undefined; // on pictures it says nothing
  const file = known({ ...described, nameGenerated, animated });
  if (type !== 'video') return known({ type, file, caption });
  // Of a video that is none it is told as well, and means nothing.
  const videoNote = found.videoNote || data.videoNote || NOTES.has(data.typeMessage) || undefined;
  return known({ type, file, caption, videoNote });
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

function locationIn({ locationMessageData: place }: Contents): Content | undefined {
  if (place?.latitude === undefined || place.longitude === undefined) return undefined;
  const { latitude, longitude, nameLocation: name, address, jpegThumbnail: thumbnail } = place;
  return known({ type: 'location' as const, latitude, longitude, name, address, thumbnail });
}

function contactsIn(data: Contents): Content | undefined {
  const single = data.contactMessageData ? [data.contactMessageData] : undefined;
  const listed = data.messageData?.contacts ?? data.contacts ?? data.contactsArrayMessageData?.contacts;
  const cards = single ?? listed ?? [];
  const contacts = cards.flatMap(contactsOf);
  return contacts.length > 0 ? { type: 'contacts', contacts } : undefined;
}

/** The name that is told is that of a card which stands alone. */
function contactsOf({ displayName: name, vcard }: Card): Contact[] {
  if (vcard === undefined) return name === undefined ? [] : [{ name, phones: [] }];
  const cards = cardsIn(vcard);
  return cards.length > 1 ? [...cards] : cards.map((card) => ({ ...card, ...known({ name: name ?? card.name }) }));
}

function pollIn(data: Contents): Content | undefined {
  const asked = data.pollMessageData ?? data.pollCreationMessage;
  if (asked?.name === undefined || asked.options === undefined) return undefined;
  const { name, selectableOptionsCount: selectable } = asked;
  const options = asked.options.map((option) => option.optionName).filter((option) => option !== undefined);
  const multipleAnswers = asked.multipleAnswers ?? (selectable === undefined ? undefined : selectable !== 1);
  return known({ type: 'poll' as const, name, options, multipleAnswers });
}

function voteIn({ pollMessageData: tally }: Contents): Content | undefined {
  if (tally?.stanzaId === undefined || tally.votes === undefined) return undefined;
  const votes = tally.votes.flatMap(({ optionName, optionVoters = [] }) =>
    optionName === undefined ? [] : [{ option: optionName, voters: optionVoters.map(normaliseJid) }],
  );
  const { stanzaId: of, name, multipleAnswers } = tally;
  return known({ type: 'poll_vote' as const, of, name, votes, multipleAnswers });
}

function editIn({
  editedMessageData: edited,
  extendedTextMessageData,
  textMessageData,
}: Contents): Content | undefined {
  if (!edited) return undefined;
  const { stanzaId: of } = edited;
  const told = edited.textMessage ?? edited.caption ?? edited.text;
  const text = told ?? extendedTextMessageData?.text ?? textMessageData?.textMessage;
  return of === undefined && text === undefined ? undefined : known({ type: 'edit' as const, of, text });
}

function deletionIn({ deletedMessageData: deleted }: Contents): Content | undefined {
  return deleted?.stanzaId === undefined ? undefined : { type: 'delete', of: deleted.stanzaId };
}

function inviteIn({ groupInviteMessageData: invited }: Contents): Content | undefined {
  if (invited?.groupJid === undefined && invited?.inviteCode === undefined) return undefined;
  const { groupJid, groupName, inviteCode, inviteExpiration, caption, name, jpegThumbnail } = invited;
  return known({
    type: 'invite' as const,
    group: known({ id: groupJid && normaliseJid(groupJid), name: groupName }),
    code: inviteCode,
    expiresAt: inviteExpiration === undefined ? undefined : toIso(inviteExpiration),
    caption,
    name,
    thumbnail: jpegThumbnail,
  });
}
