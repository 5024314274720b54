import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createRawServer, type Server as RawServer, type Socket } from 'node:net';

/** A host of files on this machine, and what has reached it. */
export interface FileHost extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly connections: () => number;
  /** Connections that are over. */
  readonly closed: () => number;
  readonly bytesReceived: () => number;
  readonly bytesSent: () => number;
}

export function fileHost(listener: RequestListener): Promise<FileHost> {
  return started(createServer(listener));
}

/** Speaks for itself, byte by byte: for answers that no HTTP server would give. */
export function rawHost(answer: (socket: Socket) => void): Promise<FileHost> {
  return started(createRawServer((socket) => socket.once('data', () => answer(socket))));
}

async function started(server: Server | RawServer): Promise<FileHost> {
  const sockets: Socket[] = [];
  server.on('connection', (socket: Socket) => {
    sockets.push(socket);
    // The other side leaves in the middle: that is what the tests are about.
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const total = (of: (socket: Socket) => number) => sockets.reduce((sum, socket) => sum + of(socket), 0);
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    connections: () => sockets.length,
    closed: () => total((socket) => (socket.closed ? 1 : 0)),
    bytesReceived: () => total((socket) => socket.bytesRead),
    bytesSent: () => total((socket) => socket.bytesWritten),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
