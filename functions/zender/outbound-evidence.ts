import * as v from 'valibot';
import { type Attempted, bodyOf, type Candidate, type OutboundTools } from '#lib/app/sending/outbound.ts';
import { normaliseJid } from '#lib/domain/jid.ts';
import { toPhone } from '#lib/domain/phone.ts';
import { toInstant } from '#lib/domain/time.ts';
import { type Copy, listUrl } from './outbound-copy.ts';
import { addressOf } from './outbound-request.ts';
import { withoutSpintax } from './outbound-spintax.ts';

const Text = v.fallback(v.optional(v.string()), undefined);
const Row = v.looseObject({
  id: v.pipe(v.union([v.string(), v.number()]), v.transform(String)),
  status: Text,
  recipient: Text,
  phone: Text,
  message: Text,
  attachment: v.fallback(v.optional(v.union([v.string(), v.boolean()])), undefined),
  created: v.fallback(v.optional(v.union([v.string(), v.number()])), undefined),
});
type Row = v.InferOutput<typeof Row>;
const Rows = v.looseObject({ data: v.fallback(v.array(v.fallback(v.nullable(Row), null)), []) });

const ROWS = '100';
/** Clocks differ, and their seconds are rounded down. */
const SKEW_MS = 5_000;

/** What may be this attempt: sent, or still waiting. An empty list is answered with `status` 404. */
export async function findSent(
  copy: Copy,
  { http }: OutboundTools,
  attempted: Attempted,
  deadline: number,
): Promise<readonly Candidate[]> {
  if (attempted.providerId !== undefined) return rowOf(copy, http, attempted.providerId, deadline);
  const to = addressOf(copy, attempted.recipient);
  const kind = copy.mode === undefined ? 'wa' : 'sms';
  const rows: Row[] = [];
  for (const list of [`get/${kind}.pending`, `get/${kind}.sent`]) {
    const url = listUrl(copy, list, { limit: ROWS, page: '1' });
    const reply = await http.call({ method: 'GET', url }, deadline);
    const body = reply.kind === 'answered' && reply.status === 200 ? bodyOf(Rows, reply) : undefined;
    // A second message that fits may stand in the list that is not there.
    if (!body) return [];
    rows.push(...body.data.filter((row) => row !== null));
  }
  // A row may move from the one list to the other between the two looks; the later look counts.
  const found = new Map(rows.filter((row) => fits(row, to, attempted)).map((row) => [row.id, row]));
  const isNameless = attempted.content.kind === 'file';
  return [...found.values()].map((row) => ({ ...candidate(row), ...(isNameless && { isNameless }) }));
}

const candidate = ({ id, status }: Row): Candidate => ({
  providerId: id,
  ...(status === 'failed' && { failed: 'Zender says that it failed' }),
});

const Found = v.looseObject({ data: Row });

/** By its id, whatever they have made of its words. */
async function rowOf(copy: Copy, http: OutboundTools['http'], id: string, deadline: number): Promise<Candidate[]> {
  const url = listUrl(copy, `get/${copy.mode === undefined ? 'wa' : 'sms'}.message`, { type: 'sent', id });
  const reply = await http.call({ method: 'GET', url }, deadline);
  const row = reply.kind === 'answered' && reply.status === 200 ? bodyOf(Found, reply)?.data : undefined;
  return row?.id === id ? [candidate(row)] : [];
}

function fits(row: Row, to: string | undefined, { content, since }: Attempted): boolean {
  const address = row.recipient ?? row.phone;
  if (to === undefined || address === undefined || (toPhone(address) ?? normaliseJid(address)) !== to) return false;
  const created = toInstant(row.created);
  if (created === undefined || created < since - SKEW_MS) return false;
  const words = withoutBreaks(row.message ?? '');
  if (content.kind === 'text') return words === withoutBreaks(withoutSpintax(content.text));
  return words === '' && typeof row.attachment === 'string' && row.attachment !== '';
}

/** Whatever their copy does to line breaks and to blanks at the ends. */
const withoutBreaks = (text: string) => text.replace(/\r\n?/g, '\n').trim();
