import * as v from 'valibot';
import { itemReader } from '#lib/store/items.ts';
import { autoKey } from '#lib/store/keys.ts';
import { AGAIN, retryOnConflict } from '#lib/store/retry.ts';
import { add, equal, type Store, set, update } from '#lib/store/store.ts';

/** What a chat remembers of the answers that rules gave in it. */
const State = v.object({
  version: v.number(),
  answers: v.pipe(
    v.string(),
    v.parseJson(),
    v.array(v.object({ rule: v.string(), event: v.string(), at: v.number() })),
  ),
  mutedUntil: v.exactOptional(v.number()),
  mutedBy: v.exactOptional(v.string()),
});
export const readState = itemReader(State);

/** An event is erased of which the chat's state may speak: its id goes, and what was answered still counts. */
export async function forgetEvent(store: Store, chat: string, event: string): Promise<void> {
  return retryOnConflict(`the answers in ${chat}`, async () => {
    const item = await store.get(autoKey(chat), { consistent: true });
    const state = item && readState(item);
    if (!state || (state.mutedBy !== event && state.answers.every((answer) => answer.event !== event)))
      return undefined;
    const answers = state.answers.map((answer) => (answer.event === event ? { ...answer, event: FORGOTTEN } : answer));
    const changes = [
      ...[set('answers', JSON.stringify(answers)), add('version', 1)],
      ...(state.mutedBy === event ? [set('mutedBy', FORGOTTEN)] : []),
    ];
    const { done } = await store.write(update(autoKey(chat), changes, equal('version', state.version)));
    return done ? undefined : AGAIN;
  });
}

const FORGOTTEN = 'erased';

/** Under which key the message of an action is accepted once. */
export const onceKey = (rule: string, event: string, index: number): string => `rule:${rule}:${event}:${index}`;

/** What makes up the event that tells of a chat that a rule took for a machine's. */
export const mutedIdentity = (rule: string, event: string): readonly string[] => [rule, event];
