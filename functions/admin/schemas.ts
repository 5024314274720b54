import * as v from 'valibot';
import { isCountry, toPhone } from '#lib/domain/person.ts';
import { known, optional, strictObject } from '#lib/domain/schema.ts';
import { zonedInstant } from '#lib/domain/time.ts';
import type { Readable } from '#lib/store/items.ts';
import { decodeCursor, type List } from '#lib/store/query.ts';

const DEFAULT_LIMIT = 50;
const HIGHEST_LIMIT = 200;

/** The body of a change: what it holds is changed, and an empty one is a slip. */
export const changesOf = <const Entries extends v.ObjectEntries>(entries: Entries) =>
  v.pipe(
    strictObject(entries),
    v.check((changes) => Object.keys(changes).length > 0, 'there is nothing to change'),
  );

// Ids are ours and look so; the table has no answer to a key beyond its length.
export const Id = v.pipe(v.string(), v.regex(/^[!-~]{1,200}$/, 'must be an id, as the hub tells it'));
/** What something is to be found by: to be left out, and not empty, where nothing is looked for. */
export const Sought = v.pipe(
  v.string(),
  v.check((text) => text.trim() !== '', 'must not be empty: leave it out'),
);

export const Name = v.pipe(v.string(), v.minLength(1), v.maxLength(200));
export const PhoneNumber = v.pipe(
  v.string(),
  v.description('International, `+` optional; shown in E.164 with `+`'),
  v.check((written) => toPhone(written) !== undefined, 'must be an international number, as +15550100001'),
);

const isLimit = (text: string) => /^\d{1,9}$/.test(text) && Number(text) >= 1 && Number(text) <= HIGHEST_LIMIT;

/** A text that `decode` reads, or refuses by answering undefined. */
export function decoded<Value>(decode: (text: string) => Value | undefined, description: string, refusal: string) {
  return v.pipe(
    v.string(),
    v.description(description),
    v.rawTransform<string, Value>(({ dataset, addIssue, NEVER }) => {
      const value = decode(dataset.value);
      if (value !== undefined) return value;
      addIssue({ message: refusal });
      return NEVER;
    }),
  );
}

/** A parameter that may be left out, `true` or `false`. */
export const flag = (description: string) =>
  v.exactOptional(
    v.pipe(
      v.picklist(['true', 'false']),
      v.description(description),
      v.transform((text) => text === 'true'),
    ),
  );

// In the document stands what callers write: descriptions come before a conversion.
const Limit = v.pipe(
  v.string(),
  v.description(`1 to ${HIGHEST_LIMIT}; ${DEFAULT_LIMIT} if left out`),
  v.metadata({ type: 'integer', minimum: 1, maximum: HIGHEST_LIMIT, default: DEFAULT_LIMIT }),
  v.check((text) => isLimit(text), `must be between 1 and ${HIGHEST_LIMIT}`),
  v.transform(Number),
);
const ITS_PAGE = 'What the page before told as its `cursor`';
export const OF_ANOTHER = 'is not a cursor of this list in this order: leave it out to begin anew';
export const cursorOf = (list: List) => decoded((text) => decodeCursor(list, text), ITS_PAGE, OF_ANOTHER);

/** The parameters that every list has. */
export const paging = (list: List) => ({ limit: optional(Limit), cursor: optional(cursorOf(list)) });
export const Paging = (list: List) => strictObject(paging(list));

interface PageAsked {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}
export const pageRequest = ({ limit = DEFAULT_LIMIT, cursor }: PageAsked) => known({ limit, from: cursor });

export const Country = v.pipe(
  v.string(),
  v.trim(),
  v.toUpperCase(),
  v.check(isCountry, 'must be the code of a country in ISO 3166, as ID or GB'),
  v.description('ISO 3166, two letters, as `ID`'),
);

export const time = (description: string) =>
  decoded(
    boundOf,
    description,
    'must be a time in ISO 8601 with its offset, or a date, as 2026-03-01T12:00:00Z or 2026-03-01',
  );

/** A date is its first moment, in UTC. */
const boundOf = (text: string): number | undefined =>
  zonedInstant(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text);

const CLOCK =
  "by the provider's clock, as `occurredAt` where that is less than 48 hours from ours; with `order=received` by ours, when it was stored. " +
  'ISO 8601; a date without a time is its first moment in UTC';

/** Bounds of a list of events in time, both exclusive. */
export const between = {
  after: v.exactOptional(time(`Only what is later, ${CLOCK}`)),
  before: v.exactOptional(time(`Only what is earlier, ${CLOCK}`)),
};

/** The same of sends, which have one clock. */
export const accepted = {
  after: v.exactOptional(
    time('Only what was accepted later, by our clock, ISO 8601; a date is its first moment in UTC'),
  ),
  before: v.exactOptional(
    time('Only what was accepted earlier, by our clock, ISO 8601; a date is its first moment in UTC'),
  ),
};

/** The same of a list of events, which has two orders. */
export const orderedPaging = {
  limit: optional(Limit),
  cursor: optional(v.string(), ITS_PAGE),
  order: optional(
    v.picklist(['occurred', 'received']),
    '`occurred`, the default: newest first, by the time at which things happened. `received`: oldest first, by the time ' +
      'at which they were stored, with a `cursor` at the end as well: ask again with it for what has come since',
  ),
};

/** A list that has no next page. */
export const allOf = <Schema extends v.GenericSchema>(schema: Schema) =>
  v.object({ items: v.pipe(v.array(schema), v.readonly()) });

/** A page of whole objects. */
export const listOf = <Schema extends v.GenericSchema>(schema: Schema) =>
  v.object({
    items: v.pipe(v.array(schema), v.readonly()),
    cursor: optional(v.string(), 'For the next page; left out on the last one'),
    damaged: optional(
      v.pipe(v.array(v.string()), v.readonly()),
      'What is left out, for its item in the table is damaged: its key, and which of its attributes are not what they should be',
    ),
  });

/** A list that is answered whole, which says so where something of it is left out. */
export const wholeList = <Shown>({ items, damaged }: Readable<Shown>) => ({
  items,
  ...(damaged.length > 0 && { damaged }),
});

/** The same of a list that may be read in order of arrival. */
export const eventsOf = <Schema extends v.GenericSchema>(schema: Schema) =>
  v.object({
    ...listOf(schema).entries,
    more: optional(v.boolean(), 'With `order=received`, where `cursor` is always there: whether there is more already'),
    complete: optional(
      v.literal(false),
      'With `order=received`: events that an earlier release stored are still being added, at their places in time',
    ),
  });
