import type { Reading } from '#lib/app/receiving/provider.ts';
import { isRecord } from '#lib/domain/json.ts';

/** An event comes bare; fetched from GREEN-API's queue by somebody else it is wrapped, `{receiptId, body}`. */
export function eventIn(body: unknown): { readonly event: unknown; readonly path: string } {
  const isWrapped = isRecord(body) && 'receiptId' in body && isRecord(body.body) && !('typeWebhook' in body);
  return isWrapped ? { event: body.body, path: 'body.' } : { event: body, path: '' };
}

/** What is wrong, where it is in the whole body. */
export function withPath(path: string, reading: Reading): Reading {
  if (!('issues' in reading) || path === '') return reading;
  return { ...reading, issues: reading.issues.map((issue) => ({ ...issue, path: path + issue.path })) };
}
