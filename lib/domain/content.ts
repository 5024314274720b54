import * as v from 'valibot';
import { isInternational, type Phone, toPhone } from './person.ts';
import { known, optional, text } from './schema.ts';

const Thumbnail = v.pipe(v.string(), v.description('A small JPEG, as base64 without a data URI prefix'));

export const File = v.object({
  url: optional(v.string(), 'Where the provider offers it; most links expire'),
  name: optional(v.string()),
  nameGenerated: optional(v.boolean(), 'True where the provider made the name up'),
  mimeType: optional(v.string()),
  size: optional(v.number(), 'Bytes'),
  thumbnail: v.exactOptional(Thumbnail),
  animated: optional(v.boolean(), 'An animated sticker'),
});
export type File = v.InferOutput<typeof File>;

const file = <const Type extends string>(type: Type) =>
  v.object({ type: v.literal(type), file: File, caption: optional(v.string()) });

const Video = v.object({
  ...file('video').entries,
  videoNote: optional(v.boolean(), 'True of a round one that was recorded in the app; left out of any other'),
});

const LinkPreview = v.object({
  title: optional(v.string()),
  description: optional(v.string()),
  url: optional(v.string()),
  thumbnail: v.exactOptional(Thumbnail),
  type: optional(v.string()),
});

const Advertisement = v.object({
  sourceId: optional(v.string()),
  sourceType: optional(v.string()),
  sourceUrl: optional(v.string()),
  mediaType: optional(v.string()),
  thumbnailUrl: optional(v.string()),
  showAttribution: optional(v.boolean()),
  autoReply: optional(v.boolean()),
  conversionSource: optional(v.string()),
  entryPointApp: optional(v.string()),
});

const Text = v.object({
  type: v.literal('text'),
  text: v.string(),
  fromTemplate: optional(v.boolean(), 'Whether it was written from a template'),
  file: v.exactOptional(File),
  preview: v.exactOptional(LinkPreview),
  ad: v.exactOptional(Advertisement),
});

const Location = v.object({
  type: v.literal('location'),
  latitude: v.number(),
  longitude: v.number(),
  name: optional(v.string()),
  address: optional(v.string()),
  thumbnail: v.exactOptional(Thumbnail),
});

const Contact = v.object({
  name: optional(v.string()),
  phones: v.pipe(v.array(v.string()), v.description('E.164, as far as the card names any')),
  vcard: optional(v.string()),
});
export type Contact = v.InferOutput<typeof Contact>;
const Contacts = v.object({ type: v.literal('contacts'), contacts: v.array(Contact) });

const Poll = v.object({
  type: v.literal('poll'),
  name: v.string(),
  options: v.array(v.string()),
  multipleAnswers: optional(v.boolean()),
});
const PollVote = v.object({
  type: v.literal('poll_vote'),
  of: text('Id of the poll message'),
  name: optional(v.string()),
  votes: v.pipe(
    v.array(v.object({ option: v.string(), voters: v.array(v.string()) })),
    v.description('The whole tally so far, not a change'),
  ),
  multipleAnswers: optional(v.boolean()),
});

export const Button = v.object({
  kind: v.picklist(['reply', 'url', 'call', 'copy']),
  id: optional(v.string()),
  index: optional(v.number()),
  text: optional(v.string()),
  url: optional(v.string()),
  phone: optional(v.string()),
  code: optional(v.string()),
});
export type Button = v.InferOutput<typeof Button>;
const Buttons = v.object({
  type: v.literal('buttons'),
  title: optional(v.string()),
  text: v.string(),
  footer: optional(v.string()),
  buttons: v.array(Button),
});
const Template = v.object({
  type: v.literal('template'),
  namespace: optional(v.string()),
  name: optional(v.string()),
  title: optional(v.string()),
  text: v.string(),
  footer: optional(v.string()),
  mediaUrl: optional(v.string()),
  buttons: v.array(Button),
});
const List = v.object({
  type: v.literal('list'),
  title: optional(v.string()),
  text: v.string(),
  footer: optional(v.string()),
  buttonText: optional(v.string()),
  sections: v.array(
    v.object({
      title: optional(v.string()),
      rows: v.array(
        v.object({ id: optional(v.string()), title: optional(v.string()), description: optional(v.string()) }),
      ),
    }),
  ),
});
const Reply = v.object({
  type: v.literal('reply'),
  of: optional(v.string(), 'Id of the message whose button or row was chosen'),
  source: v.picklist(['button', 'list', 'template']),
  id: optional(v.string()),
  text: optional(v.string()),
  index: optional(v.number()),
  listType: optional(v.number()),
});

const Invite = v.object({
  type: v.literal('invite'),
  group: v.object({ id: optional(v.string()), name: optional(v.string()) }),
  code: optional(v.string()),
  expiresAt: optional(v.string()),
  caption: optional(v.string()),
  name: optional(v.string()),
  thumbnail: v.exactOptional(Thumbnail),
});

const Edit = v.object({ type: v.literal('edit'), of: optional(v.string()), text: optional(v.string()) });
const Delete = v.object({ type: v.literal('delete'), of: optional(v.string()) });

const bare = <const Type extends string>(type: Type) =>
  v.object({ type: v.literal(type), text: optional(v.string()), file: v.exactOptional(File) });
const Product = v.object({
  ...bare('product').entries,
  id: optional(v.string(), 'Of the product in the catalogue'),
  price: optional(v.string(), 'As the provider writes it'),
  currency: optional(v.string(), 'ISO 4217'),
  url: optional(v.string(), 'Of its page'),
});
const Order = v.object({
  ...bare('order').entries,
  id: optional(v.string()),
  total: optional(v.string(), "In the currency's smallest unit"),
  currency: optional(v.string(), 'ISO 4217'),
  itemCount: optional(v.number(), 'How many things are ordered'),
  seller: optional(v.string(), "WhatsApp's id of the shop"),
});
const System = v.object({
  type: v.literal('system'),
  event: text("The provider's own word for it"),
  text: optional(v.string()),
});
const Unsupported = v.object({
  type: v.literal('unsupported'),
  providerType: text("The provider's own name of the type: the chat shows that something came"),
  text: optional(v.string()),
  file: v.exactOptional(File),
});

export const Content = v.variant('type', [
  Text,
  file('image'),
  Video,
  file('audio'),
  file('voice'),
  file('document'),
  file('sticker'),
  Location,
  Contacts,
  Poll,
  PollVote,
  Buttons,
  List,
  Template,
  Reply,
  Invite,
  Edit,
  Delete,
  Order,
  Product,
  bare('payment'),
  System,
  Unsupported,
]);
export type Content = v.InferOutput<typeof Content>;

/** The cards of a text, each by itself: one as a rule, though some put all that was shared into one text. */
export function cardsIn(text: string): readonly [Contact, ...Contact[]] {
  const pieces = text.split(/^(?=BEGIN:VCARD\b)/im).filter((piece) => /^BEGIN:VCARD\b/i.test(piece));
  const [first = text, ...others] = pieces.map((piece) => piece.trimEnd());
  // What is one card stays as it came, with what may stand around it.
  return others.length === 0 ? [cardOf(text)] : [cardOf(first), ...others.map(cardOf)];
}

const SHOWN_NAME = /^(?:[\w-]+\.)?FN(?:;[^:\n]*)?:(.*)$/im;
const TELEPHONE = /^(?:[\w-]+\.)?TEL((?:;[^:\n]*)?)(?::(.*))?$/gim;

function cardOf(vcard: string): Contact {
  // A line goes on where the next begins with a blank.
  const lines = vcard.replace(/\r?\n[ \t]/g, '');
  const name = SHOWN_NAME.exec(lines)?.[1]
    ?.trim()
    .replace(/\\([,;\\])/g, '$1');
  const phones = Array.from(lines.matchAll(TELEPHONE), ([, parameters, number]) => phoneIn(parameters, number));
  return {
    ...known({ name: name || undefined }),
    phones: [...new Set(phones.filter((one) => one !== undefined))],
    vcard,
  };
}

/**
 * WhatsApp's own id of the number (`waid`) before what is written, which counts with its country code alone: without it
 * nobody knows the country.
 */
function phoneIn(parameters = '', written = ''): Phone | undefined {
  const [number = ''] = written.split(';');
  return toPhone(/;waid=(\d+)/i.exec(parameters)?.[1]) ?? (isInternational(number) ? toPhone(number) : undefined);
}

/** Whether a text names a certain person. */
export type Mentions = (text: string) => boolean;

// What people and address books put between the digits of a number; a form writes `+` for a space.
const BETWEEN = '[\\s().+\\-\\u00a0]{0,2}';
/** WhatsApp's old group ids begin with the founder's number: `79876543210-1581234048@g.us`. */
const FOUNDED_GROUP = '(?!-\\d{6,}@g\\.us)';

/**
 * Finds a number in whatever spelling a provider may write it: bare, with `+` or `00`, as an id of WhatsApp with or
 * without a device (`79876543210:3@s.whatsapp.net`), with spaces and brackets after a `+`, percent-encoded, escaped.
 * Not in a longer number, and not in a LID, whose digits are nobody's number.
 *
 * `founder`: also where the number only tells who once founded a group.
 */
export function mentionsOf(phone: Phone, options: { readonly founder: boolean }): Mentions {
  const digits = phone.slice(1);
  const end = `(?!\\d)(?!(?::\\d+)?@lid)${options.founder ? '' : FOUNDED_GROUP}`;
  // `+1 79876543210` is another, longer number.
  const bare = `(?<!\\d)(?<!\\+\\d{1,3}[ ().\\-\\u00a0]{1,2})(?:00)?${digits}${end}`;
  const written = `\\+${BETWEEN}${[...digits].join(BETWEEN)}${end}`;
  const pattern = new RegExp(`${bare}|${written}`, 'i');
  return (text) => forms(text).some((form) => pattern.test(form));
}

/** The same for WhatsApp's id of somebody who hides their number. Its digits are too many to mean anything else. */
export function mentionsOfLid(lid: string): Mentions {
  const digits = lid.replace(/@lid$/, '');
  const pattern = new RegExp(`(?<!\\d)${digits}${digits.length < LONG_LID ? '(?::\\d+)?@lid' : '(?!\\d)'}`);
  return (text) => forms(text).some((form) => pattern.test(form));
}
const LONG_LID = 12;

const ESCAPE = /%([0-7][0-9a-f])|\\u00([0-7][0-9a-f])/gi;
/** A form that holds JSON is encoded twice, and its log once more. */
const DEEPEST = 3;

/** The text as it is, and with the escapes of forms and of JSON undone: a digit of an escape is none of a number. */
function forms(text: string): string[] {
  const found = [text];
  for (let depth = 0; depth < DEEPEST; depth++) {
    const last = found.at(-1) ?? '';
    const plain = last.replace(ESCAPE, (_all, percent: string | undefined, unicode: string | undefined) =>
      String.fromCharCode(Number.parseInt(percent ?? unicode ?? '', 16)),
    );
    if (plain === last) break;
    found.push(plain);
  }
  return found;
}

/** Characters of a line in a list of chats. */
const LINE = 120;

/** How the words of a content begin, in one line; undefined where it has none. */
export function beginningOf(content: Content): string | undefined {
  const words = wordsOf(content)?.replace(/\s+/g, ' ').trim();
  if (words === undefined || words === '') return undefined;
  const characters = [...words.slice(0, 2 * LINE)];
  return characters.length > LINE ? `${characters.slice(0, LINE - 1).join('')}…` : words;
}

function wordsOf(content: Content): string | undefined {
  if ('text' in content && content.text !== undefined) return content.text;
  if ('caption' in content && content.caption !== undefined) return content.caption;
  if (content.type === 'contacts') return content.contacts[0]?.name;
  return 'name' in content ? content.name : undefined;
}
