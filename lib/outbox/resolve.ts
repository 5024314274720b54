import { chatId, currentChat, type KnownChat, readChat } from '#lib/chats/chat.ts';
import { chatsTitled } from '#lib/chats/list.ts';
import { chatsUnder, namesOfRecipient, othersOf } from '#lib/chats/people.ts';
import {
  canBeWrittenTo,
  chatKindOfJid,
  isInternational,
  isSamePhone,
  normaliseJid,
  phoneOfJid,
  readJid,
  toPhone,
  twinOf,
} from '#lib/domain/person.ts';
import type { Recipient } from '#lib/domain/send/recipient.ts';
import type { Thread } from '#lib/sender/sent-event.ts';
import { headKey, providerChatPartition } from '#lib/store/keys.ts';
import type { Key, Store } from '#lib/store/store.ts';
import { accountsOf } from '#lib/tenants/account.ts';
import {
  accountsNamed,
  byPreference,
  type Candidate,
  isCertainlyOf,
  owners,
  type Reach,
  type Reaches,
} from './accounts.ts';
import { NO_ACCOUNT } from './answers.ts';
import { type CheckedRequest, FIELDS, type Target } from './request.ts';

/** More than so many need not be told apart. */
const MOST = 50;

/** The chats of a workspace that fit; another workspace's are as good as none. */
export async function findChats(
  store: Store,
  workspace: string,
  target: Extract<Target, { kind: 'chat' | 'name' }>,
): Promise<readonly KnownChat[]> {
  if (target.kind === 'name') {
    const keys = await chatsTitled(store, workspace, target.name, MOST);
    return chatsAt(store, workspace, keys, (chat) => chat.title === target.name);
  }
  const own = await chatOf(store, workspace, target.id);
  return own ? [own] : chatsOfProvider(store, workspace, normaliseJid(target.id));
}

/** By the provider's own id, or by another one that the provider has for the same chat. */
async function chatsOfProvider(store: Store, workspace: string, id: string): Promise<readonly KnownChat[]> {
  const query = { index: 'gsi3', pk: providerChatPartition(workspace, id), limit: MOST } as const;
  const { items } = await store.query(query);
  const keys = [...new Set(items.map(({ pk }) => pk))].map(headKey);
  return chatsAt(store, workspace, keys, (chat) => [chat.providerChatId, ...(chat.aliases ?? [])].includes(id));
}

async function chatOf(store: Store, workspace: string, id: string): Promise<KnownChat | undefined> {
  if (!/^chat_[0-9a-f]{32}$/.test(id)) return undefined;
  const item = await currentChat(store, workspace, id);
  return item && readChat(item);
}

/** A chat that was merged into another one leads to that. */
async function chatsAt(
  store: Store,
  workspace: string,
  keys: readonly Key[],
  fits: (chat: KnownChat) => boolean,
): Promise<readonly KnownChat[]> {
  if (keys.length === 0) return [];
  const found = (await store.getMany(keys, { consistent: true })).filter(
    (chat) => chat.workspace === workspace && fits(readChat(chat)),
  );
  const current = await Promise.all(
    found.map((chat) => (chat.mergedInto === undefined ? chat : currentChat(store, workspace, String(chat.chatId)))),
  );
  const chats = new Map(current.flatMap((chat) => (chat ? [[chat.pk, readChat(chat)]] : [])));
  return [...chats.values()];
}

type Addressed = Extract<Recipient, { kind: 'phone' | 'jid' }>;

/** Whom the account is to write to, and the chat with them: the known one, or the one that their answer will come in to. */
async function toPerson(store: Store, account: Candidate, recipient: Addressed, reach: Reach | undefined) {
  const { workspace, provider } = account;
  const known = await knownChat(store, account, recipient, reach);
  if (known) {
    return { recipient: addressIn(known, recipient), chat: threadOf(known) };
  }
  const [providerChatId] = idsOf(recipient, reach);
  return {
    recipient,
    chat: { chat: chatId({ workspace, provider, accountKey: account.id, providerChatId }), providerChatId },
  };
}

const threadOf = ({ chatId, providerChatId, names = [] }: KnownChat): Thread => ({
  chat: chatId,
  providerChatId,
  ...othersOf(names),
});

/** By what is known of people; and by the provider's ids, for chats of an earlier version whose people nobody has read yet. */
async function knownChat(
  store: Store,
  account: Candidate,
  recipient: Addressed,
  reach: Reach | undefined,
): Promise<KnownChat | undefined> {
  const { workspace, provider, id: accountId, instance, phone } = account;
  const names = namesOfRecipient(recipient.kind === 'phone' ? { phone: recipient.phone } : { jid: recipient.jid });
  const accountNames = [instance, phone].filter((name) => name !== undefined);
  const [chat] = await chatsUnder(store, names, {
    workspace,
    provider,
    accountId,
    accountKey: accountId,
    accountNames,
  });
  if (chat) return readChat(chat);
  const found = await Promise.all(idsOf(recipient, reach).map((id) => chatsOfProvider(store, workspace, id)));
  return found.flat().find((chat) => chat.provider === provider && isCertainlyOf(chat, account));
}

/** As the caller gave it, but for what the provider has in another spelling, or hides. */
function addressIn(chat: KnownChat, recipient: Addressed): Recipient {
  if (recipient.kind === 'jid' && recipient.jid.endsWith('@lid')) return { kind: 'chat_id', id: chat.providerChatId };
  const meant = recipient.kind === 'phone' ? recipient.phone : phoneOfJid(recipient.jid);
  const theirs = phoneOfJid(chat.providerChatId) ?? toPhone(chat.phone);
  if (meant === undefined || theirs === undefined || twinOf(meant) !== theirs) return recipient;
  return recipient.kind === 'phone'
    ? { kind: 'phone', phone: theirs }
    : { kind: 'jid', jid: `${theirs.slice(1)}@c.us` };
}

/** The likely one first. Some providers know a chat by several ids. */
function idsOf(recipient: Addressed, reach: Reach | undefined): [string, ...string[]] {
  if (recipient.kind === 'jid') return [recipient.jid];
  const { phone } = recipient;
  const ids = new Set([reach?.chatOf?.(phone) ?? phone, phone, `${phone.slice(1)}@c.us`]);
  const [first = phone, ...others] = ids;
  return [first, ...others];
}

export type Resolved =
  | {
      readonly kind: 'resolved';
      readonly account: Candidate;
      readonly recipient: Recipient;
      /** In which the message will stand. */
      readonly chat: Thread;
    }
  /** There is nobody to send to, or nothing to send from. */
  | { readonly kind: 'nothing'; readonly reason: string }
  | { readonly kind: 'several'; readonly field: 'chat_id' | 'chat_name'; readonly chats: readonly string[] };

type From = CheckedRequest['from'];

/** Which account sends what names none. */
export interface Defaults {
  /** The one to which the webhook is tied. */
  readonly tied?: string | undefined;
  /** The workspace's; asked for only where it counts. */
  readonly ofWorkspace: () => Promise<string | undefined>;
}

/** Turns what a caller means into an account and a recipient, within one workspace. */
export async function resolve(
  store: Store,
  workspace: string,
  { target, from }: Pick<CheckedRequest, 'target' | 'from'>,
  reaches: Reaches,
  defaults: Defaults,
): Promise<Resolved> {
  if (target.kind === 'phone' || target.kind === 'jid') {
    const { accountId: id, field } = await senderOf(from, defaults);
    // A workspace may have many accounts, and each would be read for each message.
    const accounts = id === undefined ? accountsOf(store, workspace) : accountsNamed(store, workspace, [id]);
    const meant = id === undefined ? from : { accountId: id };
    const chosen = chooseAccount(await accounts, meant, field, reaches);
    if ('kind' in chosen) return chosen;
    const { account } = chosen;
    const to = await toPerson(store, account, target, reaches.get(account.provider));
    return { kind: 'resolved', account, ...to };
  }
  const [accounts, chats] = await Promise.all([accountsOf(store, workspace), findChats(store, workspace, target)]);
  const possible = able(accounts, reaches);
  const found = inChat(target, from, chats, possible);
  if (found.kind !== 'several' || isNamed(from) || defaults.tied === undefined) return found;
  // Nothing else tells the chats apart.
  const tied = inChat(target, { accountId: defaults.tied }, chats, possible);
  return tied.kind === 'nothing' ? found : tied;
}

/** The request counts, then its webhook, then the workspace. The field is what an answer names. */
async function senderOf(from: From, defaults: Defaults): Promise<{ accountId?: string | undefined; field: string }> {
  if (from.phone !== undefined) return { field: from.field ?? 'whatsapp_account_phone' };
  if (from.accountId !== undefined) return { accountId: from.accountId, field: 'account_id' };
  if (defaults.tied !== undefined) return { accountId: defaults.tied, field: "The webhook's accountId" };
  return { accountId: await defaults.ofWorkspace(), field: "The workspace's defaultAccountId" };
}

function chooseAccount(
  accounts: readonly Candidate[],
  from: From,
  field: string,
  reaches: Reaches,
): { readonly account: Candidate } | Extract<Resolved, { kind: 'nothing' }> {
  const meant = isNamed(from) ? accounts.filter(isMeant(from)) : accounts;
  const [account] = able(meant, reaches);
  if (account) return { account };
  if (!isNamed(from)) return nothing(NO_ACCOUNT);
  return nothing(
    meant.length > 0
      ? `The account of ${field} cannot send: its provider offers no way to`
      : `${field} matches no account to send from: give the number or id of one that is connected here`,
  );
}

const nothing = (reason: string) => ({ kind: 'nothing', reason }) as const;
const isNamed = ({ accountId, phone }: From): boolean => accountId !== undefined || phone !== undefined;
const isMeant = ({ accountId, phone }: From) =>
  accountId === undefined
    ? (account: Candidate) => isSamePhone(account.phone, phone)
    : (account: Candidate) => account.id === accountId;

/** Those that can send, the preferred ones first. */
const able = (accounts: readonly Candidate[], reaches: Reaches): readonly Candidate[] =>
  byPreference(
    accounts.filter(({ provider }) => reaches.has(provider)),
    reaches,
  );

/** Earlier releases took channels and bots for persons; their ids tell, be it the one that another id stands for. */
const kindOf = ({ kind, providerChatId, aliases = [] }: KnownChat) =>
  [kind, ...[providerChatId, ...aliases].map(chatKindOfJid)].find((one) => one !== 'individual') ?? kind;

/** What somebody means who gives a chat that is not there. */
function howElse(target: Extract<Target, { kind: 'chat' | 'name' }>): string {
  const written = target.kind === 'chat' ? target.id : target.name;
  if (isInternational(written)) return 'give a phone number as phone';
  if (readJid(written) !== undefined) return 'give a WhatsApp id as jid';
  return target.kind === 'chat'
    ? 'it must be the id of one that the hub shows, or that the provider has told'
    : 'it must be the whole title of one, to the letter';
}

const mayHaveSender = ({ accountId, provider }: KnownChat, accounts: readonly Candidate[]): boolean =>
  accounts.some((account) => (accountId === undefined ? account.provider === provider : account.id === accountId));

/** A chat belongs to one account, and that account sends. */
function inChat(
  target: Extract<Target, { kind: 'chat' | 'name' }>,
  from: From,
  chats: readonly KnownChat[],
  accounts: readonly Candidate[],
): Resolved {
  const field = FIELDS[target.kind];
  const answerable = chats.filter((chat) => canBeWrittenTo(kindOf(chat)));
  const isUnclear = target.kind === 'name' || answerable.length > 1;
  const fitting =
    isUnclear && isNamed(from)
      ? answerable.filter((chat) => owners(chat, accounts, from).some(isMeant(from)))
      : answerable;
  // What came through an account that is gone, or through a provider that sends nothing, leaves no doubt who is meant.
  const open = fitting.filter((chat) => mayHaveSender(chat, accounts));
  const meant = open.length > 0 ? open : fitting;
  const [chat, ...others] = meant;
  const [unanswerable] = answerable.length === 0 ? chats : [];
  if (unanswerable) return nothing(`${field} names a chat of the kind ${kindOf(unanswerable)}: nobody can write to it`);
  if (!chat) return nothing(`${field} matches no chat: ${howElse(target)}`);
  if (others.length > 0) return { kind: 'several', field, chats: meant.map(({ chatId }) => chatId) };
  const [account] = owners(chat, accounts, from);
  if (!account && !mayHaveSender(chat, accounts))
    return nothing(`The account of the chat of ${field} is gone, or cannot send: give a phone or jid in its place`);
  if (!account)
    return nothing(
      `The chat of ${field} has no account to send from: say which with account_id, or give the webhook that it came through an accountId`,
    );
  return {
    kind: 'resolved',
    account,
    recipient: { kind: 'chat_id', id: chat.providerChatId },
    chat: threadOf(chat),
  };
}
