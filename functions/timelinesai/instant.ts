import { toInstant, toIso } from '#lib/domain/time.ts';

// As `2024-01-08 10:35:18 +0200`; ISO 8601 differs in blanks and the colon of the offset.
const DATE = /(?<date>\d{4}-\d\d-\d\d)/;
const TIME = /(?<time>\d\d:\d\d)(?::(?<second>\d\d)(?:\.(?<fraction>\d{1,9}))?)?/;
const OFFSET = /(?:Z|UTC|(?<sign>[+-])(?<hours>[01]\d):?(?<minutes>[0-5]\d))/;
const WRITTEN = new RegExp(`^${DATE.source}[T ] *${TIME.source} *${OFFSET.source}$`, 'i');
const MINUTE = 60_000;
const END_OF_9999 = 253_402_300_800_000;

/**
 * Milliseconds since the epoch, from `2024-01-08 10:35:18 +0200`, from ISO 8601 or from seconds. Undefined for anything
 * else: a time without its offset may be half a day off, and no time is better than a wrong one.
 */
export function instantOf(raw: string | undefined): number | undefined {
  const parts = WRITTEN.exec(raw?.trim() ?? '')?.groups;
  const instant = parts === undefined ? toInstant(raw) : written(parts);
  return instant !== undefined && instant > 0 && instant < END_OF_9999 ? instant : undefined;
}

/** The same as the hub shows it. */
export function isoOf(raw: string | undefined): string | undefined {
  const instant = instantOf(raw);
  return instant === undefined ? undefined : toIso(instant);
}

function written(parts: Readonly<Record<string, string | undefined>>): number | undefined {
  const { date, time, second = '00', fraction = '0', sign, hours = 0, minutes = 0 } = parts;
  const local = `${date}T${time}:${second}`;
  const instant = Date.parse(`${local}Z`);
  // 30 February would silently become 1 March.
  if (Number.isNaN(instant) || !toIso(instant).startsWith(local)) return undefined;
  const offset = (Number(hours) * 60 + Number(minutes)) * MINUTE;
  return instant + Math.floor(Number(`0.${fraction}`) * 1000) - (sign === '-' ? -offset : offset);
}
