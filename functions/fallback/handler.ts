import { chunkOf, parcelOf } from '#lib/adapters/aws/fallback-queue.ts';
import { queueHandler } from '#lib/adapters/queue-handler.ts';
import { runtime } from '#lib/adapters/runtime.ts';
import { collectChunks, forgetChunks } from '#lib/app/receiving/collect-chunks.ts';
import { storeParcel } from '#lib/app/receiving/store-parcel.ts';
import { providers } from './registry.ts';

const { store, clock, log, metrics, random } = runtime();

export const handler = queueHandler(async (record) => {
  const chunk = chunkOf(record.body);
  const provider = providers.get(chunk.provider);
  if (!provider) throw new Error(`a delivery of a provider that this release does not know: ${chunk.provider}`);
  const data = await collectChunks(store, chunk, Math.floor(clock.now() / 1000));
  if (!data) return;
  await storeParcel(provider, { store, log, metrics, random }, parcelOf(chunk, data.join('')));
  await forgetChunks(store, chunk.parcel, chunk.count);
}, log);
