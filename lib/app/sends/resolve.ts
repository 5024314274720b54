import type { Recipient } from '#lib/domain/sending/recipient.ts';
import type { Thread } from '../sending/thread.ts';
import type { Store } from '../store.ts';
import { accountsNamed, accountsOf, byPreference, type Candidate, type Reaches } from './accounts.ts';
import { findChats, type KnownChat } from './chats.ts';
import { owners } from './owners.ts';
import type { CheckedRequest } from './request.ts';
import type { Target } from './target.ts';

export type Resolved =
  | {
      readonly kind: 'resolved';
      readonly account: Candidate;
      readonly recipient: Recipient;
      /** Where the caller named one. */
      readonly chat?: Thread;
    }
  /** There is nobody to send to, or nothing to send from. */
  | { readonly kind: 'nothing'; readonly reason: string }
  | { readonly kind: 'several'; readonly chats: readonly string[] };

type From = CheckedRequest['from'];

/** Turns what a caller means into an account and a recipient, within one workspace. */
export async function resolve(
  store: Store,
  workspace: string,
  { target, from }: Pick<CheckedRequest, 'target' | 'from'>,
  reaches: Reaches,
): Promise<Resolved> {
  if (target.kind === 'phone' || target.kind === 'jid') {
    const { accountId: id } = from;
    // A workspace may have many accounts, and each would be read for each message.
    const accounts = id === undefined ? accountsOf(store, workspace) : accountsNamed(store, workspace, [id]);
    return toStranger(await accounts, target, from, reaches);
  }
  const [accounts, chats] = await Promise.all([accountsOf(store, workspace), findChats(store, workspace, target)]);
  return inChat(target, from, chats, able(accounts, reaches));
}

/** Active: not paused by an operator. One that is held takes messages, and sends them when its provider lets it. */
function toStranger(accounts: readonly Candidate[], recipient: Recipient, from: From, reaches: Reaches): Resolved {
  if (!isNamed(from)) {
    const [account] = able(
      accounts.filter(({ paused }) => !paused),
      reaches,
    );
    return account ? { kind: 'resolved', account, recipient } : nothing('There is no account to send from');
  }
  const meant = accounts.filter(isMeant(from));
  const [account] = able(meant, reaches);
  if (account) return { kind: 'resolved', account, recipient };
  const field = from.accountId === undefined ? 'whatsapp_account_phone' : 'account_id';
  return nothing(
    meant.length > 0
      ? `The account of ${field} cannot send: its provider offers no way to`
      : `${field} matches no account to send from`,
  );
}

const nothing = (reason: string): Resolved => ({ kind: 'nothing', reason });
const isNamed = ({ accountId, phone }: From): boolean => accountId !== undefined || phone !== undefined;
const isMeant = ({ accountId, phone }: From) =>
  accountId === undefined
    ? (account: Candidate) => account.phone === phone
    : (account: Candidate) => account.id === accountId;

/** Those that can send, the preferred ones first. */
const able = (accounts: readonly Candidate[], reaches: Reaches): readonly Candidate[] =>
  byPreference(accounts.filter(({ provider }) => reaches.has(provider)));

/** A chat belongs to one account, and that account sends. */
function inChat(
  target: Extract<Target, { kind: 'chat' | 'name' }>,
  from: From,
  chats: readonly KnownChat[],
  accounts: readonly Candidate[],
): Resolved {
  const field = target.kind === 'chat' ? 'chat_id' : 'chat_name';
  const isUnclear = target.kind === 'name' || chats.length > 1;
  const fitting =
    isUnclear && isNamed(from) ? chats.filter((chat) => owners(chat, accounts, from).some(isMeant(from))) : chats;
  const [chat, ...others] = fitting;
  if (!chat) return nothing(`${field} matches no chat`);
  if (others.length > 0) return { kind: 'several', chats: fitting.map(({ chatId }) => chatId) };
  if (chat.kind !== 'individual' && chat.kind !== 'group') {
    return nothing(`${field} names a ${chat.kind}, to which nobody can write`);
  }
  const [account] = owners(chat, accounts, from);
  if (!account) return nothing(`The chat of ${field} has no account to send from`);
  return {
    kind: 'resolved',
    account,
    recipient: { kind: 'chat_id', id: chat.providerChatId },
    chat: { chat: chat.chatId, providerChatId: chat.providerChatId },
  };
}
