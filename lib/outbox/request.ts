import { isUtf8 } from 'node:buffer';
import * as v from 'valibot';
import { extensionOf, safeFileName } from '#lib/domain/file.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { canonicalJson, isRecord, type Json, type JsonObject, NOT_UTF8, parseJson } from '#lib/domain/json.ts';
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

const INEXACT = 'must be a text in double quotes, or a whole number that can be told exactly';
/** What cannot be an id is not looked for: keys of the table have a bound. */
const isId = (text: string): boolean => /^[\x21-\x7e]{1,200}$/.test(text);
/** Programs write numbers as well. A large one has lost digits before it came. */
const Words = v.union([v.string(), v.pipe(v.number(), v.safeInteger(INEXACT))]);
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
    text: given(Words, 'May be left out beside a file'),
    file_url: given(Words, 'A direct link'),
    file_name: given(Words, 'The name that the recipient sees; must stand beside a `file_url`'),
    chat_id: given(Words, "The hub's id of a chat, or the provider's"),
    jid: given(Words, "WhatsApp's id of a person or group"),
    phone: given(Words, 'With `+` and country code; without, as a number of the default country'),
    chat_name: given(Words, 'The exact title of a chat'),
    whatsapp_account_phone: given(Words, 'The account that sends; not read beside `chat_id`'),
    'whatsapp account phone': given(Words, 'The same'),
    account_id: given(
      v.pipe(v.string(), v.check(isId, 'is no id of an account: give it as GET /api/accounts does, acc_…')),
      'The account by its id',
    ),
    quoted_message_id: given(
      v.pipe(v.string(), v.trim(), v.check(isProvidersId, NO_QUOTE)),
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

/** What is said in our fields: one that is empty is what templates make of what they do not know, and as good as absent. */
const sayingIn = (fields: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(filledIn(fields)).flatMap(([name, value]) =>
      NAMES.includes(name) ? [[name, name === 'text' && isTold(value) ? String(value) : value]] : [],
    ),
  );

/** A price is a text as well. */
const isTold = (value: Json | undefined): boolean =>
  typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER;

/** Whom the caller means. A chat has yet to be found. */
export type Target =
  | { readonly kind: 'phone'; readonly phone: Phone }
  | { readonly kind: 'jid'; readonly jid: string }
  /** The hub's id of a chat, or the provider's. */
  | { readonly kind: 'chat'; readonly id: string }
  /** Its exact title. */
  | { readonly kind: 'name'; readonly name: string };

const KEYS = ['chat_id', 'jid', 'phone', 'chat_name'] as const;
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
      return readPhone(value).ok ? 'is a phone number: give it as phone' : NO_JID;
    }
    case 'chat_id':
      return isUsable(value) ? { kind: 'chat', id: value.trim() } : UNUSABLE;
    case 'chat_name':
      return isUsable(value) ? { kind: 'name', name: value } : UNUSABLE;
  }
}

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
const byPlainName = new Map(NAMES.map((name) => [plain(name), name]));
/** What other services call a file. Such words people have for things of their own as well: a file is meant by a link. */
const FILE = /^(?:url)?(?:file|media|document|attachment|image|video|audio|voice|pdf|download)s?(?:url|link)?s?$/;
const holdsLink = (value: Json | undefined): boolean => /https?:\/\//i.test(JSON.stringify(value ?? ''));

/** The field that is meant by a name of the caller's. */
function meantBy(name: string, value: Json | undefined): string | undefined {
  if (name === 'fileuid' || (FILE.test(name) && holdsLink(value))) return 'file_url';
  return name.startsWith('whatsappaccount') ? 'whatsapp_account_phone' : byPlainName.get(name);
}

/**
 * Fields that are meant and would not be read, so that the message went out without its file, or from another account:
 * `Text`, `fileUrl`. A caller's own fields count only where what they may stand for is missing.
 */
function misspeltIn(fields: JsonObject): Issue[] {
  const isGiven = (name: string) => Object.hasOwn(fields, name) && !isEmpty(fields[name]);
  const isLacking = (name: string) => !(KEYS.some((key) => key === name) ? KEYS.some(isGiven) : isGiven(name));
  return Object.entries(fields).flatMap(([path, value]) => {
    const meant = NAMES.includes(path) || isEmpty(value) ? undefined : meantBy(plain(path), value);
    // An id of an account of the caller's own is a common field.
    if (meant === undefined || meant === 'account_id' || !isLacking(meant)) return [];
    const remedy = meant === 'file_url' ? 'give a link to the file as file_url' : `write it as ${meant}`;
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
  const given = (['whatsapp_account_phone', 'whatsapp account phone'] as const).filter(
    (key) => said[key] !== undefined,
  );
  const [key, other] = given;
  if (target?.kind === 'chat' || key === undefined) return accountId === undefined ? {} : { accountId };
  if (other !== undefined && said[other] !== said[key]) return refuse(issues, other, `does not say the same as ${key}`);
  if (accountId !== undefined) return refuse(issues, 'account_id', `stands beside ${key}: give one of them`);
  const read = await readOwnPhone(said[key] ?? '', country);
  return read.ok ? { phone: read.phone, field: key } : refuse(issues, key, read.reason);
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

type ReadBody =
  | { readonly ok: true; readonly fields: JsonObject }
  | { readonly ok: false; readonly issues: readonly Issue[] };

const refused = (message: string, path = ''): ReadBody => ({ ok: false, issues: [{ path, message }] });

const FORM = 'application/x-www-form-urlencoded';
const MULTIPART = 'multipart/form-data';
const EXAMPLE = '{"action": "send", "phone": "+14155550123", "text": "Hello"}';
const NEITHER = `the body must be a JSON object or a form: send it as ${EXAMPLE}`;

/** The fields of a body in JSON or as a form. Many tools say that they send a form, or nothing, and send JSON. */
export async function readBody(body: Uint8Array, contentType = ''): Promise<ReadBody> {
  const type = contentType.split(';')[0]?.trim().toLowerCase();
  const text = Buffer.from(body).toString().trim();
  const isJson = /^[[{"]/.test(text);
  if (type === MULTIPART && !isJson) return readMultipart(body, contentType);
  // UTF-16 without its mark is full of zeros.
  if (!isUtf8(body) || body.includes(0)) return refused(NOT_UTF8);
  const isForm = /^[\w%.+ [\]-]+=/.test(text) || (type === FORM && text.includes('='));
  return isForm && !isJson ? readForm(text) : readJson(body, isJson);
}

function readJson(body: Uint8Array, isJson: boolean): ReadBody {
  const parsed = parseJson(body);
  if (!parsed.ok) return isJson ? { ok: false, issues: [parsed.issue] } : refused(NEITHER);
  const { value } = parsed;
  if (isObject(value)) return fieldsIn(value);
  if (Array.isArray(value))
    return refused('the body must be an object, and is a list: send it without the [ ] around it');
  return typeof value === 'string' && value.trimStart().startsWith('{')
    ? refused('the body must be an object, and is a text that holds one: send it without the quotes around it')
    : refused(NEITHER);
}

const isObject = (value: Json): value is JsonObject => isRecord(value);

/** Tools for automation put what they are given below a name of their own, alone or beside what else they know. */
function fieldsIn(body: JsonObject): ReadBody {
  const names = Object.keys(body);
  const around = names.find((name) => /\baction\\*"/i.test(JSON.stringify(body[name])));
  return around === undefined || names.some((name) => plain(name) === 'action')
    ? { ok: true, fields: body }
    : refused(`the fields must stand in the body itself, and not below "${shownName(around)}"`);
}

function readForm(text: string): ReadBody {
  // The end of a text would be lost without a word.
  if (text.split('&').some((part) => part !== '' && !part.includes('=')))
    return refused('a part of the form has no "=": write & inside a value as %26');
  return fieldsOf([...new URLSearchParams(text)].map(([name, value]) => [name, withPlus(name, value)]));
}

/** A plus sign that nobody has encoded is a blank in a form. */
const withPlus = (name: string, value: string): string =>
  /phone$/.test(name) && /^\s+\d/.test(value) ? `+${value.trimStart()}` : value;

async function readMultipart(body: Uint8Array, contentType: string): Promise<ReadBody> {
  let form: FormData;
  try {
    const headers = { 'content-type': contentType };
    form = await new Response(new Uint8Array(body), { headers }).formData();
  } catch {
    // Of what is wrong the parser tells nothing.
    return refused(
      'the body is not the multipart form that its Content-Type says; its boundary must be the same in both, and its lines end in CR LF',
    );
  }
  const entries: [string, string][] = [];
  for (const [name, value] of form) {
    // A field for a file in which somebody has chosen none.
    if (typeof value !== 'string' && value.name === '' && value.size === 0) continue;
    if (typeof value !== 'string')
      return refused('is a file: give a link to it as file_url, and its name as file_name', name);
    entries.push([name, value]);
  }
  return fieldsOf(entries);
}

/** A name twice with two values: nobody can tell which one counts. An empty one is as good as none. */
function fieldsOf(entries: readonly (readonly [string, string])[]): ReadBody {
  // Decoders put this mark in the place of what is no UTF-8.
  if (entries.some((entry) => entry.join('').includes('\ufffd'))) return refused(NOT_UTF8);
  const fields = new Map<string, string>();
  for (const [name, value] of entries) {
    const other = fields.get(name) ?? '';
    if (other !== '' && value !== '' && other !== value) return refused('is given twice: give it once', name);
    fields.set(name, value === '' ? other : value);
  }
  return fieldsIn(Object.fromEntries(fields));
}
