import * as v from 'valibot';
import type { Delivery, Proof } from '#lib/app/receiving/provider.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { isRecord } from '#lib/domain/json.ts';
import { known } from '#lib/domain/known.ts';
import { InstanceId } from './values.ts';
import { eventIn } from './wrapper.ts';

/** The token of the instance's settings, which the webhook may know, and the instance that the body is about. */
export function proofOf(delivery: Delivery, body: unknown): Proof {
  const token = tokenIn(delivery.headers.authorization ?? '');
  return known({ secretHash: token === undefined ? undefined : sha256(token), instance: instanceIn(body) });
}

/** A token arrives as `Bearer <token>`, but one that was set as `Basic …` arrives as it was set, and in no other way. */
function tokenIn(header: string): string | undefined {
  return header.startsWith('Basic ') ? header : /^Bearer (?!Basic )(.*)$/s.exec(header)?.[1];
}

function instanceIn(body: unknown): string | undefined {
  const event = eventIn(body).event;
  if (!isRecord(event) || !isRecord(event.instanceData)) return undefined;
  const read = v.safeParse(InstanceId, event.instanceData.idInstance);
  return read.success ? read.output : undefined;
}
