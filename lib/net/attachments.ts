import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { fileTypeFromBuffer } from 'file-type';
import {
  agrees,
  extensionOf,
  isPage,
  isTextByName,
  mimeTypeOf,
  type Sniffed,
  safeFileName,
  withExtension,
} from '#lib/domain/file.ts';
import type { Clock } from '#lib/domain/ports.ts';
import { isPublicAddress, readFileUrl } from '#lib/domain/url.ts';
import type { Attachments, Fetched } from '#lib/sender/provider.ts';
import { type Agents, codeOf, FORBIDDEN, guardedAgents, type Lookup } from './provider-call.ts';

/** What one attachment may take of our memory and of our time. */
export const LIMITS = {
  bytes: 2_097_152,
  redirects: 3,
  /** For the look-up, the connection and, where there is one, the TLS handshake. */
  connectMs: 3_000,
  /** From then until the headers of the answer are complete. */
  firstByteMs: 5_000,
  /** For all of it, redirects included. */
  totalMs: 12_000,
  /** A body is given up when fewer than `windowBytes` came in any `windowMs`: that is 1 KB/s. */
  windowMs: 5_000,
  windowBytes: 5 * 1024,
};
export type Limits = Readonly<typeof LIMITS>;

type Failure = Exclude<Fetched, { kind: 'ok' }>;

/** For good: the same link will fail again. */
const refused = (reason: string): Failure => ({ kind: 'refused', reason });
/** For now: the link may be good, its host or the way there is not. */
const unavailable = (reason: string): Failure => ({ kind: 'unavailable', reason });

const NOT_PUBLIC: Failure = refused('file_url leads to an address that is not on the public internet');

/** Carries our own decision to give up through Node's streams and sockets, which know errors only. */
class Abandoned extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.reason);
    this.name = 'Abandoned';
    this.failure = failure;
  }
}

const end = (stream: Writable | Readable, reason: string) => stream.destroy(new Abandoned(unavailable(reason)));

const endAfter = (milliseconds: number, stream: Writable | Readable, reason: string) =>
  setTimeout(() => end(stream, reason), Math.max(0, milliseconds));

const REASONS: ReadonlyMap<string, Failure> = new Map([
  [FORBIDDEN, NOT_PUBLIC],
  ['ENOTFOUND', unavailable("the file's host was not found")],
  ['EAI_AGAIN', unavailable("the file's host could not be looked up")],
  ['ECONNREFUSED', unavailable("the file's host refused the connection")],
  ['ECONNRESET', unavailable("the file's host broke off")],
]);

// A host does not get a new certificate between two of our attempts.
const UNTRUSTED = /^(?:CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

export function failureOf(error: unknown): Failure {
  if (error instanceof Abandoned) return error.failure;
  const code = codeOf(error) || 'no reason given';
  const known = REASONS.get(code);
  if (known) return known;
  if (UNTRUSTED.test(code)) return refused(`the certificate of the file's host is not trusted (${code})`);
  if (code.startsWith('HPE_')) return refused("the file's host does not keep to HTTP, or sends more than it announces");
  return unavailable(`the file could not be fetched (${code})`);
}

/** The whole body, or why not. Never holds more than the limit, whatever the headers say. */
async function readBody(response: IncomingMessage, limits: Limits, remaining: () => number) {
  const fault = headerFault(response.headers, limits);
  if (fault) {
    response.destroy();
    return fault;
  }
  let arrived = 0;
  const late = endAfter(remaining(), response, 'the file took too long to arrive');
  const pace = setInterval(() => {
    if (arrived < limits.windowBytes) end(response, 'the file arrives too slowly');
    arrived = 0;
  }, limits.windowMs);
  try {
    return await collect(response, limits, (bytes) => {
      arrived += bytes;
    });
  } catch (error) {
    return failureOf(error);
  } finally {
    clearTimeout(late);
    clearInterval(pace);
  }
}

function headerFault(headers: IncomingHttpHeaders, limits: Limits): Failure | undefined {
  if (Number(headers['content-length'] ?? 0) > limits.bytes) return tooLarge(limits);
  const codings = `${headers['content-encoding'] ?? ''},${headers['transfer-encoding'] ?? ''}`;
  const plain = /^[\s,]*((identity|chunked)[\s,]*)*$/i.test(codings);
  return plain ? undefined : refused("the file's host sends the file compressed, although asked not to");
}

async function collect(response: IncomingMessage, limits: Limits, count: (bytes: number) => void) {
  // One block: a body in a million chunks of one byte would cost a hundred times its size as a list.
  const block = Buffer.allocUnsafe(limits.bytes);
  let size = 0;
  for await (const chunk of chunksOf(response)) {
    if (size + chunk.length > block.length) return tooLarge(limits);
    block.set(chunk, size);
    size += chunk.length;
    count(chunk.length);
  }
  return size === 0 ? refused('the file is empty') : new Uint8Array(block.subarray(0, size));
}

/** Leaving the loop early destroys the response, and with it the connection. */
function chunksOf(response: IncomingMessage): AsyncIterable<Uint8Array> {
  return response;
}

function tooLarge(limits: Limits): Failure {
  return refused(`the file is larger than ${limits.bytes} bytes`);
}

const SAMPLE = 4_100;

/** Whether these bytes may go out under this name; and the name and type under which they do. */
export async function examine(rawName: string, headers: IncomingHttpHeaders, bytes: Uint8Array): Promise<Fetched> {
  const name = safeFileName(rawName);
  if (showsPage(headers, bytes) && !isMeantAsPage(name, headers)) return OPENS_PAGE;
  const sniffed = await sniff(name, bytes.subarray(0, SAMPLE));
  if (sniffed === 'unreadable') return refused('the file is broken or made to confuse whoever reads it');
  if (sniffed && !agrees(name, sniffed)) {
    return refused(`the file is of type ${sniffed.mimeType}, its name ends in .${extensionOf(name)}`);
  }
  const named = sniffed && extensionOf(name) === undefined ? withExtension(name, sniffed.extension) : name;
  return { kind: 'ok', name: named, mimeType: mimeTypeOf(named, sniffed), bytes };
}

const OPENS_PAGE = refused(
  'file_url opens a page, not a file: it is not a direct download link. Such a link, opened in a private browser window, ' +
    'starts a download at once; the link that a file sharing service offers for people shows them a page first',
);

function showsPage(headers: IncomingHttpHeaders, bytes: Uint8Array): boolean {
  return /^\s*(?:text\/html|application\/xhtml\+xml)\b/i.test(headers['content-type'] ?? '') || isPage(bytes);
}

function isMeantAsPage(name: string, headers: IncomingHttpHeaders): boolean {
  return /\.x?html?$/i.test(name) && /^\s*attachment\b/i.test(headers['content-disposition'] ?? '');
}

async function sniff(name: string, sample: Uint8Array): Promise<Sniffed | 'unreadable' | undefined> {
  if (isTextByName(name, sample)) return undefined;
  const archive = archiveOf(sample);
  if (archive) return archive;
  try {
    const found = await fileTypeFromBuffer(sample);
    return found && { extension: found.ext.toLowerCase(), mimeType: found.mime };
  } catch {
    // Strangers' bytes are all that goes in, so what comes out as an error is about them.
    return 'unreadable';
  }
}

/** Told here by their first bytes alone: the library would unpack some of what they hold. */
function archiveOf([first, second, third, fourth]: Uint8Array): Sniffed | undefined {
  if (first === 0x1f && second === 0x8b) return { extension: 'gz', mimeType: 'application/gzip' };
  const isZip = first === 0x50 && second === 0x4b && third === 0x03 && fourth === 0x04;
  return isZip ? { extension: 'zip', mimeType: 'application/zip' } : undefined;
}

interface Route {
  readonly agents: Agents;
  readonly isAllowed: (address: string) => boolean;
  readonly limits: Limits;
}

type Visited = { readonly kind: 'answer'; readonly response: IncomingMessage } | Failure;

// An import would load its WebSocket, too, and with it more than the rest of a cold start.
const http = process.getBuiltinModule('node:http');

// A compressed file would have to be unpacked to be counted, and some hosts turn away whoever does not say who asks.
const HEADERS = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'Hookline' };

/** One GET, as far as the headers of its answer. `remaining`: milliseconds that are left for the whole file. */
export async function visit(url: URL, route: Route, remaining: () => number): Promise<Visited> {
  // No look-up is made for an address, so it is checked here.
  const address = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(address) !== 0 && !route.isAllowed(address)) return NOT_PUBLIC;
  const { agents, limits, isAllowed } = route;
  const isSecure = url.protocol === 'https:';
  const request = isSecure
    ? https.request(url, { agent: agents['https:'], headers: HEADERS })
    : http.request(url, { agent: agents['http:'], headers: HEADERS });
  const within = (milliseconds: number, reason: string) =>
    endAfter(Math.min(milliseconds, remaining()), request, reason);
  let wait = within(limits.connectMs, "the file's host could not be reached in time");
  return new Promise((resolve) => {
    const settle = (visited: Visited) => {
      clearTimeout(wait);
      resolve(visited);
    };
    request.once('socket', (socket) => {
      // Who really answered the call, before TLS or HTTP have said a word.
      socket.prependOnceListener('connect', () => {
        if (!isAllowed(socket.remoteAddress ?? '')) socket.destroy(new Abandoned(NOT_PUBLIC));
      });
      socket.once(isSecure ? 'secureConnect' : 'connect', () => {
        clearTimeout(wait);
        wait = within(limits.firstByteMs, "the file's host did not answer in time");
      });
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

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const PASSING = new Set([408, 425, 429]);

/** The answer at the end of the redirects, a 200; each hop is checked like the first. */
async function follow(
  raw: string,
  route: Route,
  allowPrivateHosts: boolean,
  remaining: () => number,
): Promise<Visited> {
  let from: URL | undefined;
  let target = raw;
  for (let hop = 0; hop <= route.limits.redirects; hop++) {
    const url = nextUrl(target, from, allowPrivateHosts);
    if (!(url instanceof URL)) return url;
    if (remaining() <= 0) return unavailable('no time was left to fetch the file');
    const visited = await visit(url, route, remaining);
    if (visited.kind !== 'answer') return visited;
    const { statusCode = 0, headers } = visited.response;
    if (statusCode === 200) return visited;
    visited.response.destroy();
    if (!REDIRECTS.has(statusCode) || headers.location === undefined) {
      const reason = `the file's host answered ${statusCode}`;
      return statusCode >= 500 || PASSING.has(statusCode) ? unavailable(reason) : refused(reason);
    }
    from = url;
    target = headers.location;
  }
  return refused(`file_url redirects more than ${route.limits.redirects} times`);
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

interface FetcherOptions {
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
  const agents = guardedAgents({ isAllowed, privateHosts: allowPrivateHosts, lookup });
  return {
    fetch: async (url, name, deadline) => {
      const end = Math.min(deadline, clock.monotonic() + limits.totalMs);
      const remaining = () => end - clock.monotonic();
      const visited = await follow(url, { agents, isAllowed, limits }, allowPrivateHosts, remaining);
      if (visited.kind !== 'answer') return visited;
      const body = await readBody(visited.response, limits, remaining);
      return body instanceof Uint8Array ? await examine(name, visited.response.headers, body) : body;
    },
  };
}
