import { sha256 } from '#lib/domain/ids.ts';
import { isRecord } from '#lib/domain/json.ts';
import { lazily } from '#lib/domain/lazily.ts';
import { parseBody, toText } from '#lib/inbox/body.ts';
import type { Delivery, Kept, Proof } from '#lib/inbox/provider.ts';
import { deliveriesIn, type Spell, speller, unfolder } from '#lib/inbox/relayed.ts';
import { wrapped } from './body.ts';
import { cut, isAddress, isFieldName, isSecretName, roughlyCut, roughSecretsIn } from './cut.ts';

/** Whoever guesses may not try any number at once. */
const MOST_SECRETS = 20;

/**
 * The secret stands in the delivery; where a relay has wrapped it and it has none, anywhere in what the relay hands
 * over: its query, its URL, its headers. Each delivery of a list must come with the same one.
 */
export function proofOf(delivery: Delivery, body: unknown): Proof {
  const around = lazily(() => new Set(secretsAround(delivery, body)));
  const presented = deliveriesIn(body, wrapped).map(({ delivery }) => {
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
 * The body's bytes as they came, but for every field named `secret`, however it is spelled and whether or not the
 * webhook has one set: nothing that is kept or logged may hold it. Where it stands in a spelling out of which it cannot be
 * cut, what was read of the body is kept in the place of its bytes.
 */
export function withoutSecret(
  body: Uint8Array,
  contentType: string,
  parsed = lazily(() => parseBody(body, contentType)),
): Kept {
  const as = (raw: Uint8Array): Kept =>
    raw === body ? { raw, parsed } : { raw, parsed: lazily(() => parseBody(raw, contentType)) };
  const shorter = as(cut(body));
  const left = shorter.parsed();
  // Most bodies say the word no more, and are not read again for what nobody could parse.
  if (left.ok && (!/secret/i.test(toText(shorter.raw)) || parsed().ok)) {
    const { rest } = parted(left.value, 'body');
    return rest === left.value ? shorter : as(Buffer.from(JSON.stringify(rest)));
  }
  const came = parsed();
  const isSpoiled = came.ok && !left.ok && shorter.raw.length > 0;
  return as(isSpoiled ? Buffer.from(JSON.stringify(parted(came.value, 'body').rest)) : roughlyCut(shorter.raw));
}

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

const DEEPEST = 8;

/** Texts and rows are spelled out where a secret was in them. Of an address nothing but its path is left then. */
function restOf(raw: unknown, name: string, holder: string, walk: Walk, depth: number): unknown {
  if (depth > DEEPEST || (typeof raw !== 'string' && typeof raw !== 'object')) return raw;
  if (typeof raw === 'string' && isAddress(name, holder)) {
    const mark = raw.indexOf('?');
    const query = raw.slice(mark + 1).split('#')[0] ?? '';
    if (restOf(query, 'query', '', walk, depth + 1) !== query) return raw.slice(0, Math.max(mark, 0));
  }
  const value = walk.unfold(walk.spell(name, raw));
  const within = (child: unknown, key: string) => restOf(child, key, name, walk, depth + 1);
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
    const isSecret = (isSecretName(key) && isFieldName(key)) || (namesSecret && /^value$/i.test(key));
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
