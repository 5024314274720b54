import * as v from 'valibot';
import { known } from '#lib/domain/known.ts';
import { Instant, optional, tally, text, Whole } from '#lib/domain/schema.ts';
import { CREDIT_STATES, PART_STATES, sendCreditState, sendState } from '#lib/domain/sending/part.ts';
import { recipientOf } from '#lib/domain/sending/recipient.ts';
import { toIso } from '#lib/domain/time.ts';
import type { Part, Send } from '../sending/items.ts';
import type { Place } from '../sending/places.ts';
import { threadIn } from '../sending/thread.ts';

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
