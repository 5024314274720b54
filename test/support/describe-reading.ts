import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { Payload } from '#lib/domain/event.ts';
import type { Draft, ReceivingProvider } from '#lib/inbox/provider.ts';

export interface Row {
  readonly name: string;
  /** An object is posted as JSON; a text as it stands, with `contentType`. */
  readonly payload: unknown;
  readonly contentType?: string;
  /** Part of the payload in our words, in the order of the events. */
  readonly stored?: object | readonly object[];
  /** The same, but nothing may be there beside it. */
  readonly exactly?: object | readonly object[];
  /** The paths that the quarantined event names: of all, or of what is left beside what is stored. */
  readonly quarantined?: readonly string[];
  /** Milliseconds since the epoch. */
  readonly occurredAt?: number;
}

/** Runs a table through a provider's reader: every row must come out as said, and in the hub's one shape. */
export function describeReading(provider: ReceivingProvider, rows: readonly Row[]): void {
  describe(`${provider.name} reads`, () => {
    it.each(rows)('$name', (row) => {
      const reading = read(provider, row);
      const unread = 'issues' in reading ? reading : reading.unread;
      expect(unread?.issues.map((issue) => issue.path)).toEqual(row.quarantined);
      if (row.quarantined && !row.stored) {
        expect('drafts' in reading).toBe(false);
        return;
      }
      if (!('drafts' in reading)) throw new Error(`quarantined: ${JSON.stringify(reading.issues)}`);
      reading.drafts.forEach(expectOneShape);
      const payloads = reading.drafts.map((draft) => draft.payload);
      if (row.exactly) expect(payloads).toEqual([row.exactly].flat());
      if (row.stored) expect(payloads).toMatchObject([row.stored].flat());
      if (row.occurredAt !== undefined) expect(reading.drafts[0].occurredAt).toBe(row.occurredAt);
    });
  });
}

/** What `provider` makes of a row's payload, without the checks of who sent it. */
export function read(provider: ReceivingProvider, row: Row) {
  const text = typeof row.payload === 'string' ? row.payload : JSON.stringify(row.payload);
  const parsed = provider.parse(new TextEncoder().encode(text), row.contentType ?? 'application/json');
  return parsed.ok ? provider.read(parsed.value) : { issues: [parsed.issue] };
}

/** A draft says nothing that the hub's schema does not know, and leaves out what has no value. */
export function expectOneShape(draft: Draft): void {
  expect(v.parse(Payload, draft.payload)).toStrictEqual(draft.payload);
}
