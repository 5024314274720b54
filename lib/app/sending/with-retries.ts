import type { Clock, Random } from '../ports.ts';
import { retrying } from '../retrying-store.ts';
import type { Store } from '../store.ts';

export interface StorePorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

/** The same ports, with a store that tries for as long as a request may wait. */
export function withRetries<Ports extends StorePorts>(
  ports: Ports,
  { requestMs }: { readonly requestMs: number },
): Ports {
  const { store, clock, random } = ports;
  return { ...ports, store: retrying(store, clock, random, clock.monotonic() + requestMs) };
}
