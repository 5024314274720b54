import * as v from 'valibot';

/** A property that may be left out; it is never present without a value. */
export function optional<Schema extends v.GenericSchema>(schema: Schema, description?: string) {
  return v.exactOptional(description === undefined ? schema : v.pipe(schema, v.description(description)));
}

export function text(description: string) {
  return v.pipe(v.string(), v.description(description));
}

export const Whole = v.pipe(v.number(), v.integer());

/** How many of something; never below zero. */
export function tally(description: string) {
  return v.pipe(Whole, v.minValue(0), v.description(description));
}

/** ISO 8601 in UTC with milliseconds. */
export const Instant = v.pipe(v.string(), v.isoTimestamp(), v.description('ISO 8601, UTC, milliseconds'));
