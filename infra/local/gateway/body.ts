import type { IncomingMessage } from 'node:http';

/** API Gateway takes at most this much, in bytes. */
const gatewayLimit = 10 * 1024 * 1024;
/** What Lambda takes as one event, in bytes: the body, in base64 if it travels so, and the rest of the request. */
export const lambdaLimit = 6 * 1024 * 1024;

/** The whole body, or `undefined` when it is larger than the gateway takes. */
export async function readBody(message: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(message.headers['content-length'] ?? 0) > gatewayLimit) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > gatewayLimit) return undefined;
  }
  return Buffer.concat(chunks, size);
}
