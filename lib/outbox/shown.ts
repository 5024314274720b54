import * as v from 'valibot';
import { nameSought, namesOfRecipient } from '#lib/chats/people.ts';
import { SHARDS } from '#lib/domain/ids.ts';
import { normaliseJid } from '#lib/domain/person.ts';
import { Instant, known, optional, tally, text, Whole } from '#lib/domain/schema.ts';
import { meanGap } from '#lib/domain/send/outcome.ts';
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
import { gatesOpenAt, probeDueOf } from '#lib/sender/account.ts';
import {
  type Account,
  isBlocked,
  type Part,
  type Pointer,
  readAccount,
  readPointer,
  readSend,
  type Send,
} from '#lib/sender/items.ts';
import { threadIn } from '#lib/sender/sent-event.ts';
import { type Readable, readEach } from '#lib/store/items.ts';
import {
  accountKey,
  entryId,
  POINTER_PREFIX,
  sendKey,
  sendListing,
  sendListKey,
  stateKey,
  UNKNOWN_PREFIX,
  workspacePartition,
} from '#lib/store/keys.ts';
import { getAll, type ListPage, newestFirst, type PageRequest, pageOf, queryAll, roundsFor } from '#lib/store/query.ts';
import type { Item, Key, Store } from '#lib/store/store.ts';
import { wholeDirectory } from '#lib/tenants/workspaces.ts';
import { findSend } from './cancel.ts';

/** What a send waits for, the first of these that holds: what an operator can end comes first. */
const WAITING_FOR = ['pause', 'hold', 'backoff', 'turn'] as const;

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

function shownSend(send: Send, place: Place | undefined): ShownSend {
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
    ...place,
    ...known({ resendOf, resentAs }),
  };
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

/**
 * Where a send that waits stands in its account's queue: two messages of one send take two places. Without a position where
 * it stands behind all of the queue that was read; without a time on a blocked account, too, for nobody knows.
 */
type Place = Pick<ShownSend, 'position' | 'etaAt' | 'waitingFor' | 'waitingReason' | 'waitingUntil'>;

interface Queue {
  readonly account: Account;
  /** When the provider of a held account is asked again. */
  readonly probeAt?: number;
  readonly pointers: readonly Pointer[];
  /** More than these wait. */
  readonly isCut: boolean;
}

/** Of each queue a list reads no more than this. */
const LISTED = 1_000;
/** What a call takes, as far as a guess needs to know. */
const USUAL_CALL_MS = 500;

type Queues = ReadonlyMap<string, Queue | undefined>;

/** The queues of these accounts, each read once, however many of its sends are asked for. `most`: of its places. */
async function queuesOf(store: Store, accounts: Iterable<string>, most?: number): Promise<Queues> {
  const ids = [...new Set(accounts)];
  return new Map(await Promise.all(ids.map(async (id) => [id, await readQueue(store, id, most)] as const)));
}

/** The places of those sends that wait, by message id. `queues`: those that are read already, each as far as a list needs. */
async function placesOf(
  store: Store,
  sends: readonly Send[],
  now: number,
  queues?: Queues,
): Promise<ReadonlyMap<string, Place>> {
  const waiting = sends.filter((send) => send.parts.some((part) => part.state === 'queued'));
  const unread = waiting.map((send) => send.accountId).filter((id) => !queues?.has(id));
  const known = new Map([...(queues ?? []), ...(await queuesOf(store, unread, queues && LISTED))]);
  return new Map(
    waiting.flatMap((send) => {
      const place = placeOf(send, known.get(send.accountId), now);
      return place ? [[send.messageId, place] as const] : [];
    }),
  );
}

async function readQueue(store: Store, id: string, most?: number): Promise<Queue | undefined> {
  const query = { pk: accountKey(id).pk, prefix: POINTER_PREFIX, limit: most ?? LISTED };
  const [account, { items, next }, probeAt] = await Promise.all([
    store.get(accountKey(id)),
    most === undefined ? queryAll(store, query).then((items) => ({ items, next: undefined })) : store.query(query),
    probeDueOf(store, id),
  ]);
  if (!account) return undefined;
  return {
    account: readAccount(account),
    ...known({ probeAt }),
    pointers: items.map(readPointer),
    isCut: next !== undefined,
  };
}

function waitingOf(send: Send, { account, probeAt }: Queue, now: number): Place {
  const { paused, pauseReason, held, holdReason, backoffUntil } = account;
  if (paused) return { waitingFor: 'pause', ...known({ waitingReason: pauseReason }) };
  if (held) {
    const waitingUntil = probeAt === undefined ? undefined : toIso(probeAt);
    return { waitingFor: 'hold', ...known({ waitingReason: holdReason, waitingUntil }) };
  }
  if (backoffUntil <= now) return { waitingFor: 'turn' };
  return { waitingFor: 'backoff', ...known({ waitingReason: errorOf(send) }), waitingUntil: toIso(backoffUntil) };
}

/** What the provider said when the message was tried last; those behind it wait for the same. */
function errorOf({ parts, history }: Send): string | undefined {
  const isTried = parts.some(({ state, retryingSince }) => state === 'queued' && retryingSince !== undefined);
  return isTried ? history.findLast(({ state }) => state === 'queued')?.detail : undefined;
}

function placeOf(send: Send, queue: Queue | undefined, now: number): Place | undefined {
  const ahead = queue?.pointers.findIndex((pointer) => pointer.send === send.messageId) ?? -1;
  if (!queue || (ahead < 0 && !queue.isCut)) return undefined;
  const { account } = queue;
  const waiting = waitingOf(send, queue, now);
  if (ahead < 0) return waiting;
  const place = { ...waiting, position: ahead + 1 };
  if (isBlocked(account)) return place;
  const wait = ahead * (meanGap(account.pacing) + USUAL_CALL_MS);
  return { ...place, etaAt: toIso(Math.max(now, gatesOpenAt(account)) + wait) };
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

function isWanted({ recipient: kept, parts, accountId, createdAt }: Send, filter: SendFilter): boolean {
  const { states, chat, recipient, after = Number.NEGATIVE_INFINITY, before = Number.POSITIVE_INFINITY } = filter;
  if (filter.accountId !== undefined && filter.accountId !== accountId) return false;
  if (createdAt <= after || createdAt >= before) return false;
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

/**
 * The sends of a workspace, newest first. A page may be shorter than asked for and still have a next one. Those alone of
 * which nobody knows are marked, soon after they are: among the newest they are looked for beside their marks.
 */
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
  const isMarked = filter.states?.every((state) => state === 'unknown') === true;
  const [slice, marks] = await Promise.all([
    entriesOf(store, workspace, filter, page),
    isMarked
      ? queryAll(store, { pk: workspacePartition(workspace), prefix: UNKNOWN_PREFIX, limit: LOOKED_THROUGH })
      : [],
  ]);
  const keys = new Map([...slice.entries, ...marks.map((mark) => sendKey(entryId(mark)))].map((key) => [key.pk, key]));
  // Whose turn it is, is read together with the sends.
  const accounts = [...new Set(slice.entries.map(({ accountId }) => String(accountId)))].slice(0, MOST_QUEUES);
  const [sends, queues] = await Promise.all([sendsAt(store, [...keys.values()]), queuesOf(store, accounts, LISTED)]);
  const positionOf = ({ messageId, createdAt }: Send) => sendListing(workspace, messageId, createdAt).gsi1sk;
  const isBehind = (send: Send) => from === undefined || positionOf(send) < from;
  const fitting = sends.items.filter((send) => isBehind(send) && isWanted(send, filter));
  const wanted = isMarked ? fitting.sort((a, b) => (positionOf(a) < positionOf(b) ? 1 : -1)) : fitting;
  const found = wanted.slice(0, limit);
  const last = found.at(-1);
  const next = isMarked ? undefined : slice.position;
  const position = wanted.length > limit && last ? positionOf(last) : next;
  return pageOf('sends', await shown(store, found, now, queues), position, sends.damaged);
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
  return sends.find((send) => send.workspace === workspace && isWanted(send, filter));
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

async function sendsAt(store: Store, entries: readonly Key[]): Promise<Readable<Send>> {
  return readEach(await getAll(store, entries, { consistent: true }), readSend);
}

/** With the place of each that waits. */
export async function shown(store: Store, sends: readonly Send[], now: number, queues?: Queues): Promise<ShownSend[]> {
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
