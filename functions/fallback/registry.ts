import type { ReceivingProvider } from '#lib/app/receiving/provider.ts';

/** Every provider whose deliveries may come through the fallback queue; its reader is loaded with the first of them. */
export const readers: ReadonlyMap<string, () => Promise<ReceivingProvider>> = new Map([
  ['cooby', async () => (await import('../cooby/provider.ts')).cooby],
  ['green-api', async () => (await import('../green-api/provider.ts')).greenApi],
  ['sandbox', async () => (await import('../sandbox/provider.ts')).sandbox],
  ['timelinesai', async () => (await import('../timelinesai/provider.ts')).timelinesAi],
  ['zender', async () => (await import('../zender/provider.ts')).zender],
]);
