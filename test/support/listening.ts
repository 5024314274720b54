import { once } from 'node:events';
import type { Server } from 'node:http';

/** The server, once it listens on a free port of this machine. */
export async function listening(server: Server): Promise<Server> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
