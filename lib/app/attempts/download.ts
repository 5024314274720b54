import { csv } from '#lib/domain/csv.ts';
import type { Attempt } from './attempt.ts';

const COLUMNS = {
  at: ({ at }) => at,
  status: ({ status }) => status,
  outcome: ({ outcome }) => outcome,
  durationMs: ({ durationMs }) => durationMs,
  message: ({ message }) => message,
  id: ({ id }) => id,
  contentType: ({ request }) => request.contentType,
  bytes: ({ request }) => request.bytes,
  sourceIp: ({ request }) => request.sourceIp,
  userAgent: ({ request }) => request.userAgent,
  body: ({ request }) => request.body,
} satisfies Record<string, (attempt: Attempt) => string | number | undefined>;

/** A head row, then one line an attempt. */
export function attemptsAsCsv(attempts: readonly Attempt[]): string {
  const columns = Object.values(COLUMNS);
  return csv([Object.keys(COLUMNS), ...attempts.map((attempt) => columns.map((cell) => cell(attempt)))]);
}

/** One JSON object a line: nothing is lost, and no spreadsheet takes it for its own. */
export function attemptsAsNdjson(attempts: readonly Attempt[]): string {
  return attempts.map((attempt) => `${JSON.stringify(attempt)}\n`).join('');
}
