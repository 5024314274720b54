import * as v from 'valibot';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
const FARTHEST_TRUSTED = 48 * HOUR_MS;
// 1e11 seconds is the year 5138, 1e11 milliseconds is 1973: no provider means either.
const SECONDS_END = 1e11;
// What ISO 8601 writes with a year of four digits.
const FIRST_DATE = Date.parse('0000-01-01T00:00:00Z');
const LAST_DATE = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * When something was, in milliseconds since the epoch: from seconds or milliseconds (told apart by magnitude), as a
 * number or in digits, or from a date with its zone. Undefined if it is none of these, and before 1970: whoever has no
 * time to tell writes a nought.
 */
export function toInstant(raw: string | number | undefined): number | undefined {
  const text = String(raw).trim();
  const value = Number(text);
  const isNumber = typeof raw === 'number' || /^\d{1,16}(\.\d+)?$/.test(text);
  const instant = isNumber ? inRange(Math.round(value < SECONDS_END ? value * 1000 : value)) : zonedInstant(text);
  return instant !== undefined && instant > 0 ? instant : undefined;
}

const ISO = /^(\d{4}-\d\d-\d\d)[T ] *(\d\d:\d\d(?::\d\d(?:\.\d+)?)?) *(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)$/i;

/**
 * Milliseconds since the epoch, from ISO 8601 with its zone, with blanks for its T as well. Without its zone a time may be
 * half a day off, and no time is better than a wrong one.
 */
export function zonedInstant(text: string): number | undefined {
  const [, date, time, zone = ''] = ISO.exec(text) ?? [];
  if (date === undefined) return undefined;
  const day = inRange(Date.parse(date));
  // 30 February would silently become 1 March.
  if (day === undefined || !toIso(day).startsWith(date)) return undefined;
  return inRange(Date.parse(`${date}T${time}${/^[+-]/.test(zone) ? zone.padEnd(5, '0') : 'Z'}`));
}

const inRange = (instant: number): number | undefined =>
  instant >= FIRST_DATE && instant <= LAST_DATE ? instant : undefined;

/** ISO 8601 in UTC with milliseconds, the one form in which the hub shows a time. */
export function toIso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/**
 * The time by which an event is ordered: the provider's, unless it is absent or further than 48 h from ours. Such a
 * time is kept and shown, but a device with a wrong clock must not park a message at the end of the list for ever.
 */
export function orderingTime(occurredAt: number | undefined, receivedAt: number): number {
  if (occurredAt === undefined) return receivedAt;
  return Math.abs(occurredAt - receivedAt) > FARTHEST_TRUSTED ? receivedAt : occurredAt;
}

/** Milliseconds that a `Retry-After` asks for, in seconds or as a date; undefined if it is neither. */
export function retryAfter(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  const waitMs = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : httpDate(text) - now;
  return Number.isNaN(waitMs) ? undefined : Math.max(0, waitMs);
}

/** `Date.parse` alone takes almost any text with a number in it for a date. */
function httpDate(text: string): number {
  return /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(text) ? Date.parse(text) : Number.NaN;
}

/** An event is kept at least this long, whatever a workspace asks for: a provider may still deliver it again. */
export const SHORTEST_DAYS = 30;

export const RetentionDays = v.pipe(v.number(), v.integer(), v.minValue(SHORTEST_DAYS), v.maxValue(36_500));

/** When what came at `receivedAt` (milliseconds) runs out, in seconds since the epoch; undefined: never. */
export function expiryOf(receivedAt: number, retentionDays: number | undefined): number | undefined {
  if (retentionDays === undefined) return undefined;
  return Math.floor(receivedAt / 1000) + Math.max(retentionDays, SHORTEST_DAYS) * (DAY_MS / 1000);
}
