import * as v from 'valibot';
import { tally } from './schema.ts';

/** An event is kept at least this long, whatever a workspace asks for: a provider may still deliver it again. */
export const SHORTEST_DAYS = 30;
const DAY_SECONDS = 24 * 3600;

export const RetentionDays = v.pipe(v.number(), v.integer(), v.minValue(SHORTEST_DAYS), v.maxValue(36_500));

/** When what came at `receivedAt` (milliseconds) runs out, in seconds since the epoch; undefined: never. */
export function expiryOf(receivedAt: number, retentionDays: number | undefined): number | undefined {
  if (retentionDays === undefined) return undefined;
  return Math.floor(receivedAt / 1000) + Math.max(retentionDays, SHORTEST_DAYS) * DAY_SECONDS;
}

export const AppliedCounts = v.object({
  events: tally('Given another end, or none'),
  attempts: tally('Given an earlier end, or deleted with the event that an endpoint or a rule was told of'),
  sends: tally('Emptied of recipient, text, file and errors'),
  chats: tally('Deleted: nothing has happened in them for so long'),
  ledgerEntries: tally("Refunds whose reason, a provider's words, was emptied; the figures stay"),
});
export type AppliedCounts = v.InferOutput<typeof AppliedCounts>;
