import { isRecord, type Parsed, parseJson } from '#lib/domain/json.ts';
import { redacted } from '#lib/domain/redact.ts';
import { bytesIn, parseBody, putAt, roomToUnpack } from './body.ts';
import { type Reading, together, type Unread } from './provider.ts';

/**
 * What relays make of a delivery on its way (n8n, Make, Zapier, queues, gateways): an object around it beside its headers, a
 * list, a text within a field, a form with one such field, one row of all its fields. What is a delivery each provider says
 * itself, of events that the hub does not know as well: then no field of a provider's own is taken for a relay's. `maybe`:
 * unless there is one within it. `isWithin`: it stands in something else, and must be told from that.
 */
type IsDelivery = (body: unknown, isWithin: boolean) => boolean | 'maybe';

/** A delivery, and where it stands in the whole body, as `0.body`. */
export interface Found {
  readonly delivery: unknown;
  readonly path: string;
}

/** What may hold as a text what a relay got: SNS has it under `Message`, Power Automate under `$content`. */
const isHolder = (name: string): boolean => name === 'Message' || name === '$content' || HOLDER.test(name);

const HOLDER =
  /^(?:data|raw|payload|detail|event|request|headers|query|params|(?:(?:raw|text|buffer|event|post|form)_?)?body|body_?(?:raw|text|data)|(?:raw|post|form)_?data|data_base64)$/i;

/** Deeper than relays wrap. */
const DEEPEST = 4;
/** More than relays hand over at once. To try each takes its time, and whoever knows the URL may post as many as fit. */
const MOST = 2000;
const MOST_IN_ROWS = 20_000;

/** What stands under `name`, with what it holds spelled out if it is the name of a holder. */
export type Spell = (name: string, value: unknown) => unknown;

/** For one walk: spells out as many texts as a relay may hand over, and leaves all others as they are. */
export function speller(): Spell {
  let left = MOST;
  const room = roomToUnpack();
  const spell: Spell = (name, value) => {
    if (!isHolder(name)) return value;
    const bytes = typeof value === 'string' ? Buffer.from(value) : bytesIn(value);
    if (bytes === undefined || left === 0) return value;
    left -= 1;
    const parsed = parseBody(bytes, '', room);
    if (!parsed.ok) return value;
    // Two relays in a row have made a text of a text.
    return typeof parsed.value === 'string' ? spell(name, parsed.value) : parsed.value;
  };
  return spell;
}

/** Beside who wrote, or where, stand somebody's words: whoever writes to us could make a delivery of them. */
const WRITER = /^(?:from|sender|phone|jid|chat|chat_?(?:id|url))$/i;

/** Spells out nothing within a message. */
const spellWithin = (raw: object, spell: Spell): Spell =>
  !Array.isArray(raw) && Object.keys(raw).some((name) => WRITER.test(name)) ? (_name, value) => value : spell;

/** Parses a body down to its delivery, or to a list where it holds several. Where none is found the body itself counts. */
export function relayed(isDelivery: IsDelivery) {
  return (body: Uint8Array, contentType: string): Parsed<unknown> => {
    const parsed = parseBody(body, contentType);
    if (!parsed.ok) return parsed;
    const found = deliveriesIn(parsed.value, isDelivery).map(({ delivery }) => delivery);
    return { ok: true, value: found.length === 1 ? found[0] : found };
  };
}

/** The deliveries of a body: it is one as a rule. Where nothing in it looks like one, the body itself counts. */
export function deliveriesIn(body: unknown, isDelivery: IsDelivery): readonly Found[] {
  const spell = speller();
  const found = foundIn({ delivery: spell('body', body), path: '' }, { isDelivery, spell, unfold: unfolder() }, 0);
  return found.length > 0 ? found : [{ delivery: body, path: '' }];
}

interface Walk {
  readonly isDelivery: IsDelivery;
  readonly spell: Spell;
  readonly unfold: (raw: unknown) => unknown;
}

function foundIn({ delivery: raw, path }: Found, walk: Walk, depth: number): readonly Found[] {
  const row = walk.unfold(raw);
  const judged = walk.isDelivery(row, depth > 0);
  const here = judged === false ? [] : [{ delivery: row, path }];
  if (depth === DEEPEST || judged === true || !isContainer(row)) return here;
  const within: Walk = { ...walk, spell: spellWithin(row, walk.spell) };
  const look: Look = (name, value) => {
    const held = within.spell(name, value);
    return isContainer(held) ? foundIn({ delivery: held, path: under(path, name) }, within, depth + 1) : [];
  };
  const found = Array.isArray(row) ? listedIn(row, path, look) : namedIn(row, look);
  return found.length > 0 ? found : here;
}

const isContainer = (raw: unknown): raw is object => typeof raw === 'object' && raw !== null;

type Look = (name: string, value: unknown) => readonly Found[];

function namedIn(raw: object, look: Look): readonly Found[] {
  for (const [name, value] of Object.entries(raw)) {
    const found = look(name, value);
    if (found.length > 0) return found;
  }
  return [];
}

/** Where one of a list is a delivery, all are: what is none is to be seen in quarantine. */
function listedIn(list: readonly unknown[], path: string, look: Look): readonly Found[] {
  const found = list.map((entry, index) => look(`${index}`, entry));
  if (found.every(({ length }) => length === 0)) return [];
  return found.flatMap((one, index) =>
    one.length > 0 ? one : [{ delivery: list[index], path: under(path, `${index}`) }],
  );
}

const under = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

/** Some relays put all fields into one row: `chat__phone`, `chat.phone`, `chat[phone]`. No provider has such names. */
export function unfolder(): (raw: unknown) => unknown {
  let left = MOST_IN_ROWS;
  return (raw) => {
    if (!isRecord(raw)) return raw;
    const names = Object.keys(raw);
    const made = names.filter((name) => IN_ROW.test(name)).length;
    if (made === 0 || made > left) return raw;
    left -= made;
    const paths = names.map((name) => pathIn(name));
    if (paths.every((path) => path.length === 1)) return raw;
    const whole: Record<string, unknown> = {};
    names.forEach((name, at) => {
      const value = raw[name];
      putAt(whole, paths[at] ?? [name], isRecord(value) ? structuredClone(value) : value);
    });
    return whole;
  };
}

const IN_ROW = /__|[.[]/;

/** The names of which one is made up; itself where it is one. */
function pathIn(name: string): readonly [string, ...string[]] {
  const [first = name, ...rest] = name.length > LONGEST || !IN_ROW.test(name) ? [name] : name.split(/__|\.|\[|\]\[?/);
  const within = rest.at(-1) === '' ? rest.slice(0, -1) : rest;
  const path: [string, ...string[]] = [first, ...within];
  const isPath =
    path.length > 1 &&
    path.length <= DEEPEST &&
    path.every((part) => /^(?!constructor|prototype)[a-z]\w*$/i.test(part));
  return isPath ? path : [name];
}
const LONGEST = 100;

/** What a text holds as JSON: relays that know texts alone write an object or a list so. */
export function spelledOut(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[{[]/.test(value)) return value;
  const parsed = parseJson(Buffer.from(value));
  return parsed.ok ? parsed.value : value;
}

/** Each of several deliveries in one body is read by itself; what is wrong with one is told with its place. */
export function readEach(read: (body: unknown) => Reading): (body: unknown) => Reading {
  return (body) => {
    if (!Array.isArray(body)) return read(body);
    return readAll(
      body.map((delivery, index) => ({ delivery, path: `${index}` })),
      read,
    );
  };
}

/** Reads each by itself, and tells of each where it stands. */
export function readAll(found: readonly Found[], read: (body: unknown) => Reading): Reading {
  if (found.length > MOST)
    return { issues: [{ path: '', message: `holds more than ${MOST} deliveries: post fewer at once` }] };
  return together(found.map(({ delivery, path }) => at(redacted(path), read(delivery))));
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
