import { randomBytes } from 'node:crypto';
import dns, { type LookupAddress } from 'node:dns';
import type { ClientRequest, Agent as HttpAgent, IncomingMessage } from 'node:http';
import https, { type Agent as HttpsAgent } from 'node:https';
import type { LookupFunction } from 'node:net';
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from 'request-filtering-agent';
import type { Clock } from '#lib/domain/ports.ts';
import type { Breakdown } from '#lib/domain/send/outcome.ts';
import { isReachable, type Reach, readProviderUrl } from '#lib/domain/url.ts';
import type { Patience, ProviderHttp, ProviderRequest, Reply, RequestBody } from '#lib/sender/provider.ts';
import { version } from '#lib/version.ts';

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

interface Guard {
  readonly isAllowed: (address: string) => boolean;
  /** True on a hub that may call its own machine and network: only `isAllowed` filters then. */
  readonly privateHosts: boolean;
  readonly lookup?: Lookup | undefined;
}

/**
 * The one way to hosts that somebody else names. Connects to allowed addresses only, and to the very address that was
 * checked: a name that changes its mind before the connection finds no gap. The agents filter by themselves what
 * `isAllowed` should ever let slip.
 */
export function guardedAgents({ isAllowed, privateHosts, lookup = systemLookup }: Guard): Agents {
  const options = {
    // A request on a kept connection may break after it was written, as its server closed it meanwhile: nobody could
    // tell whether it was acted upon.
    keepAlive: false,
    // Node's 250 ms give up on a far host whose name has two addresses.
    autoSelectFamilyAttemptTimeout: 1_000,
    lookup: guardedLookup(lookup, isAllowed),
    allowPrivateIPAddress: privateHosts,
    allowMetaIPAddress: privateHosts,
  };
  return { 'http:': new RequestFilteringHttpAgent(options), 'https:': new RequestFilteringHttpsAgent(options) };
}

function guardedLookup(lookup: Lookup, isAllowed: Guard['isAllowed']): LookupFunction {
  return (host, options, callback) => {
    lookup(host, (error, addresses = []) => {
      const [first] = addresses;
      if (error) callback(error, []);
      else if (!first) callback(withCode('ENOTFOUND'), []);
      // One such address condemns the name: it has no business beside a public one.
      else if (!addresses.every(({ address }) => isAllowed(address))) callback(withCode(FORBIDDEN), []);
      // Node asks for all addresses where it may try several at once, and for one elsewhere.
      else if (options.all) callback(null, [...addresses]);
      else callback(null, first.address, first.family);
    });
  };
}

const withCode = (code: string): Error => Object.assign(new Error(code), { code });

/** Of a name with an address that may not be called. */
export const FORBIDDEN = 'FORBIDDEN_ADDRESS';

/** By it, what went wrong in a socket is known: messages hold addresses, and URLs with their tokens. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  // `request-filtering-agent` has no code of its own.
  if (/is not allowed\. Because/.test(error.message)) return FORBIDDEN;
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

const DNS = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME']);

/** `next`: what a break before the next step comes to. */
function breakdownOf(error: unknown, next: Breakdown): Breakdown {
  if (next === 'unanswered') return next;
  const code = codeOf(error);
  if (code === FORBIDDEN) return 'forbidden';
  return DNS.has(code) ? 'dns' : next;
}

interface Encoded {
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

async function encode(body: RequestBody): Promise<Encoded> {
  if (body.kind === 'multipart') return multipart(body);
  if (body.kind === 'raw') return { contentType: body.contentType, bytes: Buffer.from(body.text, 'utf8') };
  return { contentType: 'application/json; charset=utf-8', bytes: Buffer.from(JSON.stringify(body.value), 'utf8') };
}

/**
 * Built by FormData, which escapes what a file name must not say. It also writes every line break of a value as CRLF,
 * as browsers do; a message has to arrive as it was written, so line breaks travel under another name.
 */
async function multipart({ fields, file }: Extract<RequestBody, { kind: 'multipart' }>): Promise<Encoded> {
  const nonce = randomBytes(16).toString('hex');
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    form.append(name, value.replaceAll('\r', `${nonce}r`).replaceAll('\n', `${nonce}n`));
  }
  if (file) form.append(file.field, new File([new Uint8Array(file.bytes)], file.name, { type: file.mimeType }));
  const response = new Response(form);
  // A character for each byte.
  const text = Buffer.from(await response.arrayBuffer()).toString('latin1');
  const bytes = Buffer.from(text.replaceAll(`${nonce}r`, '\r').replaceAll(`${nonce}n`, '\n'), 'latin1');
  return { contentType: response.headers.get('content-type') ?? '', bytes };
}

interface ProviderCallOptions {
  readonly reach: Reach;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly lookup?: Lookup;
}

// An import would load its WebSocket, too, and with it more than the rest of a cold start.
const http = process.getBuiltinModule('node:http');

/** The front of one provider turns away what names itself after its library. */
const USER_AGENT = `Hookline/${version}`;
const LONGEST_ANSWER = 1_048_576;

/** Calls of providers: one request each, without retries or redirects, over by its deadline whatever the other side does. */
export function providerHttp({ reach, clock, lookup }: ProviderCallOptions): ProviderHttp {
  const agents = guardedAgents({
    isAllowed: (address) => isReachable(address, reach),
    privateHosts: reach.privateHosts || reach.ownMachine === true,
    lookup,
  });
  return {
    call: async (request, deadline, patience) => {
      const read = readProviderUrl(request.url, reach);
      if (read.kind === 'refused') return broken('forbidden');
      const body = request.body && (await encode(request.body));
      const remaining = deadline - clock.monotonic();
      if (remaining <= 0) return broken('unwritten');
      const isLate = () => clock.monotonic() >= deadline;
      return exchange(begin(read.url, request, body, agents), body, remaining, isLate, patience);
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
  remainingMs: number,
  isLate: () => boolean,
  patience: Patience | undefined,
): Promise<Reply> {
  return new Promise((resolve) => {
    const settle = (reply: Reply) => {
      clearTimeout(timer);
      clearTimeout(asking);
      resolve(reply);
    };
    // Each step is taken for done only when the operating system has said so.
    let next: Breakdown = 'refused';
    const fail = (error?: unknown) => settle(broken(breakdownOf(error, next)));
    const end = () => {
      fail();
      request.destroy();
    };
    const timer = setTimeout(end, remainingMs);
    const asking =
      patience &&
      setTimeout(() => void patience.mayGoOn().then((may) => (may ? undefined : end()), end), patience.afterMs);
    // Stays for as long as the request lives: an error that nobody hears would end the process.
    request.on('error', fail);
    request.once('close', () => fail());
    request.once('response', (response) => {
      collect(response, settle, fail);
    });
    const written = (error?: Error | null) => {
      if (!error) next = 'unanswered';
    };
    const ready = () => {
      next = 'unwritten';
      // A process that stalled may hear of its connection before its timer: by now, the account may be somebody else's.
      if (isLate()) return end();
      // Nobody else is there to hear of headers that make no request together: an error would end the process.
      try {
        if (body) request.write(body.bytes, written);
        else request.once('finish', () => written());
        request.end();
      } catch (error) {
        fail(error);
        request.destroy();
      }
    };
    request.once('socket', (socket) => {
      // A byte of an answer has come: it may have acted, whatever of the body it cared to read.
      socket.once('data', () => written());
      if (!('encrypted' in socket)) return socket.once('connect', ready);
      const connected = () => {
        next = 'tls';
      };
      return socket.once('connect', connected).once('secureConnect', ready);
    });
  });
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
