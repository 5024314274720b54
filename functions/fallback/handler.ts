import { type Chunk, chunkOf, parcelOf } from '#lib/adapters/aws/fallback-queue.ts';
import { correlated } from '#lib/adapters/correlation.ts';
import { AGAIN, queueHandler } from '#lib/adapters/queue-handler.ts';
import { runtime, sendingPorts } from '#lib/adapters/runtime.ts';
import { collectChunks, forgetChunks } from '#lib/app/receiving/collect-chunks.ts';
import { storeParcel } from '#lib/app/receiving/store-parcel.ts';
import { sendReports } from '#lib/app/sends/reports.ts';
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
  await storeParcel(provider, { store, clock, log, metrics, random, sends }, parcelOf(chunk, data.join('')));
  await forgetChunks(store, chunk.parcel, chunk.count);
}
