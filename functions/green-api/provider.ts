import * as v from 'valibot';
import { sha256 } from '#lib/domain/ids.ts';
import { isRecord } from '#lib/domain/json.ts';
import { known } from '#lib/domain/schema.ts';
import {
  type Delivery,
  type Proof,
  type Reading,
  type ReceivingProvider,
  readByName,
  reader,
} from '#lib/inbox/provider.ts';
import { at, readEach, relayed } from '#lib/inbox/relayed.ts';
import type { Provider } from '#lib/tenants/account.ts';
import { greenApiAccount } from './account.ts';
import { MessageEvent, toMessage } from './messages.ts';
import { quota, reports } from './reports.ts';
import { eventIn } from './schema.ts';
import { InstanceId } from './values.ts';

/** The token of the instance's settings, which the webhook may know, and the instance that the body is about. */
function proofOf(delivery: Delivery, body: unknown): Proof {
  const token = tokenIn(delivery.headers.authorization ?? '');
  const instances = new Set([body].flat().map(instanceIn));
  // Events of several instances in one body are nobody's.
  const instance = instances.size > 1 ? [...instances].join() : instanceIn([body].flat()[0]);
  return known({ secretHashes: token === undefined ? undefined : [sha256(token)], instance });
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

const message = reader(MessageEvent, toMessage);

const readEvent = readByName('typeWebhook', {
  incomingMessageReceived: message,
  outgoingMessageReceived: message,
  outgoingAPIMessageReceived: message,
  ...reports,
});

function read(body: unknown): Reading {
  const { event, path } = eventIn(body);
  // The quota event has been printed under another event's name; what it brings tells it.
  const isQuota = isRecord(event) && isRecord(event.quotaData);
  return at(path, isQuota ? quota(event, 'quotaExceeded') : readEvent(event));
}

/** Bare, or in the wrapper of the queue that the hub does not poll. */
const isEvent = (body: unknown): boolean =>
  isRecord(body) && (typeof body.typeWebhook === 'string' || 'receiptId' in body);

export const greenApi: ReceivingProvider = {
  name: 'green-api',
  parse: relayed(isEvent),
  proofOf,
  read: readEach(read),
};

export const provider: Provider = { account: greenApiAccount, receiving: greenApi };
