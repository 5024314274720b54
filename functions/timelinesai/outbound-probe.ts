import * as v from 'valibot';
import { bodyOf, type OutboundAccount, type OutboundTools } from '#lib/app/sending/outbound.ts';
import type { ProbeResult } from '#lib/app/sending/ports.ts';
import { isRecord } from '#lib/domain/json.ts';
import { toPhone } from '#lib/domain/phone.ts';
import { apiUrl, authorization, type Workspace } from './outbound-workspace.ts';

const ProbeText = v.fallback(v.optional(v.string()), undefined);
const Line = v.looseObject({ phone: ProbeText, status: ProbeText });
const Numbers = v.looseObject({ status: v.literal('ok'), data: v.unknown() });

const CONNECTED = /^(?:active|connected|online)$/i;

/** Whether the number, or any where it is not known which, is connected. */
export async function probe(
  { phone }: OutboundAccount,
  workspace: Workspace,
  { http }: OutboundTools,
  deadline: number,
): Promise<ProbeResult> {
  const url = apiUrl(workspace, 'whatsapp_accounts');
  const reply = await http.call({ method: 'GET', url, headers: authorization(workspace) }, deadline);
  if (reply.kind === 'broken') return { kind: 'unknown' };
  if (reply.status === 401) return { kind: 'held', reason: 'http 401' };
  const body = reply.status === 200 ? bodyOf(Numbers, reply) : undefined;
  const numbers = body && numbersIn(body.data);
  if (!numbers) return { kind: 'unknown', answers: reply.status < 500 };
  const ours = phone === undefined ? numbers : numbers.filter((number) => toPhone(number.phone) === phone);
  if (ours.some(({ status }) => CONNECTED.test(status ?? ''))) return { kind: 'ok' };
  return {
    kind: 'held',
    reason: ours.length === 0 ? 'the number is not in the workspace' : 'the number is not connected',
  };
}

/** The list itself, or under whatever name it has. */
function numbersIn(data: unknown): readonly v.InferOutput<typeof Line>[] | undefined {
  const list = Array.isArray(data) ? data : isRecord(data) && Object.values(data).find(Array.isArray);
  return list ? v.parse(v.fallback(v.array(Line), []), list) : undefined;
}
