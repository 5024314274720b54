import * as v from 'valibot';
import { SHARDS } from '#lib/domain/ids.ts';
import { Instant, known, optional, tally, text, Whole } from '#lib/domain/schema.ts';
import { CREDIT_STATES, PART_STATES, type SendState, sendCreditState, sendState } from '#lib/domain/send/part.ts';
import { recipientOf } from '#lib/domain/send/recipient.ts';
import { toIso } from '#lib/domain/time.ts';
import { findSend } from '#lib/sender/cancel.ts';
import { type Part, readSend, type Send } from '#lib/sender/items.ts';
import { type Place, placesOf } from '#lib/sender/place.ts';
import { threadIn } from '#lib/sender/sent-event.ts';
import { sendListKey } from '#lib/store/keys.ts';
import { type ListPage, type PageRequest, pageOf } from '#lib/store/page.ts';
import { newestFirst } from '#lib/store/query.ts';
import type { Item, Store } from '#lib/store/store.ts';

export const SEND_STATES = [...PART_STATES, 'partially_sent'] as const;

const ShownPart = v.object({
  kind: v.picklist(['text', 'file']),
  text: optional(v.string()),
  fileUrl: optional(v.string()),
  fileName: optional(v.string()),
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
  position: optional(Whole, 'In its account’s queue: 1 goes next'),
  etaAt: v.exactOptional(v.pipe(Instant, v.description('About when it will go out, if its account can send'))),
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
    credits: parts.length,
    accountId,
    provider,
    recipient: shownRecipient(send.recipient),
    parts: parts.map(shownPart),
    history: history.map(({ at, state, part, detail }) => ({ at: toIso(at), ...known({ state, part, detail }) })),
    createdAt: toIso(createdAt),
    ...known({ position: place?.position, etaAt: place?.etaAt === undefined ? undefined : toIso(place.etaAt) }),
    ...known({ resendOf, resentAs }),
  };
}

function shownPart({ kind, text: words, url, name, state, creditState, attempts, providerId, error }: Part) {
  return {
    kind,
    state,
    creditState,
    attempts,
    ...known({ text: words, fileUrl: url, fileName: name, providerMessageId: providerId, error }),
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
  readonly state?: SendState;
  readonly accountId?: string;
}

/** A state that hardly any send is in must not walk through all of them in one call; the caller gets a cursor. */
const ROUNDS = 10;
const READ_AT_ONCE = 100;

/** The sends of a workspace, newest first. A page may be shorter than asked for and still have a next one. */
export async function listSends(
  store: Store,
  workspace: string,
  filter: SendFilter,
  { limit, from }: PageRequest,
  now: number,
): Promise<ListPage<ShownSend>> {
  const found: Send[] = [];
  let position = from;
  for (let round = 0; round < ROUNDS; round++) {
    // Never more than is missing: the cursor has to stand right behind the last one shown.
    const slice = await entriesOf(store, workspace, filter, {
      limit: limit - found.length,
      ...(position && { from: position }),
    });
    const sends = await sendsAt(store, slice.entries);
    found.push(...sends.filter(({ parts }) => filter.state === undefined || sendState(parts) === filter.state));
    position = slice.position;
    if (position === undefined || found.length >= limit) break;
  }
  return pageOf(await shown(store, found, now), position);
}

function entriesOf(store: Store, workspace: string, { accountId }: SendFilter, { limit, from }: PageRequest) {
  const partitions = Array.from({ length: SHARDS }, (_, shard) => sendListKey(workspace, shard));
  const accepts = (entry: Item) => entry.accountId === accountId;
  return newestFirst(
    store,
    { index: 'gsi1', partitions },
    { limit, ...(from !== undefined && { before: from }), ...(accountId !== undefined && { accepts }) },
  );
}

async function sendsAt(store: Store, entries: readonly Item[]): Promise<readonly Send[]> {
  const items = new Map<string, Item>();
  for (let start = 0; start < entries.length; start += READ_AT_ONCE) {
    const keys = entries.slice(start, start + READ_AT_ONCE).map(({ pk, sk }) => ({ pk, sk }));
    for (const item of await store.getMany(keys, { consistent: true })) items.set(item.pk, item);
  }
  return entries.flatMap(({ pk }) => items.get(pk) ?? []).map(readSend);
}

async function shown(store: Store, sends: readonly Send[], now: number): Promise<ShownSend[]> {
  const places = await placesOf(store, sends, now);
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
