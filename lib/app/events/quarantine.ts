import * as v from 'valibot';
import { Instant, Whole } from '#lib/domain/schema.ts';
import { queryAll } from '../query-all.ts';
import { itemReader } from '../read-item.ts';
import { quarantineCounters } from '../receiving/settle.ts';
import type { Store } from '../store.ts';

/** How often a type of event was not understood. */
export const QuarantinedType = v.object({
  provider: v.string(),
  type: v.pipe(v.string(), v.description("The provider's name of the event; `unreadable` where none can be found")),
  seen: Whole,
  replayed: v.optional(v.pipe(Whole, v.description('Understood since')), 0),
  firstAt: Instant,
});
export type QuarantinedType = v.InferOutput<typeof QuarantinedType>;
const readQuarantinedType = itemReader(QuarantinedType);

/** What was ever put into quarantine, by type, the most frequent first. */
export async function countQuarantined(store: Store, workspace: string): Promise<readonly QuarantinedType[]> {
  const items = await queryAll(store, { pk: quarantineCounters(workspace), limit: 1000 });
  return items.map(readQuarantinedType).sort((a, b) => b.seen - a.seen);
}
