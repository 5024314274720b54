import * as v from 'valibot';
import {
  type Answer,
  answered,
  bodyOf,
  type OpenAccount,
  type OutboundProvider,
  type OutboundTools,
  type ProviderRequest,
  textOf,
  withCredentials,
} from '#lib/app/sending/outbound.ts';
import type { Outgoing, ProbeResult } from '#lib/app/sending/ports.ts';
import { type Meaning, meaningOf } from '#lib/domain/sending/answer.ts';
import { outcomeOfBreakdown, type SendOutcome, withId } from '#lib/domain/sending/outcome.ts';
import { recipientOf, whatsappChatOf } from '#lib/domain/sending/recipient.ts';
import { findSent } from './outbound-evidence.ts';
import { type Instance, lineOf, methodUrl, StoredInstance } from './outbound-instance.ts';

/** The one place that says what an answer of GREEN-API without a message id means. */
const ANSWERS: readonly Meaning[] = [
  { status: 400, says: /validation failed|unexpected token|bad request data/i, is: 'rejected' },
  // It may be starting, or waiting for somebody to scan its code: they do not say which.
  { status: 400, says: /starting or not authorized/i, is: 'retry', holdAfter: 5 },
  { status: 400, says: /starting/i, is: 'retry' },
  { status: 400, says: /not authorized|expired|deleted/i, is: 'hold' },
  { status: 404, says: /not authorized|expired|deleted|cannot (?:get|post)|path|not found/i, is: 'hold' },
  // Not from their API at all: the instance's host or path is wrong.
  { status: 404, says: 'nothing', is: 'hold' },
  { status: 466, is: 'hold' },
  // Too many number checks, says a sister product; later is better.
  { status: 469, is: 'retry' },
];

export const greenApiOutbound: OutboundProvider = {
  name: 'green-api',
  longestText: () => 20_000,
  recipients: () => ['phone', 'jid', 'chat_id'],
  takesFiles: () => true,
  chatOf: (phone) => `${phone.slice(1)}@c.us`,
  lineOf,
  open: withCredentials(StoredInstance, (_account, instance, tools) => openInstance(instance, tools)),
};

function openInstance(instance: Instance, tools: OutboundTools): OpenAccount {
  return {
    send: (message, deadline) => send(instance, tools, message, deadline),
    probe: (deadline) => probe(instance, tools, deadline),
    find: (attempted, deadline) => findSent(instance, tools, attempted, deadline),
  };
}

const Sent = v.looseObject({ idMessage: v.pipe(v.string(), v.nonEmpty()) });

async function send(
  instance: Instance,
  tools: OutboundTools,
  message: Outgoing,
  deadline: number,
): Promise<SendOutcome> {
  const recipient = recipientOf(message.recipient);
  const chatId = recipient && whatsappChatOf(recipient);
  if (chatId === undefined) return { kind: 'rejected', reason: 'the recipient is no chat id that GREEN-API knows' };
  const reply = await tools.http.call(requestFor(instance, chatId, message.content), deadline);
  if (reply.kind === 'broken') return outcomeOfBreakdown(reply.breakdown);
  const id = bodyOf(Sent, reply)?.idMessage;
  if (reply.status === 200 && id !== undefined) return { kind: 'accepted', providerId: id };
  return withId(meaning(instance, tools, reply, textOf(message)), id);
}

/** Fields beyond these, and even known ones without a value, are answered with 400. */
function requestFor(instance: Instance, chatId: string, content: Outgoing['content']): ProviderRequest {
  if (content.kind === 'text') {
    const body = { kind: 'json', value: { chatId, message: content.text } } as const;
    return { method: 'POST', url: methodUrl(instance, 'sendMessage'), body };
  }
  const { name, mimeType, bytes } = content;
  const file = { field: 'file', name, mimeType, bytes };
  const body = { kind: 'multipart', fields: { chatId, fileName: name }, file } as const;
  return { method: 'POST', url: methodUrl(instance, 'sendFileByUpload', 'media'), body };
}

// Some bodies are plain text. `path` in theirs repeats the token, so nothing but `message` is ever read.
const Fault = v.looseObject({ message: v.string() });

function meaning(instance: Instance, { clock }: OutboundTools, reply: Answer, text?: string): SendOutcome {
  const words = bodyOf(Fault, reply)?.message ?? plainText(reply);
  return meaningOf(ANSWERS, answered(reply, words, clock.now()), [instance.apiTokenInstance], text);
}

function plainText({ headers, text }: Answer): string | undefined {
  return /^text\/plain/i.test(headers['content-type'] ?? '') && text !== '' ? text : undefined;
}

const State = v.looseObject({ stateInstance: v.string() });

async function probe(instance: Instance, tools: OutboundTools, deadline: number): Promise<ProbeResult> {
  const reply = await tools.http.call({ method: 'GET', url: methodUrl(instance, 'getStateInstance') }, deadline);
  if (reply.kind === 'broken') return { kind: 'unknown' };
  const state = reply.status === 200 ? bodyOf(State, reply)?.stateInstance : undefined;
  if (state === 'authorized') return { kind: 'ok' };
  if (state !== undefined)
    return state === 'starting' ? { kind: 'unknown' } : { kind: 'held', reason: stateReason(state) };
  const outcome = meaning(instance, tools, reply);
  return outcome.kind === 'hold'
    ? { kind: 'held', reason: outcome.reason }
    : { kind: 'unknown', answers: reply.status < 500 };
}

const stateReason = (state: string) => `the instance is ${/^\w{1,40}$/.test(state) ? state : 'not authorized'}`;
