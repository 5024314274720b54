import * as v from 'valibot';
import { type Attempted, bodyOf, type Candidate, type OutboundTools } from '#lib/app/sending/outbound.ts';
import { isRecord } from '#lib/domain/json.ts';
import { recipientOf } from '#lib/domain/sending/recipient.ts';
import { apiUrl, authorization, type Workspace } from './outbound-workspace.ts';
import { instantOf } from './timestamp.ts';

const Text = v.fallback(v.optional(v.string()), undefined);
const Message = v.looseObject({
  uid: Text,
  timestamp: Text,
  from_me: v.fallback(v.optional(v.boolean()), undefined),
  text: Text,
  origin: Text,
  status: Text,
  attachment_filename: Text,
});
type Message = v.InferOutput<typeof Message>;
const History = v.looseObject({ status: v.literal('ok'), data: v.unknown() });

/** Clocks differ, and their seconds are rounded down. */
const SKEW_MS = 5_000;

/**
 * What may be this attempt, in the last 50 messages of its chat. Without the chat's number there is nothing to ask for:
 * then only the message's echo tells.
 */
export async function findSent(
  workspace: Workspace,
  { http }: OutboundTools,
  attempted: Attempted,
  deadline: number,
): Promise<readonly Candidate[]> {
  const recipient = recipientOf(attempted.recipient);
  if (recipient?.kind !== 'chat_id' || !/^\d{1,20}$/.test(recipient.id)) return [];
  const url = apiUrl(workspace, `chats/${recipient.id}/messages`);
  const reply = await http.call({ method: 'GET', url, headers: authorization(workspace) }, deadline);
  const body = reply.kind === 'answered' && reply.status === 200 ? bodyOf(History, reply) : undefined;
  return messagesIn(body?.data).flatMap((message) =>
    message.uid && fits(message, attempted) ? [candidate(message.uid, message)] : [],
  );
}

function messagesIn(data: unknown): readonly Message[] {
  const list = Array.isArray(data) ? data : isRecord(data) && Object.values(data).find(Array.isArray);
  return v.parse(v.fallback(v.array(Message), []), list);
}

function fits(
  { from_me, origin, timestamp, text, attachment_filename }: Message,
  { content, since }: Attempted,
): boolean {
  if (from_me !== true || (origin !== undefined && origin !== 'Public API')) return false;
  const at = instantOf(timestamp);
  if (at === undefined || at < since - SKEW_MS) return false;
  return content.kind === 'text' ? text === content.text : attachment_filename === content.name;
}

function candidate(providerId: string, { status }: Message): Candidate {
  return /^(?:failed|error)$/i.test(status ?? '')
    ? { providerId, failed: 'TimelinesAI says that it failed' }
    : { providerId };
}
