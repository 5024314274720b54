import * as v from 'valibot';
import { Instant, optional, tally } from '#lib/domain/schema.ts';
import { SHORTEST_DRAW_MS, SHORTEST_GAP_MS } from '#lib/domain/sending/pace.ts';
import { toIso } from '#lib/domain/time.ts';
import { itemReader } from '../read-item.ts';
import type { AccountProvider } from './provider.ts';

/** Between the end of one call and the start of the next, drawn anew each time. */
export const Pacing = v.pipe(
  v.strictObject({
    minMs: v.pipe(
      v.number(),
      v.integer(),
      v.minValue(SHORTEST_GAP_MS),
      v.description(
        `Never drawn below ${SHORTEST_DRAW_MS}: what that leaves over the promised ${SHORTEST_GAP_MS} is for the clocks of two hosts`,
      ),
    ),
    maxMs: v.pipe(v.number(), v.integer(), v.maxValue(3_600_000)),
  }),
  v.check(({ minMs, maxMs }) => minMs <= maxMs, 'maxMs must not be below minMs'),
);
export type Pacing = v.InferOutput<typeof Pacing>;

/** What managing reads of an account's item; the rest of it is the sender's. */
const Stored = v.object({
  id: v.string(),
  workspace: v.string(),
  provider: v.string(),
  channel: v.picklist(['whatsapp', 'sms']),
  name: v.exactOptional(v.string()),
  phone: v.exactOptional(v.string()),
  /** The account's id at the provider, where it has one. */
  instance: v.exactOptional(v.string()),
  line: v.exactOptional(v.string()),
  claim: v.exactOptional(v.string()),
  credentialsVersion: v.exactOptional(v.number()),
  pacing: Pacing,
  nextSendAt: v.number(),
  backoffUntil: v.number(),
  pending: v.number(),
  paused: v.boolean(),
  pauseReason: v.exactOptional(v.string()),
  held: v.boolean(),
  holdReason: v.exactOptional(v.string()),
  createdAt: v.string(),
  connectedAt: v.string(),
});
export type ManagedAccount = v.InferOutput<typeof Stored>;

/** What the account's message ids are unique within: its name at the provider, as deliveries tell it, or else our id. */
export function scopeOf(
  { isNamedByPhone }: Pick<AccountProvider, 'isNamedByPhone'>,
  account: { readonly id: string; readonly instance: string | undefined; readonly phone: string | undefined },
): string {
  return account.instance ?? (isNamedByPhone ? account.phone : undefined) ?? account.id;
}

export const readManagedAccount = itemReader(Stored);

/** An account as its owner sees it. Its credentials are written and never shown. */
export const ShownAccount = v.object({
  id: v.string(),
  workspace: v.string(),
  provider: v.string(),
  channel: v.picklist(['whatsapp', 'sms']),
  name: optional(v.string()),
  phone: optional(v.string(), 'E.164 with +'),
  instance: optional(v.string(), "The account's own id at the provider"),
  pacing: Pacing,
  paused: v.pipe(v.boolean(), v.description('By an operator')),
  pauseReason: optional(v.string()),
  held: v.pipe(v.boolean(), v.description('Because of what the provider said')),
  holdReason: optional(v.string()),
  pending: tally('Parts that wait in its queue or are being sent'),
  nextSendAt: v.exactOptional(Instant),
  backoffUntil: v.exactOptional(Instant),
  createdAt: Instant,
  connectedAt: v.pipe(Instant, v.description('When it was connected last')),
});
export type ShownAccount = v.InferOutput<typeof ShownAccount>;

export function shownAccount({
  nextSendAt,
  backoffUntil,
  line: _line,
  claim: _claim,
  credentialsVersion: _version,
  ...account
}: ManagedAccount): ShownAccount {
  return {
    ...account,
    // Zero is the sender's word for never.
    ...(nextSendAt > 0 && { nextSendAt: toIso(nextSendAt) }),
    ...(backoffUntil > 0 && { backoffUntil: toIso(backoffUntil) }),
  };
}
