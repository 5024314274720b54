import type { EndingPorts } from './ends.ts';
import { type Ending, idIn, settlePart } from './settle.ts';
import { readStatuses } from './statuses.ts';
import type { Head } from './turn.ts';

/** Settles an attempt late, and with an id, by all that was told of that before. False: there was nothing to settle. */
export async function settleLate(
  ports: EndingPorts,
  place: Parameters<typeof settlePart>[1],
  intentAt: number,
  ending: Ending,
  asRead?: Head,
): Promise<boolean> {
  const send = await settlePart(ports, place, intentAt, ending, asRead);
  const providerId = idIn(ending);
  if (send && providerId !== undefined) await readStatuses(ports, send, providerId);
  return send !== undefined;
}
