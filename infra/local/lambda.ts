import { randomUUID } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import type { Context } from 'aws-lambda';

/** A function ready to be called, as Lambda would call it. */
export interface Lambda {
  readonly name: string;
  invoke(event: unknown): Promise<Invocation>;
}

/** `timeout`: Lambda would have stopped it. Here it cannot be stopped: what it still does, it does unheard. */
export type Invocation =
  | { readonly kind: 'answered'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'timeout' };

export interface LambdaSettings {
  readonly name: string;
  readonly timeoutMs: number;
  readonly memoryMb: number;
}

type Handler = (event: unknown, context: Context) => unknown;

let loads = 0;

/**
 * Imports a function's bundle, the file that is deployed. All functions share this process and its environment, and
 * one instance takes several calls at once, where Lambda would start more instances.
 */
export async function loadLambda(file: string, exportName: string, settings: LambdaSettings): Promise<Lambda> {
  // Each hub of a process gets its own instances, with the environment of that hub.
  const url = `${pathToFileURL(file).href}?load=${++loads}`;
  const loaded: Record<string, unknown> = await import(url);
  const handler = loaded[exportName];
  if (!isHandler(handler)) throw new Error(`${file} exports no function named ${exportName}`);
  return { name: settings.name, invoke: (event) => invoke(handler, event, settings) };
}

function isHandler(value: unknown): value is Handler {
  return typeof value === 'function';
}

async function invoke(handler: Handler, event: unknown, settings: LambdaSettings): Promise<Invocation> {
  const stop = Promise.withResolvers<Invocation>();
  const timer = setTimeout(() => stop.resolve({ kind: 'timeout' }), settings.timeoutMs);
  try {
    return await Promise.race([call(handler, event, settings), stop.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function call(handler: Handler, event: unknown, settings: LambdaSettings): Promise<Invocation> {
  try {
    return { kind: 'answered', result: await handler(event, contextFor(settings)) };
  } catch (error) {
    return { kind: 'failed', error };
  }
}

/** What a function is told about its run, which begins now. */
export function contextFor({ name, timeoutMs, memoryMb }: LambdaSettings): Context {
  const deadline = Date.now() + timeoutMs;
  const noCallback = () => {
    throw new Error('Handlers return promises; callbacks are not supported on Node 24');
  };
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: name,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
    memoryLimitInMB: String(memoryMb),
    awsRequestId: randomUUID(),
    logGroupName: `/aws/lambda/${name}`,
    logStreamName: 'local',
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    done: noCallback,
    fail: noCallback,
    succeed: noCallback,
  };
}
