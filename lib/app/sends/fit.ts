import type { Issue } from '#lib/domain/issue.ts';
import type { Recipient } from '#lib/domain/sending/recipient.ts';
import type { Candidate, Reach } from './accounts.ts';
import type { CheckedRequest } from './request.ts';

/** What the account's provider would refuse for certain. Told at once, since nothing is queued or charged yet. */
export function misfits(
  { parts }: Pick<CheckedRequest, 'parts'>,
  recipient: Recipient,
  { channel }: Candidate,
  reach: Reach,
): readonly Issue[] {
  const issues: Issue[] = [];
  if (!reach.recipients(channel).includes(recipient.kind)) {
    issues.push({ path: recipient.kind, message: 'is no recipient that the account can reach' });
  }
  const longest = reach.longestText(channel);
  for (const part of parts) {
    if (part.kind === 'text' && part.text.length > longest) {
      issues.push({ path: 'text', message: `is longer than the ${longest} characters that the provider takes` });
    }
    if (part.kind === 'file' && !reach.takesFiles(channel)) {
      issues.push({ path: 'file_url', message: 'is nothing that the account can send: it carries text alone' });
    }
  }
  return issues;
}
