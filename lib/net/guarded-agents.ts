import dns, { type LookupAddress } from 'node:dns';
import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import type { LookupFunction } from 'node:net';
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from 'request-filtering-agent';

export interface Agents {
  readonly 'http:': HttpAgent;
  readonly 'https:': HttpsAgent;
}

/** All addresses of a name, as `dns.lookup` gives them: with an error come none at all. */
export type Lookup = (
  host: string,
  answer: (error: Error | null, addresses?: readonly LookupAddress[]) => void,
) => void;

const systemLookup: Lookup = (host, answer) => dns.lookup(host, { all: true }, answer);

export interface Guard {
  readonly isAllowed: (address: string) => boolean;
  /** True on a hub that may call its own machine and network: only `isAllowed` filters then. */
  readonly privateHosts: boolean;
  /** Of a name with an address that is not allowed; one condemns it, for it has no business beside a public one. */
  readonly forbidden: () => Error;
  /** Of a name without any address. */
  readonly nowhere: () => Error;
  readonly lookup?: Lookup | undefined;
  /** Keeps connections, and closes them after so many milliseconds without use. Left out: one request each. */
  readonly idleMs?: number;
}

/**
 * The one way to hosts that somebody else names. Connects to allowed addresses only, and to the very address that was
 * checked: a name that changes its mind before the connection finds no gap. The agents filter by themselves what
 * `isAllowed` should ever let slip.
 */
export function guardedAgents({ lookup = systemLookup, idleMs, ...guard }: Guard): Agents {
  const options = {
    ...(idleMs === undefined
      ? { keepAlive: false }
      : { keepAlive: true, timeout: idleMs, scheduling: 'lifo' as const }),
    // Node's 250 ms give up on a far host whose name has two addresses.
    autoSelectFamilyAttemptTimeout: 1_000,
    lookup: guardedLookup(lookup, guard),
    allowPrivateIPAddress: guard.privateHosts,
    allowMetaIPAddress: guard.privateHosts,
  };
  return { 'http:': new RequestFilteringHttpAgent(options), 'https:': new RequestFilteringHttpsAgent(options) };
}

function guardedLookup(
  lookup: Lookup,
  { isAllowed, forbidden, nowhere }: Pick<Guard, 'isAllowed' | 'forbidden' | 'nowhere'>,
): LookupFunction {
  return (host, options, callback) => {
    lookup(host, (error, addresses = []) => {
      const [first] = addresses;
      if (error) callback(error, []);
      else if (!first) callback(nowhere(), []);
      else if (!addresses.every(({ address }) => isAllowed(address))) callback(forbidden(), []);
      // Node asks for all addresses where it may try several at once, and for one elsewhere.
      else if (options.all) callback(null, [...addresses]);
      else callback(null, first.address, first.family);
    });
  };
}

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
