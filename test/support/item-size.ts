import type { Value } from '#lib/store/store.ts';

/** The size of an item as DynamoDB counts it: names, values, and a little for each container. */
export function sizeOf(value: Value | undefined): number {
  if (value === undefined) return 0;
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value === 'number') return Math.ceil(String(value).replace(/\D/g, '').length / 2) + 1;
  if (value === null || typeof value === 'boolean') return 1;
  if (value instanceof Uint8Array) return value.length;
  const isItem = !Array.isArray(value) && 'pk' in value;
  const entries = Object.entries(value);
  const names = Array.isArray(value) ? 0 : entries.reduce((sum, [name]) => sum + Buffer.byteLength(name), 0);
  const content = entries.reduce((sum, [, child]) => sum + sizeOf(child) + (isItem ? 0 : 1), 0);
  return names + content + (isItem ? 0 : 3);
}
