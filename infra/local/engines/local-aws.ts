import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { listen } from '../http/server.ts';

/** What every part of the local AWS agrees on. The keys open nothing. */
export const localAws = {
  region: 'us-east-1',
  accountId: '000000000000',
  accessKeyId: 'local',
  secretAccessKey: 'local',
};

/** Calls an engine of this machine in AWS's JSON protocol. */
export async function callAws(
  endpoint: string,
  target: string,
  input: unknown,
  signal?: AbortSignal,
): Promise<{ readonly status: number; readonly output: unknown }> {
  const [service = ''] = target.toLowerCase().split(/[._]/);
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': target,
      // The engines read the region from it and check nothing.
      authorization: `AWS4-HMAC-SHA256 Credential=${localAws.accessKeyId}/20200101/${localAws.region}/${service}/aws4_request, SignedHeaders=host, Signature=0`,
      'x-amz-date': '20200101T000000Z',
    },
    body: JSON.stringify(input),
    ...(signal ? { signal } : {}),
  });
  return { status: response.status, output: await response.json() };
}

export interface Answered {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly output: unknown;
}

export interface OwnEngine {
  readonly endpoint: string;
  stop(): Promise<void>;
}

/**
 * An engine of our own, or a program of the demonstration, on any free port of this machine. `answer` gets what was
 * posted, and must not throw.
 */
export async function serve(answer: (request: IncomingMessage, body: string) => Promise<Answered>): Promise<OwnEngine> {
  const server = createServer(async (request, response) => {
    const body = await text(request).catch(() => undefined);
    // Whoever hung up in the middle of a request reads no answer.
    if (body === undefined) return;
    const { status, headers, output } = await answer(request, body);
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(output));
  });
  return {
    endpoint: await listen(server, 0),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
