import * as v from 'valibot';
import type { Position } from './walk.ts';

const At = v.object({ stage: v.string(), partition: v.string(), after: v.exactOptional(v.string()) });
const State = v.object({ at: At, done: v.unknown() });

/** Where a walk goes on, and what it has done so far. */
export interface WalkState<Counts> {
  readonly at: Position;
  readonly done: Counts;
}

/** How a walk's state goes through the caller's hands: positions and figures, and nothing of what was looked for. */
export function walkCursor<Counts extends v.GenericSchema>(counts: Counts) {
  return {
    encode: (state: WalkState<v.InferOutput<Counts>>): string =>
      Buffer.from(JSON.stringify(state), 'utf8').toString('base64url'),
    /** Undefined for what we never gave out. A made-up one is harmless: it skips, in the caller's own workspace. */
    decode: (text: string): WalkState<v.InferOutput<Counts>> | undefined => {
      try {
        const state = v.safeParse(State, JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
        const done = v.safeParse(counts, state.success ? state.output.done : undefined);
        return state.success && done.success ? { at: state.output.at, done: done.output } : undefined;
      } catch {
        return undefined; // Not JSON.
      }
    },
  };
}
