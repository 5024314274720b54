import dns, { type LookupAddress } from 'node:dns';
import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import type { LookupFunction } from 'node:net';
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from 'request-filtering-agent';
import { Abandoned, type Failure, refused, unavailable } from './failure.ts';

/** All addresses of a name, as `dns.lookup` gives them. */
export type Lookup = (host: string, answer: (error: Error | null, addresses: readonly LookupAddress[]) => void) => void;

export interface Agents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

export const NOT_PUBLIC: Failure = refused('file_url leads to an address that is not on the public internet');

const systemLookup: Lookup = (host, answer) => dns.lookup(host, { all: true }, answer);

/**
 * Agents that connect to allowed addresses only, and to the very address that was checked: a name that changes its mind
 * between a check and the connection finds no gap. They filter by themselves what `isAllowed` should ever let slip.
 */
export function filteringAgents(
  isAllowed: (address: string) => boolean,
  allowPrivateHosts: boolean,
  lookup: Lookup = systemLookup,
): Agents {
  const options = {
    keepAlive: false,
    lookup: checked(lookup, isAllowed),
    // Node's 250 ms give up on a far host whose name has two addresses.
    autoSelectFamilyAttemptTimeout: 1_000,
    allowPrivateIPAddress: allowPrivateHosts,
    allowMetaIPAddress: allowPrivateHosts,
  };
  return { http: new RequestFilteringHttpAgent(options), https: new RequestFilteringHttpsAgent(options) };
}

/** One address that is not allowed condemns the name: it has no business beside a public one. */
function checked(lookup: Lookup, isAllowed: (address: string) => boolean): LookupFunction {
  return (host, options, callback) => {
    lookup(host, (error, addresses) => {
      const [first] = addresses;
      if (error) callback(error, []);
      else if (!first) callback(new Abandoned(unavailable("the file's host has no address")), []);
      else if (!addresses.every(({ address }) => isAllowed(address))) callback(new Abandoned(NOT_PUBLIC), []);
      // Node asks for all addresses where it may try several at once, and for one elsewhere.
      else if (options.all) callback(null, [...addresses]);
      else callback(null, first.address, first.family);
    });
  };
}
