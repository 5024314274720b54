import type { Event } from '#lib/domain/event.ts';
import { sha256 } from '#lib/domain/ids.ts';
import type { Clock, Random } from '../ports.ts';
import { dropUnused } from '../receiving/chunks.ts';
import { type EventRecord, eventItems, recordOf } from '../receiving/event-item.ts';
import { storeReading } from '../receiving/keep.ts';
import type { Reading, ReceivingProvider } from '../receiving/provider.ts';
import { OUR_FAULT, readWhole } from '../receiving/read-body.ts';
import type { Receipt } from '../receiving/records.ts';
import { quarantineCounter, type SettlePorts } from '../receiving/settle.ts';
import type { Stored } from '../receiving/store-event.ts';
import { add, all, equal, exists, put, StoreUnavailable, update } from '../store.ts';
import { newTransaction } from '../transaction.ts';
import type { Replayed } from './replayed.ts';
import { reread } from './reread.ts';
import { liveHead } from './shown.ts';

export interface ReplayPorts extends SettlePorts {
  readonly clock: Clock;
  readonly random: Random;
  /** By provider. */
  readonly readers: ReadonlyMap<string, ReceivingProvider>;
}

/** Reads an event's raw body again, with the readers of this release. Safe to repeat, and safe to break off anywhere. */
export async function replayEvent(ports: ReplayPorts, workspace: string, id: string): Promise<Replayed> {
  const head = await liveHead(ports.store, workspace, id, Math.floor(ports.clock.now() / 1000));
  if (!head) return { id, result: 'not_found' };
  const record = await recordOf(ports.store, head);
  const reading = readAgain(ports, record);
  const { event } = record;
  // What we sent came in through no provider's webhook: there is nothing to read again.
  if (event.kind === 'message' && event.sendId !== undefined) return { id, result: 'unchanged' };
  if (event.kind !== 'unknown') return reread(ports, head, record, reading, receiptOf(ports, record));
  if (!event.quarantined) return { id, result: 'unchanged', ...(event.replayedAs && { events: event.replayedAs }) };
  if ('issues' in reading) return { id, result: 'quarantined', issues: [...reading.issues] };
  try {
    return await release(ports, record, event, reading);
  } catch (cause) {
    if (cause instanceof StoreUnavailable) throw cause;
    // One event that cannot be stored as read must not keep all others in quarantine.
    ports.log.error('a quarantined event could not be stored as read', cause, { correlationId: id });
    return { id, result: 'quarantined', issues: [OUR_FAULT] };
  }
}

function readAgain({ readers, log }: ReplayPorts, { event, raw, contentType }: EventRecord): Reading {
  const provider = readers.get(event.provider);
  if (!provider) return { issues: [{ path: '', message: 'this hub does not have its provider any more' }] };
  return readWhole(provider, provider.parse(raw, contentType), raw, log);
}

/** The delivery as it was when it came, for what derives from it must come out the same; the mark alone is of now. */
function receiptOf({ random }: ReplayPorts, { event, raw, contentType, expiresAt }: EventRecord): Receipt {
  const receivedAt = Date.parse(event.receivedAt);
  const { webhookId, workspace, accountId } = event;
  const webhook = {
    webhookId,
    workspace,
    ...(accountId !== undefined && { accountId }),
    ...(expiresAt !== undefined && { retentionDays: Math.round((expiresAt - receivedAt / 1000) / 86_400) }),
  };
  const receipt = Buffer.from(random.bytes(9)).toString('base64url');
  return { webhook, provider: event.provider, contentType, raw, bodyHash: sha256(raw), receivedAt, receipt };
}

/**
 * Stores what a quarantined event turned out to be, and only then takes it out of quarantine: after a crash in between
 * the next replay finds the events stored, under the ids that follow from what they are.
 */
async function release(
  ports: ReplayPorts,
  record: EventRecord,
  event: Extract<Event, { kind: 'unknown' }>,
  reading: Reading,
): Promise<Replayed> {
  const { store, clock, random } = ports;
  const stored: Stored[] = [];
  await storeReading(reading, receiptOf(ports, record), ports, stored, clock.now());
  const events = [...new Set(stored.map(({ id }) => id))];
  const released = { ...record, event: { ...event, quarantined: false, replayedAs: events } };
  const { head, chunks } = eventItems(released);
  if (chunks.length > 0) await store.writeMany(chunks);
  const writes = [
    put(head, all(exists(), equal('quarantined', true))),
    update(quarantineCounter(event.workspace, event.provider, event.type), [add('replayed', 1)]),
  ];
  // Refused: somebody else replayed it in the same moment, with the same events.
  const transacted = await store.transact(writes, newTransaction(random));
  if (!transacted.done) await dropUnused(store, head, transacted.refused[0]?.item);
  return { id: event.id, result: 'replayed', events };
}
