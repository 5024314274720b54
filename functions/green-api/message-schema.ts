import * as v from 'valibot';
import { isRecord } from '#lib/domain/json.ts';
import { flag, ifReadable, instant, label, list, MemberId, neededText, number, text } from './values.ts';

/** How often a message was passed on; it stands in the object that holds the content, whatever its type. */
export const Forwarding = v.looseObject({ forwardingScore: number, isForwarded: flag });

const ExtendedText = v.looseObject({
  text,
  title: text,
  description: text,
  previewType: text,
  jpegThumbnail: text,
  stanzaId: text,
  participant: text,
  // Messages that start from an advert.
  containsAutoReply: flag,
  mediaType: label,
  showAdAttribution: flag,
  sourceId: label,
  sourceType: text,
  sourceUrl: text,
  thumbnailUrl: text,
  conversionSource: text,
  entryPointConversionApp: text,
});
export type ExtendedText = v.InferOutput<typeof ExtendedText>;

const FileData = v.looseObject({
  downloadUrl: text,
  caption: text,
  fileName: text,
  jpegThumbnail: text,
  mimeType: text,
  isAnimated: flag,
});
export type FileData = v.InferOutput<typeof FileData>;

const Location = v.looseObject({
  nameLocation: text,
  address: text,
  latitude: number,
  longitude: number,
  jpegThumbnail: text,
});

const Card = v.looseObject({ displayName: text, vcard: text });
export type Card = v.InferOutput<typeof Card>;

/** A poll and the votes on one share a key. */
const Poll = v.looseObject({
  name: text,
  options: list(v.looseObject({ optionName: text })),
  multipleAnswers: flag,
  selectableOptionsCount: number,
  stanzaId: text,
  votes: list(v.looseObject({ optionName: text, optionVoters: list(MemberId) })),
});

const Link = v.looseObject({ displayText: text, url: text, phoneNumber: label, id: label });
/** The three ways in which buttons are written, in one: plain, interactive and of a template. */
const Button = v.looseObject({
  buttonId: label,
  buttonText: text,
  type: text,
  copyCode: text,
  phoneNumber: label,
  url: text,
  index: number,
  urlButton: ifReadable(Link),
  callButton: ifReadable(Link),
  quickReplyButton: ifReadable(Link),
});
export type Button = v.InferOutput<typeof Button>;

/** Anything with buttons. The title, the text and the line below have two names each. */
const WithButtons = v.looseObject({
  titleText: text,
  header: text,
  contentText: text,
  body: text,
  footer: text,
  footerText: text,
  buttons: list(Button),
  namespace: text,
  elementName: text,
  mediaUrl: text,
});

const Rows = v.looseObject({
  title: text,
  rows: list(v.looseObject({ title: text, rowId: label, description: text })),
});
const List = v.looseObject({
  title: text,
  contentText: text,
  footer: text,
  buttonText: text,
  sections: list(Rows),
});

const ButtonTap = v.looseObject({ stanzaId: text, selectedButtonId: label, selectedButtonText: text });
const RowTap = v.looseObject({ stanzaId: text, title: text, listType: number, singleSelectReply: label });
const TemplateTap = v.looseObject({
  stanzaId: text,
  selectedIndex: number,
  selectedId: label,
  selectedDisplayText: text,
});

const Invite = v.looseObject({
  groupJid: text,
  inviteCode: text,
  inviteExpiration: instant,
  groupName: text,
  caption: text,
  name: text,
  jpegThumbnail: text,
});

/** Which message is answered; its content follows flat, in a way of its own (`quoted.ts`). */
const Quoted = v.looseObject({ stanzaId: text, participant: text, typeMessage: text });
export type Quoted = v.InferOutput<typeof Quoted>;

/** The content of a message, under a key that does not follow from `typeMessage` by rule. */
const contents = {
  textMessageData: ifReadable(v.looseObject({ textMessage: text, isTemplateMessage: flag })),
  extendedTextMessageData: ifReadable(ExtendedText),
  statusExtendedTextMessageData: ifReadable(v.looseObject({ text })),
  fileMessageData: ifReadable(FileData),
  locationMessageData: ifReadable(Location),
  contactMessageData: ifReadable(Card),
  contacts: list(Card),
  messageData: ifReadable(v.looseObject({ contacts: list(Card) })),
  pollMessageData: ifReadable(Poll),
  pollCreationMessage: ifReadable(Poll),
  editedMessageData: ifReadable(v.looseObject({ textMessage: text, caption: text, stanzaId: text })),
  deletedMessageData: ifReadable(v.looseObject({ stanzaId: text })),
  groupInviteMessageData: ifReadable(Invite),
  buttonsMessage: ifReadable(WithButtons),
  templateMessage: ifReadable(WithButtons),
  interactiveButtons: ifReadable(WithButtons),
  interactiveButtonsReply: ifReadable(WithButtons),
  interactiveButtonReply: ifReadable(WithButtons),
  listMessage: ifReadable(List),
  buttonsResponseMessage: ifReadable(ButtonTap),
  listResponseMessage: ifReadable(RowTap),
  templateButtonReplyMessage: ifReadable(TemplateTap),
  templateButtonsReplyMessage: ifReadable(TemplateTap),
};

export const Contents = v.looseObject({ typeMessage: text, ...contents, quotedMessage: ifReadable(Quoted) });
export type Contents = v.InferOutput<typeof Contents>;
const NamedContents = v.looseObject({ ...Contents.entries, typeMessage: neededText });

/** What is neither named nor under a key that we know says nothing at all. */
export const MessageData: v.GenericSchema<unknown, Contents> = v.lazy((input) =>
  isRecord(input) && Object.keys(contents).some((key) => isRecord(input[key]) || Array.isArray(input[key]))
    ? Contents
    : NamedContents,
);
