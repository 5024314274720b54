import { sendState } from '#lib/domain/sending/part.ts';
import { type Accepted, type AcceptPorts, accept, type NewPart } from './accept.ts';
import { findSend } from './cancel.ts';
import type { SendingConfig } from './config.ts';
import type { Part } from './items.ts';
import { withRetries } from './with-retries.ts';

export type Resent =
  | Accepted
  | { readonly kind: 'not found' }
  | { readonly kind: 'not unknown' }
  /** The provider has it, under an id: it went out, or still will. */
  | { readonly kind: 'named' }
  | { readonly kind: 'resent already'; readonly messageId: string };

/**
 * An operator's decision, since the recipient may get it twice: a new send, charged anew and linked to the old one, of
 * those parts whose fate is not known. The old one's credit comes back by its own evidence or limit.
 */
export async function resend(
  given: AcceptPorts,
  workspace: string,
  messageId: string,
  config: SendingConfig,
): Promise<Resent> {
  const send = await findSend(withRetries(given, config).store, workspace, messageId);
  if (!send || send.erased) return { kind: 'not found' };
  if (send.resentAs !== undefined) return { kind: 'resent already', messageId: send.resentAs };
  const state = sendState(send.parts);
  const unsure = send.parts.filter((part) => part.state === 'unknown' || part.state === 'expired');
  if ((state !== 'unknown' && state !== 'expired') || unsure.length === 0) return { kind: 'not unknown' };
  const [first, second] = unsure.filter(({ providerId }) => providerId === undefined).map(again);
  if (!first) return { kind: 'named' };
  const { accountId: account, recipient, webhook } = send;
  const parts = second ? ([first, second] as const) : ([first] as const);
  const origin = webhook === undefined ? {} : { webhook };
  return accept({ workspace, ...origin, account, recipient, parts, resendOf: send }, given, config);
}

function again({ kind, text, url, name }: Part): NewPart {
  return kind === 'text' ? { kind, text: text ?? '' } : { kind, url: url ?? '', name: name ?? '' };
}
