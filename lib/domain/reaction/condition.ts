import * as v from 'valibot';
import { Event } from '../event.ts';
import { isRecord } from '../json.ts';
import { type Issue, strictObject } from '../schema.ts';
import { typeOf } from './notice.ts';

/*
 * When a rule or an endpoint wants an event. Data and not code: a form can show every condition, and a trial can say of
 * each leaf what it found and whether it held.
 */

const MOST_LEAVES = 50;
const DEEPEST = 5;
const MOST_OPERANDS = 100;
const LONGEST_PATTERN = 200;
/** More of a text is not looked at. */
const LONGEST_TEXT = 4096;
const LONGEST_SHOWN = 200;

const Operand = v.pipe(v.string(), v.maxLength(LONGEST_TEXT));
const Value = v.union([Operand, v.number(), v.boolean()], 'must be a string, a number, true or false');
const listOf = <Schema extends v.GenericSchema<string | number | boolean>>(schema: Schema) =>
  v.pipe(v.array(schema), v.minLength(1), v.maxLength(MOST_OPERANDS));
const NO_LIMIT = 'must be a number, or a time in ISO 8601, as 2026-03-01T12:00:00.000Z';
const Limit = v.union([v.number(), v.pipe(v.string(), v.isoTimestamp(NO_LIMIT))], NO_LIMIT);
const TIME = /^(?:[01]\d|2[0-3]):[0-5]\d$/;
const Clock = v.pipe(v.string(), v.regex(TIME, 'must be a time of day, as 08:30'));

const operators = {
  is: v.exactOptional(Value),
  isNot: v.exactOptional(Value),
  in: v.exactOptional(listOf(Value)),
  notIn: v.exactOptional(listOf(Value)),
  exists: v.exactOptional(v.boolean()),
  contains: v.exactOptional(Operand),
  startsWith: v.exactOptional(Operand),
  endsWith: v.exactOptional(Operand),
  words: v.exactOptional(listOf(Operand)),
  allWords: v.exactOptional(listOf(Operand)),
  matches: v.exactOptional(v.pipe(v.string(), v.minLength(1), v.maxLength(LONGEST_PATTERN))),
  lessThan: v.exactOptional(Limit),
  atMost: v.exactOptional(Limit),
  greaterThan: v.exactOptional(Limit),
  atLeast: v.exactOptional(Limit),
  between: v.exactOptional(v.strictTuple([Clock, Clock])),
};
type Operator = keyof typeof operators;
const OPERATORS = Object.keys(operators).filter((name): name is Operator => name in operators);

const Leaf = v.pipe(
  strictObject({
    field: v.pipe(v.string(), v.maxLength(200)),
    ...operators,
    caseSensitive: v.exactOptional(v.boolean()),
  }),
  v.check(
    (leaf) => operatorsOf(leaf).length === 1,
    `must have one operator beside field, one of ${Object.keys(operators).join(', ')}`,
  ),
  v.forward(
    v.check(({ field }) => isField(field), 'is no field of an event: see GET /api/rules/fields'),
    ['field'],
  ),
  v.forward(
    v.check((leaf) => leaf.between === undefined || leaf.field === 'now.time', 'compares now.time only'),
    ['between'],
  ),
);
type Leaf = v.InferOutput<typeof Leaf>;

export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | Leaf;

const Tree: v.GenericSchema<unknown, Condition> = v.lazy((input) => {
  if (isRecord(input) && 'all' in input) return strictObject({ all: v.pipe(v.array(Tree), v.minLength(1)) });
  if (isRecord(input) && 'any' in input) return strictObject({ any: v.pipe(v.array(Tree), v.minLength(1)) });
  if (isRecord(input) && 'not' in input) return strictObject({ not: Tree });
  return Leaf;
});

/** A condition as somebody writes it. `faultsOfCondition` checks what is not seen here. */
export const Condition: v.GenericSchema<unknown, Condition> = v.pipe(
  v.unknown(),
  v.check((input) => depthOf(input) <= DEEPEST, `must be nested at most ${DEEPEST} deep`),
  Tree,
  v.check((condition) => leavesOf(condition).length <= MOST_LEAVES, `must have at most ${MOST_LEAVES} comparisons`),
);

/** The depth of what claims to be a condition, before anything else is asked of it: it may be nested without end. */
function depthOf(input: unknown, depth = 1): number {
  if (depth > DEEPEST || !isRecord(input)) return depth;
  const inner = [input.all, input.any, input.not].flat().filter((one) => one !== undefined);
  return Math.max(depth, ...inner.map((one) => (isRecord(one) ? depthOf(one, depth + (isGroup(one) ? 1 : 0)) : depth)));
}

const isGroup = (input: object): boolean => 'all' in input || 'any' in input || 'not' in input;

function leavesOf(condition: Condition): readonly Leaf[] {
  if ('all' in condition) return condition.all.flatMap(leavesOf);
  if ('any' in condition) return condition.any.flatMap(leavesOf);
  if ('not' in condition) return leavesOf(condition.not);
  return [condition];
}

function operatorsOf(leaf: Partial<Record<Operator, unknown>>): readonly Operator[] {
  return OPERATORS.filter((name) => leaf[name] !== undefined);
}

const WEEKDAYS = /^(?:mon|tue|wed|thu|fri|sat|sun)$/i;
const NO_DAY = 'compares with what is no day of the week: give mon, tue, wed, thu, fri, sat or sun';

const NO_WORD = 'asks for a word without a letter or digit: `contains` finds signs';

/** The patterns that `patternFault` refuses, and words and days that never come, each with its path below `path`. */
export function faultsOfCondition(
  condition: Condition,
  path: string,
  patternFault: (pattern: string) => string | undefined,
): readonly Issue[] {
  if ('all' in condition)
    return condition.all.flatMap((one, i) => faultsOfCondition(one, `${path}.all.${i}`, patternFault));
  if ('any' in condition)
    return condition.any.flatMap((one, i) => faultsOfCondition(one, `${path}.any.${i}`, patternFault));
  if ('not' in condition) return faultsOfCondition(condition.not, `${path}.not`, patternFault);
  const { field, is, isNot, in: among = [], notIn = [], words = [], allWords = [], matches } = condition;
  const days = field === 'now.weekday' ? [is, isNot, ...among, ...notIn] : [];
  if (!days.every((day) => day === undefined || WEEKDAYS.test(String(day)))) return [{ path, message: NO_DAY }];
  if ([...words, ...allWords].some((word) => inWords(word) === NO_WORDS)) return [{ path, message: NO_WORD }];
  const fault = matches === undefined ? undefined : patternFault(matches);
  return fault === undefined ? [] : [{ path: `${path}.matches`, message: fault }];
}

/** An event, and what of its account the provider has not said with it. */
export interface Told {
  readonly event: Event;
  /** Of the account that the event belongs to, as through its webhook. */
  readonly accountPhone?: string;
}

/** What a condition is asked about. Short names stand for what several kinds of events hold under different paths. */
export interface Facts extends Told {
  /** Milliseconds. */
  readonly now: number;
  /** IANA name: `now.time` and `now.weekday` are read there. */
  readonly timeZone: string;
}

/** Tests a text against a pattern without ever taking long over it (RE2). */
export type Matches = (pattern: string, text: string, caseSensitive: boolean) => boolean;

const SHORT: Readonly<Record<string, (facts: Facts) => unknown>> = {
  type: ({ event }) => typeOf(event),
  text: ({ event }) => textOf(event),
  content: ({ event }) => (event.kind === 'message' ? event.message.content.type : undefined),
  hasFile: ({ event }) => (event.kind === 'message' ? fileIn(event.message.content) : undefined),
  'sender.phone': ({ event }) => senderOf(event)?.phone,
  'sender.name': ({ event }) => senderOf(event)?.name ?? senderOf(event)?.contactName,
  'sender.id': ({ event }) => senderOf(event)?.id,
  'chat.title': ({ event }) => chatOf(event)?.title,
  'chat.kind': ({ event }) => chatOf(event)?.kind,
  'account.phone': ({ event, accountPhone }) => saidPhoneOf(event) ?? accountPhone,
  'message.forwarded': ({ event }) => (event.kind === 'message' ? event.message.forwarded !== undefined : undefined),
  'now.time': ({ now, timeZone }) => clockIn(now, timeZone).time,
  'now.weekday': ({ now, timeZone }) => clockIn(now, timeZone).weekday,
};

/** The short names, for forms and for the reference. */
export const SHORT_FIELDS: readonly string[] = [
  ...Object.keys(SHORT),
  'kind',
  'provider',
  'accountId',
  'chatId',
  'notification.package',
  'notification.title',
  'notification.content',
  'ussd.code',
  'ussd.response',
].toSorted();

/** What people would call the text of an event: of a file its caption, of a notification its content. */
export function textOf(event: Event): string | undefined {
  if (event.kind === 'notification') return event.notification.content;
  if (event.kind === 'ussd') return event.ussd.response;
  if (event.kind === 'reaction') return event.reaction.emoji;
  if (event.kind !== 'message') return undefined;
  const { content } = event.message;
  if ('text' in content && content.text !== undefined) return content.text;
  return 'caption' in content ? content.caption : undefined;
}

const fileIn = (content: object): boolean => 'file' in content && content.file !== undefined;

function senderOf(event: Event) {
  if (event.kind === 'message') return event.message.sender;
  if (event.kind === 'reaction') return event.reaction.sender;
  return event.kind === 'call' ? event.call.from : undefined;
}

function chatOf(event: Event): { readonly title?: string; readonly kind: string } | undefined {
  if (event.kind === 'message') return event.message.chat;
  if (event.kind === 'reaction') return event.reaction.chat;
  if (event.kind === 'call') return event.call.chat;
  return event.kind === 'chat' ? event.chat : undefined;
}

/** The number of the account, where the provider says it with the event. */
export function saidPhoneOf(event: Event): string | undefined {
  const payload: unknown = event.kind === 'unknown' ? undefined : Reflect.get(event, event.kind);
  if (!isRecord(payload) || !isRecord(payload.account)) return undefined;
  return typeof payload.account.phone === 'string' ? payload.account.phone : undefined;
}

/** Of the latest zone: making one takes ten times as long as asking it, and the rules of a workspace mostly share theirs. */
let clock: { readonly timeZone: string; readonly format: Intl.DateTimeFormat } | undefined;

function clockIn(now: number, timeZone: string): { readonly time: string; readonly weekday: string } {
  if (clock?.timeZone !== timeZone) {
    const options = { timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
    clock = { timeZone, format: new Intl.DateTimeFormat('en-GB', options) };
  }
  const parts = clock.format.formatToParts(now);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? '';
  return { time: `${part('hour')}:${part('minute')}`, weekday: part('weekday').toLowerCase() };
}

function valueAt(field: string, facts: Facts): unknown {
  const short = Object.hasOwn(SHORT, field) ? SHORT[field] : undefined;
  if (short) return short(facts);
  let value: unknown = facts.event;
  for (const key of field.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

/** The short names as one object, `sender.phone` under `sender`: what a template is rendered over. */
export function fieldsOf(facts: Facts): Readonly<Record<string, unknown>> {
  const fields: Record<string, Record<string, unknown> | unknown> = {};
  for (const name of SHORT_FIELDS) {
    const value = valueAt(name, facts);
    if (value === undefined) continue;
    const [first = '', second] = name.split('.');
    if (second === undefined) fields[first] = value;
    else fields[first] = { ...(isRecord(fields[first]) ? fields[first] : {}), [second]: value };
  }
  return fields;
}

/** Whether any kind of event may have something there. */
export function isField(field: string): boolean {
  return Object.hasOwn(SHORT, field) || leadsSomewhere(Event, field.split('.'));
}

function leadsSomewhere(schema: unknown, [key, ...rest]: readonly string[]): boolean {
  if (key === undefined) return true;
  if (!isSchema(schema)) return false;
  if (schema.wrapped) return leadsSomewhere(schema.wrapped, [key, ...rest]);
  if (schema.options) return schema.options.some((option) => leadsSomewhere(option, [key, ...rest]));
  if (schema.item) return /^\d{1,3}$/.test(key) && leadsSomewhere(schema.item, rest);
  return Object.hasOwn(schema.entries ?? {}, key) && leadsSomewhere(schema.entries?.[key], rest);
}

interface SchemaParts {
  readonly entries?: Readonly<Record<string, unknown>>;
  readonly options?: readonly unknown[];
  readonly wrapped?: unknown;
  readonly item?: unknown;
}
/** Valibot's schemas are data. */
const isSchema = (schema: unknown): schema is SchemaParts => isRecord(schema) && 'kind' in schema;

/** What became of one comparison. */
export interface Finding {
  /** Where it stands in the condition, as `all.0.not`. */
  readonly at: string;
  readonly field: string;
  readonly operator: string;
  /** What the event has there, shortened; absent where it has nothing. */
  readonly found?: string | number | boolean;
  readonly holds: boolean;
}

/**
 * Whether the event is wanted, and every comparison with what it found: none is left out because another decided
 * already, since a trial shows them all. What is missing makes every comparison false but `exists: false`.
 *
 * `mayGoOn` is asked before each comparison; where it says no, the condition was not decided (`isCut`) and does not hold.
 */
export function evaluate(
  condition: Condition,
  facts: Facts,
  matches: Matches,
  mayGoOn: () => boolean = () => true,
): { readonly holds: boolean; readonly trace: readonly Finding[]; readonly isCut: boolean } {
  const trace: Finding[] = [];
  let isCut = false;
  const visit = (one: Condition, at: string): boolean => {
    isCut ||= !mayGoOn();
    if (isCut) return false;
    const inner = (name: string) => (at === '' ? name : `${at}.${name}`);
    if ('all' in one) return one.all.map((each, i) => visit(each, inner(`all.${i}`))).every(Boolean);
    if ('any' in one) return one.any.map((each, i) => visit(each, inner(`any.${i}`))).some(Boolean);
    if ('not' in one) return !visit(one.not, inner('not'));
    const value = valueAt(one.field, facts);
    const operator = operatorsOf(one)[0] ?? 'exists';
    const holds = compare(one, operator, value, matches);
    trace.push({ at, field: one.field, operator, ...shown(value), holds });
    return holds;
  };
  const holds = visit(condition, '');
  return { holds: holds && !isCut, trace, isCut };
}

function shown(value: unknown): Pick<Finding, 'found'> {
  if (typeof value === 'string') return { found: value.slice(0, LONGEST_SHOWN).toWellFormed() };
  if (typeof value === 'number' || typeof value === 'boolean') return { found: value };
  return value === undefined ? {} : { found: Array.isArray(value) ? 'a list' : 'an object' };
}

function compare(leaf: Leaf, operator: Operator, value: unknown, matches: Matches): boolean {
  if (operator === 'exists') return (value !== undefined) === leaf.exists;
  if (value === undefined) return false;
  const caseSensitive = leaf.caseSensitive ?? false;
  // One that is longer than any operand equals none, however it goes on.
  const text = typeof value === 'string' ? value.slice(0, LONGEST_TEXT + 1) : value;
  const isEqual = (operand: unknown) => folded(operand, caseSensitive) === folded(text, caseSensitive);
  if (operator === 'is') return isEqual(leaf.is);
  if (operator === 'isNot') return !isEqual(leaf.isNot);
  if (operator === 'in') return leaf.in?.some(isEqual) ?? false;
  if (operator === 'notIn') return !leaf.notIn?.some(isEqual);
  if (operator in ORDERS) return isOrdered(leaf, operator, value);
  if (operator === 'between') return isBetween(String(value), leaf.between ?? ['', '']);
  return typeof value === 'string' && saysSo(leaf, operator, value, caseSensitive, matches);
}

function saysSo(leaf: Leaf, operator: Operator, value: string, caseSensitive: boolean, matches: Matches): boolean {
  const text = value.slice(0, LONGEST_TEXT);
  const fold = (one: string | undefined) => String(folded(one ?? '', caseSensitive));
  if (operator === 'contains') return fold(text).includes(fold(leaf.contains));
  if (operator === 'startsWith') return fold(text).startsWith(fold(leaf.startsWith));
  if (operator === 'endsWith') return fold(text).endsWith(fold(leaf.endsWith));
  if (operator === 'matches')
    return matches(leaf.matches ?? '', text.normalize('NFKC').slice(0, LONGEST_TEXT), caseSensitive);
  const said = inWords(fold(text));
  const isSaid = (operand: string) => said.includes(inWords(fold(operand)));
  if (operator === 'words') return leaf.words?.some(isSaid) ?? false;
  return leaf.allWords?.every(isSaid) ?? false;
}

/** Case and width do not count, unless they shall. */
function folded(value: unknown, caseSensitive: boolean): unknown {
  if (typeof value !== 'string') return value;
  const text = value.normalize('NFKC');
  return caseSensitive ? text : text.toLowerCase();
}

/** The words with a blank around each, so that a word or a row of them is found whole and nothing else is. */
function inWords(text: string): string {
  return ` ${text
    .split(/[^\p{L}\p{M}\p{N}]+/u)
    .filter(Boolean)
    .join(' ')} `;
}

/** What `inWords` makes of a text that has none. */
const NO_WORDS = '  ';

const ORDERS: Partial<Record<Operator, (a: number, b: number) => boolean>> = {
  lessThan: (a, b) => a < b,
  atMost: (a, b) => a <= b,
  greaterThan: (a, b) => a > b,
  atLeast: (a, b) => a >= b,
};

function isOrdered(leaf: Leaf, operator: Operator, value: unknown): boolean {
  const limit = leaf[operator];
  // Only a number compares with a number, and only a time with a time.
  if (typeof value !== typeof limit) return false;
  const [a, b] = typeof value === 'string' ? [Date.parse(value), Date.parse(String(limit))] : [value, limit];
  return typeof a === 'number' && typeof b === 'number' && (ORDERS[operator]?.(a, b) ?? false);
}

/** From the first time of day up to the second, which is not in it; across midnight where the second comes earlier. */
function isBetween(time: string, [from, to]: readonly [string, string]): boolean {
  return from <= to ? from <= time && time < to : time >= from || time < to;
}
