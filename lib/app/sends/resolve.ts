import type { Recipient } from '#lib/domain/sending/recipient.ts';
import type { Store } from '../store.ts';
import { accountsOf, byPreference, type Candidate, type Reaches } from './accounts.ts';
import { findChats, type KnownChat } from './chats.ts';
import type { CheckedRequest } from './request.ts';
import type { Target } from './target.ts';

export type Resolved =
  | { readonly kind: 'resolved'; readonly account: Candidate; readonly recipient: Recipient }
  /** There is nobody to send to, or nothing to send from. */
  | { readonly kind: 'nothing'; readonly reason: string }
  | { readonly kind: 'several'; readonly chatIds: readonly string[] };

type Request = Pick<CheckedRequest, 'target' | 'from'>;

/** Turns what a caller means into an account and a recipient, within one workspace. */
export async function resolve(store: Store, workspace: string, request: Request, reaches: Reaches): Promise<Resolved> {
  const { target, from } = request;
  if (target.kind === 'phone' || target.kind === 'jid') {
    const accounts = await accountsOf(store, workspace);
    const recipient = target.kind === 'phone' ? { phone: target.phone } : { jid: target.jid };
    return from.accountId === undefined && from.phone === undefined
      ? sendBy(defaultAccount(accounts, reaches), recipient, NO_ACCOUNT)
      : sendBy(able(named(accounts, from), reaches), recipient, noSuchAccount(accounts, from));
  }
  const [accounts, chats] = await Promise.all([
    accountsOf(store, workspace),
    findChats(store, workspace, target),
  ]);
  return inChat(target, from, chats, able(accounts, reaches));
}

const NO_ACCOUNT = 'There is no account to send from';

function sendBy([account]: readonly Candidate[], recipient: Recipient, otherwise: string): Resolved {
  return account ? { kind: 'resolved', account, recipient } : { kind: 'nothing', reason: otherwise };
}

/** Active: not paused by an operator. One that is held takes messages and sends them when its provider lets it. */
function defaultAccount(accounts: readonly Candidate[], reaches: Reaches): readonly Candidate[] {
  return able(
    accounts.filter((account) => !account.paused),
    reaches,
  );
}

const able = (accounts: readonly Candidate[], reaches: Reaches): readonly Candidate[] =>
  byPreference(accounts.filter((account) => reaches.has(account.provider)));

/** A number may have several accounts: those that are not paused come first. */
function named(accounts: readonly Candidate[], { accountId, phone }: CheckedRequest['from']): readonly Candidate[] {
  return accounts.filter((account) => (accountId === undefined ? account.phone === phone : account.id === accountId));
}

function noSuchAccount(accounts: readonly Candidate[], from: CheckedRequest['from']): string {
  const field = from.accountId === undefined ? 'whatsapp_account_phone' : 'account_id';
  return named(accounts, from).length > 0
    ? `The account of ${field} cannot send: its provider offers no way to`
    : `${field} matches no account to send from`;
}

/** A chat belongs to one account, and that account sends. */
function inChat(
  target: Extract<Target, { kind: 'chat' | 'name' }>,
  from: CheckedRequest['from'],
  chats: readonly KnownChat[],
  accounts: readonly Candidate[],
): Resolved {
  const field = target.kind === 'chat' ? 'chat_id' : 'chat_name';
  const fitting = chats.length > 1 || target.kind === 'name' ? chats.filter(isOf(from, accounts)) : chats;
  const [chat, ...others] = fitting;
  if (!chat) return { kind: 'nothing', reason: `${field} matches no chat` };
  if (others.length > 0) return { kind: 'several', chatIds: fitting.map(({ chatId }) => chatId) };
  if (chat.kind !== 'individual' && chat.kind !== 'group') {
    return { kind: 'nothing', reason: `${field} names a ${chat.kind}, to which nobody can write` };
  }
  const recipient = { chatId: chat.chatId, providerChatId: chat.providerChatId };
  return sendBy(ownersOf(chat, accounts, from), recipient, `The chat of ${field} has no account to send from`);
}

function isOf(from: CheckedRequest['from'], accounts: readonly Candidate[]): (chat: KnownChat) => boolean {
  if (from.accountId === undefined && from.phone === undefined) return () => true;
  const wanted = named(accounts, from);
  return (chat) => ownersOf(chat, accounts, from).some((owner) => wanted.includes(owner));
}

/**
 * What a webhook receives without being tied to an account of the hub names only the provider's own: it is that one,
 * or else the only one that the provider has here.
 */
function ownersOf(
  { accountId, provider, accountKey }: KnownChat,
  accounts: readonly Candidate[],
  from: CheckedRequest['from'],
): readonly Candidate[] {
  if (accountId !== undefined) return accounts.filter((account) => account.id === accountId);
  const possible = accounts.filter((account) => account.provider === provider);
  const known = possible.filter((account) => [account.instance, account.phone, account.id].includes(accountKey));
  if (known.length > 0) return known;
  const meant = possible.filter((account) => account.id === from.accountId);
  if (meant.length > 0) return meant;
  return possible.length === 1 ? possible : [];
}
