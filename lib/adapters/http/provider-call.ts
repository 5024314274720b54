import type { ClientRequest, IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Clock } from '#lib/app/ports.ts';
import type { ProviderHttp, ProviderRequest, Reply } from '#lib/app/sending/outbound.ts';
import { type Reach, readProviderUrl } from '#lib/domain/base-url.ts';
import { isPublicAddress } from '#lib/domain/public-address.ts';
import type { Breakdown } from '#lib/domain/sending/outcome.ts';
import { type Agents, guardedAgents, idleLimit, type Lookup } from '../guarded-agents.ts';
import { version } from '../version.ts';
import { type Encoded, encode } from './body.ts';
import { breakdownOf, ForbiddenAddress, type Progress } from './breakdown.ts';

export interface ProviderCallOptions {
  readonly reach: Reach;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly lookup?: Lookup;
}

// An import would load its WebSocket, too, and with it more than the rest of a cold start.
const http = process.getBuiltinModule('node:http');

/** The front of one provider turns away what names itself after its library. */
const USER_AGENT = `Hookline/${version}`;
const LONGEST_ANSWER = 1_048_576;
/** Many servers close an idle connection after 5 s; ours are closed before. */
const IDLE_MS = 4_000;

/** Calls of providers: one request each, without retries or redirects, over by its deadline whatever the other side does. */
export function providerHttp({ reach, clock, lookup }: ProviderCallOptions): ProviderHttp {
  const agents = guardedAgents({
    isAllowed: (address) => reach.privateHosts || isPublicAddress(address),
    privateHosts: reach.privateHosts,
    forbidden: () => new ForbiddenAddress('not public'),
    nowhere: () => Object.assign(new Error('the name has no address'), { code: 'ENOTFOUND' }),
    lookup,
    idleMs: IDLE_MS,
  });
  const closeIdle = idleLimit(agents, IDLE_MS, clock.monotonic);
  return {
    call: async (request, deadline) => {
      const read = readProviderUrl(request.url, reach);
      if (read.kind === 'refused') return broken('forbidden');
      const body = request.body && (await encode(request.body));
      const remaining = deadline - clock.monotonic();
      if (remaining <= 0) return broken('unwritten');
      closeIdle();
      const isLate = () => clock.monotonic() >= deadline;
      return exchange(begin(read.url, request, body, agents), body, remaining, isLate);
    },
  };
}

const broken = (breakdown: Breakdown): Reply => ({ kind: 'broken', breakdown });

function begin(
  url: URL,
  { method, headers }: ProviderRequest,
  body: Encoded | undefined,
  agents: Agents,
): ClientRequest {
  const options = {
    method,
    headers: {
      accept: 'application/json',
      'accept-encoding': 'identity',
      'user-agent': USER_AGENT,
      ...headers,
      ...(body && { 'content-type': body.contentType, 'content-length': body.bytes.length }),
    },
  };
  return url.protocol === 'https:'
    ? https.request(url, { ...options, agent: agents['https:'] })
    : http.request(url, { ...options, agent: agents['http:'] });
}

function exchange(
  request: ClientRequest,
  body: Encoded | undefined,
  remaining: number,
  isLate: () => boolean,
): Promise<Reply> {
  return new Promise((resolve) => {
    const settle = (reply: Reply) => {
      clearTimeout(timer);
      resolve(reply);
    };
    const fail = (error?: unknown) => settle(broken(breakdownOf(error, progress)));
    const timer = setTimeout(() => {
      fail();
      request.destroy();
    }, remaining);
    // Stays for as long as the request lives: an error that nobody hears would end the process.
    request.on('error', fail);
    request.once('close', () => fail());
    request.once('response', (response) => {
      collect(response, settle, fail);
    });
    const written = (error?: Error | null) => {
      if (!error) progress.written = true;
    };
    const progress = watch(request, () => {
      // A process that stalled may hear of its connection before its timer: by now, the account may be somebody else's.
      if (isLate()) {
        fail();
        request.destroy();
        return;
      }
      if (body) request.write(body.bytes, written);
      else request.once('finish', () => written());
      request.end();
    });
  });
}

/** `ready`: the connection stands, and nothing has been written. */
function watch(request: ClientRequest, ready: () => void): Progress {
  const progress = { connected: false, secured: false, written: false, answered: false };
  request.once('socket', (socket) => {
    const answered = () => {
      progress.answered = true;
    };
    socket.on('data', answered);
    // The connection may be kept: each call would leave its listener behind.
    request.once('close', () => socket.off('data', answered));
    const connected = () => {
      progress.connected = true;
    };
    const secured = () => {
      connected();
      progress.secured = true;
      ready();
    };
    // One that is kept will not connect again.
    if (request.reusedSocket) secured();
    else if ('encrypted' in socket) socket.once('connect', connected).once('secureConnect', secured);
    else socket.once('connect', secured);
  });
  return progress;
}

/** The whole answer, or its first megabyte: what is longer is no provider's, and no JSON any more. */
function collect(response: IncomingMessage, settle: (reply: Reply) => void, fail: (error?: unknown) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  const finish = () => {
    const text = Buffer.concat(chunks).subarray(0, LONGEST_ANSWER).toString('utf8');
    settle({ kind: 'answered', status: response.statusCode ?? 0, headers: headersOf(response), text });
  };
  response.on('error', fail);
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size <= LONGEST_ANSWER) return;
    finish();
    response.destroy();
  });
  response.once('end', finish);
}

function headersOf({ headers }: IncomingMessage): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}
