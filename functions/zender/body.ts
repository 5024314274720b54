import { isRecord } from '#lib/domain/json.ts';

/** Relays and queues wrap what they got in events of their own, with a type and data as well. */
export function isOfZender(body: unknown): body is { readonly type: string; readonly [field: string]: unknown } {
  return (
    isRecord(body) && typeof body.type === 'string' && /^\s*(?:sms|whatsapp|ussd|notifications?)\s*$/i.test(body.type)
  );
}

/** As the first versions posted it: no type, and the fields beside the secret. */
export function isFlat(body: unknown): boolean {
  return isRecord(body) && body.type === undefined && body.data === undefined && body.phone !== undefined;
}

/** Whether it is a delivery, or may be one where there is none within it. */
export function isDelivery(body: unknown, isWithin: boolean): boolean | 'maybe' {
  const isOurs = isOfZender(body) || isFlat(body);
  if (!isWithin) return isOurs;
  return isWhole(body) && (isOurs || 'maybe');
}

/** Within something else only what has all of a delivery is one: many things have a type, or a phone. */
function isWhole(body: unknown): boolean {
  if (!isRecord(body)) return false;
  if (typeof body.type === 'string') return isRecord(body.data) || (isOfZender(body) && body.data !== undefined);
  return isFlat(body) && body.message !== undefined && body.receive_date !== undefined;
}
