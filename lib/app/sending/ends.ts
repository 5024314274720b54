import type { PartState } from '#lib/domain/sending/part.ts';
import type { Metrics } from '../ports.ts';
import type { StorePorts } from './with-retries.ts';

/** For whoever brings parts to an end, or further than that. */
export interface EndingPorts extends StorePorts {
  readonly metrics: Metrics;
}

/** Parts that came to a state in one transaction, and how many credits went back with it. */
export interface Ends {
  readonly state: PartState;
  readonly parts: number;
  readonly refunded: number;
}

/** Only after the transaction has succeeded: what was refused may be tried again, and would be counted twice. */
export function countEnds({ metrics }: Pick<EndingPorts, 'metrics'>, { state, parts, refunded }: Ends): void {
  metrics.count('SendState', { state }, parts);
  if (refunded > 0) metrics.count('CreditsRefunded', {}, refunded);
}
