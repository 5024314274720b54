import type { Content, File } from '#lib/domain/content.ts';
import { normaliseJid } from '#lib/domain/jid.ts';
import { isRecord } from '#lib/domain/json.ts';
import { known } from '#lib/domain/known.ts';
import { toIso } from '#lib/domain/time.ts';
import { buttonsIn, listIn, replyIn, templateIn } from './interactive.ts';
import { isBareMark, markerIn } from './markers.ts';
import type { Card, Contents, FileData } from './message-schema.ts';
import { textIn } from './text.ts';
import { nameIn, phonesIn } from './vcard.ts';

/** Which key is there decides, since sources disagree on types; a text comes last, it may stand beside the others. */
const READERS = [
  fileIn,
  locationIn,
  contactsIn,
  pollIn,
  voteIn,
  editIn,
  deletionIn,
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
  return texts.find((found) => found !== undefined && !isBareMark(found));
}

type FileType = 'image' | 'video' | 'document' | 'audio' | 'voice' | 'sticker';
const FILE_TYPES: ReadonlyMap<string | undefined, FileType> = new Map([
  ['imageMessage', 'image'],
  ['videoMessage', 'video'],
  ['documentMessage', 'document'],
  ['audioMessage', 'audio'],
  ['stickerMessage', 'sticker'],
]);

function fileIn(data: Contents): Content | undefined {
  const found = data.fileMessageData;
  if (!found) return undefined;
  const { caption, mimeType, isAnimated } = found;
  const described = fileOf(found);
  const type = fileType(data.typeMessage, mimeType);
  if (!type) return known({ type: 'unsupported' as const, providerType: typeOf(data), text: caption, file: described });
  const nameGenerated = described.name !== undefined && type !== 'document' ? true : undefined;
  const animated = type === 'sticker' ? isAnimated : undefined; // on pictures it says nothing
  return known({ type, file: known({ ...described, nameGenerated, animated }), caption });
}

/** Voice notes have no type of their own: they are what is recorded in Opus. */
function fileType(typeMessage: string | undefined, mimeType = ''): FileType | undefined {
  const type = FILE_TYPES.get(typeMessage);
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
  const cards = single ?? data.messageData?.contacts ?? data.contacts ?? [];
  const found = cards.filter((card) => card.displayName !== undefined || card.vcard !== undefined);
  return found.length > 0 ? { type: 'contacts', contacts: found.map(contactOf) } : undefined;
}

function contactOf({ displayName, vcard }: Card) {
  return known({ name: displayName ?? nameIn(vcard ?? ''), phones: phonesIn(vcard ?? ''), vcard });
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

function editIn({ editedMessageData: edited }: Contents): Content | undefined {
  const text = edited?.textMessage ?? edited?.caption;
  if (edited?.stanzaId === undefined && text === undefined) return undefined;
  return known({ type: 'edit' as const, of: edited?.stanzaId, text });
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
