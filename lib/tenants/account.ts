import * as v from 'valibot';
import { derivedId } from '#lib/domain/ids.ts';
import { commonSpelling } from '#lib/domain/person.ts';
import { Instant, known, optional, strictObject, tally } from '#lib/domain/schema.ts';
import { SHORTEST_DRAW_MS, SHORTEST_GAP_MS } from '#lib/domain/send/outcome.ts';
import { toIso } from '#lib/domain/time.ts';
import type { ReceivingProvider } from '#lib/inbox/provider.ts';
import type { Account } from '#lib/sender/items.ts';
import { accountKey, lineKey } from '#lib/store/keys.ts';
import { absent, any, type Delete, del, equal, type Put, put, type Store } from '#lib/store/store.ts';
import { accountsOf } from './directory.ts';

export type Channel = 'whatsapp' | 'sms';

/** What a provider's folder says about accounts. Credentials are checked here once, stored as a secret, never shown. */
export interface AccountProvider extends LineProvider {
  /** The channels that an account of this provider may have. */
  readonly channels: readonly Channel[];
  /** False where the provider offers no way to send: such an account only names what is received. */
  readonly canSend: boolean;
  /** What `credentials` of `POST /api/accounts` must hold, by channel. Its output is what is stored. */
  readonly credentials: (channel: Channel) => v.GenericSchema;
  /** The credentials that are base URLs: what the hub may not call is refused when they are given. */
  readonly baseUrls?: readonly string[];
  /** The account's own id at the provider, by which a foreign delivery is told; undefined where it has none. It is its line. */
  readonly instanceOf?: (credentials: unknown) => string | undefined;
  /** The phone that sends for it, as deliveries name it; left out where a provider has none. */
  readonly deviceOf?: (credentials: unknown) => { readonly device: string; readonly sim: number } | undefined;
}

/** Between the end of one call and the start of the next, drawn anew each time. */
export const Pacing = v.pipe(
  strictObject({
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

/** What the account's message ids are unique within: its name at the provider, as deliveries tell it, or else our id. */
export function scopeOf(
  { isNamedByPhone }: Pick<AccountProvider, 'isNamedByPhone'>,
  account: { readonly id: string; readonly instance: string | undefined; readonly phone: string | undefined },
): string {
  return account.instance ?? (isNamedByPhone ? account.phone : undefined) ?? account.id;
}

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
  probeAt: v.exactOptional(
    v.pipe(Instant, v.description('When the provider is asked again, of an account that is held')),
  ),
  pending: tally('Parts that wait in its queue or are being sent'),
  canQuote: v.pipe(
    v.boolean(),
    v.description(
      'Whether what it sends can quote another message, by `quoted_message_id`. Of some chats it cannot: handing it in says so',
    ),
  ),
  nextSendAt: v.exactOptional(Instant),
  backoffUntil: v.exactOptional(Instant),
  createdAt: Instant,
  connectedAt: v.pipe(Instant, v.description('When it was connected last')),
  warning: optional(
    v.string(),
    'What is to be mended: what it lacks, or what the provider says against new credentials',
  ),
});
export type ShownAccount = v.InferOutput<typeof ShownAccount>;

export function shownAccount(
  { nextSendAt, backoffUntil, ...account }: Account,
  canQuote: boolean,
  by?: LineProvider,
): ShownAccount {
  const { id, workspace, provider, channel, name, phone, instance, pacing } = account;
  const { paused, pauseReason, held, holdReason, pending, createdAt, connectedAt } = account;
  return {
    ...{ id, workspace, provider, channel, pacing, paused, held, pending, canQuote, createdAt, connectedAt },
    ...known({ name, phone, instance, pauseReason, holdReason, warning: by && lackOf(by, account) }),
    // Zero is the sender's word for never.
    ...(nextSendAt > 0 && { nextSendAt: toIso(nextSendAt) }),
    ...(backoffUntil > 0 && { backoffUntil: toIso(backoffUntil) }),
  };
}

/**
 * The line that an account sends on, as its provider tells lines apart: an instance, a number, a device. Two accounts
 * on one line would send side by side, without a gap between them, so a workspace gives each line to one of them.
 */
export interface LineProvider {
  readonly name: string;
  /** What the credentials say of it, whatever else in them changes; left out where a provider has no lines. */
  readonly lineOf?: (credentials: unknown) => readonly string[] | undefined;
  /** True where it is the number that names an account: of several on one set of credentials, and in deliveries. */
  readonly isNamedByPhone?: boolean;
}

/** Of an account that an earlier release made. */
const lackOf = ({ isNamedByPhone }: LineProvider, { phone }: OnLine): string | undefined =>
  isNamedByPhone && phone === undefined ? `The account has no phone: ${NEEDS_PHONE}` : undefined;

export const NEEDS_PHONE = 'one token serves several numbers, so give the phone of the one that is to send';

/** As an account's item tells it. */
interface OnLine {
  readonly line?: string | undefined;
  readonly instance?: string | undefined;
  readonly phone?: string | undefined;
}

/** The line's name here. A token may be a part of what it is made from, and cannot be read out of it. */
export function lineIn({ name, lineOf }: LineProvider, credentials: unknown): string | undefined {
  const parts = lineOf?.(credentials);
  return parts && derivedId('line', [name, ...parts]);
}

/** An earlier release kept the instance alone. */
const lineByInstance = ({ name }: LineProvider, { instance }: OnLine): string | undefined =>
  instance === undefined ? undefined : derivedId('line', [name, instance]);

/** Whether credentials with this line are not those that the account's item speaks of. */
export function isOtherLine(provider: LineProvider, account: OnLine, found: string | undefined): boolean {
  const own = [account.line, lineByInstance(provider, account)];
  return own.some((expected) => expected !== undefined && expected !== found);
}

/** What an account must have to itself. Undefined: nothing, or its item does not tell. */
export function claimOf(provider: LineProvider, account: OnLine): string | undefined {
  const { name, isNamedByPhone } = provider;
  if (isNamedByPhone && account.phone !== undefined) return derivedId('line', [name, commonSpelling(account.phone)]);
  return account.line ?? lineByInstance(provider, account);
}

/** Refused where another account has the claim, unless an earlier release has deleted that account and left it behind. */
export async function claiming(store: Store, workspace: string, claim: string, account: string): Promise<Put> {
  const found = await store.get(lineKey(workspace, claim), { consistent: true });
  const owner = typeof found?.account === 'string' ? found.account : account;
  const isLeft = owner !== account && (await store.get(accountKey(owner), { consistent: true })) === undefined;
  const owners = (isLeft ? [account, owner] : [account]).map((one) => equal('account', one));
  return put({ ...lineKey(workspace, claim), account }, any(absent(), ...owners));
}

/** Goes with whatever takes the line away from its account. */
export const releasing = (workspace: string, claim: string | undefined, account: string): Delete[] =>
  claim === undefined ? [] : [del(lineKey(workspace, claim), any(absent(), equal('account', account)))];

/** The id of another account that has it, which one of an earlier release may have without a claim. */
export async function holderOf(
  store: Store,
  workspace: string,
  provider: LineProvider,
  own: OnLine & { readonly id: string },
): Promise<string | undefined> {
  const claim = claimOf(provider, own);
  if (claim === undefined) return undefined;
  const others = (await accountsOf(store, workspace)).filter(
    (account) => account.provider === provider.name && account.id !== own.id,
  );
  return others.find(
    (other) => [other.claim, claimOf(provider, other)].includes(claim) || isAnyNumberOf(provider, own, other),
  )?.id;
}

/** Without a number an account may send from every one of its token's. */
const isAnyNumberOf = ({ isNamedByPhone }: LineProvider, one: OnLine, other: OnLine): boolean =>
  isNamedByPhone === true &&
  one.line !== undefined &&
  one.line === other.line &&
  (one.phone === undefined || other.phone === undefined);

/** A provider as its folder in `functions/` offers it. */
export interface Provider {
  readonly account: AccountProvider;
  readonly receiving: ReceivingProvider;
}
