import type { AgentOptions, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from 'request-filtering-agent';
import { isPublicAddress } from '#lib/domain/public-address.ts';
import { guardedLookup, type Lookup, systemLookup } from '../guarded-lookup.ts';

export interface Agents {
  readonly 'http:': HttpAgent;
  readonly 'https:': HttpsAgent;
}

/** The address of a provider is not one that we may call. Carried through Node's sockets, which know errors only. */
export class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress';
}

// An import would load its WebSocket, too, and with it more than the rest of a cold start.
const http = process.getBuiltinModule('node:http');

const guard = {
  isAllowed: isPublicAddress,
  forbidden: () => new ForbiddenAddress('not public'),
  nowhere: () => Object.assign(new Error('the name has no address'), { code: 'ENOTFOUND' }),
};

/**
 * Agents that keep connections. Base URLs come from an account's configuration, so they connect to public addresses
 * only, and to the very address that was checked; they filter by themselves what our check should ever let slip.
 */
export function publicAgents(idleMs: number, lookup: Lookup = systemLookup): Agents {
  const options = { ...keptAlive(idleMs), lookup: guardedLookup(lookup, guard) };
  return { 'http:': new RequestFilteringHttpAgent(options), 'https:': new RequestFilteringHttpsAgent(options) };
}

/** For a hub on one's own machine, which may call others on it. */
export function unfilteredAgents(idleMs: number): Agents {
  return { 'http:': new http.Agent(keptAlive(idleMs)), 'https:': new HttpsAgent(keptAlive(idleMs)) };
}

const keptAlive = (timeout: number): AgentOptions => ({
  keepAlive: true,
  timeout,
  scheduling: 'lifo',
  // Node's 250 ms give up on a far host whose name has two addresses.
  autoSelectFamilyAttemptTimeout: 1_000,
});

/**
 * Closes connections that have been idle for too long. Their servers may have closed them as well, and a request on
 * such a one breaks after it was written: nobody could tell whether it was acted upon. A timer alone does not do, for a
 * function that is frozen between two calls has no timers.
 */
export function idleLimit(agents: Agents, idleMs: number, monotonic: () => number): () => void {
  const idleSince = new WeakMap<object, number>();
  const all = [agents['http:'], agents['https:']];
  for (const agent of all) agent.on('free', (socket: object) => idleSince.set(socket, monotonic()));
  return () => {
    for (const socket of all.flatMap((agent) => Object.values(agent.freeSockets).flatMap((free) => free ?? []))) {
      if (monotonic() - (idleSince.get(socket) ?? 0) >= idleMs) socket.destroy();
    }
  };
}
