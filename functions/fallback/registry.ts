import type { ReceivingProvider } from '#lib/app/receiving/provider.ts';
import { cooby } from '../cooby/provider.ts';
import { greenApi } from '../green-api/provider.ts';
import { sandbox } from '../sandbox/provider.ts';
import { timelinesAi } from '../timelinesai/provider.ts';
import { zender } from '../zender/provider.ts';

/** Every provider whose deliveries may come through the fallback queue, by name. */
export const readers: ReadonlyMap<string, ReceivingProvider> = new Map(
  [cooby, greenApi, sandbox, timelinesAi, zender].map((provider) => [provider.name, provider]),
);
