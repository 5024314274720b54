import { afterEach, beforeEach, vi } from 'vitest';
import { systemClock } from '#lib/aws/runtime.ts';
import { attachmentFetcher } from '#lib/net/attachments.ts';
import type { Fetched } from '#lib/sender/provider.ts';
import { type FileHost, fileHost } from './file-host.ts';
import { names } from './pretend-internet.ts';

export const PUBLIC_ADDRESS = '93.184.215.14';

export interface PublicHost {
  readonly host: FileHost;
  /** Host and path of each request, in order. */
  readonly visits: string[];
  /** Where a path leads instead of to a file. */
  readonly redirects: Record<string, string>;
}

/** A host that answers every path with a text, new for each test. */
export function eachWithPublicHost(): () => PublicHost {
  let current: PublicHost;
  beforeEach(async () => {
    const visits: string[] = [];
    const redirects: Record<string, string> = {};
    const host = await fileHost(({ url = '', headers }, response) => {
      visits.push(`${headers.host}${url}`);
      const location = redirects[url];
      if (location === undefined) response.end('hello');
      else response.writeHead(302, { location }).end();
    });
    current = { host, visits, redirects };
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await current.host[Symbol.asyncDispose]();
  });
  return () => current;
}

/** As in production, but for the resolver. */
export function fetchFrom(
  url: string,
  { lookup } = names({ 'files.example.com': [[PUBLIC_ADDRESS]] }),
): Promise<Fetched> {
  const fetcher = attachmentFetcher({ allowPrivateHosts: false, clock: systemClock, lookup });
  return fetcher.fetch(url, 'a.txt', systemClock.monotonic() + 2_000);
}
