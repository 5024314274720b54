export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
const FARTHEST_TRUSTED = 48 * HOUR_MS;
// 1e11 seconds is the year 5138, 1e11 milliseconds is 1973: no provider means either.
const SECONDS_END = 1e11;
// The last instant that ISO 8601 writes with a year of four digits.
const LATEST_DATE = 253_402_300_799_999;

/**
 * Milliseconds since the epoch, from seconds or milliseconds (told apart by magnitude), as a number or in digits, or
 * from a date with its zone: ISO 8601, with a blank for its T as well, or as mails and HTTP have it. Undefined if it is
 * none of these.
 */
export function toInstant(raw: string | number | undefined): number | undefined {
  if (raw === undefined) return undefined;
  if (typeof raw === 'string' && !/^\d{1,16}(\.\d+)?$/.test(raw.trim())) return zonedInstant(raw.trim());
  const value = Number(raw);
  if (!Number.isFinite(value) || value <= 0) return undefined;
  const milliseconds = Math.round(value < SECONDS_END ? value * 1000 : value);
  return milliseconds <= LATEST_DATE ? milliseconds : undefined;
}

const ISO = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)$/i;
const RFC_2822 = /^(?:[A-Z][a-z]{2}, ?)?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d(?::\d\d)? (?:GMT|UTC|[+-]\d{4})$/;

function zonedInstant(text: string): number | undefined {
  const [, date, time, zone = ''] = ISO.exec(text) ?? [];
  const offset = /^[+-]/.test(zone) ? zone.padEnd(5, '0') : 'Z';
  if (date === undefined && !RFC_2822.test(text)) return undefined;
  const instant = Date.parse(date === undefined ? text : `${date}T${time}${offset}`);
  return Number.isNaN(instant) ? undefined : instant;
}

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
