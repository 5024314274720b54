import * as v from 'valibot';
import type { Delivery, Expectation } from '#lib/app/receiving/provider.ts';
import { isRecord } from '#lib/domain/json.ts';
import { matchesHash } from '#lib/domain/secrets.ts';
import { InstanceId } from './values.ts';
import { eventIn } from './wrapper.ts';

/**
 * The token of the instance's settings, where the webhook knows it, and an instance that is not somebody else's. Where
 * the body names no instance there is nothing to refuse: it cannot be read, either, and is kept in quarantine.
 */
export function isGenuine(delivery: Delivery, expected: Expectation, body: unknown): boolean {
  if (expected.secretHash !== undefined && !isAuthorised(delivery.headers.authorization ?? '', expected.secretHash))
    return false;
  const instance = instanceIn(body);
  return expected.instance === undefined || instance === undefined || instance === expected.instance;
}

/** A token arrives as `Bearer <token>`, but one that was set as `Basic …` arrives as it was set, and in no other way. */
function isAuthorised(header: string, secretHash: string): boolean {
  if (header.startsWith('Basic ')) return matchesHash(header, secretHash);
  const token = /^Bearer (?!Basic )(.*)$/s.exec(header)?.[1];
  return token !== undefined && matchesHash(token, secretHash);
}

function instanceIn(body: unknown): string | undefined {
  const event = eventIn(body).event;
  if (!isRecord(event) || !isRecord(event.instanceData)) return undefined;
  const read = v.safeParse(InstanceId, event.instanceData.idInstance);
  return read.success ? read.output : undefined;
}
