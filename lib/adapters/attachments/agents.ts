import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from 'request-filtering-agent';
import { guardedLookup, type Lookup, systemLookup } from '../guarded-lookup.ts';
import { Abandoned, type Failure, refused, unavailable } from './failure.ts';

export interface Agents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

export const NOT_PUBLIC: Failure = refused('file_url leads to an address that is not on the public internet');

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
    lookup: guardedLookup(lookup, {
      isAllowed,
      forbidden: () => new Abandoned(NOT_PUBLIC),
      nowhere: () => new Abandoned(unavailable("the file's host has no address")),
    }),
    // Node's 250 ms give up on a far host whose name has two addresses.
    autoSelectFamilyAttemptTimeout: 1_000,
    allowPrivateIPAddress: allowPrivateHosts,
    allowMetaIPAddress: allowPrivateHosts,
  };
  return { http: new RequestFilteringHttpAgent(options), https: new RequestFilteringHttpsAgent(options) };
}
