import * as v from 'valibot';
import type { Chat, OwnAccount, Payload, Person } from '#lib/domain/event.ts';
import type { Identity } from '#lib/domain/identity.ts';
import { isRecord } from '#lib/domain/json.ts';
import { chatKindOfJid, normaliseJid, phoneOfJid } from '#lib/domain/person.ts';
import { known } from '#lib/domain/schema.ts';
import type { Draft } from '#lib/inbox/provider.ts';
import { InstanceId, instant, text, toText } from './values.ts';

/** What all events have. */
export const envelope = {
  instanceData: v.looseObject({
    idInstance: InstanceId,
    wid: text,
    // Sister products for other messengers post the same envelope.
    typeInstance: v.optional(
      v.pipe(
        v.unknown(),
        v.transform((raw) => toText(raw)?.trim().toLowerCase()),
        v.optional(v.literal('whatsapp')),
      ),
    ),
  }),
  timestamp: instant,
};
const Envelope = v.looseObject(envelope);
export type Envelope = v.InferOutput<typeof Envelope>;

/** An event comes bare; fetched from GREEN-API's queue by somebody else it is wrapped, `{receiptId, body}`. */
export function eventIn(body: unknown): { readonly event: unknown; readonly path: string } {
  const isWrapped = isRecord(body) && 'receiptId' in body && isRecord(body.body) && !('typeWebhook' in body);
  return isWrapped ? { event: body.body, path: 'body' } : { event: body, path: '' };
}

/** An event of its instance at its time; `identity` tells it from the others of its type. */
export function toDraft(event: Envelope, type: string, payload: Payload, identity: Omit<Identity, 'type'> = {}): Draft {
  const instance = event.instanceData.idInstance;
  return known({ identity: { instance, type, ...identity }, payload, occurredAt: event.timestamp });
}

export function personOf(jid: string | undefined, names: { name?: string; contactName?: string } = {}): Person {
  return known({ id: jid === undefined ? undefined : normaliseJid(jid), phone: phoneOfJid(jid), ...names });
}

export function chatOf(jid: string, title?: string): Chat {
  return known({ id: normaliseJid(jid), kind: chatKindOfJid(jid), title });
}

/** `wid` is empty while the instance is not authorised. */
export function accountOf({ instanceData }: Envelope): OwnAccount {
  return known({ instance: instanceData.idInstance, phone: phoneOfJid(instanceData.wid) });
}
