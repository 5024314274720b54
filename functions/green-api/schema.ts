import * as v from 'valibot';
import { isRecord } from '#lib/domain/json.ts';
import { ifValid } from '#lib/domain/schema.ts';
import {
  degrees,
  flag,
  InstanceId,
  instant,
  jid,
  list,
  MemberId,
  name,
  neededJid,
  neededLabel,
  neededNumber,
  neededText,
  number,
  text,
  toLabel,
  toText,
  words,
} from './values.ts';

/** Ids of buttons and rows. */
const label = words;

/** How often a message was passed on; it stands in the object that holds the content, whatever its type. */
export const Forwarding = v.looseObject({ forwardingScore: number, isForwarded: flag });

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
  caption: words,
  fileName: words,
  jpegThumbnail: text,
  mimeType: text,
  isAnimated: flag,
  videoNote: flag,
});
export type FileData = v.InferOutput<typeof FileData>;

const Location = v.looseObject({
  nameLocation: words,
  address: words,
  latitude: degrees,
  longitude: degrees,
  jpegThumbnail: text,
});

const Card = v.looseObject({ displayName: words, vcard: text });
export type Card = v.InferOutput<typeof Card>;

/** An option may be its name alone. */
const Option = v.pipe(
  v.unknown(),
  v.transform((raw) => (isRecord(raw) ? raw : { optionName: raw })),
  v.looseObject({ optionName: words }),
);
/** A poll and the votes on one share a key. */
const Poll = v.looseObject({
  name: words,
  options: list(Option),
  multipleAnswers: flag,
  selectableOptionsCount: number,
  stanzaId: text,
  votes: list(v.looseObject({ optionName: words, optionVoters: list(MemberId) })),
});

const Link = v.looseObject({ displayText: words, url: text, phoneNumber: label, id: label });
/** The three ways in which buttons are written, in one: plain, interactive and of a template. */
const Button = v.looseObject({
  buttonId: label,
  buttonText: words,
  type: text,
  copyCode: text,
  phoneNumber: label,
  url: text,
  index: number,
  urlButton: ifValid(Link),
  callButton: ifValid(Link),
  quickReplyButton: ifValid(Link),
});
export type Button = v.InferOutput<typeof Button>;

/** What was tapped, by any set of names: which taps have which is not certain. */
const Tap = v.looseObject({
  stanzaId: text,
  selectedId: label,
  selectedButtonId: label,
  selectedDisplayText: words,
  selectedButtonText: words,
  buttonId: label,
  buttonText: words,
  selectedIndex: number,
});
export type Tap = v.InferOutput<typeof Tap>;

/** Anything with buttons. The title, the text and the line below have two names each. */
const WithButtons = v.looseObject({
  titleText: words,
  header: words,
  contentText: words,
  body: words,
  footer: words,
  footerText: words,
  buttons: list(Button),
  namespace: text,
  elementName: text,
  mediaUrl: text,
});
/** A message with buttons or, in some deliveries, a tap on one. */
const ButtonsOrTap = v.looseObject({ ...WithButtons.entries, ...Tap.entries });

const Rows = v.looseObject({
  title: words,
  rows: list(v.looseObject({ title: words, rowId: label, description: words })),
});
const List = v.looseObject({
  title: words,
  contentText: words,
  footer: words,
  buttonText: words,
  sections: list(Rows),
});

/** The id of the row, or WhatsApp's own object in which it stands. */
const rowId = v.optional(
  v.pipe(
    v.unknown(),
    v.transform((raw) => toLabel(isRecord(raw) && 'selectedRowId' in raw ? raw.selectedRowId : raw)),
  ),
);
const RowTap = v.looseObject({
  stanzaId: text,
  title: words,
  listType: number,
  singleSelectReply: rowId,
  selectedRowId: label,
});

const Invite = v.looseObject({
  groupJid: text,
  inviteCode: text,
  inviteExpiration: instant,
  groupName: words,
  caption: words,
  name: text,
  jpegThumbnail: text,
});

const Product = v.looseObject({
  productId: label,
  title: words,
  description: words,
  currencyCode: text,
  price: label,
  url: text,
  fileMessageData: ifValid(FileData),
});

const Order = v.looseObject({
  orderId: label,
  message: words,
  orderTitle: words,
  totalPrice: label,
  currencyCode: text,
  totalCurrencyCode: text,
  itemCount: number,
  sellerJid: text,
  jpegThumbnail: text,
});

/** Which message is answered; its content follows flat, in a way of its own (`messages.ts`). */
const Quoted = v.looseObject({ stanzaId: text, participant: jid, typeMessage: text });
export type Quoted = v.InferOutput<typeof Quoted>;

/** The content of a message, under a key that does not follow from `typeMessage` by rule. */
const contents = {
  textMessageData: ifValid(v.looseObject({ textMessage: words, isTemplateMessage: flag })),
  extendedTextMessageData: ifValid(ExtendedText),
  statusExtendedTextMessageData: ifValid(v.looseObject({ text: words })),
  fileMessageData: ifValid(FileData),
  locationMessageData: ifValid(Location),
  contactMessageData: ifValid(Card),
  contacts: list(Card),
  contactsArrayMessageData: ifValid(v.looseObject({ contacts: list(Card) })),
  messageData: ifValid(v.looseObject({ contacts: list(Card) })),
  pollMessageData: ifValid(Poll),
  pollCreationMessage: ifValid(Poll),
  editedMessageData: ifValid(v.looseObject({ textMessage: words, caption: words, text: words, stanzaId: text })),
  deletedMessageData: ifValid(v.looseObject({ stanzaId: text })),
  groupInviteMessageData: ifValid(Invite),
  productMessage: ifValid(Product),
  orderMessage: ifValid(Order),
  buttonsMessage: ifValid(WithButtons),
  templateMessage: ifValid(WithButtons),
  interactiveButtons: ifValid(WithButtons),
  interactiveButtonsReply: ifValid(ButtonsOrTap),
  interactiveButtonReply: ifValid(ButtonsOrTap),
  listMessage: ifValid(List),
  interactiveButtonsResponse: ifValid(Tap),
  interactiveButtonResponse: ifValid(Tap),
  interactiveButtonsResponseMessage: ifValid(Tap),
  buttonsResponseMessage: ifValid(Tap),
  listResponseMessage: ifValid(RowTap),
  templateButtonReplyMessage: ifValid(Tap),
  templateButtonsReplyMessage: ifValid(Tap),
};

export const isContentKey = (name: string): boolean => Object.hasOwn(contents, name);

export const Contents = v.looseObject({
  typeMessage: text,
  videoNote: flag,
  ...contents,
  quotedMessage: ifValid(Quoted),
});
export type Contents = v.InferOutput<typeof Contents>;
const NamedContents = v.looseObject({ ...Contents.entries, typeMessage: neededText });

/** What is neither named nor under a key that we know says nothing at all. */
const MessageData: v.GenericSchema<unknown, Contents> = v.lazy((input) =>
  isRecord(input) && Object.keys(contents).some((key) => isRecord(input[key]) || Array.isArray(input[key]))
    ? Contents
    : NamedContents,
);

const envelope = {
  instanceData: v.looseObject({
    idInstance: InstanceId,
    wid: text,
    // Sister products for other messengers post the same envelope.
    typeInstance: v.optional(
      v.pipe(
        v.unknown(),
        v.transform((raw) => toText(raw)?.trim().toLowerCase()),
        v.optional(v.literal('whatsapp')),
      ),
    ),
  }),
  timestamp: instant,
};
export type Envelope = v.InferOutput<v.LooseObjectSchema<typeof envelope, undefined>>;

export const MessageEvent = v.looseObject({
  ...envelope,
  idMessage: neededLabel,
  senderData: v.looseObject({
    chatId: neededJid,
    sender: jid,
    chatName: name,
    senderName: name,
    senderContactName: name,
    senderPhoneNumber: label,
  }),
  messageData: MessageData,
});
export type MessageEvent = v.InferOutput<typeof MessageEvent>;

export const StatusEvent = v.looseObject({
  ...envelope,
  chatId: jid,
  idMessage: neededLabel,
  status: neededText,
  sendByApi: flag,
  description: words,
});
export type StatusEvent = v.InferOutput<typeof StatusEvent>;

export const CallEvent = v.looseObject({
  ...envelope,
  from: neededJid,
  status: text,
  idMessage: text,
  isVideo: flag,
  duration: number,
  participants: list(v.looseObject({ id: jid, wid: jid, status: text })),
});
export type CallEvent = v.InferOutput<typeof CallEvent>;

export const StateEvent = v.looseObject({ ...envelope, stateInstance: neededText });
export type StateEvent = v.InferOutput<typeof StateEvent>;
export const SocketEvent = v.looseObject({ ...envelope, statusInstance: neededText });
export type SocketEvent = v.InferOutput<typeof SocketEvent>;

export const QuotaEvent = v.looseObject({
  ...envelope,
  quotaData: v.looseObject({
    method: neededText,
    used: neededNumber,
    total: neededNumber,
    status: neededText,
    description: words,
  }),
});
export type QuotaEvent = v.InferOutput<typeof QuotaEvent>;

const Device = v.looseObject({
  platform: text,
  deviceManufacturer: text,
  deviceModel: text,
  osVersion: text,
  waVersion: text,
  battery: number,
});
const AvatarInfo = v.looseObject({ chatId: neededText, urlAvatar: text, existsWhatsapp: flag, reason: text });
export type AvatarInfo = v.InferOutput<typeof AvatarInfo>;
/** One name for two events: of the phone, and of a contact's picture. */
export const DeviceEvent = v.looseObject({
  ...envelope,
  deviceData: ifValid(Device),
  avatarInfo: v.nullish(AvatarInfo),
});
export type DeviceEvent = v.InferOutput<typeof DeviceEvent>;

export const BlockEvent = v.looseObject({
  ...envelope,
  chatId: neededLabel,
  chatState: v.optional(v.literal('blocked'), 'blocked'),
});
export type BlockEvent = v.InferOutput<typeof BlockEvent>;

/** An event comes bare; fetched from GREEN-API's queue by somebody else it is wrapped, `{receiptId, body}`. */
export function eventIn(body: unknown): { readonly event: unknown; readonly path: string } {
  const isWrapped = isRecord(body) && 'receiptId' in body && isRecord(body.body) && !('typeWebhook' in body);
  return isWrapped ? { event: body.body, path: 'body' } : { event: body, path: '' };
}
