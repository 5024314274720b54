import type { Outgoing } from '#lib/app/sending/ports.ts';
import { recipientOf, whatsappChatOf } from '#lib/domain/sending/recipient.ts';

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
export type Magic = (typeof MAGIC)[keyof typeof MAGIC];

const byNumber: ReadonlyMap<string, Magic> = new Map(Object.entries(MAGIC));

/** As a number, a JID or a chat's id alike. */
export function magicOf(recipient: Outgoing['recipient']): Magic | undefined {
  const known = recipientOf(recipient);
  return byNumber.get((known && whatsappChatOf(known))?.replace(/@c\.us$/, '') ?? '');
}
