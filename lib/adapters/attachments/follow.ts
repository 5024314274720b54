import type { IncomingMessage } from 'node:http';
import { readFileUrl } from '#lib/domain/file-url.ts';
import { type Failure, refused, unavailable } from './failure.ts';
import { type Route, type Visited, visit } from './visit.ts';

export interface Journey extends Route {
  readonly allowPrivateHosts: boolean;
  /** Milliseconds that are left for the whole file. */
  readonly remaining: () => number;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const PASSING = new Set([408, 425, 429]);

/** The answer at the end of the redirects, a 200; each hop is checked like the first. */
export async function follow(raw: string, journey: Journey): Promise<Visited> {
  let from: URL | undefined;
  let target = raw;
  for (let hop = 0; hop <= journey.limits.redirects; hop++) {
    const url = nextUrl(target, from, journey.allowPrivateHosts);
    if (!(url instanceof URL)) return url;
    if (journey.remaining() <= 0) return unavailable('no time was left to fetch the file');
    const visited = await visit(url, journey, journey.remaining);
    if (visited.kind !== 'answer') return visited;
    const location = redirectOf(visited.response);
    if (location === undefined) return onlySuccess(visited.response);
    visited.response.destroy();
    from = url;
    target = location;
  }
  return refused(`file_url redirects more than ${journey.limits.redirects} times`);
}

function nextUrl(target: string, from: URL | undefined, allowPrivateHosts: boolean): URL | Failure {
  const read = readFileUrl(from ? (URL.parse(target, from.href)?.href ?? '') : target, allowPrivateHosts);
  const subject = from ? 'a URL that file_url redirects to' : 'file_url';
  if (read.kind === 'refused') return refused(`${subject} ${read.reason}`);
  if (from?.protocol === 'https:' && read.url.protocol !== 'https:') {
    return refused('file_url redirects from https to http');
  }
  return read.url;
}

function redirectOf({ statusCode, headers }: IncomingMessage): string | undefined {
  return REDIRECTS.has(statusCode ?? 0) ? headers.location : undefined;
}

function onlySuccess(response: IncomingMessage): Visited {
  const { statusCode = 0 } = response;
  if (statusCode === 200) return { kind: 'answer', response };
  response.destroy();
  const reason = `the file's host answered ${statusCode}`;
  return statusCode >= 500 || PASSING.has(statusCode) ? unavailable(reason) : refused(reason);
}
