import { isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/min';

/** A phone number that is really known, in E.164 with `+`. */
export type Phone = string & { readonly phone: unique symbol };

// E.164: at most 15 digits, no leading zero. Shorter than 7 is a service number, which has no country.
const INTERNATIONAL = /^\+[1-9]\d{6,14}$/;

function isPhone(text: string): text is Phone {
  return INTERNATIONAL.test(text);
}

function phoneOfDigits(digits: string): Phone | undefined {
  const phone = `+${digits}`;
  return isPhone(phone) ? phone : undefined;
}

/**
 * Reads an international number as providers write it: with `+` or `00` or neither, among blanks, dashes and brackets.
 * Undefined for short codes, sender names, chat ids and local numbers: what is not certain to be a phone is not one.
 * Without `+` it must be as long as its country's numbers, since ids that hide a number are digits, too; with `+` where it
 * is as long as those, for some providers write it before all digits.
 */
export function toPhone(raw: string | undefined): Phone | undefined {
  const number = raw === undefined ? undefined : numberIn(raw);
  if (!number) return undefined;
  const { digits, isInternational } = number;
  if (isInternational && digits.length < SHORTEST_HIDDEN) return phoneOfDigits(digits);
  // As it is read where it is sent to: the same number with a zero too many is not another one.
  const whole = hasLengthOfItsCountry(digits) ? withoutZero(digits) : '';
  return hasLengthOfItsCountry(whole) ? phoneOfDigits(whole) : undefined;
}

/** Digits of an id that hides a number. */
const SHORTEST_HIDDEN = 14;

/** A number as somebody wrote it, without the punctuation. */
interface Written {
  readonly digits: string;
  /** With `+` or `00`: the digits begin with the calling code. */
  readonly isInternational: boolean;
  /** It begins with brackets, as an area code does and a calling code does not. */
  readonly isAreaFirst: boolean;
}

const LONGEST_WRITTEN = 1_000;
const SCHEME = /^(?:tel|whatsapp):(?:\/\/)?/i;
// Blanks of every kind, dashes and the minus sign, brackets, dots of every kind, slashes and low lines.
const PUNCTUATION = /[\s\p{Pd}\u2212()[\].·•‧∙⋅/_]/gu;
/** The zero in `44 (0)20`: after a calling code and nothing else. */
const BRACKETED_ZERO = /^\D*(?:\d\D*?){1,5}[([]\s*0\s*[)\]]/;
/** What data frames put behind a number. */
const DECIMALS = /(?<=^\+?\d{7,})\.0+$/;
/** `4930123456/57` are two numbers, of which the second has the beginning of the first. */
const TWO_IN_ONE = /^(?:\D*\d){9,}[^/\d]*\/\s*\d{1,3}$/;

/** As nearly all come, and nothing is to be taken off. */
const PLAIN = /^\+?[1-9]\d{6,14}$/;

/** Undefined where it holds anything but one number. */
function numberIn(raw: string): Written | undefined {
  if (raw.length > LONGEST_WRITTEN) return undefined;
  const text = PLAIN.test(raw) ? raw : inAsciiDigits(raw).trim().replace(SCHEME, '').trim().replace(DECIMALS, '');
  const [, sign, digits] = /^(\+?00|\+)?(\d+)$/.exec(text.replace(PUNCTUATION, '')) ?? [];
  if (digits === undefined || TWO_IN_ONE.test(text)) return undefined;
  const national = { isInternational: false, isAreaFirst: /^[([]/.test(text) };
  if (sign === undefined) return { ...national, digits: BRACKETED_ZERO.test(text) ? withoutZero(digits) : digits };
  const called = withoutZero(digits);
  // 00 may be the beginning of something else, as of Korea's 00700.
  if (sign === '00' && !hasLengthOfItsCountry(called)) return { ...national, digits: sign + digits };
  return { digits: called, isInternational: true, isAreaFirst: false };
}

/** Marks that cannot be seen, as those that turn the direction of reading round, are no part of a number. */
function inAsciiDigits(text: string): string {
  // Full-width digits and signs have plain counterparts; the digits of other scripts do not.
  const plain = text.normalize('NFKC').replace(/\p{Cf}/gu, '');
  return plain.replace(/(?![0-9])\p{Nd}/gu, (digit) => String(digitValue(digit)));
}

/** The digits of a script stand together, from nought to nine, and now and then behind those of another. */
function digitValue(digit: string): number {
  const point = digit.codePointAt(0) ?? 0;
  let before = 0;
  while (/\p{Nd}/u.test(String.fromCodePoint(point - before - 1))) before++;
  return before % 10;
}

/** A story has the kind `status`, a newsletter the kind `channel`. */
export const CHAT_KINDS = ['individual', 'group', 'status', 'broadcast', 'channel', 'bot'] as const;
export type ChatKind = (typeof CHAT_KINDS)[number];

/** To stories, broadcast lists, channels and WhatsApp's own bots nobody can write through a provider. */
export const canBeWrittenTo = (kind: ChatKind): boolean => kind === 'individual' || kind === 'group';

/**
 * WhatsApp's own spelling of a chat or person: device and agent dropped (`123:4@c.us`, `123_1:4@c.us`), `@s.whatsapp.net` folded to
 * `@c.us`, the part after `@` in lower case. Ids of another form come back as they are.
 */
export function normaliseJid(raw: string): string {
  const at = raw.lastIndexOf('@');
  if (at < 0) return raw;
  const server = raw
    .slice(at + 1)
    .trim()
    .toLowerCase();
  const user = raw.slice(0, at).trim().replace(/:\d+$/, '');
  const folded = FOLDED.get(server) ?? server;
  // The one user that is a word.
  if (folded === 'broadcast') return `${user.toLowerCase()}@${folded}`;
  return folded === 'c.us' || folded === 'lid' ? `${bareUser(user)}@${folded}` : `${user}@${folded}`;
}

/** A plus sign, and the number of an agent before the device's, are no part of who somebody is. */
const bareUser = (user: string): string => user.replace(/^\+(?=\d)/, '').replace(/(?<=^\d{5,})[._]\d{1,2}$/, '');

/** Other names of the two servers that people are at; those of companies may be hosted elsewhere. */
const FOLDED: ReadonlyMap<string, string> = new Map([
  ['s.whatsapp.net', 'c.us'],
  ['hosted', 'c.us'],
  ['hosted.lid', 'lid'],
]);

/** The number behind a person's id. A LID hides the number, whatever its digits look like; a group has none. */
export function phoneOfJid(jid: string | undefined): Phone | undefined {
  if (jid === undefined) return undefined;
  const normal = normaliseJid(jid);
  if (!normal.endsWith('@c.us')) return undefined;
  // Some write that server behind ids that hide a number as well.
  const digits = normal.slice(0, -'@c.us'.length);
  return digits.length < SHORTEST_HIDDEN || hasLengthOfItsCountry(digits) ? phoneOfDigits(digits) : undefined;
}

/** The same of a number itself. Digits alone may be an id of the provider's. */
export const phoneOf = (id: string | undefined): Phone | undefined =>
  phoneOfJid(id) ?? (id?.startsWith('+') ? toPhone(id) : undefined);

export function chatKindOfJid(jid: string): ChatKind {
  const normal = normaliseJid(jid);
  if (normal === 'status@broadcast') return 'status';
  if (normal.endsWith('@broadcast')) return 'broadcast';
  return KIND_OF_SERVER.get(normal.slice(normal.lastIndexOf('@') + 1)) ?? 'individual';
}

/** By a provider's own word for it. */
export const chatKindOfWord = (word: string | undefined): ChatKind | undefined => KIND_OF_WORD.get(word?.toLowerCase());

const KIND_OF_WORD: ReadonlyMap<string | undefined, ChatKind> = new Map([
  ['group', 'group'],
  ['channel', 'channel'],
  ['newsletter', 'channel'],
  ['status', 'status'],
  ['story', 'status'],
  ['broadcast', 'broadcast'],
  ['bot', 'bot'],
]);

const KIND_OF_SERVER: ReadonlyMap<string, ChatKind> = new Map([
  ['g.us', 'group'],
  ['newsletter', 'channel'],
  ['bot', 'bot'],
]);

/** Each way between the two national spellings of a number, as a pattern and how its groups are put together again. */
const SPELLINGS: readonly (readonly [RegExp, (...groups: string[]) => string])[] = [
  // Mexico had a 1 before mobile numbers until 2019; WhatsApp's ids keep it.
  [/^\+521([2-9]\d{9})$/, (rest) => `+52${rest}`],
  [/^\+52([2-9]\d{9})$/, (rest) => `+521${rest}`],
  // Argentina has a 9 before mobile numbers when called from abroad; area codes begin with 1, 2 or 3.
  [/^\+549([1-3]\d{9})$/, (rest) => `+54${rest}`],
  [/^\+54([1-3]\d{9})$/, (rest) => `+549${rest}`],
  // Brazil has put a 9 before mobile numbers; ids of older accounts lack it.
  [/^\+55([1-9]\d)9([6-9]\d{7})$/, (area, rest) => `+55${area}${rest}`],
  [/^\+55([1-9]\d)([6-9]\d{7})$/, (area, rest) => `+55${area}9${rest}`],
  // Benin has put 01 before all numbers in 2024; WhatsApp's ids lack it.
  [/^\+229([2-9]\d{7})$/, (rest) => `+22901${rest}`],
  [/^\+22901([2-9]\d{7})$/, (rest) => `+229${rest}`],
  // Ivory Coast has put two digits before mobile numbers in 2021, by the company that the second digit meant.
  [/^\+225([04-9][7-9]\d{6})$/, (rest) => `+22507${rest}`],
  [/^\+22507([04-9][7-9]\d{6})$/, (rest) => `+225${rest}`],
  [/^\+225([04-9][4-6]\d{6})$/, (rest) => `+22505${rest}`],
  [/^\+22505([04-9][4-6]\d{6})$/, (rest) => `+225${rest}`],
  [/^\+225([04-9][0-3]\d{6})$/, (rest) => `+22501${rest}`],
  [/^\+22501([04-9][0-3]\d{6})$/, (rest) => `+225${rest}`],
];

/** The other spelling of the same number, in the few countries where mobile numbers have two. */
export function twinOf(phone: string): Phone | undefined {
  for (const [pattern, joined] of SPELLINGS) {
    const groups = pattern.exec(phone)?.slice(1);
    if (groups) return toPhone(joined(...groups));
  }
  return undefined;
}

/** One spelling for both of a number's two: to find somebody by, never to be shown or sent to. */
export function commonSpelling(phone: string): string {
  const twin = twinOf(phone);
  return twin !== undefined && twin < phone ? twin : phone;
}

/** Whether two are one number, in whichever of its spellings. Where there is no number, they are none. */
export const isSamePhone = (one: string | undefined, other: string | undefined): boolean =>
  one !== undefined && other !== undefined && commonSpelling(one) === commonSpelling(other);

export type ReadPhone =
  | { readonly ok: true; readonly phone: Phone }
  /** What is wrong and what to do, to stand after the field's name. */
  | { readonly ok: false; readonly reason: string };

/** Whether a number tells its country itself. */
export const isInternational = (written: string): boolean => numberIn(written)?.isInternational === true;

/**
 * A number as people write it. With `+` or `00` it goes as it is, whatever numbering plans say: a number of old may live
 * on in WhatsApp. Without, it is read as one of the default country (ISO 3166), else as one that lacks no more than its
 * `+`; a number that is not valid as either is refused, for it would reach somebody in another country.
 */
export function readPhone(written: string, country?: string): ReadPhone {
  const number = numberIn(written);
  if (!number) return refused(WHATSAPP_ID.test(written) ? IS_A_JID : NOT_ONE);
  if (number.isInternational) return readAs(phoneOfDigits(number.digits), WRONG_LENGTH);
  const national = country === undefined ? undefined : nationalPhone(number.digits, country);
  const phone = national ?? (number.isAreaFirst ? undefined : validPhone(number.digits));
  return readAs(phone, country === undefined ? NO_COUNTRY : `is no number of ${country}: ${HOW}`);
}

const HOW = 'write it with + and its country code, as +14155550123';
const NO_COUNTRY = `does not tell its country: ${HOW}`;
const WRONG_LENGTH = 'must have 7 to 15 digits, the first of them not a zero: its country code, area code and number';
const NOT_ONE = `must be one phone number and nothing else: ${HOW}`;
const IS_A_JID = 'is a WhatsApp id: give it as jid';
const WHATSAPP_ID = /@(?:c\.us|s\.whatsapp\.net|g\.us|lid|newsletter|broadcast|bot)\s*$/i;

const refused = (reason: string): ReadPhone => ({ ok: false, reason });
const readAs = (phone: Phone | undefined, reason: string): ReadPhone =>
  phone === undefined ? refused(reason) : { ok: true, phone };

/** By its ISO 3166 code, a country or territory that has numbers. */
export const isCountry = (code: string) => isSupportedCountry(code);

function nationalPhone(digits: string, country: string): Phone | undefined {
  if (!isSupportedCountry(country)) return undefined;
  const parsed = parsePhoneNumberFromString(digits, country);
  return parsed?.isValid() && isPhone(parsed.number) ? parsed.number : undefined;
}

// WhatsApp keeps the 1 after Mexico's calling code, which the numbering plan has given up.
const MEXICO_OF_OLD = /^521(?=\d{10}$)/;

/** The library may change digits as a caller within the country would have to: those of a right length stay. */
function validPhone(digits: string): Phone | undefined {
  const parsed = parsePhoneNumberFromString(`+${digits.replace(MEXICO_OF_OLD, '52')}`);
  if (!parsed?.isValid()) return undefined;
  return phoneOfDigits(hasLengthOfItsCountry(digits) ? digits : parsed.number.slice(1));
}

// A person by number, a person by the id that hides the number, a group of either age.
const JID =
  /^(?:[1-9]\d{6,14}(?::\d+)?@(?:c\.us|s\.whatsapp\.net)|[1-9]\d{4,19}(?::\d+)?@lid|[1-9]\d{4,24}(?:-\d{5,15})?@g\.us)$/i;

/** WhatsApp's id of a person or group, in one spelling. Nothing but these ever goes into a provider's request. */
export function readJid(written: string): string | undefined {
  const jid = inAsciiDigits(written).trim().replace(/^\+/, '');
  return JID.test(jid) ? normaliseJid(jid) : undefined;
}

/**
 * How many digits a telephone or mobile number has after its calling code: fewest and most, and the codes for which that
 * holds. Only so much of the numbering plans goes into every function: all of them weigh more than a provider's own code.
 * A test derives it from the library. Mexico, Ivory Coast and Benin allow their former lengths too, which live on in
 * WhatsApp. Only mobile numbers have more than 13 digits in all: WhatsApp's ids that hide a number have 14 or 15.
 */
const LENGTHS = [
  '4-5 290',
  '4-7 683 690',
  '4-10 352',
  '4-13 43',
  '5-5 247 500 682',
  '5-7 676 677 678 688',
  '5-8 686',
  '5-9 27',
  '5-10 82 358 685',
  '5-11 49',
  '6-6 298 299 672 681 687',
  '6-7 597',
  '6-9 40 252 359 376 421 508',
  '6-10 53 63 95 98 880',
  '6-11 39',
  '7-7 238 239 246 248 269 291 297 501 592 673 674 679 680 691 692 960',
  '7-8 230 241 267 372 507 599 670 675 961 975',
  '7-9 46 48 220 231 254 265 354 423 595 967',
  '7-10 243 353 381',
  '7-11 86',
  '7-12 62',
  '8-8 45 47 65 216 222 223 226 227 228 232 235 236 253 257 266 268 350 356 357 370 371 373 374 382 386 389 502 503 504 ' +
    '505 506 509 591 598 689 852 853 965 968 973 974 993',
  '8-9 32 36 51 66 213 224 250 258 264 355 377 385 387 593 855 886 962 963 970 971 972',
  '8-10 20 57 60 64 225 229 378 383 850 856 964 976 977',
  '9-9 33 34 41 56 61 93 94 211 212 218 221 233 237 240 242 244 245 249 251 255 256 260 261 262 263 351 375 380 420 590 ' +
    '594 596 966 992 994 995 996 998',
  '9-10 44 81 84 92',
  '9-11 31',
  '10-10 1 7 30 58 90 91 234',
  '10-11 52 54 55',
];

const lengths = new Map(
  LENGTHS.flatMap((line) => {
    const [range = '', ...codes] = line.split(' ');
    const [fewest = 0, most = 0] = range.split('-').map(Number);
    return codes.map((code) => [code, { fewest, most }] as const);
  }),
);

/** Where numbers themselves may begin with a zero: elsewhere a zero after the calling code is dialled within the country alone. */
const WITH_ZERO = new Set(['39', '225', '226', '229', '241', '242', '250', '378', '992']);

/** The calling code with which digits begin. No code begins another. */
function callingCodeOf(digits: string): string | undefined {
  return [1, 2, 3].map((size) => digits.slice(0, size)).find((code) => lengths.has(code));
}

/** Whether digits, calling code first, are as many as a number of that country has. */
export function hasLengthOfItsCountry(digits: string): boolean {
  const code = callingCodeOf(digits);
  const length = code === undefined ? undefined : lengths.get(code);
  if (code === undefined || !length) return false;
  const rest = digits.length - code.length;
  return rest >= length.fewest && rest <= length.most;
}

/** Digits, calling code first, without the zero that is dialled within the country alone: `44 (0)20`. */
export function withoutZero(digits: string): string {
  const code = callingCodeOf(digits) ?? digits;
  return code + digits.slice(code.length).replace(WITH_ZERO.has(code) ? /^0+(?=0)/ : /^0+/, '');
}
