import * as v from 'valibot';

/** What is wrong, and where. Never holds a value that somebody sent. */
export const Issue = v.object({
  path: v.pipe(v.string(), v.description('Where, as `messageData.typeMessage`; empty for the whole')),
  message: v.string(),
});
export type Issue = v.InferOutput<typeof Issue>;

/** Enough to see what is wrong; a long list of wrong entries must not make an answer longer than a Lambda may give. */
const MOST_ISSUES = 100;

/** Valibot's first findings as paths and reasons, the received values taken out. */
export function issuesOf(issues: readonly v.BaseIssue<unknown>[]): Issue[] {
  return issues.slice(0, MOST_ISSUES).map((issue) => ({ path: v.getDotPath(issue) ?? '', message: reasonOf(issue) }));
}

function reasonOf(issue: v.BaseIssue<unknown>): string {
  if (issue.received === 'undefined') return 'is missing';
  if (issue.expected === 'never') return 'is not known here';
  if (issue.type === 'regex') return 'does not have the right form';
  // A check without words of its own speaks in valibot's, which hold the value.
  if (issue.type === 'check' && !issue.message.startsWith('Invalid ')) return issue.message;
  return issue.expected === null ? `is not a valid ${issue.type.replaceAll('_', ' ')}` : `must be ${issue.expected}`;
}
