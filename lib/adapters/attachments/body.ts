import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Abandoned, type Failure, failureOf, refused, unavailable } from './failure.ts';
import type { Limits } from './limits.ts';
import { patience } from './patience.ts';

export type Body = { readonly kind: 'body'; readonly bytes: Uint8Array } | Failure;

/** The whole body, or why not. Never holds more than the limit, whatever the headers say. */
export async function readBody(response: IncomingMessage, limits: Limits, remaining: () => number): Promise<Body> {
  const fault = headerFault(response.headers, limits);
  if (fault) {
    response.destroy();
    return fault;
  }
  const abandon = (failure: Failure) => response.destroy(new Abandoned(failure));
  const end = patience(remaining, (reason) => abandon(unavailable(reason)));
  end.atMost(Number.POSITIVE_INFINITY, 'the file took too long to arrive');
  const watch = watchPace(limits, () => abandon(unavailable('the file arrives too slowly')));
  try {
    return await collect(response, limits, watch.count);
  } catch (error) {
    return failureOf(error);
  } finally {
    end.stop();
    watch.stop();
  }
}

function headerFault(headers: IncomingHttpHeaders, limits: Limits): Failure | undefined {
  if (Number(headers['content-length'] ?? 0) > limits.bytes) return tooLarge(limits);
  const codings = `${headers['content-encoding'] ?? ''},${headers['transfer-encoding'] ?? ''}`;
  const plain = /^[\s,]*((identity|chunked)[\s,]*)*$/i.test(codings);
  return plain ? undefined : refused("the file's host sends the file compressed, although asked not to");
}

async function collect(response: IncomingMessage, limits: Limits, count: (bytes: number) => void): Promise<Body> {
  // One block: a body in a million chunks of one byte would cost a hundred times its size as a list.
  const block = Buffer.allocUnsafe(limits.bytes);
  let size = 0;
  for await (const chunk of chunksOf(response)) {
    if (size + chunk.length > block.length) return tooLarge(limits);
    block.set(chunk, size);
    size += chunk.length;
    count(chunk.length);
  }
  return size === 0 ? refused('the file is empty') : { kind: 'body', bytes: new Uint8Array(block.subarray(0, size)) };
}

/** Leaving the loop early destroys the response, and with it the connection. */
function chunksOf(response: IncomingMessage): AsyncIterable<Uint8Array> {
  return response;
}

function watchPace(limits: Limits, giveUp: () => void): { count: (bytes: number) => void; stop: () => void } {
  let arrived = 0;
  const timer = setInterval(() => {
    if (arrived < limits.windowBytes) giveUp();
    arrived = 0;
  }, limits.windowMs);
  return {
    count: (bytes) => {
      arrived += bytes;
    },
    stop: () => clearInterval(timer),
  };
}

function tooLarge(limits: Limits): Failure {
  return refused(`the file is larger than ${limits.bytes} bytes`);
}
