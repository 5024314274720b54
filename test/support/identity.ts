import { contentHash, eventId } from '#lib/domain/identity.ts';
import type { ReceivingProvider } from '#lib/inbox/provider.ts';
import { read } from './describe-reading.ts';

const origin = { workspace: 'main', provider: 'any', webhookId: 'wh_1' };

/** The id that the hub gives to the one event of a payload, and the hash by which its repeats are told. */
export function identified(provider: ReceivingProvider, payload: unknown, contentType?: string) {
  const reading = read(provider, { name: '', payload, ...(contentType && { contentType }) });
  if (!('drafts' in reading)) throw new Error(`quarantined: ${JSON.stringify(reading.issues)}`);
  const [draft] = reading.drafts;
  const hash = contentHash(draft.payload, draft.occurredAt);
  return { id: eventId(origin, draft.identity, hash), contentHash: hash };
}
