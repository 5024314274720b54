import * as v from 'valibot';
import { extensionOf, safeFileName } from '#lib/domain/file.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { canonicalJson, type Json, type JsonObject } from '#lib/domain/json.ts';
import {
  canBeWrittenTo,
  chatKindOfJid,
  isInternational,
  type Phone,
  phoneOfJid,
  type ReadPhone,
  readJid,
  readPhone,
  toPhone,
} from '#lib/domain/person.ts';
import { redacted } from '#lib/domain/redact.ts';
import { type Issue, issuesOf, known } from '#lib/domain/schema.ts';
import { readFileUrl } from '#lib/domain/url.ts';
import type { NewPart } from '#lib/sender/accept.ts';

/** What cannot be an id is not looked for: keys of the table have a bound. */
const isId = (text: string): boolean => /^[\x21-\x7e]{1,200}$/.test(text);
const Text = v.string(({ input, message }) => (typeof input === 'number' && !isTold(input) ? INEXACT : message));
const INEXACT = 'is too large a number to be told exactly: write it in double quotes';
/** Programs write it as a number as well. A large one has lost digits before it came. */
const Digits = v.union([
  v.string(),
  v.pipe(
    v.number(),
    v.safeInteger(() => NO_DIGITS),
    v.minValue(0, () => NO_DIGITS),
  ),
]);
const NO_DIGITS = 'must be a whole number above zero, or a text in double quotes';
/** Others fill in `null`, or nothing, for what they do not mean to say. */
const given = <Schema extends v.GenericSchema>(schema: Schema, description: string) =>
  v.optional(v.nullable(v.pipe(schema, v.description(description))));

/** An id that the hub has made says nothing to the provider. */
const isProvidersId = (text: string): boolean => isId(text) && !/^(?:evt|msg)_[0-9a-f]{32}$/.test(text);
const NO_QUOTE =
  'is no id of a message at the provider: give `message.id` of its event, which begins with msg_ where the provider has none';

/**
 * The body of a send request, in the words of the format that it follows. Loose about keys that we do not read: callers
 * bring fields of their own. The account's key stands with blanks on the vendor's own page.
 */
export const SendBody = v.looseObject(
  {
    action: v.pipe(v.string(), v.trim(), v.toLowerCase(), v.literal('send'), v.description('`send`')),
    text: given(Text, 'May be left out beside a file'),
    file_url: given(Text, 'A direct link'),
    file_name: given(Text, 'The name that the recipient sees; must stand beside a `file_url`'),
    chat_id: given(Digits, "The hub's id of a chat, or the provider's"),
    jid: given(Text, "WhatsApp's id of a person or group"),
    phone: given(Digits, 'With `+` and country code; without, as a number of the default country'),
    chat_name: given(Text, 'The exact title of a chat'),
    whatsapp_account_phone: given(Digits, 'The account that sends; not read beside `chat_id`'),
    'whatsapp account phone': given(Digits, 'The same'),
    account_id: given(
      v.pipe(Text, v.check(isId, 'is no id of an account: give it as GET /api/accounts does, acc_…')),
      'The account by its id',
    ),
    quoted_message_id: given(
      v.pipe(Text, v.trim(), v.check(isProvidersId, NO_QUOTE)),
      "The message of the same chat that this one answers, by the provider's id: `message.id` of its event",
    ),
  },
  (issue) =>
    v.getDotPath(issue) === 'action' && issue.received === 'undefined'
      ? 'is missing: it must be "send"'
      : issue.message,
);

const NAMES = Object.keys(SendBody.entries);
type Field = Exclude<keyof typeof SendBody.entries, 'action'>;
/** What a body says: nothing that is empty, and numbers as their digits. */
type Said = Readonly<Partial<Record<Field, string>>>;

/** Of characters that nobody sees there is nothing to be sent either. */
const isEmpty = (value: unknown): boolean =>
  value === null || (typeof value === 'string' && /^[\s\p{Default_Ignorable_Code_Point}]*$/u.test(value));

/** What a request is told by. It holds what is not read as well, but for what is empty: that is as good as absent. */
const filledIn = (fields: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => !isEmpty(value)));

const DIGITS = /chat_id|phone/;

/**
 * What is said in our fields. `""` and `null` are what templates make of what they do not know: such a field is as good
 * as absent. A number stands for its digits.
 */
const sayingIn = (fields: JsonObject) =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([name, value]) => NAMES.includes(name) && !isEmpty(value))
      .map(([name, value]) => [name, isTold(value) && !DIGITS.test(name) ? String(value) : value]),
  );

/** A larger number has lost digits before it came. */
function isTold(value: Json): value is number {
  return typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
}

/** Whom the caller means. A chat has yet to be found. */
export type Target =
  | { readonly kind: 'phone'; readonly phone: Phone }
  | { readonly kind: 'jid'; readonly jid: string }
  /** The hub's id of a chat, or the provider's. */
  | { readonly kind: 'chat'; readonly id: string }
  /** Its exact title. */
  | { readonly kind: 'name'; readonly name: string };

const KEYS = ['chat_id', 'jid', 'phone', 'chat_name'] as const;
/** The field in which it was given: answers name that one. */
export const FIELDS = { phone: 'phone', jid: 'jid', chat: 'chat_id', name: 'chat_name' } as const;
const LONGEST = 1_000;

/** Exactly one of the four: a guess about the others could reach the wrong person. */
async function readTarget(said: Said, country: CountryOf, issues: Issue[]): Promise<Target | undefined> {
  const given = KEYS.filter((key) => said[key] !== undefined);
  const [key, ...others] = given;
  if (key === undefined || others.length > 0) {
    const found = key === undefined ? 'none is given' : `${given.join(', ')} are given`;
    issues.push({ path: '', message: `exactly one of ${KEYS.join(', ')} must be given; ${found}` });
    return undefined;
  }
  const target = await targetIn(key, said[key] ?? '', country);
  if (typeof target === 'object') return target;
  issues.push({ path: key, message: target });
  return undefined;
}

const IS_A_PHONE = 'is a phone number: give it as phone';
const NO_JID = 'must be a number or group id that ends in @c.us, @g.us, @s.whatsapp.net or @lid';
const UNUSABLE = 'is too long, or not well-formed Unicode';

/** Whom a field names, or what is wrong with it. */
async function targetIn(key: (typeof KEYS)[number], value: string, country: CountryOf): Promise<Target | string> {
  switch (key) {
    case 'phone': {
      const read = await readPhoneIn(value, country);
      return read.ok ? { kind: 'phone', phone: read.phone } : read.reason;
    }
    case 'jid': {
      const jid = readJid(value);
      if (jid !== undefined) return { kind: 'jid', jid };
      const kind = chatKindOfJid(value.trim());
      if (!canBeWrittenTo(kind)) return `is the id of a ${kind}: nobody can write to it`;
      return readPhone(value).ok || isLinked(value) ? IS_A_PHONE : NO_JID;
    }
    case 'chat_id':
      if (isLinked(value)) return IS_A_PHONE;
      return isUsable(value) ? { kind: 'chat', id: value.trim() } : UNUSABLE;
    case 'chat_name':
      if (isLinked(value)) return IS_A_PHONE;
      return isUsable(value) ? { kind: 'name', name: value } : UNUSABLE;
  }
}

/** As Twilio and links write a number. */
const isLinked = (value: string): boolean =>
  /^\s*(?:(?:whatsapp|tel|sms|smsto|mms|callto):|(?:https?:\/\/)?(?:www\.)?wa\.me\/|(?:https?:\/\/)?(?:\w+\.)?whatsapp\.com\/send\b)/i.test(
    value,
  );

/** The country is asked for only where a number does not tell its own. */
const readPhoneIn = async (written: string, country: CountryOf): Promise<ReadPhone> =>
  isInternational(written) ? readPhone(written) : readPhone(written, await country());

const isUsable = (value: string): boolean => value.length <= LONGEST && value.isWellFormed();

/** A request that is right in itself. What it speaks of may still not exist. */
export interface CheckedRequest {
  readonly target: Target;
  /** The account that is to send, if the caller cares. */
  readonly from: { readonly accountId?: string; readonly phone?: Phone; readonly field?: string };
  readonly parts: readonly [NewPart] | readonly [NewPart, NewPart];
  /** Of what the body says, whatever its layout. */
  readonly hash: string;
}

type ReadRequest =
  | { readonly ok: true; readonly request: CheckedRequest }
  | { readonly ok: false; readonly issues: readonly Issue[] };

export interface RequestRules {
  /** Any port, for a hub on a machine of one's own. */
  readonly allowPrivateHosts: boolean;
}

/** The default country of a request that names a number without its own. */
export type CountryOf = () => Promise<string | undefined>;

/** Reads the fields of a send request. Every fault is told with its field, and never with a text of the body. */
export async function readRequest(fields: JsonObject, rules: RequestRules, country: CountryOf): Promise<ReadRequest> {
  const misspelt = misspeltIn(fields);
  if (misspelt.length > 0) return { ok: false, issues: misspelt };
  const shape = v.safeParse(SendBody, sayingIn(fields));
  if (!shape.success) return { ok: false, issues: issuesOf(shape.issues) };
  const { action: _, ...output } = shape.output;
  const said: Said = Object.fromEntries(Object.entries(output).map(([name, value]) => [name, String(value)]));
  const issues: Issue[] = [];
  const target = await readTarget(said, country, issues);
  const from = await readFrom(said, target, country, issues);
  const parts = readParts(said, rules, issues);
  if (!target || !from || !parts) return { ok: false, issues };
  const hash = sha256(canonicalJson(filledIn(fields)));
  return { ok: true, request: { target, from, parts: quoting(parts, said.quoted_message_id), hash } };
}

const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');
const byPlainName = new Map(NAMES.toReversed().map((name) => [plain(name), name]));
const names = (field: Field, ...words: string[]) => words.map((word) => [word, field] as const);
/** Other services' words for what must be there. */
const SYNONYMS = new Map([
  ...names('text', 'message', 'body', 'content', 'msg', 'caption'),
  ...names('phone', 'to', 'number', 'mobile', 'recipient', 'phonenumber'),
  ...names('file_url', 'mediaurl', 'documenturl', 'attachmenturl', 'urlfile', 'fileuid', 'filelink', 'medialink'),
  ...names('file_url', 'imageurl', 'videourl', 'audiourl', 'voiceurl', 'pdfurl', 'downloadurl', 'temporarydownloadurl'),
  ...names('file_name', 'documentname', 'attachmentname'),
  ...names('whatsapp_account_phone', 'whatsappaccount', 'whatsappaccountid', 'whatsappaccountwid'),
  ...names('quoted_message_id', 'replyto', 'replytouid', 'replytomessageid', 'quotedid'),
]);
/** Words that people have for things of their own as well: a file is meant where there is a link. */
const FILES = new Set(['file', 'files', 'attachment', 'attachments', 'media', 'fileurls', 'mediaurls']);
const holdsLink = (value: Json | undefined): boolean => /https?:\/\//i.test(JSON.stringify(value ?? ''));

/** The field that is meant by a name and what is said under it. */
function meantBy(name: string, value: Json | undefined): string | undefined {
  const field =
    byPlainName.get(name) ?? SYNONYMS.get(name) ?? (FILES.has(name) && holdsLink(value) ? 'file_url' : undefined);
  // An address for answers to an e-mail is a common field.
  if (field === 'quoted_message_id' && String(value).includes('@')) return undefined;
  return field === 'chat_id' && readJid(String(value)) !== undefined ? 'jid' : field;
}

/**
 * Fields that are meant and would not be read, so that the message went out without its file, or from another account:
 * `Text`, `fileUrl`. A caller's own fields count only where what they may stand for is missing.
 */
function misspeltIn(fields: JsonObject): Issue[] {
  const isGiven = (name: string) => Object.hasOwn(fields, name) && !isEmpty(fields[name]);
  const lacks = (name: string) => {
    if (name === 'text') return !isGiven('text') && !isGiven('file_url');
    return name === 'phone' || KEYS.some((key) => key === name) ? !KEYS.some(isGiven) : !isGiven(name);
  };
  return Object.keys(fields).flatMap((path) => {
    const value = fields[path];
    if (NAMES.includes(path) || isEmpty(value)) return [];
    const name = plain(/(?:\[|__|\.)([a-z]\w*)\]?$/i.exec(path)?.[1] ?? path);
    const meant = meantBy(name, value);
    // An id of an account of the caller's own is a common field, and so is a name beside no file.
    if (meant === undefined || meant === 'account_id' || !lacks(meant)) return [];
    if (meant === 'file_name' && SYNONYMS.has(name) && !isGiven('file_url')) return [];
    const isNoLink = name === 'fileuid' || (meant === 'file_url' && typeof value !== 'string');
    const remedy = isNoLink ? 'give a link to the file as file_url' : `write it as ${meant}`;
    return [{ path: shownName(path), message: `is not read: ${remedy}` }];
  });
}

/** Blanks at its ends cannot be seen otherwise. */
function shownName(name: string): string {
  const shown = redacted(name).slice(0, LONGEST_NAME);
  return name === name.trim() ? shown : `"${shown}"`;
}

const LONGEST_NAME = 60;

/** A chat belongs to one account, so beside `chat_id` the account's phone means nothing. */
async function readFrom(
  said: Said,
  target: Target | undefined,
  country: CountryOf,
  issues: Issue[],
): Promise<CheckedRequest['from'] | undefined> {
  const { account_id: accountId } = said;
  const spelled = (['whatsapp_account_phone', 'whatsapp account phone'] as const).filter(
    (key) => said[key] !== undefined,
  );
  const [key, other] = spelled;
  if (target?.kind === 'chat' || key === undefined) return accountId === undefined ? {} : { accountId };
  const read = await readOwnPhone(said[key] ?? '', country);
  if (!read.ok) return refuse(issues, key, read.reason);
  const { phone } = read;
  const otherwise = other === undefined ? read : await readOwnPhone(said[other] ?? '', country);
  if (!otherwise.ok || otherwise.phone !== phone) {
    return refuse(issues, other ?? key, `does not say the same as ${key}`);
  }
  if (accountId !== undefined) return refuse(issues, 'account_id', `stands beside ${key}: give one of them`);
  return { phone, field: key };
}

/**
 * Nothing is charged to a number that is none of the workspace's accounts: no need that it be a valid one. A provider's own
 * lists call an account by its jid.
 */
async function readOwnPhone(written: string, country: CountryOf): Promise<ReadPhone> {
  const read = await readPhoneIn(written, country);
  const phone = read.ok ? read.phone : (toPhone(written) ?? phoneOfJid(readJid(written)));
  return phone === undefined ? read : { ok: true, phone };
}

/** What stands in templates of automations where a value is to come. Among other words it may be meant as it stands. */
const PLACEHOLDER = /^\s*\{\{[^{}]+\}\}\s*$/;

/** The file first: a caption is shown on some kinds of files only, so text beside a file is a message of its own. */
function readParts(said: Said, rules: RequestRules, issues: Issue[]): CheckedRequest['parts'] | undefined {
  const { text, file_url: url } = said;
  if (text?.isWellFormed() === false) return refuse(issues, 'text', 'is not well-formed Unicode');
  if (text !== undefined && PLACEHOLDER.test(text))
    return refuse(issues, 'text', 'was not filled in by whoever has sent it');
  if (url === undefined) {
    return text === undefined
      ? refuse(issues, 'text', 'is missing or empty, and there is no file_url')
      : [{ kind: 'text', text }];
  }
  const file = readFile(url, said.file_name, rules, issues);
  if (!file) return undefined;
  return text === undefined ? [file] : [file, { kind: 'text', text }];
}

/** The first message quotes: of a file and its text, the file. */
function quoting([first, second]: CheckedRequest['parts'], quoted: string | undefined): CheckedRequest['parts'] {
  const quotes = { ...first, ...known({ quoted }) };
  return second ? [quotes, second] : [quotes];
}

const LONGEST_URL = 8_192;

/** The file that a link and a name stand for; what is wrong goes to `issues`, under `file_url` or `file_name`. */
function readFile(written: string, name: string | undefined, rules: RequestRules, issues: Issue[]) {
  const read = readFileUrl(written.trim(), rules.allowPrivateHosts);
  if (read.kind === 'refused') {
    const remedy = URL.canParse(written.trim()) ? '' : ': write it whole, with https://';
    return refuse(issues, 'file_url', `${read.reason}${remedy}`);
  }
  const { url } = read;
  if (url.href.length > LONGEST_URL) return refuse(issues, 'file_url', `is longer than ${LONGEST_URL} characters`);
  if (name === undefined)
    return refuse(issues, 'file_name', `is missing: give the name that the recipient sees${nameIn(url)}`);
  return { kind: 'file', url: url.href, name: safeFileName(name) } as const;
}

/** Only what looks like the name of a file: the end of a link may be its secret. */
function nameIn({ pathname }: URL): string {
  const name = safeFileName(decoded(pathname));
  return extensionOf(name) === undefined ? ', as "offer.pdf"' : `, as "${name}"`;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function refuse(issues: Issue[], path: string, message: string): undefined {
  issues.push({ path, message });
}
