import { sha256 } from '#lib/domain/ids.ts';
import { isRecord } from '#lib/domain/json.ts';
import { decodedBody, decodeForm, looksLikeJson, parseBody, partsOf, toBytes, toText } from '#lib/inbox/body.ts';
import { type Delivery, type Kept, lazily, type Proof } from '#lib/inbox/provider.ts';
import { deliveriesIn, type Spell, speller, unfolder } from '#lib/inbox/relayed.ts';
import { isDelivery } from './body.ts';

/** Whoever guesses may not try any number at once. */
const MOST_SECRETS = 20;

/**
 * The secret stands in the delivery; where a relay has wrapped it and it has none, anywhere in what the relay hands
 * over: its query, its URL, its headers. Each delivery of a list must come with the same one.
 */
export function proofOf(delivery: Delivery, body: unknown): Proof {
  const around = lazily(() => new Set(secretsAround(delivery, body)));
  const presented = deliveriesIn(body, isDelivery).map(({ delivery }) => {
    const own = isRecord(delivery) ? textsIn(delivery.secret) : [];
    return own.length > 0 ? new Set(own) : around();
  });
  // All that have none of their own share one set, which is looked at once.
  const [first = around(), ...others] = new Set(presented);
  const shared = [...first].filter((secret) => others.every((texts) => texts.has(secret)));
  return { secretHashes: shared.slice(0, MOST_SECRETS).map(sha256) };
}

/** In the headers of the request itself; and in a body that nobody can parse, which would be lost by a refusal. */
function secretsAround({ headers, body }: Delivery, parsed: unknown): readonly string[] {
  const rough = parsed === undefined ? roughSecretsIn(body).flatMap(textsIn) : [];
  return [...parted({ ...headers }, 'headers').secrets, ...rough, ...parted(parsed, 'body').secrets];
}

/**
 * The body without its secret, whether or not the webhook has one set: nothing that is kept or logged may hold it. Out of
 * a form, out of parts and out of JSON the fields are cut, and all other bytes stay as they came. Where the secret is
 * still in it then, in whatever spelling, what was read of the body is kept as JSON in the place of its bytes.
 */
export function withoutSecret(
  body: Uint8Array,
  contentType: string,
  parsed = lazily(() => parseBody(body, contentType)),
): Kept {
  const as = (raw: Uint8Array): Kept =>
    raw === body ? { raw, parsed } : { raw, parsed: lazily(() => parseBody(raw, contentType)) };
  const shorter = as(changed(body, cut));
  const left = shorter.parsed();
  const read = left.ok || shorter.raw.length === 0 ? left : parsed();
  // Nobody can read it.
  if (!read.ok) return as(roughlyCut(shorter.raw));
  const { rest } = parted(read.value, 'body');
  return read === left && rest === read.value ? shorter : as(Buffer.from(JSON.stringify(rest)));
}

/** The same bytes where nothing has changed. */
function changed(bytes: Uint8Array, change: (text: string) => string): Uint8Array {
  const text = toText(bytes);
  const shorter = change(text);
  return shorter === text ? bytes : toBytes(shorter);
}

/**
 * `secret`, `data[secret]`, `amp;secret`, but neither `secrets` nor `my_secret`, nor somebody's words. Relays call it by a
 * header's name: `x-webhook-secret`, `authorization`.
 */
function isSecretName(name: string): boolean {
  return /secret|authorization/i.test(name) && SECRET_NAME.test(name) && /^\s*[\w.[\];-]+\s*$/.test(name);
}

const SECRET_NAME =
  /(?:^|[^\w-]|__)(?:http[-_])?(?:authorization|(?:x[-_](?:[a-z\d]+[-_]){0,3}|(?:web[-_]?hook|hook|zender)[-_]?)?secret)(?:$|[^\w-])/i;

/** Without the fields of such names, as they stand in a body that is in no encoding. */
function cut(text: string): string {
  const parts = partsOf(text);
  if (!parts) return looksLikeJson(toBytes(text.slice(0, 1024))) ? jsonWithoutSecret(text) : formWithoutSecret(text);
  // The parts are the front of the text, each with the line before it.
  const end = parts.reduce((length, part) => length + part.text.length, 0);
  const kept = parts.filter(({ name }) => !isSecretName(name)).map((part) => part.text);
  return kept.join('') + text.slice(end);
}

function formWithoutSecret(text: string): string {
  // Each with the mark before it, which is `&amp;` in a form that somebody has escaped for a page.
  const pairs = text.split(/(?=&)/);
  const kept = pairs.filter((pair) => {
    const [name = ''] = pair.replace(MARK, '').split('=', 1);
    return !isSecretName(decodeForm(name));
  });
  return kept[0] === pairs[0] ? kept.join('') : kept.join('').replace(MARK, '');
}

const MARK = /^&(?:amp;)?/;

/** A text, be it the last and cut off, and what follows where it is the name of a member whose value is a text, a number or a word. */
const MEMBER = /"([^"\\]*(?:\\.[^"\\]*)*)(?:"|\\?$)(?:\s*:\s*(?:"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?$)|[^\s",:{}[\]]+))?/gs;

/** A member goes with the comma before it, or the one after it where it is the first. */
function jsonWithoutSecret(text: string): string {
  let kept = '';
  let from = 0;
  for (const { 0: whole, 1: name = '', index } of text.matchAll(MEMBER)) {
    const isMember = whole.length > name.length + 2;
    if (!isMember || !isSecretName(withoutEscapes(name))) continue;
    const before = text.slice(from, index);
    const end = index + whole.length;
    const isFirst = !/,\s*$/.test(before);
    kept += before.replace(/,\s*$/, '');
    from = isFirst ? end + (/^\s*,\s*/.exec(text.slice(end))?.[0].length ?? 0) : end;
  }
  return kept + text.slice(from);
}

const withoutEscapes = (name: string): string =>
  name.replace(/\\u([\da-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** What was read, parted into what stands where a secret may, and all else: itself, where there is no secret. */
function parted(raw: unknown, name: string): { readonly secrets: readonly string[]; readonly rest: unknown } {
  const secrets: string[] = [];
  const rest = restOf(raw, name, '', { secrets, spell: speller(), unfold: unfolder() }, 0);
  return { secrets, rest };
}

interface Walk {
  readonly secrets: string[];
  readonly spell: Spell;
  readonly unfold: (raw: unknown) => unknown;
}

/** So many texts within one another are spelled out: more than relays wrap. */
const DEEPEST = 8;

/** Under such names stand addresses that somebody called, with what they asked for. */
const ADDRESS = /^(?:(?:original|request|raw|full|webhook)_?)?(?:ur[il]|href|path|query_?string|search)$/i;

/** Texts and rows are spelled out where a secret was in them. Of an address nothing but its path is left then. */
function restOf(raw: unknown, name: string, holder: string, walk: Walk, depth: number): unknown {
  if (typeof raw !== 'object' && (typeof raw !== 'string' || depth > DEEPEST)) return raw;
  // A file of Zender's may stand under one of these names: its link stays as it is.
  if (typeof raw === 'string' && ADDRESS.test(name) && !/^data$/i.test(holder)) {
    const mark = raw.indexOf('?');
    const query = raw.slice(mark + 1).split('#')[0] ?? '';
    if (restOf(query, 'query', '', walk, depth + 1) !== query) return raw.slice(0, Math.max(mark, 0));
  }
  const spelled = walk.spell(name, raw);
  const value = walk.unfold(spelled);
  const within = (child: unknown, key: string) => restOf(child, key, name, walk, spelled === raw ? depth : depth + 1);
  if (Array.isArray(value)) return restOfList(value, within, walk) ?? raw;
  return isRecord(value) ? (restOfRecord(value, within, walk) ?? raw) : raw;
}

type Within = (child: unknown, key: string) => unknown;

/** Undefined where there is no secret in it. */
function restOfList(list: readonly unknown[], within: Within, { secrets }: Walk): readonly unknown[] | undefined {
  const [first, second] = list;
  const said = list.length === 2 && typeof first === 'string' && isSecretName(first) ? textsIn(second) : [];
  secrets.push(...said);
  const rest = (said.length > 0 ? [first] : list).map((child) => within(child, ''));
  return rest.length < list.length || rest.some((child, at) => child !== list[at]) ? rest : undefined;
}

function restOfRecord(record: Record<string, unknown>, within: Within, { secrets }: Walk): object | undefined {
  let namesSecret = false;
  const entries = Object.entries(record);
  const rest = entries.flatMap(([key, child]) => {
    const isSecret = isSecretName(key) || (namesSecret && /^value$/i.test(key));
    namesSecret ||= /^(?:name|key)$/i.test(key) && typeof child === 'string' && isSecretName(child);
    if (isSecret) secrets.push(...textsIn(child));
    return isSecret ? [] : [[key, within(child, key)] as const];
  });
  const isWhole = rest.length === entries.length && rest.every(([key, child]) => child === record[key]);
  return isWhole ? undefined : Object.fromEntries(rest);
}

/** A relay that guesses types makes a number of a secret in digits, and a list of what may come twice. */
function textsIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((one) => (Array.isArray(one) ? [] : textsIn(one)));
  if (typeof value === 'number') return [String(value)];
  if (typeof value !== 'string' || value === '') return [];
  const token = /^(?:bearer|basic|token)\s+(.+)$/is.exec(value)?.[1];
  return token === undefined ? [value] : [value, token];
}

/**
 * Whatever follows the name, as JavaScript, a form, a multipart body or XML has it, also within a text of JSON or with all
 * fields in one row; its value is one of the groups.
 */
const AFTER = /\s*[:=]\s*|\r?\n(?:[^\r\n]+\r?\n){0,4}\r?\n/.source;
const VALUE =
  /"([^"]*)"?|'([^']*)'?|\\{1,9}"([^"\\]*)(?:\\{1,9}"|$)|\\{0,9}&quot;([\s\S]*?)(?:\\{0,9}&quot;|$)|([^\s,;&}\]]*)/
    .source;
const XML = /<secret\b[^<>]*>(?:<!\[CDATA\[)?([^<]*?)(?=\]\]>|<|$)/.source;
const ITS_NAME = /(?:["']|&quot;)?(?:\b|__|%5B)secret(?:\\{0,9}(?:["']|&quot;)|[)\]}]|%5D){0,3}/.source;
const ROUGHLY = new RegExp(`${XML}|${ITS_NAME}(?:${AFTER})(?:${VALUE})`, 'gi');

/** What a secret's value would be in what nobody can parse. */
function roughSecretsIn(body: Uint8Array): readonly string[] {
  const decoded = decodedBody(body);
  const text = decoded.ok ? toText(decoded.value) : '';
  return Array.from(text.matchAll(ROUGHLY), ([, ...values]) => values.find((value) => value !== undefined) ?? '');
}

/** The same without them, and without its encodings then. Gzip that nobody can unpack stays as it came. */
function roughlyCut(body: Uint8Array): Uint8Array {
  const decoded = decodedBody(body);
  if (!decoded.ok) return body;
  const shorter = changed(decoded.value, (text) =>
    text.replace(ROUGHLY, (found, xml: string | undefined) =>
      xml === undefined ? '' : found.slice(0, found.length - xml.length),
    ),
  );
  return shorter === decoded.value ? body : shorter;
}
