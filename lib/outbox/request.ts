import * as v from 'valibot';
import { readFileUrl, safeFileName } from '#lib/domain/file.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { canonicalJson, isRecord, parseJson } from '#lib/domain/json.ts';
import { type Phone, type ReadPhone, readJid, readPhone, toPhone } from '#lib/domain/person.ts';
import { type Issue, issuesOf } from '#lib/domain/schema.ts';
import type { NewPart } from '#lib/sender/accept.ts';

/** Others fill in `null` for what they do not mean to say. */
const given = <Schema extends v.GenericSchema>(schema: Schema) => v.optional(v.nullable(schema));
const Text = v.string();
/** What cannot be an id is not looked for: keys of the table have a bound. */
const isId = (text: string): boolean => /^[\x21-\x7e]{1,200}$/.test(text);
const TextOrNumber = v.union([v.string(), v.pipe(v.number(), v.safeInteger())]);

/**
 * The body of a send request, in the words of the format that it follows. Loose about keys that we do not read: callers
 * bring fields of their own. The account's key stands with blanks on the vendor's own page.
 */
export const SendBody = v.looseObject({
  action: v.literal('send'),
  text: Text,
  file_url: given(Text),
  file_name: given(Text),
  chat_id: given(TextOrNumber),
  jid: given(Text),
  phone: given(TextOrNumber),
  chat_name: given(Text),
  whatsapp_account_phone: given(TextOrNumber),
  'whatsapp account phone': given(TextOrNumber),
  account_id: given(v.pipe(Text, v.check(isId, 'is no id of an account'))),
});
export type SendBody = v.InferOutput<typeof SendBody>;

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
function readTarget(body: SendBody, issues: Issue[]): Target | undefined {
  const given = KEYS.filter((key) => body[key] != null);
  const [key, ...others] = given;
  if (key === undefined || others.length > 0) {
    const found = key === undefined ? 'none is given' : `${given.join(', ')} are given`;
    issues.push({ path: '', message: `exactly one of ${KEYS.join(', ')} must be given; ${found}` });
    return undefined;
  }
  const target = targetIn(key, String(body[key]));
  if (typeof target === 'object') return target;
  issues.push({ path: key, message: target });
  return undefined;
}

/** Whom a field names, or what is wrong with it. */
function targetIn(key: (typeof KEYS)[number], value: string): Target | string {
  switch (key) {
    case 'phone': {
      const read = readPhone(value);
      return read.ok ? { kind: 'phone', phone: read.phone } : read.reason;
    }
    case 'jid': {
      const jid = readJid(value);
      return jid === undefined
        ? 'must be a number or group id that ends in @c.us, @g.us, @s.whatsapp.net or @lid'
        : { kind: 'jid', jid };
    }
    case 'chat_id':
      return isUsable(value) ? { kind: 'chat', id: value.trim() } : 'is empty or too long';
    case 'chat_name':
      return isUsable(value) ? { kind: 'name', name: value } : 'is empty or too long';
  }
}

const isUsable = (value: string): boolean => value.trim() !== '' && value.length <= LONGEST && value.isWellFormed();

/** A request that is right in itself. What it speaks of may still not exist. */
export interface CheckedRequest {
  readonly target: Target;
  /** The account that is to send, if the caller cares. */
  readonly from: { readonly accountId?: string; readonly phone?: Phone };
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

/** Reads the body of a send request. Every fault is told with its field, and never with a piece of the body. */
export function readRequest(body: Uint8Array, rules: RequestRules): ReadRequest {
  const parsed = parseJson(body);
  if (!parsed.ok) return { ok: false, issues: [parsed.issue] };
  if (!isRecord(parsed.value)) return { ok: false, issues: [{ path: '', message: 'the body must be an object' }] };
  const shape = v.safeParse(SendBody, parsed.value);
  if (!shape.success) return { ok: false, issues: issuesOf(shape.issues) };
  const issues: Issue[] = [];
  const target = readTarget(shape.output, issues);
  const from = readFrom(shape.output, target, issues);
  const parts = readParts(shape.output, rules, issues);
  if (!target || !from || !parts) return { ok: false, issues };
  return { ok: true, request: { target, from, parts, hash: sha256(canonicalJson(parsed.value)) } };
}

/** A chat belongs to one account, so beside `chat_id` the account's phone means nothing. */
function readFrom(body: SendBody, target: Target | undefined, issues: Issue[]): CheckedRequest['from'] | undefined {
  const accountId = body.account_id ?? undefined;
  const spelled = (['whatsapp_account_phone', 'whatsapp account phone'] as const).filter((key) => body[key] != null);
  const [key, other] = spelled;
  if (target?.kind === 'chat' || key === undefined) return accountId === undefined ? {} : { accountId };
  const read = readOwnPhone(String(body[key]));
  if (!read.ok) return refuse(issues, key, read.reason);
  const { phone } = read;
  const otherwise = other === undefined ? read : readOwnPhone(String(body[other]));
  if (other !== undefined && !(otherwise.ok && otherwise.phone === phone)) {
    return refuse(issues, other, `does not say the same as ${key}`);
  }
  if (accountId !== undefined) return refuse(issues, 'account_id', `stands beside ${key}: give one of them`);
  return { phone };
}

/** Nothing is charged to a number that is none of the workspace's accounts: no need that it be a valid one. */
function readOwnPhone(written: string): ReadPhone {
  const phone = toPhone(written);
  return phone === undefined ? readPhone(written) : { ok: true, phone };
}

/** The file first: a caption is shown on some kinds of files only, so text beside a file is a message of its own. */
function readParts(body: SendBody, rules: RequestRules, issues: Issue[]): CheckedRequest['parts'] | undefined {
  const text: NewPart = { kind: 'text', text: body.text };
  if (!body.text.isWellFormed()) return refuse(issues, 'text', 'is not well-formed Unicode');
  if (body.file_url == null) {
    return body.text === '' ? refuse(issues, 'text', 'is empty, and there is no file_url') : [text];
  }
  const file = readFile(body.file_url, body.file_name, rules, issues);
  if (!file) return undefined;
  return body.text === '' ? [file] : [file, text];
}

const LONGEST_URL = 8_192;

function readFile(url: string, name: string | null | undefined, rules: RequestRules, issues: Issue[]) {
  const read = readFileUrl(url, rules.allowPrivateHosts);
  if (read.kind === 'refused') return refuse(issues, 'file_url', read.reason);
  if (read.url.href.length > LONGEST_URL) return refuse(issues, 'file_url', `is longer than ${LONGEST_URL} characters`);
  if (name == null || name.trim() === '') return refuse(issues, 'file_name', 'is missing');
  return { kind: 'file', url: read.url.href, name: safeFileName(name) } as const;
}

function refuse(issues: Issue[], path: string, message: string): undefined {
  issues.push({ path, message });
}
