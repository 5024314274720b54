import * as v from 'valibot';
import { type Answer, bodyOf, type OutboundTools } from '#lib/app/sending/outbound.ts';
import type { ProbeResult } from '#lib/app/sending/ports.ts';
import { type Copy, listUrl } from './outbound-copy.ts';

const Word = v.fallback(
  v.optional(v.pipe(v.union([v.string(), v.number(), v.boolean()]), v.transform(String))),
  undefined,
);
const List = v.looseObject({
  status: v.number(),
  data: v.fallback(v.array(v.looseObject({ unique: Word, status: Word })), []),
});

const CONNECTED = /^(?:connected|active|online|1|true)$/i;
const DISCONNECTED = /disconnect|inactive|expired|offline|^(?:0|false)$/i;

/** Asks for the list in which the account's sender stands: WhatsApp accounts, phones, or the credits that pay. */
export async function probe(copy: Copy, { http }: OutboundTools, deadline: number): Promise<ProbeResult> {
  const reply = await http.call({ method: 'GET', url: urlOf(copy) }, deadline);
  return reply.kind === 'broken' ? { kind: 'unknown' } : probeResultOf(copy, reply);
}

function urlOf(copy: Copy): string {
  if (copy.mode === 'credits') return listUrl(copy, 'get/credits');
  return listUrl(copy, copy.mode === 'devices' ? 'get/devices' : 'get/wa.accounts', { limit: '250', page: '1' });
}

function probeResultOf(copy: Copy, reply: Answer): ProbeResult {
  const list = bodyOf(List, reply);
  const status = reply.status === 200 ? list?.status : reply.status;
  if (status === 401 || status === 403) return { kind: 'held', reason: `http ${status}` };
  const unclear = { kind: 'unknown', answers: reply.status < 500 && (status ?? 0) < 500 } as const;
  if (!list || (status !== 200 && status !== 404)) return unclear;
  if (copy.mode === 'credits') return status === 200 ? { kind: 'ok' } : unclear;
  const wanted = copy.mode === 'devices' ? copy.device : copy.account;
  const found = list.data.find(({ unique }) => unique === wanted);
  if (!found) return { kind: 'held', reason: 'the account or device is not there' };
  // A phone that is off takes its messages once it is back.
  if (copy.mode === 'devices' || CONNECTED.test(found.status ?? '')) return { kind: 'ok' };
  return DISCONNECTED.test(found.status ?? '') ? { kind: 'held', reason: 'the account is disconnected' } : unclear;
}
