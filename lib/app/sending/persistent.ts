import type { Clock, Random } from '../ports.ts';
import { retrying } from '../retrying-store.ts';
import type { Store } from '../store.ts';
import type { SendingConfig } from './config.ts';

export interface StorePorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

/** The same ports, with a store that tries for as long as a request may wait. */
export function persistent<Ports extends StorePorts>(ports: Ports, config: SendingConfig): Ports {
  const { store, clock, random } = ports;
  return { ...ports, store: retrying(store, clock, random, clock.monotonic() + config.requestMs) };
}
