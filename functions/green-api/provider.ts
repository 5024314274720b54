import { type Reading, type ReceivingProvider, readByName, reader } from '#lib/app/receiving/provider.ts';
import { isRecord, parseJson } from '#lib/domain/json.ts';
import { proofOf } from './authenticity.ts';
import { toCall } from './calls.ts';
import { toMessage } from './messages.ts';
import { toBlock, toDevice, toQuota, toSocketState, toState, toStatus } from './reports.ts';
import {
  BlockEvent,
  CallEvent,
  DeviceEvent,
  MessageEvent,
  QuotaEvent,
  SocketEvent,
  StateEvent,
  StatusEvent,
} from './schema.ts';
import { eventIn, withPath } from './wrapper.ts';

const message = reader(MessageEvent, toMessage);
const call = reader(CallEvent, toCall);
const quota = reader(QuotaEvent, toQuota);

const readEvent = readByName('typeWebhook', {
  incomingMessageReceived: message,
  outgoingMessageReceived: message,
  outgoingAPIMessageReceived: message,
  outgoingMessageStatus: reader(StatusEvent, toStatus),
  stateInstanceChanged: reader(StateEvent, toState),
  incomingCall: call,
  outgoingCall: call,
  quotaExceeded: quota,
  // No longer sent, but met in old queues and copies.
  statusInstanceChanged: reader(SocketEvent, toSocketState),
  deviceInfo: reader(DeviceEvent, toDevice),
  incomingBlock: reader(BlockEvent, toBlock),
});

function read(body: unknown): Reading {
  const { event, path } = eventIn(body);
  // The quota event has been printed under another event's name; what it brings tells it.
  const isQuota = isRecord(event) && isRecord(event.quotaData);
  return withPath(path, isQuota ? quota(event, 'quotaExceeded') : readEvent(event));
}

export const greenApi: ReceivingProvider = { name: 'green-api', parse: parseJson, proofOf, read };
