import { isSamePhone } from '#lib/domain/person.ts';
import type { Issue } from '#lib/domain/schema.ts';
import type { Recipient } from '#lib/domain/send/recipient.ts';
import { type Account, readAccount } from '#lib/sender/items.ts';
import type { OutboundProvider } from '#lib/sender/provider.ts';
import { accountKey } from '#lib/store/keys.ts';
import type { Store } from '#lib/store/store.ts';
import { type CheckedRequest, FIELDS } from './request.ts';

/** What choosing needs of an account. */
export type Candidate = Pick<
  Account,
  'id' | 'workspace' | 'provider' | 'channel' | 'phone' | 'instance' | 'connectedAt'
>;

/** What can be sent through a provider, and to whom. */
export type Reach = Pick<
  OutboundProvider,
  'longestText' | 'longestCaption' | 'recipients' | 'takesFiles' | 'canQuote' | 'canReach' | 'chatOf' | 'isPretended'
>;

/** By the provider's name; a provider without an entry cannot send. */
export type Reaches = ReadonlyMap<string, Reach>;

export const reachesOf = (providers: readonly (Reach & { readonly name: string })[]): Reaches =>
  new Map(providers.map((provider) => [provider.name, provider]));

/** At most a hundred; those that there are in this workspace. */
export async function accountsNamed(
  store: Store,
  workspace: string,
  ids: readonly string[],
): Promise<readonly Candidate[]> {
  const items = await store.getMany(ids.map(accountKey), { consistent: true });
  return items.filter((item) => item.workspace === workspace).map(readAccount);
}

/**
 * In the order in which they are to be preferred: WhatsApp before SMS, then those connected last. One that is paused or
 * held counts like any other, and keeps what it takes until it goes on: a pause must not send from another number. What
 * an account that only pretends takes reaches nobody, so it comes last.
 */
export function byPreference(accounts: readonly Candidate[], reaches: Reaches): readonly Candidate[] {
  const rank = ({ provider, channel }: Candidate) =>
    (reaches.get(provider)?.isPretended === true ? 2 : 0) + (channel === 'whatsapp' ? 0 : 1);
  return [...accounts].sort((a, b) => rank(a) - rank(b) || (a.connectedAt < b.connectedAt ? 1 : -1));
}

/** What the account's provider would refuse for certain. Told at once, since nothing is queued or charged yet. */
export function misfits(
  { target, parts }: Pick<CheckedRequest, 'target' | 'parts'>,
  recipient: Recipient,
  { channel }: Candidate,
  reach: Reach,
): readonly Issue[] {
  const issues: Issue[] = [];
  if (!reach.recipients(channel).includes(recipient.kind)) {
    issues.push({
      path: FIELDS[target.kind],
      message: `is no recipient that the account can reach${isPhoneOnly(reach, channel) ? ': give a phone number as phone' : ''}`,
    });
  } else if (reach.canReach && !reach.canReach(recipient, channel)) {
    issues.push({ path: FIELDS[target.kind], message: whyNot(recipient) });
  }
  const longest = reach.longestText(channel);
  for (const part of parts) {
    if (part.kind === 'text' && part.text.length > longest) {
      issues.push({ path: 'text', message: `is longer than the ${longest} characters that the provider takes` });
    }
    if (part.kind === 'file' && !reach.takesFiles(channel)) {
      issues.push({ path: 'file_url', message: 'is nothing that the account can send: it carries text alone' });
    }
    if (part.quoted !== undefined && !(quotes(channel, reach) && reach.canQuote?.(part.quoted, recipient))) {
      issues.push({ path: QUOTE, message: 'cannot be quoted by the account that sends: leave it out' });
    }
  }
  return issues;
}

/** The field in which a request says what it quotes. */
export const QUOTE = 'quoted_message_id';

/** Whether an account can quote at all. No SMS does. */
export const quotes = (channel: Candidate['channel'], reach: Reach | undefined): boolean =>
  channel === 'whatsapp' && reach?.canQuote !== undefined;

const isPhoneOnly = (reach: Reach, channel: Candidate['channel']): boolean =>
  reach.recipients(channel).every((kind) => kind === 'phone');

const whyNot = (recipient: Recipient): string =>
  recipient.kind === 'jid' && recipient.jid.endsWith('@lid')
    ? 'hides a number, and no chat under it is known: give the phone number, or wait until they have written'
    : 'is no recipient that the provider of the account can reach';

/** What a chat says of the account that it belongs to. */
interface Owned {
  readonly provider: string;
  readonly accountId?: string;
  /** The account's number or id at the provider, as deliveries name it. */
  readonly accountKey?: string;
}

/**
 * The accounts to which a chat may belong. What comes in through a webhook that is tied to no account names at most the
 * account's own number or id at the provider:
 *
 *   the account of its webhook ─▶ the one of that number or id ─▶ the one that the caller names ─▶ the provider's only one
 */
export function owners(
  chat: Owned,
  accounts: readonly Candidate[],
  from: CheckedRequest['from'],
): readonly Candidate[] {
  if (chat.accountId !== undefined) return accounts.filter(({ id }) => id === chat.accountId);
  const possible = accounts.filter(({ provider }) => provider === chat.provider);
  const known = possible.filter((account) => isCertainlyOf(chat, account));
  if (known.length > 0) return known;
  const meant = possible.filter(({ id }) => id === from.accountId);
  if (meant.length > 0) return meant;
  return possible.length === 1 ? possible : [];
}

/** Whether the chat names the account: by the hub's id of it, or by its number or id at the provider. */
export function isCertainlyOf(
  { accountId, accountKey }: Pick<Owned, 'accountId' | 'accountKey'>,
  { id, instance, phone }: Candidate,
): boolean {
  if (accountId !== undefined) return accountId === id;
  return accountKey !== undefined && ([id, instance].includes(accountKey) || isSamePhone(phone, accountKey));
}
