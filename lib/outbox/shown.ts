import * as v from 'valibot';
import { nameSought, namesOfRecipient } from '#lib/chats/people.ts';
import { SHARDS } from '#lib/domain/ids.ts';
import { normaliseJid } from '#lib/domain/person.ts';
import { Instant, known, optional, tally, text, Whole } from '#lib/domain/schema.ts';
import {
  CREDIT_STATES,
  creditsIn,
  PART_STATES,
  type SendState,
  sendCreditState,
  sendState,
} from '#lib/domain/send/part.ts';
import { recipientOf } from '#lib/domain/send/recipient.ts';
import { toIso } from '#lib/domain/time.ts';
import { type Account, type Part, readAccount, readSend, type Send } from '#lib/sender/items.ts';
import { LISTED, type Place, placesOf, type Queues, queuesOf, WAITING_FOR } from '#lib/sender/schedule.ts';
import { threadIn } from '#lib/sender/sent-event.ts';
import { accountKey, entryId, sendKey, sendListing, sendListKey, stateKey } from '#lib/store/keys.ts';
import { type ListPage, type PageRequest, pageOf } from '#lib/store/page.ts';
import { getAll, newestFirst, roundsFor } from '#lib/store/query.ts';
import type { Item, Store } from '#lib/store/store.ts';
import { wholeDirectory } from '#lib/tenants/directory.ts';
import { findSend } from './cancel.ts';

export const SEND_STATES = [...PART_STATES, 'partially_sent'] as const;

const ShownPart = v.object({
  kind: v.picklist(['text', 'file']),
  text: optional(v.string()),
  fileUrl: optional(v.string()),
  fileName: optional(v.string()),
  caption: optional(v.string(), 'The text that goes with a file as one message, where the provider takes it so'),
  quotedMessageId: optional(v.string(), "The message that it quotes, by the provider's id"),
  credits: optional(Whole, 'What it costs, where that is not one'),
  state: v.picklist(PART_STATES),
  creditState: v.picklist(CREDIT_STATES),
  attempts: tally('Calls of the provider; only one that was certainly not taken is repeated'),
  providerMessageId: optional(v.string()),
  error: optional(v.string(), 'What went wrong last'),
});

/** A message that was accepted for sending, as its owner sees it. */
export const ShownSend = v.object({
  messageId: v.string(),
  workspace: v.string(),
  state: v.pipe(v.picklist(SEND_STATES), v.description('Of its parts, the one that has come least far')),
  creditState: v.picklist([...CREDIT_STATES, 'partly_refunded']),
  credits: tally('What it was charged'),
  accountId: v.string(),
  provider: v.string(),
  recipient: v.object({
    phone: optional(v.string()),
    jid: optional(v.string()),
    providerChatId: optional(v.string()),
    chatId: optional(v.string(), "The hub's chat in which it stands"),
  }),
  parts: v.pipe(v.array(ShownPart), v.description('In the order in which they go out')),
  history: v.array(
    v.object({
      at: Instant,
      state: v.picklist(PART_STATES),
      part: optional(Whole, 'From 0; left out where it concerns all'),
      detail: optional(v.string()),
    }),
  ),
  createdAt: Instant,
  position: optional(Whole, 'In its account’s queue: 1 goes next. In a list it is left out behind the first 1,000'),
  etaAt: v.exactOptional(v.pipe(Instant, v.description('About when it will go out, if its account can send'))),
  waitingFor: v.exactOptional(
    v.pipe(
      v.picklist(WAITING_FOR),
      v.description(
        'While it waits: for the end of a `pause` of yours or of a `hold` of the provider, for a `backoff` after an error ' +
          'of the provider, or for its `turn`',
      ),
    ),
  ),
  waitingReason: optional(
    v.string(),
    'Why the account is paused or held; of a message that is tried again, what its provider said',
  ),
  waitingUntil: v.exactOptional(
    v.pipe(Instant, v.description('When the provider of a held account is asked again, or the backoff ends')),
  ),
  resendOf: optional(text('The send that this one repeats')),
  resentAs: optional(text('The send that repeats this one')),
});
export type ShownSend = v.InferOutput<typeof ShownSend>;

export function shownSend(send: Send, place: Place | undefined): ShownSend {
  const { messageId, workspace, accountId, provider, parts, history, createdAt, resendOf, resentAs } = send;
  return {
    messageId,
    workspace,
    state: sendState(parts),
    creditState: sendCreditState(parts),
    credits: creditsIn(parts),
    accountId,
    provider,
    recipient: shownRecipient(send.recipient),
    parts: parts.map(shownPart),
    history: history.map(({ at, state, part, detail }) => ({ at: toIso(at), ...known({ state, part, detail }) })),
    createdAt: toIso(createdAt),
    ...(place && shownPlace(place)),
    ...known({ resendOf, resentAs }),
  };
}

function shownPlace({ position, etaAt, waiting: { for: waitingFor, reason, until } }: Place) {
  const iso = (at: number | undefined) => (at === undefined ? undefined : toIso(at));
  return { waitingFor, ...known({ position, waitingReason: reason, waitingUntil: iso(until), etaAt: iso(etaAt) }) };
}

function shownPart({
  kind,
  text: words,
  url,
  name,
  caption,
  quoted,
  credits,
  state,
  creditState,
  attempts,
  providerId,
  error,
}: Part) {
  return {
    kind,
    state,
    creditState,
    attempts,
    ...known({ text: words, fileUrl: url, fileName: name, caption, quotedMessageId: quoted, credits, error }),
    ...known({ providerMessageId: providerId }),
  };
}

function shownRecipient(kept: Send['recipient']): ShownSend['recipient'] {
  const recipient = recipientOf(kept);
  const thread = threadIn(kept);
  return known({
    phone: recipient?.kind === 'phone' ? recipient.phone : undefined,
    jid: recipient?.kind === 'jid' ? recipient.jid : undefined,
    providerChatId: recipient?.kind === 'chat_id' ? recipient.id : thread?.providerChatId,
    chatId: thread?.chat,
  });
}

interface SendFilter {
  /** Any of these. */
  readonly states?: readonly SendState[];
  readonly accountId?: string;
  /** The hub's id. */
  readonly chat?: string;
  /** A number, a JID, or the provider's id of a chat. */
  readonly recipient?: string;
  /** The provider's id of the message of one of its parts. */
  readonly providerMessageId?: string;
  /** Of acceptance, strictly after, strictly before; milliseconds. */
  readonly after?: number;
  readonly before?: number;
}

/** By what the index does not hold. */
function isWanted({ recipient: kept, parts }: Send, { states, chat, recipient }: SendFilter): boolean {
  if (states !== undefined && !states.includes(sendState(parts))) return false;
  if (chat !== undefined && threadIn(kept)?.chat !== chat) return false;
  return recipient === undefined || isFor(kept, recipient);
}

/** Of an id that is no name, as one of two numbers, the very text counts. */
function isFor(kept: Send['recipient'], sought: string): boolean {
  const name = nameSought(sought);
  if (name !== undefined && namesOfRecipient(kept).includes(name)) return true;
  return [kept.chat_id, kept.provider_chat].includes(normaliseJid(sought));
}

/** A state that hardly any send is in must not walk through all of them in one call; the caller gets a cursor. */
const LOOKED_THROUGH = 1_000;
/** So many queues are read beside the sends; those of more accounts only where one of their sends waits and is shown. */
const MOST_QUEUES = 20;

/** The sends of a workspace, newest first. A page may be shorter than asked for and still have a next one. */
export async function listSends(
  store: Store,
  workspace: string,
  filter: SendFilter,
  { limit, from }: PageRequest,
  now: number,
): Promise<ListPage<ShownSend>> {
  if (filter.providerMessageId !== undefined) {
    const send = await sendOfMessage(store, workspace, filter.providerMessageId, filter);
    return { items: await shown(store, send ? [send] : [], now) };
  }
  // The index knows the account alone: for anything else sends are looked through.
  const isInside = (filter.states ?? filter.chat ?? filter.recipient) !== undefined;
  const page = { limit: isInside ? LOOKED_THROUGH : limit, ...(from !== undefined && { from }) };
  const slice = await entriesOf(store, workspace, filter, page);
  // Whose turn it is, is read together with the sends.
  const accounts = [...new Set(slice.entries.map(({ accountId }) => String(accountId)))].slice(0, MOST_QUEUES);
  const [sends, queues] = await Promise.all([sendsAt(store, slice.entries), queuesOf(store, accounts, LISTED)]);
  const wanted = sends.filter((send) => isWanted(send, filter));
  const found = wanted.slice(0, limit);
  const last = found.at(-1);
  const isCut = wanted.length > limit && last !== undefined;
  const position = isCut ? sendListing(workspace, last.messageId, last.createdAt).gsi1sk : slice.position;
  return pageOf('sends', await shown(store, found, now, queues), position);
}

/** All by which messages of the account may be filed; an earlier release did not write down what it was called before. */
const scopesOf = ({ id, scope, instance, phone, formerScopes = [] }: Account): readonly string[] => [
  ...new Set([scope, ...formerScopes, id, ...[instance, phone].filter((name) => name !== undefined)]),
];

/** Through the state of the message, which is kept under the account's name at the provider. */
async function sendOfMessage(
  store: Store,
  workspace: string,
  id: string,
  filter: SendFilter,
): Promise<Send | undefined> {
  const entries = await wholeDirectory(store, workspace, 'ACCOUNT');
  const ids = entries.map(entryId);
  const wanted = ids.filter((account) => filter.accountId === undefined || account === filter.accountId);
  const accounts = (await getAll(store, wanted.map(accountKey))).map(readAccount);
  const keys = new Map(
    accounts
      .flatMap((account) => scopesOf(account).map((scope) => ({ workspace, provider: account.provider, scope })))
      .map((scope) => stateKey(scope, id))
      .map((key) => [key.pk, key]),
  );
  const states = await getAll(store, [...keys.values()], { consistent: true });
  const named = [...new Set(states.flatMap(({ send }) => (typeof send === 'string' ? [send] : [])))];
  const sends = (await getAll(store, named.map(sendKey), { consistent: true })).map(readSend);
  const isInTime = ({ createdAt }: Send) =>
    createdAt > (filter.after ?? Number.NEGATIVE_INFINITY) && createdAt < (filter.before ?? Number.POSITIVE_INFINITY);
  return sends.find((send) => send.workspace === workspace && isWanted(send, filter) && isInTime(send));
}

function entriesOf(store: Store, workspace: string, { accountId, after, before }: SendFilter, page: PageRequest) {
  const { limit, from } = page;
  const partitions = Array.from({ length: SHARDS }, (_, shard) => sendListKey(workspace, shard));
  const accepts = (entry: Item) => entry.accountId === accountId;
  return newestFirst(
    store,
    { index: 'gsi1', partitions },
    {
      limit,
      rounds: roundsFor(page),
      ...known({ from: after === undefined ? undefined : toIso(after + 1), before: earlier(from, before) }),
      ...(accountId !== undefined && { accepts }),
    },
  );
}

/** The earlier one of a position and a time. */
const earlier = (position: string | undefined, before: number | undefined): string | undefined =>
  [position, before === undefined ? undefined : toIso(before)].filter((bound) => bound !== undefined).sort()[0];

async function sendsAt(store: Store, entries: readonly Item[]): Promise<readonly Send[]> {
  return (await getAll(store, entries, { consistent: true })).map(readSend);
}

async function shown(store: Store, sends: readonly Send[], now: number, queues?: Queues): Promise<ShownSend[]> {
  const places = await placesOf(store, sends, now, queues);
  return sends.map((send) => shownSend(send, places.get(send.messageId)));
}

/** A send of this workspace; another's is not found. */
export async function showSend(
  store: Store,
  workspace: string,
  messageId: string,
  now: number,
): Promise<ShownSend | undefined> {
  const send = await findSend(store, workspace, messageId);
  return send && (await shown(store, [send], now))[0];
}
