import { letGo } from '#lib/domain/reaction/delivery.ts';
import { endpointKey } from '#lib/store/keys.ts';
import { type BreakerPorts, takeTurn, turnHealth } from './breaker.ts';
import { type Endpoint, readEndpoint } from './endpoint.ts';
import type { Callee } from './health.ts';
import type { DeliveryTask } from './task.ts';

/** What a batch does for one endpoint, or for what one rule calls. */
export interface Lane {
  /** Read once, and again after a call that has changed how it is. */
  readonly endpointOf: (task: Pick<DeliveryTask, 'workspace' | 'endpoint'>) => Promise<Endpoint | undefined>;
  readonly forget: () => void;
  /** Whether one may be called whose calls take up to `callMs`: where these were slow of late, by one lane at a time. */
  readonly mayCall: (callee: Callee, callMs: number) => Promise<boolean>;
  /** Whether a call that is slow just now may go on. Others of the lane then may as well. */
  readonly mayGoOn: (callee: Callee, callMs: number) => Promise<boolean>;
  /** Its calls are over. */
  readonly end: () => Promise<void>;
}

/** Beyond the time-out of a call, until what became of it is written down. */
const WRITTEN_DOWN_MS = 5000;

interface Turn {
  readonly callee: Callee;
  readonly until: number;
  readonly isTaken: Promise<boolean>;
}

export function laneOf(ports: BreakerPorts): Lane {
  const { store, clock } = ports;
  let endpoint: Promise<Endpoint | undefined> | undefined;
  let turn: Turn | undefined;
  let wasSlow = false;
  /** Asked for once: two calls of the lane that are slow at the same time have it together. */
  const take = (callee: Callee, callMs: number, isSlow: boolean): Promise<boolean> => {
    if (!turn) {
      const until = clock.now() + callMs + WRITTEN_DOWN_MS;
      turn = { callee, until, isTaken: takeTurn(ports, callee, until, isSlow) };
    }
    return turn.isTaken;
  };
  return {
    endpointOf: ({ workspace, endpoint: id }) => {
      endpoint ??= store
        .get(endpointKey(workspace, id), { consistent: true })
        .then((item) => item && readEndpoint(item));
      return endpoint;
    },
    forget: () => {
      endpoint = undefined;
    },
    mayCall: async (callee, callMs) => callee.slowAt === undefined || take(callee, callMs, false),
    mayGoOn: async (callee, callMs) => {
      wasSlow = true;
      return take(callee, callMs, true);
    },
    end: async () => {
      if (!turn || !(await turn.isTaken)) return;
      const { callee, until } = turn;
      turn = undefined;
      await turnHealth(ports, { ...callee, busyUntil: until }, (health, now) => letGo(health, until, wasSlow, now));
    },
  };
}
