import * as v from 'valibot';
import { sha256 } from '#lib/domain/ids.ts';
import type { Clock, Random } from '#lib/domain/ports.ts';
import { itemReader } from '#lib/store/items.ts';
import { webhookKey } from '#lib/store/keys.ts';
import {
  absent,
  all,
  any,
  type Condition,
  equal,
  exists,
  type Item,
  type Store,
  StoreUnavailable,
} from '#lib/store/store.ts';

const TOKEN_BYTES = 32;
const SHOWN_CHARACTERS = 6;

interface Token {
  /** Part of a URL, and its only credential: handed out once, never stored or logged. */
  readonly token: string;
  readonly tokenHash: string;
  readonly tokenPrefix: string;
}

export function newToken(random: Random): Token {
  const token = Buffer.from(random.bytes(TOKEN_BYTES)).toString('base64url');
  return { token, tokenHash: sha256(token), tokenPrefix: token.slice(0, SHOWN_CHARACTERS) };
}

/** Whether it could be the token of a webhook: 43 characters, of which the last holds four bits only. */
export function looksLikeToken(text: string): boolean {
  return /^[\w-]{42}[048AEIMQUYcgkosw]$/.test(text);
}

/** The path of a webhook's URL. */
export function webhookPath({ kind, provider }: Pick<Webhook, 'kind' | 'provider'>, token: string): string {
  return kind === 'send' ? `/send/${token}` : `/hooks/${provider}/${token}`;
}

const Stored = v.object({
  webhookId: v.string(),
  workspace: v.string(),
  kind: v.picklist(['receive', 'send']),
  provider: v.optional(v.string()),
  enabled: v.boolean(),
  /** True once a newer URL has taken this one's place; kept so that its owner sees who still calls it. */
  rotated: v.optional(v.boolean(), false),
  name: v.optional(v.string()),
  accountId: v.optional(v.string()),
  /** Of one for sending: the country (ISO 3166) of numbers without their calling code. */
  defaultCountry: v.optional(v.string()),
  /** The account's id at the provider, copied here so that a delivery needs one look-up. */
  instance: v.optional(v.string()),
  secretHash: v.optional(v.string()),
  tokenPrefix: v.string(),
  createdAt: v.string(),
  /** Days after which what came in through it is deleted; absent: never. */
  retentionDays: v.optional(v.number()),
});

/** A webhook URL of ours, found by the hash of the token in it: the token itself is stored nowhere. */
export type Webhook = v.InferOutput<typeof Stored>;

export function webhookItem(tokenHash: string, webhook: Webhook): Item {
  return { ...webhookKey(tokenHash), ...webhook };
}

export const webhookOf = itemReader(Stored);

/** Holds for the row behind a webhook's present URL: neither replaced by a newer one nor deleted. */
export const isCurrent: Condition = all(exists(), any(absent('rotated'), equal('rotated', false)));

/** `remembered`: the table does not answer, and this is what it said last. */
export type Found =
  | { readonly kind: 'found'; readonly webhook: Webhook }
  | { readonly kind: 'none' }
  | { readonly kind: 'remembered'; readonly webhook: Webhook; readonly cause: StoreUnavailable }
  | { readonly kind: 'unreachable'; readonly cause: StoreUnavailable };

const REMEMBERED = 1000;

/**
 * Finds webhooks by the hash of their token, always in the table: a URL that was switched off is off at once. What was
 * found last serves only while the table cannot be read.
 */
export function webhookFinder() {
  const lastKnown = new Map<string, Webhook>();
  return async (store: Store, tokenHash: string): Promise<Found> => {
    try {
      const item = await store.get(webhookKey(tokenHash), { consistent: true });
      lastKnown.delete(tokenHash);
      if (!item) return { kind: 'none' };
      const webhook = webhookOf(item);
      if (lastKnown.size < REMEMBERED) lastKnown.set(tokenHash, webhook);
      return { kind: 'found', webhook };
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      const webhook = lastKnown.get(tokenHash);
      return webhook ? { kind: 'remembered', webhook, cause: error } : { kind: 'unreachable', cause: error };
    }
  };
}

const STEP_MS = 200;

/**
 * Waits for the next full step of time since `since` (milliseconds) before a 404 is answered. A URL that was switched
 * off notes the attempt for its owner, an unknown one has nobody to note it for: whoever guesses tokens must not tell
 * the two apart by the time that an answer takes.
 */
export async function constantTime404(clock: Clock, since: number): Promise<void> {
  const elapsed = Math.max(0, clock.now() - since);
  await clock.sleep(STEP_MS - (elapsed % STEP_MS));
}
