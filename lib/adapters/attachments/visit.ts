import type { ClientRequest, IncomingMessage } from 'node:http';
import https from 'node:https';
import { isIP, type Socket } from 'node:net';
import type { Agents } from '../guarded-agents.ts';
import { Abandoned, type Failure, failureOf, NOT_PUBLIC, unavailable } from './failure.ts';
import type { Limits } from './limits.ts';
import { patience } from './patience.ts';

export interface Route {
  readonly agents: Agents;
  readonly isAllowed: (address: string) => boolean;
  readonly limits: Limits;
}

export type Visited = { readonly kind: 'answer'; readonly response: IncomingMessage } | Failure;

// An import would load its WebSocket, too, and with it more than the rest of a cold start.
const http = process.getBuiltinModule('node:http');

// A compressed file would have to be unpacked to be counted, and some hosts turn away whoever does not say who asks.
const HEADERS = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'Hookline' };

/** One GET, as far as the headers of its answer. `remaining`: milliseconds that are left for the whole file. */
export async function visit(url: URL, route: Route, remaining: () => number): Promise<Visited> {
  // No look-up is made for an address, so it is checked here.
  const address = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(address) !== 0 && !route.isAllowed(address)) return NOT_PUBLIC;
  const request =
    url.protocol === 'https:'
      ? https.request(url, { agent: route.agents['https:'], headers: HEADERS })
      : http.request(url, { agent: route.agents['http:'], headers: HEADERS });
  const ready = url.protocol === 'https:' ? 'secureConnect' : 'connect';
  return await answerTo(request, ready, route, remaining);
}

function answerTo(request: ClientRequest, ready: string, route: Route, remaining: () => number): Promise<Visited> {
  const { limits, isAllowed } = route;
  const wait = patience(remaining, (reason) => request.destroy(new Abandoned(unavailable(reason))));
  wait.atMost(limits.connectMs, "the file's host could not be reached in time");
  return new Promise((resolve) => {
    const settle = (visited: Visited) => {
      wait.stop();
      resolve(visited);
    };
    request.once('socket', (socket) => {
      refuseStrangers(socket, isAllowed);
      socket.once(ready, () => wait.atMost(limits.firstByteMs, "the file's host did not answer in time"));
    });
    request.once('response', (response) => {
      // Node tells only the request of bytes beyond the length announced; the body would end as if all were well.
      request.once('error', (error) => response.destroy(error));
      settle({ kind: 'answer', response });
    });
    request.on('error', (error) => settle(failureOf(error)));
    request.once('close', () => settle(unavailable("the file's host broke off")));
    request.end();
  });
}

/** Looks at who really answered the call, before TLS or HTTP have said a word. */
function refuseStrangers(socket: Socket, isAllowed: (address: string) => boolean): void {
  socket.prependOnceListener('connect', () => {
    if (!isAllowed(socket.remoteAddress ?? '')) socket.destroy(new Abandoned(NOT_PUBLIC));
  });
}
