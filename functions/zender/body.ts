import { isRecord } from '#lib/domain/json.ts';
import { known } from '#lib/domain/schema.ts';
import { decodeWords, toText } from '#lib/inbox/body.ts';
import { spelledOut, type Wrapped } from '#lib/inbox/relayed.ts';

/** What relays make of a delivery of Zender's. */
export const wrapped: Wrapped = { unfolded, isDelivery };

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

function isDelivery(body: unknown, isWithin: boolean): boolean | 'maybe' {
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

/** The body with its `data` as an object, where PHP or a relay has written `data_phone` or left `data` out. */
function unfolded(body: unknown): unknown {
  if (!isOfZender(body)) return body;
  const flat = Object.entries(body).flatMap(([key, value]) => {
    const name = /^data_(?=[a-z])(\w+)$/.exec(key)?.[1];
    return name === undefined ? [] : [[name, value] as const];
  });
  if (flat.length > 0) return { ...body, data: { ...Object.fromEntries(flat), ...(isRecord(body.data) && body.data) } };
  const data = body.data ?? spreadIn(body);
  return data === undefined ? body : { ...body, data };
}

/** What stands beside the type, where a relay has left `data` out. */
function spreadIn({ type: _type, secret: _secret, ...data }: Record<string, unknown>): object | undefined {
  return (data.phone ?? data.device) === undefined ? undefined : data;
}

/** Each thing that a delivery says: several of one type may share an envelope. */
export function partsOf(delivery: unknown): readonly unknown[] {
  if (!isRecord(delivery) || delivery.data === undefined) return [delivery];
  const data = spelledOut(delivery.data);
  const each = Array.isArray(data) && data.length > 0 ? data : [data];
  return each.map((one: unknown) => ({ ...delivery, data: isRecord(one) ? named(decodedTwice(one)) : one }));
}

/** What the lists of received messages, which some relays fetch, call otherwise. Sent ones have a status. */
function named(data: Record<string, unknown>): Record<string, unknown> {
  if (data.recipient === undefined || data.status !== undefined || data.api !== undefined) return data;
  const { recipient: phone, account: wid, created: timestamp } = data;
  return { ...known({ phone, wid, timestamp }), ...data };
}

/** A form that somebody has encoded twice shows it by its numbers. */
function decodedTwice(data: Record<string, unknown>): Record<string, unknown> {
  const isTwice = [data.phone, data.wid].some((number) => typeof number === 'string' && /^%2B\d/i.test(number));
  if (!isTwice) return data;
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [
      name,
      typeof value === 'string' ? decodeWords(toText(Buffer.from(value))) : value,
    ]),
  );
}
