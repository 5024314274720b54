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
import type { Issue } from '#lib/domain/schema.ts';
import type { Recipient } from '#lib/domain/send/recipient.ts';
import { type Account, readAccount } from '#lib/sender/items.ts';
import type { OutboundProvider } from '#lib/sender/provider.ts';
import type { Thread } from '#lib/sender/sent-event.ts';
import { accountKey, headKey, providerChatPartition } from '#lib/store/keys.ts';
import type { Key, Store } from '#lib/store/store.ts';
import { accountsOf } from '#lib/tenants/account.ts';
import type { CheckedRequest, Target } from './request.ts';

/** The field in which whoever is meant was given: answers name that one. */
const FIELDS = { phone: 'phone', jid: 'jid', chat: 'chat_id', name: 'chat_name' } as const;
export const NO_ACCOUNT = 'There is no account to send from: connect one first';

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
function byPreference(accounts: readonly Candidate[], reaches: Reaches): readonly Candidate[] {
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
function owners(chat: Owned, accounts: readonly Candidate[], from: CheckedRequest['from']): readonly Candidate[] {
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
  const known = await knownChat(store, account, recipient);
  if (known) {
    return { recipient: addressIn(known, recipient), chat: threadOf(known) };
  }
  const providerChatId =
    recipient.kind === 'jid' ? recipient.jid : (reach?.chatOf?.(recipient.phone) ?? recipient.phone);
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

async function knownChat(store: Store, account: Candidate, recipient: Addressed): Promise<KnownChat | undefined> {
  const { workspace, provider, id: accountId, instance, phone } = account;
  const names = namesOfRecipient(recipient.kind === 'phone' ? { phone: recipient.phone } : { jid: recipient.jid });
  const accountNames = [instance, phone].filter((name) => name !== undefined);
  const of = { workspace, provider, accountId, accountKey: accountId, accountNames };
  const [chat] = await chatsUnder(store, names, of);
  return chat && readChat(chat);
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

/** A chat may have been taken for a person's; its ids tell, be it the one that another id stands for. */
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
