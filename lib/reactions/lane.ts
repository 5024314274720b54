import { type Health, letGo, takeTurn } from '#lib/domain/reaction/delivery.ts';
import { endpointKey } from '#lib/store/keys.ts';
import { type BreakerPorts, turnHealth } from './breaker.ts';
import { type Endpoint, readEndpoint } from './endpoint.ts';
import type { Callee } from './health.ts';
import type { DeliveryTask } from './task.ts';

/** What a batch does for one endpoint, or for what one rule calls. */
export interface Lane {
  /** Read once, and again after a call that has changed how it is. */
  readonly endpointOf: (task: Pick<DeliveryTask, 'workspace' | 'endpoint'>) => Promise<Endpoint | undefined>;
  readonly forget: () => void;
  /** Whether one may be called whose calls take up to `callMs`: where these were slow of late, by few lanes at a time. */
  readonly mayCall: (callee: Callee, callMs: number) => Promise<boolean>;
  /** Whether a call that is slow just now may go on. Others of the lane then may as well. */
  readonly mayGoOn: (callee: Callee, callMs: number) => Promise<boolean>;
  /** Its calls are over. */
  readonly end: () => Promise<void>;
}

export interface LanePorts extends BreakerPorts {
  /** So many batches at a time call whoever is slow: each holds a place of the deliverer as long as a call takes. */
  readonly slowPlaces: number;
}

/** Beyond the time-out of a call, until what became of it is written down. */
const WRITTEN_DOWN_MS = 5000;

interface Turn {
  readonly callee: Callee;
  readonly until: number;
  /** How the callee is with it; undefined where others have theirs. */
  readonly taken: Promise<Health | undefined>;
}

export function laneOf(ports: LanePorts): Lane {
  const { store, clock, random, slowPlaces } = ports;
  let endpoint: Promise<Endpoint | undefined> | undefined;
  let turn: Turn | undefined;
  let wasSlow = false;
  /** Asked for once: two calls of the lane that are slow at the same time have it together. */
  const take = (callee: Callee, callMs: number, isSlow: boolean): Promise<boolean> => {
    if (!turn) {
      // By the fraction it is told from that of another batch.
      const until = clock.now() + callMs + WRITTEN_DOWN_MS + random.next();
      let isFree = false;
      const taken = turnHealth(ports, callee, (before, now) => {
        const after = takeTurn(before, until, slowPlaces, isSlow, now);
        isFree = after !== before;
        return after;
      });
      turn = {
        callee,
        until,
        taken: taken.then((health) => (isFree && health.busy?.includes(until) ? health : undefined)),
      };
    }
    return turn.taken.then((health) => health !== undefined);
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
      const health = await turn?.taken;
      if (!turn || !health) return;
      const { callee, until } = turn;
      turn = undefined;
      const written = { ...callee, ...health, isUnwritten: false };
      await turnHealth(ports, written, (before, now) => letGo(before, until, wasSlow, now));
    },
  };
}
