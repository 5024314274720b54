import type { Candidate } from './accounts.ts';
import type { KnownChat } from './chats.ts';
import type { CheckedRequest } from './request.ts';

/**
 * The accounts to which a chat may belong. What comes in through a webhook that is tied to no account names at most the
 * account's own number or id at the provider:
 *
 *   the account of its webhook ─▶ the one of that number or id ─▶ the one that the caller names ─▶ the provider's only one
 */
export function owners(
  chat: KnownChat,
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
  { accountId, accountKey }: Pick<KnownChat, 'accountId' | 'accountKey'>,
  { id, instance, phone }: Candidate,
): boolean {
  if (accountId !== undefined) return accountId === id;
  return accountKey !== undefined && [id, instance, phone].includes(accountKey);
}
