import * as v from 'valibot';
import type { Channel } from '#lib/app/accounts/provider.ts';
import {
  type Answer,
  answered,
  bodyOf,
  type OpenAccount,
  type OutboundProvider,
  type OutboundTools,
  textOf,
  withCredentials,
} from '#lib/app/sending/outbound.ts';
import type { Outgoing } from '#lib/app/sending/ports.ts';
import { type Meaning, meaningOf } from '#lib/domain/sending/answer.ts';
import { outcomeOfBreakdown, type SendOutcome, withId } from '#lib/domain/sending/outcome.ts';
import { type Copy, lineOf, SmsCopy, WhatsappCopy } from './outbound-copy.ts';
import { findSent } from './outbound-evidence.ts';
import { probe } from './outbound-probe.ts';
import { requestFor } from './outbound-request.ts';
import { withoutSpintax } from './outbound-spintax.ts';

/** The one place that says what an answer of a Zender without a message id means: by the status in the body. */
const ANSWERS: readonly Meaning[] = [
  { status: 400, is: 'rejected' },
  // API key; permission, package, quota or credit; account, device or gateway.
  { status: 401, is: 'hold' },
  { status: 403, is: 'hold' },
  { status: 404, is: 'hold' },
  { status: 500, says: /disconnected|not connected/i, is: 'hold' },
  // The row may have been made before it failed.
  { status: 500, is: 'unknown' },
];

/** Credentials of the one channel open no account of the other. */
const openBy: Readonly<Record<Channel, OutboundProvider['open']>> = {
  sms: withCredentials(SmsCopy, (_account, copy, tools) => openCopy(copy, tools)),
  whatsapp: withCredentials(WhatsappCopy, (_account, copy, tools) => openCopy(copy, tools)),
};

export const zenderOutbound: OutboundProvider = {
  name: 'zender',
  // They state no limit; these are WhatsApp's own, and that of ten parts of a long SMS.
  longestText: (channel) => (channel === 'sms' ? 1_530 : 65_536),
  recipients: (channel) => (channel === 'sms' ? ['phone', 'chat_id'] : ['phone', 'jid', 'chat_id']),
  takesFiles: (channel) => channel === 'whatsapp',
  chatOf: (phone) => phone,
  lineOf,
  open: (account, credentials, tools) => openBy[account.channel](account, credentials, tools),
};

function openCopy(copy: Copy, tools: OutboundTools): OpenAccount {
  return {
    send: (message, deadline) => send(copy, tools, message, deadline),
    probe: (deadline) => probe(copy, tools, deadline),
    find: (attempted, deadline) => findSent(copy, tools, attempted, deadline),
  };
}

const Id = v.pipe(v.union([v.pipe(v.string(), v.nonEmpty()), v.number()]), v.transform(String));
const Envelope = v.looseObject({
  status: v.union([v.pipe(v.number(), v.integer()), v.literal('success')]),
  message: v.fallback(v.optional(v.string()), undefined),
  data: v.fallback(
    v.optional(
      v.looseObject({ messageId: v.fallback(v.optional(Id), undefined), id: v.fallback(v.optional(Id), undefined) }),
    ),
    undefined,
  ),
});

async function send(copy: Copy, tools: OutboundTools, message: Outgoing, deadline: number): Promise<SendOutcome> {
  const request = requestFor(copy, message);
  if (!('url' in request)) return { kind: 'rejected', reason: request.refused };
  const reply = await tools.http.call(request, deadline);
  return reply.kind === 'broken' ? outcomeOfBreakdown(reply.breakdown) : judge(copy, tools, reply, textOf(message));
}

/** Errors come with HTTP 200 and the true code in the body; what stands before the script may answer by HTTP alone. */
function judge(copy: Copy, { clock }: OutboundTools, reply: Answer, text = ''): SendOutcome {
  const body = bodyOf(Envelope, reply);
  const inBody = body?.status === 'success' ? 200 : body?.status;
  const status = reply.status === 200 ? (inBody ?? 200) : reply.status;
  const id = body?.data?.messageId ?? body?.data?.id;
  if (status === 200 && id !== undefined) return { kind: 'accepted', providerId: id };
  // The row was made before it failed: it may wait and go out later, also where the account is disconnected now.
  if (status === 500 && id !== undefined)
    return { kind: 'unknown', reason: 'http 500, although the message has an id', providerId: id };
  const said = { ...answered(reply, body?.message, clock.now()), status };
  return withId(meaningOf(ANSWERS, said, [copy.secret], withoutSpintax(text)), id);
}
