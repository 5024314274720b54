import * as v from 'valibot';
import { redacted } from './redact.ts';

/** A property that may be left out; it is never present without a value. */
export function optional<Schema extends v.GenericSchema>(schema: Schema, description?: string) {
  return v.exactOptional(description === undefined ? schema : v.pipe(schema, v.description(description)));
}

/** For what somebody else writes: undefined where it is absent, or is not what is meant. */
export const ifValid = <Schema extends v.GenericSchema>(schema: Schema) => v.fallback(v.optional(schema), undefined);

export function text(description: string) {
  return v.pipe(v.string(), v.description(description));
}

/**
 * An object that takes these fields and no other: who misspells one is told which there are. `words` may say it better,
 * or say nothing.
 */
export function strictObject<const Entries extends v.ObjectEntries>(
  entries: Entries,
  words?: (issue: v.StrictObjectIssue) => string | undefined,
) {
  const fields = Object.keys(entries);
  const unknown = `${UNKNOWN}: ${fields.length > 0 ? `the fields are ${fields.join(', ')}` : 'leave it out'}`;
  const missing = new Map(Object.entries(entries).map(([name, { expects }]) => [`"${name}"`, missingOf(expects)]));
  return v.strictObject(
    entries,
    (issue) =>
      words?.(issue) ?? (issue.expected === 'never' ? unknown : (missing.get(issue.expected) ?? issue.message)),
  );
}
const UNKNOWN = 'is not known here';

/** Where only some words are taken, who has given none is told them. */
function missingOf(expected: string): string {
  return /^\(?"/.test(expected) ? `is missing: it ${mustBe(expected)}` : 'is missing';
}

export const Whole = v.pipe(v.number(), v.integer());

/** How many of something; never below zero. */
export function tally(description: string) {
  return v.pipe(Whole, v.minValue(0), v.description(description));
}

/** ISO 8601 in UTC with milliseconds. */
export const Instant = v.pipe(v.string(), v.isoTimestamp(), v.description('ISO 8601, UTC, milliseconds'));

/** What is wrong, and where. Never holds a value that somebody sent. */
export const Issue = v.object({
  path: v.pipe(v.string(), v.description('Where, as `messageData.typeMessage`; empty for the whole')),
  message: v.string(),
});
export type Issue = v.InferOutput<typeof Issue>;

/** Enough to see what is wrong; a long list of wrong entries must not make an answer longer than a Lambda may give. */
const MOST_ISSUES = 100;

/** Valibot's first findings as paths and reasons, the received values taken out. A path holds keys that somebody sent. */
export function issuesOf(issues: readonly v.BaseIssue<unknown>[]): Issue[] {
  return issues
    .slice(0, MOST_ISSUES)
    .map((issue) => ({ path: redacted(v.getDotPath(issue) ?? ''), message: reasonOf(issue) }));
}

/**
 * What `schema` makes of `input`; throws where it fits not, by `name` and the paths that are wrong. Valibot's own error
 * holds the whole input, which is no log's business.
 */
export function checked<Schema extends v.GenericSchema>(
  schema: Schema,
  input: unknown,
  name: () => string,
): v.InferOutput<Schema> {
  const read = v.safeParse(schema, input);
  if (read.success) return read.output;
  const paths = read.issues.slice(0, MOST_ISSUES).map((issue) => v.getDotPath(issue) ?? '');
  throw new TypeError(`${name()}: ${paths.join(', ')}`);
}

function reasonOf(issue: v.BaseIssue<unknown>): string {
  // A schema's own words; valibot's hold the value.
  if (!issue.message.startsWith('Invalid ')) return issue.message;
  // That of an object names the field and not its values.
  if (issue.received === 'undefined') return missingOf(issue.type === 'variant' ? (issue.expected ?? '') : '');
  if (issue.expected === 'never') return UNKNOWN;
  const unit = typeof issue.input === 'string' ? 'characters' : 'entries';
  return RULES.get(issue.type)?.(issue.requirement, unit) ?? expectation(issue);
}

/** Rules whose `expected` would be a sign or nothing. */
const RULES = new Map<string, (requirement: unknown, unit: string) => string>([
  ['non_empty', () => 'must not be empty'],
  ['min_length', (least, unit) => (least === 1 ? 'must not be empty' : `must have at least ${least} ${unit}`)],
  ['max_length', (most, unit) => `must have at most ${most} ${unit}`],
  ['min_value', (least) => `must be at least ${least}`],
  ['max_value', (most) => `must be at most ${most}`],
  ['integer', () => 'must be a whole number'],
  ['safe_integer', () => 'must be a whole number'],
  ['regex', () => 'does not have the right form'],
  ['iso_timestamp', () => 'must be a time in ISO 8601, as 2026-03-01T12:00:00.000Z'],
  ['url', () => 'must be a URL, as https://example.com'],
]);

const TYPES = new Map([
  ['Object', 'an object'],
  ['Array', 'a list'],
  ['string', 'a string'],
  ['number', 'a number'],
  ['boolean', 'true or false'],
]);

function expectation({ expected, type }: v.BaseIssue<unknown>): string {
  return expected === null ? `is not a valid ${type.replaceAll('_', ' ')}` : mustBe(expected);
}

function mustBe(expected: string): string {
  const alternatives = expected.replace(/^\((.*)\)$/, '$1').split(' | ');
  return `must be ${alternatives.map((one) => TYPES.get(one) ?? one).join(' or ')}`;
}

/** `Fields` with nothing undefined in it: a key that may lack a value may be absent instead. */
type Known<Fields> = {
  [Key in keyof Fields as undefined extends Fields[Key] ? never : Key]: Fields[Key];
} & {
  [Key in keyof Fields as undefined extends Fields[Key] ? Key : never]?: Exclude<Fields[Key], undefined>;
};

/** Only the fields that have a value, for a shape in which what is not known is left out. */
export function known<Fields extends object>(fields: Fields): Known<Fields>;
export function known(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The same, and undefined where none of the fields has a value. */
export function anyKnown<Fields extends object>(fields: Fields): Known<Fields> | undefined {
  const found = known(fields);
  return Object.keys(found).length > 0 ? found : undefined;
}

const LONGEST = 500;

/** Words of somebody else as far as people read them in a list: they are kept in items that have a largest size. */
export const shortly = (words: string): string => words.slice(0, LONGEST).toWellFormed();
