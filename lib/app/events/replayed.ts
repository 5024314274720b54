import * as v from 'valibot';
import { Issue } from '#lib/domain/issue.ts';
import { optional } from '#lib/domain/schema.ts';

/** What became of an event that was read again. */
export const Replayed = v.object({
  id: v.string(),
  result: v.pipe(
    v.picklist(['replayed', 'updated', 'unchanged', 'quarantined', 'unreadable', 'changed', 'not_found']),
    v.description(
      '`replayed`: understood at last, and out of quarantine. `updated`: read differently than before, in place. ' +
        '`quarantined`: still not understood. `unreadable`: not understood any more, and left as it was. ' +
        '`changed`: somebody else changed it in the same moment; replay it again.',
    ),
  ),
  events: optional(v.array(v.string()), 'What a quarantined event has become'),
  issues: optional(v.array(Issue), 'Why it is not understood'),
});
export type Replayed = v.InferOutput<typeof Replayed>;
