import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { systemClock } from '#lib/aws/runtime.ts';
import type { Limits } from '#lib/net/attachments.ts';
import { attachmentFetcher } from '#lib/net/attachments.ts';
import type { Fetched } from '#lib/sender/provider.ts';
import { type FileHost, fileHost, rawHost } from './file-host.ts';

export interface Wish {
  readonly name?: string;
  readonly limits?: Partial<Limits>;
  /** Milliseconds from now. */
  readonly deadline?: number;
  readonly scheme?: 'http' | 'https';
}

export interface Fetching {
  readonly fetched: Fetched;
  readonly milliseconds: number;
  readonly host: FileHost;
}

/** One fetch from a host on this machine that answers like this. */
export async function fetching(listener: RequestListener, wish: Wish = {}): Promise<Fetching> {
  await using host = await fileHost(listener);
  return await fetchedFrom(host, wish);
}

export async function rawFetching(answer: (socket: Socket) => void, wish: Wish = {}): Promise<Fetching> {
  await using host = await rawHost(answer);
  return await fetchedFrom(host, wish);
}

async function fetchedFrom(host: FileHost, wish: Wish): Promise<Fetching> {
  const { name = 'a.bin', limits = {}, deadline = 5_000, scheme = 'http' } = wish;
  const fetcher = attachmentFetcher({ allowPrivateHosts: true, clock: systemClock, limits });
  const start = systemClock.monotonic();
  const fetched = await fetcher.fetch(
    `${scheme}://127.0.0.1:${host.port}/private/path?token=s3cret`,
    name,
    start + deadline,
  );
  return { fetched, milliseconds: systemClock.monotonic() - start, host };
}
