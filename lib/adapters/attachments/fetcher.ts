import type { Clock } from '#lib/app/ports.ts';
import type { Attachments } from '#lib/app/sending/ports.ts';
import { isPublicAddress } from '#lib/domain/public-address.ts';
import { guardedAgents, type Lookup } from '../guarded-agents.ts';
import { readBody } from './body.ts';
import { examine } from './examine.ts';
import { Abandoned, NOT_PUBLIC, unavailable } from './failure.ts';
import { follow } from './follow.ts';
import { LIMITS, type Limits } from './limits.ts';

export interface FetcherOptions {
  /** Frees addresses and ports, for a hub on one's own machine. Every other rule stays. */
  readonly allowPrivateHosts: boolean;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly lookup?: Lookup;
  readonly limits?: Partial<Limits>;
}

/** Fetches files from wherever a send request points: one download, and the bytes checked are the bytes returned. */
export function attachmentFetcher({ allowPrivateHosts, clock, lookup, ...options }: FetcherOptions): Attachments {
  const limits = { ...LIMITS, ...options.limits };
  const isAllowed = (address: string) => allowPrivateHosts || isPublicAddress(address);
  const agents = guardedAgents({
    isAllowed,
    privateHosts: allowPrivateHosts,
    forbidden: () => new Abandoned(NOT_PUBLIC),
    nowhere: () => new Abandoned(unavailable("the file's host has no address")),
    lookup,
  });
  return {
    fetch: async (url, name, deadline) => {
      const end = Math.min(deadline, clock.monotonic() + limits.totalMs);
      const remaining = () => end - clock.monotonic();
      const visited = await follow(url, { agents, isAllowed, limits, allowPrivateHosts, remaining });
      if (visited.kind !== 'answer') return visited;
      const body = await readBody(visited.response, limits, remaining);
      return body.kind === 'body' ? await examine(name, visited.response.headers, body.bytes) : body;
    },
  };
}
