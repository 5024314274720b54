import * as v from 'valibot';
import type { Invocation } from './lambda.ts';

export interface BatchOutcome {
  readonly failed: ReadonlySet<string>;
  /** What to report when the function did not say which messages failed. */
  readonly fault?: unknown;
}

const BatchResponse = v.nullish(
  v.looseObject({ batchItemFailures: v.nullish(v.array(v.object({ itemIdentifier: v.string() }))) }),
);

/** Which messages of a batch stay on the queue: Lambda's rules, in which an answer that makes no sense fails them all. */
export function outcomeOf(invocation: Invocation, ids: readonly string[], reportsFailures: boolean): BatchOutcome {
  const all = (fault: unknown): BatchOutcome => ({ failed: new Set(ids), fault });
  if (invocation.kind === 'timeout') return all(new Error('ran into its timeout'));
  if (invocation.kind === 'failed') return all(invocation.error);
  if (!reportsFailures) return { failed: new Set() };
  const response = v.safeParse(BatchResponse, invocation.result);
  if (!response.success) return all(new Error('answered a batch with something else than batchItemFailures'));
  const failed = (response.output?.batchItemFailures ?? []).map((failure) => failure.itemIdentifier);
  const unknown = failed.find((id) => !ids.includes(id));
  if (unknown !== undefined)
    return all(new Error(`reported a failure of ${unknown || 'nothing'}, which it was not given`));
  return { failed: new Set(failed) };
}
