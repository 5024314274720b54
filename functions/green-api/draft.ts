import type { Draft } from '#lib/app/receiving/provider.ts';
import type { Payload } from '#lib/domain/event.ts';
import type { Identity } from '#lib/domain/identity.ts';
import { known } from '#lib/domain/known.ts';
import type { Envelope } from './schema.ts';

/** An event of its instance at its time; `identity` tells it from the others of its type. */
export function toDraft(event: Envelope, type: string, payload: Payload, identity: Omit<Identity, 'type'> = {}): Draft {
  const instance = event.instanceData.idInstance;
  return known({ identity: { instance, type, ...identity }, payload, occurredAt: event.timestamp });
}
