import * as v from 'valibot';

/** An event is kept at least this long, whatever a workspace asks for: a provider may still deliver it again. */
const SHORTEST_DAYS = 30;
const DAY_SECONDS = 24 * 3600;

export const RetentionDays = v.pipe(v.number(), v.integer(), v.minValue(SHORTEST_DAYS), v.maxValue(36_500));

/** When what came at `receivedAt` (milliseconds) runs out, in seconds since the epoch; undefined: never. */
export function expiryOf(receivedAt: number, retentionDays: number | undefined): number | undefined {
  if (retentionDays === undefined) return undefined;
  return Math.floor(receivedAt / 1000) + Math.max(retentionDays, SHORTEST_DAYS) * DAY_SECONDS;
}
