import * as v from 'valibot';
import {
  type Answer,
  answered,
  bodyOf,
  type OpenAccount,
  type OutboundAccount,
  type OutboundProvider,
  type OutboundTools,
  type Reply,
  withCredentials,
} from '#lib/app/sending/outbound.ts';
import type { Outgoing } from '#lib/app/sending/ports.ts';
import { type Meaning, meaningOf } from '#lib/domain/sending/answer.ts';
import { outcomeOfBreakdown, type SendOutcome, withId } from '#lib/domain/sending/outcome.ts';
import { findSent } from './outbound-evidence.ts';
import { probe } from './outbound-probe.ts';
import { messageRequest, uploadRequest } from './outbound-request.ts';
import { lineOf, StoredWorkspace, type Workspace } from './outbound-workspace.ts';

const OF_THE_ACCOUNT =
  /\b(?:account|workspace|subscription|token)\b.*\b(?:disconnected|not connected|not authorized|not found|expired|suspended|deleted|inactive)\b|\bquota\b/i;

/**
 * The one place that says what an answer of TimelinesAI without a message id means. 200 is listed because a failure may
 * come under it, and then has words.
 */
const ANSWERS: readonly Meaning[] = [
  // Their firewall's throttle, which goes away after seconds; the third in a row is something else.
  { status: 403, is: 'retry', holdAfter: 3 },
  { status: 200, says: OF_THE_ACCOUNT, is: 'hold' },
  { status: 200, says: /./, is: 'rejected' },
  { status: 400, says: OF_THE_ACCOUNT, is: 'hold' },
  { status: 404, says: OF_THE_ACCOUNT, is: 'hold' },
  // A page: the base URL is wrong.
  { status: 404, says: 'nothing', is: 'hold' },
];

export const timelinesAiOutbound: OutboundProvider = {
  name: 'timelinesai',
  longestText: () => 2_000,
  recipients: () => ['phone', 'jid', 'chat_id', 'chat_name'],
  takesFiles: () => true,
  lineOf,
  isNamedByPhone: true,
  open: withCredentials(StoredWorkspace, openWorkspace),
};

function openWorkspace(account: OutboundAccount, workspace: Workspace, tools: OutboundTools): OpenAccount {
  return {
    send: (message, deadline) => send(account, workspace, tools, message, deadline),
    probe: (deadline) => probe(account, workspace, tools, deadline),
    find: (attempted, deadline) => findSent(workspace, tools, attempted, deadline),
  };
}

/** Time that the message needs after its file: with less, its outcome would likely stay unknown for nothing. */
const MESSAGE_MS = 2_000;

/** A file goes first, on its own; until the message that names it is called, nothing has been sent. */
async function send(
  account: OutboundAccount,
  workspace: Workspace,
  tools: OutboundTools,
  { recipient, content }: Outgoing,
  deadline: number,
): Promise<SendOutcome> {
  const request = messageRequest(account, workspace, recipient);
  if (!request) return { kind: 'rejected', reason: 'the recipient is none that TimelinesAI can reach' };
  if (content.kind === 'text')
    return judge(workspace, tools, await tools.http.call(request({ text: content.text }), deadline), content.text);
  const uploaded = await upload(workspace, tools, content, deadline - MESSAGE_MS);
  if ('kind' in uploaded) return uploaded;
  return judge(workspace, tools, await tools.http.call(request({ file_uid: uploaded.uid }), deadline));
}

const Uploaded = v.looseObject({
  status: v.literal('ok'),
  data: v.looseObject({ uid: v.pipe(v.string(), v.nonEmpty()) }),
});

async function upload(
  workspace: Workspace,
  tools: OutboundTools,
  file: Extract<Outgoing['content'], { kind: 'file' }>,
  deadline: number,
): Promise<{ readonly uid: string } | SendOutcome> {
  const reply = await tools.http.call(uploadRequest(workspace, file), deadline);
  const uploaded = reply.kind === 'answered' && reply.status === 200 ? bodyOf(Uploaded, reply) : undefined;
  return uploaded ? uploaded.data : nothingSent(judge(workspace, tools, reply));
}

/** An upload that may have arrived has still reached nobody. */
function nothingSent(outcome: SendOutcome): SendOutcome {
  if (outcome.kind === 'unknown') return { kind: 'retry', reason: `the file could not be uploaded: ${outcome.reason}` };
  return outcome;
}

const Named = v.looseObject({
  status: v.string(),
  data: v.looseObject({ message_uid: v.pipe(v.string(), v.nonEmpty()) }),
});
const Fault = v.looseObject({
  status: v.literal('error'),
  message: v.fallback(v.optional(v.string()), undefined),
  error_code: v.fallback(v.optional(v.string()), undefined),
  errors: v.fallback(v.array(v.looseObject({ msg: v.fallback(v.string(), '') })), []),
});

function judge(workspace: Workspace, { clock }: OutboundTools, reply: Reply, text?: string): SendOutcome {
  if (reply.kind === 'broken') return outcomeOfBreakdown(reply.breakdown);
  const named = bodyOf(Named, reply);
  const id = named?.data.message_uid;
  if (reply.status === 200 && named?.status === 'ok') return { kind: 'accepted', providerId: named.data.message_uid };
  return withId(meaningOf(ANSWERS, answered(reply, wordsOf(reply), clock.now()), [workspace.apiToken], text), id);
}

function wordsOf(reply: Answer): string | undefined {
  const fault = bodyOf(Fault, reply);
  if (!fault) return undefined;
  const words = [fault.message, fault.error_code, ...fault.errors.map(({ msg }) => msg)].filter(Boolean).join(' ');
  return words === '' ? 'an error without words' : words;
}
