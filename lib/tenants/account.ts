import * as v from 'valibot';
import type { OwnAccount } from '#lib/domain/event.ts';
import { derivedId } from '#lib/domain/ids.ts';
import { commonSpelling, isSamePhone } from '#lib/domain/person.ts';
import type { Clock } from '#lib/domain/ports.ts';
import { Instant, known, optional, strictObject, tally } from '#lib/domain/schema.ts';
import { SHORTEST_DRAW_MS, SHORTEST_GAP_MS } from '#lib/domain/send/outcome.ts';
import { toIso } from '#lib/domain/time.ts';
import type { ReceivingProvider } from '#lib/inbox/provider.ts';
import { type Account, readAccount } from '#lib/sender/items.ts';
import { accountKey, entryId, lineKey } from '#lib/store/keys.ts';
import { getAll } from '#lib/store/query.ts';
import { absent, any, type Delete, del, equal, type Put, put, type Store } from '#lib/store/store.ts';
import { wholeDirectory } from './workspaces.ts';

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
  warning: optional(v.string(), 'What the provider says against new credentials'),
});
export type ShownAccount = v.InferOutput<typeof ShownAccount>;

export function shownAccount({ nextSendAt, backoffUntil, ...account }: Account, canQuote: boolean): ShownAccount {
  const { id, workspace, provider, channel, name, phone, instance, pacing } = account;
  const { paused, pauseReason, held, holdReason, pending, createdAt, connectedAt } = account;
  return {
    ...{ id, workspace, provider, channel, pacing, paused, held, pending, canQuote, createdAt, connectedAt },
    ...known({ name, phone, instance, pauseReason, holdReason }),
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

export const NEEDS_PHONE = 'one token serves several numbers, so give the phone of the one that is to send';

/** The line's name here. A token may be a part of what it is made from, and cannot be read out of it. */
export function lineIn({ name, lineOf }: LineProvider, credentials: unknown): string | undefined {
  const parts = lineOf?.(credentials);
  return parts && derivedId('line', [name, ...parts]);
}

/** What an account must have to itself. Undefined: nothing. */
export function claimOf(
  { name, isNamedByPhone }: LineProvider,
  { line, phone }: { readonly line?: string | undefined; readonly phone?: string | undefined },
): string | undefined {
  return isNamedByPhone && phone !== undefined ? derivedId('line', [name, commonSpelling(phone)]) : line;
}

/** Refused where another account has the claim. */
export const claiming = (workspace: string, claim: string | undefined, account: string): Put[] =>
  claim === undefined ? [] : [put({ ...lineKey(workspace, claim), account }, any(absent(), equal('account', account)))];

/** Goes with whatever takes the line away from its account. */
export const releasing = (workspace: string, claim: string | undefined, account: string): Delete[] =>
  claim === undefined ? [] : [del(lineKey(workspace, claim), any(absent(), equal('account', account)))];

/** The id of another account that has it. */
export async function holderOf(
  store: Store,
  workspace: string,
  claim: string | undefined,
  account: string,
): Promise<string | undefined> {
  if (claim === undefined) return undefined;
  const owner = (await store.get(lineKey(workspace, claim), { consistent: true }))?.account;
  return typeof owner === 'string' && owner !== account ? owner : undefined;
}

/** All accounts of a workspace, read consistently: one that was made a moment ago can send at once. */
export async function accountsOf(store: Store, workspace: string): Promise<readonly Account[]> {
  const keys = (await wholeDirectory(store, workspace, 'ACCOUNT')).map((entry) => accountKey(entryId(entry)));
  return (await getAll(store, keys, { consistent: true })).map(readAccount);
}

/** What of an account tells that an event is its. */
export type NamedAccount = Pick<
  Account,
  | 'id'
  | 'workspace'
  | 'provider'
  | 'channel'
  | 'phone'
  | 'instance'
  | 'device'
  | 'sim'
  | 'connectedAt'
  | 'scope'
  | 'formerScopes'
>;

/**
 * The account that an event means: by the provider's id of it, by its phone and SIM card, or else by its number. Of two with one number, WhatsApp
 * counts before SMS, and the one connected last. Undefined where the event names none of them.
 */
export function accountMeant(
  accounts: readonly NamedAccount[],
  provider: string,
  { instance, phone, device, sim }: OwnAccount,
): string | undefined {
  const own = accounts.filter((account) => account.provider === provider);
  const byInstance =
    instance === undefined ? [] : own.filter((one) => one.instance === instance || one.id === instance);
  const byPhone = phone === undefined ? [] : own.filter((one) => isSamePhone(one.phone, phone) && mayBe(one, instance));
  const onDevice = device === undefined ? [] : own.filter((one) => one.device === device);
  const bySim = onDevice.filter((one) => sim === undefined || one.sim === sim);
  const named = [byInstance, bySim, onDevice.length === 1 ? onDevice : [], byPhone].find((some) => some.length > 0);
  const [first] = [...(named ?? [])].sort((a, b) => rank(a) - rank(b) || (a.connectedAt < b.connectedAt ? 1 : -1));
  return first?.id;
}

const rank = ({ channel }: NamedAccount) => (channel === 'whatsapp' ? 0 : 1);

/** A number moves from one instance to another: what names another instance is not of this one. */
const mayBe = (account: NamedAccount, instance: string | undefined): boolean =>
  account.instance === undefined || instance === undefined;

export type AccountFinder = (
  store: Store,
  workspace: string,
  provider: string,
  named: readonly OwnAccount[],
) => Promise<readonly NamedAccount[]>;

/** How long what was read may serve to find an account; and how long, to say that there is none. */
const FOUND_MS = 30_000;
const MISSED_MS = 50;
const REMEMBERED = 200;

/**
 * Remembers the accounts of workspaces, so that a delivery needs no look at them. An account that was just connected is
 * found at once, since a name that is not among the remembered ones is looked up again; one that was deleted or that
 * gave its number to another may be taken for the old one for half a minute.
 */
export function accountFinder(clock: Clock): AccountFinder {
  const remembered = new Map<string, { readonly at: number; readonly accounts: readonly NamedAccount[] }>();
  return async (store, workspace, provider, named) => {
    const last = remembered.get(workspace);
    const age = last ? clock.monotonic() - last.at : Number.POSITIVE_INFINITY;
    const isWhole = last && named.every((own) => accountMeant(last.accounts, provider, own) !== undefined);
    if (last && age < (isWhole ? FOUND_MS : MISSED_MS)) return last.accounts;
    const at = clock.monotonic();
    const accounts = await accountsOf(store, workspace);
    remembered.delete(workspace);
    const [oldest] = remembered.keys();
    if (oldest !== undefined && remembered.size >= REMEMBERED) remembered.delete(oldest);
    remembered.set(workspace, { at, accounts });
    return accounts;
  };
}

/** A provider as its folder in `functions/` offers it. */
export interface Provider {
  readonly account: AccountProvider;
  readonly receiving: ReceivingProvider;
}
