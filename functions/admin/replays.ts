import { replayEvent } from '#lib/app/events/replay.ts';
import { replayEvents, replayQuarantined, type Selection } from '#lib/app/events/replay-many.ts';
import { sendReports } from '#lib/app/sends/reports.ts';
import type { AdminPorts } from './ports.ts';

/** Reads events again, with the readers of this release; what a report is still good for, sends learn. */
export function replaysOf({ providers, ...base }: AdminPorts, workspace: string) {
  const readers = new Map(providers.map(({ account, receiving }) => [account.name, receiving]));
  const ports = { ...base, readers, sends: sendReports(base, base.config) };
  return {
    event: (id: string) => replayEvent(ports, workspace, id),
    events: (ids: readonly string[]) => replayEvents(ports, workspace, ids),
    quarantined: (selection: Selection) => replayQuarantined(ports, workspace, selection),
  };
}
