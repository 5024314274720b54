import { randomBytes } from 'node:crypto';
import type { ClientRequest, IncomingMessage } from 'node:http';
import https from 'node:https';
import { isReachable, type Reach, readProviderUrl } from '#lib/domain/base-url.ts';
import type { Clock } from '#lib/domain/ports.ts';
import type { Breakdown } from '#lib/domain/send/outcome.ts';
import type { Patience, ProviderHttp, ProviderRequest, Reply, RequestBody } from '#lib/sender/provider.ts';
import { version } from '#lib/version.ts';
import { type Agents, guardedAgents, idleLimit, type Lookup } from './guarded-agents.ts';

/** The address of a provider is not one that we may call. Carried through Node's sockets, which know errors only. */
class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress';
}

/** How far a request got. Each step is taken for done only when the operating system has said so. */
interface Progress {
  connected: boolean;
  /** TLS included, where there is any. */
  secured: boolean;
  /** The last byte of the body is out of our hands. */
  written: boolean;
  /** A byte of an answer has come: it may have acted, whatever of the body it cared to read. */
  answered: boolean;
}

// What `request-filtering-agent` says of an address; it has no code for it.
const FILTERED = /is not allowed\. Because/;
const DNS = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME']);

/** By code and progress, never by what an error says: its text may hold the URL, and with it a token. */
function breakdownOf(error: unknown, { connected, secured, written, answered }: Progress): Breakdown {
  if (written || answered) return 'unanswered';
  if (isForbidden(error)) return 'forbidden';
  if (DNS.has(codeOf(error))) return 'dns';
  if (!connected) return 'refused';
  return secured ? 'unwritten' : 'tls';
}

function isForbidden(error: unknown): boolean {
  return error instanceof ForbiddenAddress || (error instanceof Error && FILTERED.test(error.message));
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
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
  const stand = { '\r': `${nonce}r`, '\n': `${nonce}n` };
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    form.append(name, value.replaceAll('\r', stand['\r']).replaceAll('\n', stand['\n']));
  }
  if (file) form.append(file.field, new File([new Uint8Array(file.bytes)], file.name, { type: file.mimeType }));
  const response = new Response(form);
  const contentType = response.headers.get('content-type') ?? '';
  let bytes = Buffer.from(await response.arrayBuffer());
  for (const [lineBreak, name] of Object.entries(stand))
    bytes = replaceAll(bytes, Buffer.from(name), Buffer.from(lineBreak));
  return { contentType, bytes };
}

function replaceAll(bytes: Buffer<ArrayBuffer>, from: Buffer, to: Buffer): Buffer<ArrayBuffer> {
  const pieces: Buffer[] = [];
  let start = 0;
  for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, start)) {
    pieces.push(bytes.subarray(start, at), to);
    start = at + from.length;
  }
  return start === 0 ? bytes : Buffer.concat([...pieces, bytes.subarray(start)]);
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
/** Many servers close an idle connection after 5 s; ours are closed before. */
const IDLE_MS = 4_000;

/** Calls of providers: one request each, without retries or redirects, over by its deadline whatever the other side does. */
export function providerHttp({ reach, clock, lookup }: ProviderCallOptions): ProviderHttp {
  const agents = guardedAgents({
    isAllowed: (address) => isReachable(address, reach),
    privateHosts: reach.privateHosts || reach.ownMachine === true,
    forbidden: () => new ForbiddenAddress('not public'),
    nowhere: () => Object.assign(new Error('the name has no address'), { code: 'ENOTFOUND' }),
    lookup,
    idleMs: IDLE_MS,
  });
  const closeIdle = idleLimit(agents, IDLE_MS, clock.monotonic);
  return {
    call: async (request, deadline, patience) => {
      const read = readProviderUrl(request.url, reach);
      if (read.kind === 'refused') return broken('forbidden');
      const body = request.body && (await encode(request.body));
      const remaining = deadline - clock.monotonic();
      if (remaining <= 0) return broken('unwritten');
      closeIdle();
      const isLate = () => clock.monotonic() >= deadline;
      return exchange(begin(read.url, request, body, agents), body, { remaining, isLate, patience });
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

interface Bounds {
  /** Milliseconds. */
  readonly remaining: number;
  readonly isLate: () => boolean;
  readonly patience: Patience | undefined;
}

function exchange(
  request: ClientRequest,
  body: Encoded | undefined,
  { remaining, isLate, patience }: Bounds,
): Promise<Reply> {
  return new Promise((resolve) => {
    const settle = (reply: Reply) => {
      clearTimeout(timer);
      clearTimeout(asking);
      resolve(reply);
    };
    const fail = (error?: unknown) => settle(broken(breakdownOf(error, progress)));
    const end = () => {
      fail();
      request.destroy();
    };
    const timer = setTimeout(end, remaining);
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
      if (!error) progress.written = true;
    };
    const progress = watch(request, () => {
      // A process that stalled may hear of its connection before its timer: by now, the account may be somebody else's.
      if (isLate()) {
        fail();
        request.destroy();
        return;
      }
      // Nobody else is there to hear of headers that make no request together: an error would end the process.
      try {
        if (body) request.write(body.bytes, written);
        else request.once('finish', () => written());
        request.end();
      } catch (error) {
        fail(error);
        request.destroy();
      }
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
