import * as v from 'valibot';
import type { SendOutcome } from '#lib/domain/send/outcome.ts';
import { recipientOf, whatsappChatOf } from '#lib/domain/send/recipient.ts';
import { toIso } from '#lib/domain/time.ts';
import {
  type OpenAccount,
  type OutboundAccount,
  type OutboundProvider,
  type OutboundTools,
  type Outgoing,
  withCredentials,
} from '#lib/sender/provider.ts';

/** Numbers that nobody can have, and what sending to each of them comes to. */
const MAGIC = {
  '15550100404': 'not on whatsapp',
  '15550100410': 'fails later',
  '15550100429': 'throttled',
  '15550100401': 'logged out',
  '15550100408': 'timeout',
  '15550100500': 'server error',
  '15550100800': 'slow',
} as const;
type Magic = (typeof MAGIC)[keyof typeof MAGIC];

const byNumber: ReadonlyMap<string, Magic> = new Map(Object.entries(MAGIC));

/** As a number, a JID or a chat's id alike. */
export function magicOf(recipient: Outgoing['recipient']): Magic | undefined {
  const known = recipientOf(recipient);
  return byNumber.get((known && whatsappChatOf(known))?.replace(/@c\.us$/, '') ?? '');
}

/** Calls nobody: it takes every message, and reports on it like a provider that is somewhere else. */
export const sandboxOutbound: OutboundProvider = {
  name: 'sandbox',
  longestText: (channel) => (channel === 'sms' ? 1_530 : 20_000),
  recipients: () => ['phone', 'jid', 'chat_id', 'chat_name'],
  takesFiles: (channel) => channel === 'whatsapp',
  canQuote: () => true,
  chatOf: (phone) => phone,
  isPretended: true,
  open: withCredentials(v.looseObject({}), (account, _credentials, tools) => openAccount(account, tools)),
};

function openAccount(account: OutboundAccount, tools: OutboundTools): OpenAccount {
  return {
    send: (message, deadline) => send(account, tools, message, deadline),
    probe: async () => ({ kind: 'ok', state: 'pretended' }),
    find: async ({ messageId, part, recipient }) =>
      magicOf(recipient) === 'timeout' ? [{ providerId: providerIdOf({ messageId, part }) }] : [],
  };
}

async function send(
  account: OutboundAccount,
  tools: OutboundTools,
  message: Outgoing,
  deadline: number,
): Promise<SendOutcome> {
  if (recipientOf(message.recipient) === undefined) return { kind: 'rejected', reason: 'the recipient is not one' };
  if (account.channel === 'sms' && message.content.kind === 'file')
    return { kind: 'rejected', reason: 'an SMS carries no file' };
  const magic = magicOf(message.recipient);
  const refusal = refusalOf(magic, message.attempt);
  if (refusal) return refusal;
  const { clock } = tools;
  const slow = magic === 'slow' ? SLOW_MS : 0;
  if (clock.monotonic() + slow > deadline) return { kind: 'unknown', reason: 'no answer in time' };
  if (slow > 0) await clock.sleep(slow);
  const posted = await report(account, tools, message, magic === 'fails later' ? FAILURE : SUCCESS);
  if (!posted) return { kind: 'retry', reason: 'the queue for its own reports did not take them' };
  if (magic !== 'timeout') return { kind: 'accepted', providerId: providerIdOf(message) };
  await clock.sleep(Math.max(0, deadline - clock.monotonic()));
  return { kind: 'unknown', reason: 'no answer in time' };
}

const SLOW_MS = 8_000;
const RETRY_AFTER_MS = 3_000;

/** What passes in the real world passes here as well: the second attempt meets a provider that is well again. */
function refusalOf(magic: Magic | undefined, attempt: number): SendOutcome | undefined {
  switch (magic) {
    case 'not on whatsapp':
      return { kind: 'rejected', reason: 'http 404: the number is not on WhatsApp' };
    case 'throttled':
      return attempt === 1 ? { kind: 'retry', reason: 'http 429', retryAfterMs: RETRY_AFTER_MS } : undefined;
    case 'logged out':
      return attempt === 1 ? { kind: 'hold', reason: 'http 401: the account is logged out' } : undefined;
    case 'server error':
      return { kind: 'unknown', reason: 'http 500' };
    default:
      return undefined;
  }
}

interface Report {
  readonly status: 'sent' | 'delivered' | 'read' | 'failed';
  readonly afterSeconds: number;
  readonly detail?: string;
}
const SUCCESS: readonly Report[] = [
  { status: 'sent', afterSeconds: 1 },
  { status: 'delivered', afterSeconds: 2 },
  { status: 'read', afterSeconds: 3 },
];
const FAILURE: readonly Report[] = [
  { status: 'sent', afterSeconds: 1 },
  { status: 'failed', afterSeconds: 2, detail: 'the phone could not be reached' },
];

async function report(
  account: OutboundAccount,
  { selfPost, clock }: OutboundTools,
  message: Outgoing,
  reports: readonly Report[],
): Promise<boolean> {
  for (const { status, afterSeconds, detail } of reports) {
    const at = toIso(clock.now() + afterSeconds * 1000);
    const body = { event: 'status', id: providerIdOf(message), status, via: 'api', at, ...(detail && { detail }) };
    if (!(await selfPost.post(account, body, afterSeconds))) return false;
  }
  return true;
}

/** Always the same for the same part, so that what was sent in vain is found again. */
function providerIdOf({ messageId, part }: Pick<Outgoing, 'messageId' | 'part'>): string {
  return `sandbox-${messageId.split(':').pop()}-${part}`;
}
