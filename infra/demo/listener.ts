import { once } from 'node:events';
import { createServer } from 'node:http';
import * as v from 'valibot';

/** A program as a user of the hub has one: it is told what happens, and says thanks; but for one path, which is broken. */
export interface Listener {
  readonly url: string;
  /** How many notices were taken. */
  readonly taken: () => number;
  close(): void;
}

const Address = v.object({ port: v.number() });

export async function listen(): Promise<Listener> {
  let taken = 0;
  const server = createServer((request, response) => {
    request.resume();
    if (request.url === '/broken') {
      response.writeHead(500, { 'content-type': 'application/json' }).end('{"error": "the disk is full"}');
      return;
    }
    taken += 1;
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"booked": true}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = v.parse(Address, server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    taken: () => taken,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
