import * as v from 'valibot';
import type { Mentions } from '#lib/domain/mention.ts';
import { tally } from '#lib/domain/schema.ts';
import type { Log } from '../ports.ts';
import type { Store } from '../store.ts';

export const Counts = v.object({
  events: tally('Deleted, with raw bodies and thumbnails'),
  chats: tally('Deleted from the registry'),
  sends: tally('Emptied of recipient, text, file and errors; credit and states stay'),
  deliveries: tally("Deleted: how far a provider's message got"),
  attempts: tally('Deleted from the logs of webhooks'),
  ledgerEntries: tally('Their reason emptied, which named the number; the figures stay'),
  quarantinedTypes: tally('Deleted from the counts of what was not understood'),
});
export type Counts = v.InferOutput<typeof Counts>;

export const NONE: Counts = {
  events: 0,
  chats: 0,
  sends: 0,
  deliveries: 0,
  attempts: 0,
  ledgerEntries: 0,
  quarantinedTypes: 0,
};

/** What names the person and is still there, and why. */
export const Left = v.object({
  kind: v.picklist(['send', 'group', 'event']),
  id: v.string(),
  why: v.string(),
});
export type Left = v.InferOutput<typeof Left>;

/** One call's work on erasing one person. */
export interface Erasing {
  readonly store: Store;
  readonly log: Log;
  readonly workspace: string;
  readonly mentions: Mentions;
  /** The same, and also where the number only tells who founded a group. */
  readonly mentionsOrFounded: Mentions;
  readonly nowSeconds: number;
  readonly isTimeUp: () => boolean;
  /** Grow as the work goes on. */
  readonly counts: { -readonly [Kind in keyof Counts]: number };
  readonly left: Left[];
}
