import { AGAIN, type Chunk, chunkOf, envelopeOf, queueHandler } from '#lib/aws/queues.ts';
import { runtime, sendingPorts } from '#lib/aws/runtime.ts';
import { correlated } from '#lib/aws/telemetry.ts';
import { collectChunks, forgetChunks, storeEnvelope } from '#lib/inbox/fallback.ts';
import { sendReports } from '#lib/sender/reports.ts';
import { readers } from '../providers.ts';

const all = runtime();
const { store, clock, log, metrics, random } = all;
const { config, ...ports } = sendingPorts(all);
const sends = sendReports(ports, config);

export const handler = queueHandler(async (record) => {
  const chunk = chunkOf(record.body);
  const { parcel, eventId } = chunk;
  return correlated({ parcel, ...(eventId !== undefined && { correlationId: eventId }) }, async () => {
    try {
      return await take(chunk);
    } catch (cause) {
      log.error('a delivery could not be stored; it will come again', cause);
      return AGAIN;
    }
  });
}, log);

async function take(chunk: Chunk): Promise<void> {
  const provider = readers.get(chunk.provider);
  if (!provider) throw new Error(`a delivery of a provider that this release does not know: ${chunk.provider}`);
  const data = await collectChunks(store, chunk, Math.floor(clock.now() / 1000));
  if (!data) return;
  await storeEnvelope(provider, { store, clock, log, metrics, random, sends }, envelopeOf(chunk, data.join('')));
  await forgetChunks(store, chunk.parcel, chunk.count);
}
