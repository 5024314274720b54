import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** One request as it arrived, to the byte. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  readonly raw: Buffer;
  /** `performance.now()` when its headers had come. */
  readonly at: number;
  /** When the last byte of the answer was written; undefined while there is none. */
  endedAt?: number;
}

/** What the server does with a request. */
export type Behaviour =
  | {
      readonly kind: 'answer';
      readonly status: number;
      /** Objects go out as JSON, texts as they are. */
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
      readonly afterMs?: number;
    }
  /** Reads the whole request, then breaks the connection. */
  | { readonly kind: 'reset' }
  /** Announces an answer and breaks off in it. */
  | { readonly kind: 'half' }
  | { readonly kind: 'hang' };

export const answer = (status: number, body?: unknown, headers?: Readonly<Record<string, string>>): Behaviour => ({
  kind: 'answer',
  status,
  body,
  ...(headers && { headers }),
});

const PAGE = '<!doctype html><html><head><title>Not here</title></head><body>Sorry</body></html>';
export const page = (status: number): Behaviour => answer(status, PAGE, { 'content-type': 'text/html' });

/** An HTTP server on this machine that does as it is told, and remembers what it was asked. */
export class FakeHttp {
  readonly seen: Seen[] = [];
  connections = 0;
  /** Breaks the connection as soon as the headers have come. */
  resetsBeforeBody = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(handle: (seen: Seen) => Behaviour | Promise<Behaviour>) {
    this.#server = createServer((request, response) => {
      void this.#serve(request, response, handle);
    });
    this.#server.on('connection', (socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  get port(): number {
    return portOf(this.#server.address());
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(
    request: IncomingMessage,
    response: ServerResponse,
    handle: (seen: Seen) => Behaviour | Promise<Behaviour>,
  ) {
    const at = performance.now();
    if (this.resetsBeforeBody) {
      request.socket.resetAndDestroy();
      return;
    }
    const raw = await bytesOf(request);
    if (raw === undefined) return;
    const url = new URL(request.url ?? '/', this.url);
    const seen: Seen = {
      method: request.method ?? '',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: request.headers,
      raw,
      at,
    };
    this.seen.push(seen);
    response.once('finish', () => {
      seen.endedAt = performance.now();
    });
    await behave(await handle(seen), request, response);
  }
}

function portOf(address: string | AddressInfo | null): number {
  if (address === null || typeof address === 'string') throw new Error('the fake server is not listening');
  return address.port;
}

async function bytesOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk);
  } catch {
    return undefined; // The caller has gone; there is nobody to answer.
  }
  return Buffer.concat(chunks);
}

async function behave(behaviour: Behaviour, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (behaviour.kind === 'hang') return;
  if (behaviour.kind === 'reset') {
    request.socket.resetAndDestroy();
    return;
  }
  if (behaviour.kind === 'half') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' });
    response.write('{"idMessage":"BAE5', () => request.socket.resetAndDestroy());
    return;
  }
  const { status, body, headers, afterMs } = behaviour;
  if (afterMs !== undefined) await sleep(afterMs);
  const text = typeof body === 'string' || body === undefined ? (body ?? '') : JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
  response.end(text);
}
