import { nextReconciliation } from '#lib/domain/sending/pace.ts';
import { all, type Change, equal, remove, type Store, set, update } from '../store.ts';
import { field } from './change-parts.ts';
import type { SendingConfig } from './config.ts';
import type { EndingPorts } from './ends.ts';
import { type Part, readSend, type Send } from './items.ts';
import { dueSortKey, sendKey } from './keys.ts';
import { settleLate } from './late.ts';
import type { Evidence, Finding } from './ports.ts';
import type { Ending } from './settle.ts';
import type { DueItem } from './watchdog.ts';

export interface ReconcilePorts extends EndingPorts {
  readonly evidence: Evidence;
}

/**
 * Looks for evidence of what may have been sent, at growing distances; at the limit the credit goes back. A part is
 * never sent again here, whatever is found: only an operator may decide that.
 */
export async function reconcile(ports: ReconcilePorts, item: DueItem, config: SendingConfig): Promise<void> {
  const found = await ports.store.get(item, { consistent: true });
  if (!found) return;
  const send = readSend(found);
  const now = ports.clock.now();
  const times: Change[] = [];
  for (const [index, part] of send.parts.entries()) {
    if (part.state !== 'unknown' || (part.reconcileAt ?? 0) > now) continue;
    const ending = endingOf(await ports.evidence.find(send, index), part, now, config);
    if (ending) await settleLate(ports, { send, index }, part.intentAt ?? 0, ending);
    else times.push(set(field(index, 'reconcileAt'), nextLook(part, now, config)));
  }
  await postpone(ports.store, send, times);
}

function endingOf(finding: Finding, part: Part, now: number, config: SendingConfig): Ending | undefined {
  if (finding.kind === 'accepted') return { kind: 'sent', providerId: finding.providerId, inferred: true };
  if (finding.kind === 'rejected') return { kind: 'failed', reason: finding.reason };
  const limit = (part.unknownAt ?? 0) + config.unknownLimitMs;
  return now >= limit ? { kind: 'expired', reason: 'no sign that it was sent' } : undefined;
}

function nextLook(part: Part, now: number, config: SendingConfig): number {
  const since = part.unknownAt ?? now;
  return since + nextReconciliation(now - since, config.unknownLimitMs);
}

/** Off the watchdog's list, or on to the next look. Refused if another part became unknown meanwhile: the next run sees it. */
async function postpone(store: Store, before: Send, times: readonly Change[]): Promise<void> {
  const item = await store.get(sendKey(before.messageId), { consistent: true });
  if (!item || before.gsi3sk === undefined) return;
  const { messageId, parts } = readSend(item);
  const moved = new Map(times.map((change) => [String(change.path), 'value' in change ? Number(change.value) : 0]));
  const next = parts.flatMap((part, index) =>
    part.state === 'unknown' ? [moved.get(String(field(index, 'reconcileAt'))) ?? part.reconcileAt ?? 0] : [],
  );
  const due =
    next.length === 0
      ? [remove('gsi3pk'), remove('gsi3sk')]
      : [set('gsi3sk', dueSortKey(Math.min(...next), messageId))];
  // The time alone does not tell: a part that has just become unknown may stand under the same one.
  const asRead = parts.map((part, index) => equal(field(index, 'state'), part.state));
  await store.write(update(sendKey(messageId), [...times, ...due], all(equal('gsi3sk', before.gsi3sk), ...asRead)));
}
