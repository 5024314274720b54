import { isRecord, type Json, type ParsedJson, parseJson } from '#lib/domain/json.ts';
import { type Reading, together, type Unread } from './provider.ts';

/**
 * What relays make of a delivery on its way (n8n, Make, Zapier, queues, gateways): an object around it beside its headers, a
 * list, a text within a field, a form with one such field. What is a delivery each provider says itself, of events that
 * the hub does not know as well: then no field of a provider's own is taken for a relay's.
 */

/** What may hold as a text what a relay got: SNS has it under `Message`, Power Automate under `$content`. */
export const isHolder = (name: string): boolean => name === 'Message' || name === '$content' || HOLDER.test(name);

const HOLDER =
  /^(?:data|raw|payload|detail|event|request|headers|query|params|(?:(?:raw|text|buffer|event|post|form)_?)?body|body_?(?:raw|text|data)|(?:raw|post|form)_?data)$/i;

/** Deeper than relays wrap. */
const DEEPEST = 4;
/** More than relays hand over at once. To try each takes its time, and whoever knows the URL may post as many as fit. */
const MOST = 2000;

/** What stands under `name`, with what it holds spelled out if it is the name of a holder. */
export type Spell<Value> = (name: string, value: Value) => Value;

/** Spells out as many texts of one body as a relay may hand over, and leaves all others as they are. */
export function sparingly<Value>(spelledOut: (held: Value) => Value): Spell<Value> {
  let left = MOST;
  return (name, value) => {
    if (!isHolder(name)) return value;
    if (typeof value === 'string' || (isRecord(value) && value.type === 'Buffer')) left -= 1;
    return left < 0 ? value : spelledOut(value);
  };
}

/** Beside who wrote, or where, stand somebody's words: whoever writes to us could make a delivery of them. */
const WRITER = /^(?:from|sender|phone|jid|chat|chat_?(?:id|url))$/i;

/** Spells out nothing within a message. */
export const spellWithin = <Value>(raw: unknown, spell: Spell<Value>): Spell<Value> =>
  isRecord(raw) && Object.keys(raw).some((name) => WRITER.test(name)) ? (_name, value) => value : spell;

/** Parses a body down to its delivery, or to a list where it holds several. Where none is found the body itself counts. */
export function relayed(isDelivery: (body: unknown) => boolean) {
  return (body: Uint8Array): ParsedJson => {
    const parsed = parseJson(body);
    const raw = parsed.ok ? parsed.value : formIn(body);
    const spell = sparingly(spelledOut);
    const found = raw === undefined ? [] : deliveriesIn(spell('body', raw), { isDelivery, spell }, 0);
    const [first, ...others] = found;
    if (first === undefined) return parsed;
    return { ok: true, value: others.length === 0 ? first : found };
  };
}

interface Walk {
  readonly isDelivery: (body: unknown) => boolean;
  readonly spell: Spell<Json>;
}

function deliveriesIn(flat: Json, walk: Walk, depth: number): readonly Json[] {
  const raw = unfolded(flat);
  if (walk.isDelivery(raw)) return [raw];
  if (depth === DEEPEST || raw === null || typeof raw !== 'object') return [];
  if (Array.isArray(raw)) {
    const found = raw.map((entry: Json) => deliveriesIn(entry, walk, depth + 1));
    // Where one of a list is a delivery, all are: what is none is to be seen in quarantine.
    return found.some(({ length }) => length > 0)
      ? raw.flatMap((entry: Json, index) => (found[index]?.length ? found[index] : [entry]))
      : [];
  }
  const within: Walk = { ...walk, spell: spellWithin(raw, walk.spell) };
  for (const [name, value] of Object.entries(raw)) {
    const found = deliveriesIn(within.spell(name, value), within, depth + 1);
    if (found.length > 0) return found;
  }
  return [];
}

/** Some relays put all fields into one row: `chat__phone`, `chat.phone`, `chat[phone]`. No provider has such names. */
function unfolded(raw: Json): Json {
  if (!isRecord(raw)) return raw;
  const paths = Object.entries(raw).map(([name, value]) => [pathIn(name), value] as const);
  if (paths.every(([path]) => path.length === 1)) return raw;
  const whole: Record<string, Json> = {};
  for (const [path, value] of paths) {
    const place = path.slice(0, -1).reduce<Record<string, Json>>((within, name) => {
      const next: unknown = within[name];
      // A copy of ours, as it is changed.
      const fields: Record<string, Json> = isRecord(next) ? Object.assign(next) : {};
      within[name] = fields;
      return fields;
    }, whole);
    place[path.at(-1) ?? ''] = isRecord(value) ? structuredClone(value) : value;
  }
  return whole;
}

/** The names of which one is made up; itself where it is one. */
function pathIn(name: string): readonly [string, ...string[]] {
  const [first = name, ...rest] = name.length > LONGEST ? [name] : name.split(/__|\.|\[|\]\[?/);
  const within = rest.at(-1) === '' ? rest.slice(0, -1) : rest;
  const path: [string, ...string[]] = [first, ...within];
  const isPath =
    path.length > 1 &&
    path.length <= DEEPEST &&
    path.every((part) => /^(?!constructor|prototype)[a-z]\w*$/i.test(part));
  return isPath ? path : [name];
}
const LONGEST = 100;

function spelledOut(value: Json): Json {
  if (typeof value !== 'string' || !/^\s*[{["]/.test(value)) return value;
  const parsed = parseJson(Buffer.from(value));
  return parsed.ok ? parsed.value : value;
}

/** The fields of a form, if the body is one. */
function formIn(body: Uint8Array): Json | undefined {
  const text = Buffer.from(body).toString('utf8');
  const parts = partsOf(text);
  if (parts) {
    const fields = parts.filter(({ isFile }) => !isFile);
    return Object.fromEntries(fields.map(({ name, text: part, valueAt }) => [name, part.slice(valueAt)]));
  }
  return /^[\w.%[\]-]+=/.test(text) ? Object.fromEntries(new URLSearchParams(text.trim())) : undefined;
}

/** A part of a multipart body, the line before it included: the parts are the whole body but its end. */
export interface Part {
  readonly text: string;
  readonly name: string;
  /** Where in `text` what it says begins. */
  readonly valueAt: number;
  readonly isFile: boolean;
}

const BOUNDARY = /^\s*(--[^\r\n]{1,200}?)[ \t]*\r?\n(?=content-)/i;

/** Undefined where the body is not multipart. It tells its boundary itself, whatever the content type makes of it. */
export function partsOf(body: string): readonly Part[] | undefined {
  const boundary = BOUNDARY.exec(body)?.[1];
  if (boundary === undefined) return undefined;
  const line = new RegExp(`(?:^\\s*|\\r?\\n)${boundary.replace(/[^\w-]/g, '\\$&')}(--)?[ \\t]*(?=\\r?\\n|$)`, 'g');
  const marks = [...body.matchAll(line)];
  const last = marks.findIndex(([, end]) => end !== undefined);
  return (last < 0 ? marks : marks.slice(0, last)).map(({ index }, i) =>
    partOf(body.slice(index, marks[i + 1]?.index ?? body.length)),
  );
}

function partOf(text: string): Part {
  const [head = ''] = /^\s*--[^\r\n]*(?:\r?\n[^\r\n]+)*(?:\r?\n){0,2}/.exec(text) ?? [];
  const disposition = /\bcontent-disposition:([^\r\n]*)/i.exec(head)?.[1] ?? '';
  const [, quoted, bare] = /[;\s]name=(?:"([^"]*)"|([^\s;"]+))/i.exec(disposition) ?? [];
  return { text, name: quoted ?? bare ?? '', valueAt: head.length, isFile: /[;\s]filename\*?=/i.test(disposition) };
}

/** Each of several deliveries in one body is read by itself; what is wrong with one is told with its place. */
export function readEach(read: (body: unknown) => Reading): (body: unknown) => Reading {
  return (body) => {
    if (!Array.isArray(body)) return read(body);
    if (body.length > MOST)
      return { issues: [{ path: '', message: `holds more than ${MOST} deliveries: post fewer at once` }] };
    return together(body.map((one, index) => at(`${index}`, read(one))));
  };
}

/** The reading of what stands under `path` of the whole body. */
export function at(path: string, reading: Reading): Reading {
  const placed = (unread: Unread): Unread => ({
    ...unread,
    issues: unread.issues.map((issue) => ({
      ...issue,
      path: [path, issue.path].filter((part) => part !== '').join('.'),
    })),
  });
  if ('issues' in reading) return placed(reading);
  return reading.unread ? { ...reading, unread: placed(reading.unread) } : reading;
}
