import { createServer, type IncomingMessage, type OutgoingHttpHeaders, request, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** One call to an AWS service on its way through the proxy. */
interface AwsCall {
  /** `TransactWriteItems` of `X-Amz-Target: DynamoDB_20120810.TransactWriteItems`. */
  readonly action: string;
  /** The parsed JSON body; `text` is the same as it was sent. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** What no emulator offers, but AWS does to everybody sooner or later. */
type Fault =
  /** The connection breaks before the service has seen the call. */
  | { readonly kind: 'refuse' }
  | { readonly kind: 'delay'; readonly ms: number }
  /** The service does it, and the connection breaks before it can say so. */
  | { readonly kind: 'lose-answer' }
  /** The service gets the call twice, as after a retry below the client. The second answer is passed on. */
  | { readonly kind: 'repeat' }
  /** Another transaction holds one of the items. Nothing is done. */
  | { readonly kind: 'conflict' }
  | { readonly kind: 'throttle' }
  | { readonly kind: 'error' };

interface FaultRule {
  readonly when: (call: AwsCall) => boolean;
  readonly fault: Fault;
  /** How often it strikes; without, until it is cleared. */
  readonly times?: number;
}

export interface FaultProxy {
  readonly endpoint: string;
  /** Every call that came in, oldest first, whatever became of it. */
  readonly calls: readonly AwsCall[];
  inject(rule: FaultRule): void;
  /** Ends all rules and forgets the calls. */
  clear(): void;
  stop(): Promise<void>;
}

/** Stands between a client and a local engine, and misbehaves as it is told. The first rule that fits is used. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const calls: AwsCall[] = [];
  let rules: { rule: FaultRule; left: number }[] = [];
  const faultFor = (call: AwsCall): Fault | undefined => {
    const found = rules.find(({ rule, left }) => left > 0 && rule.when(call));
    if (found) found.left -= 1;
    return found?.rule.fault;
  };
  const server = createServer(async (message, response) => {
    const body = await readAll(message);
    const call = toCall(message, body);
    calls.push(call);
    // An engine that is gone is a broken connection for the client, too.
    await misbehave(faultFor(call), call, { target, message, body, response }).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('the fault proxy has no port');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    calls,
    inject: (rule) => rules.push({ rule, left: rule.times ?? Number.POSITIVE_INFINITY }),
    clear: () => {
      rules = [];
      calls.length = 0;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Exchange {
  readonly target: string;
  readonly message: IncomingMessage;
  readonly body: Buffer;
  readonly response: ServerResponse;
}

interface Passed {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

async function misbehave(fault: Fault | undefined, call: AwsCall, exchange: Exchange): Promise<void> {
  const { response } = exchange;
  const send = ({ status, headers, body }: Passed) => response.writeHead(status, headers).end(body);
  switch (fault?.kind) {
    case 'refuse':
      response.destroy();
      return;
    case 'lose-answer':
      await pass(exchange);
      response.destroy();
      return;
    case 'conflict':
    case 'throttle':
    case 'error':
      send(refusal(fault.kind, call));
      return;
    case 'repeat':
      await pass(exchange);
      break;
    case 'delay':
      await sleep(fault.ms);
      break;
  }
  send(await pass(exchange));
}

function pass({ target, message, body }: Exchange): Promise<Passed> {
  return new Promise((resolve, reject) => {
    const onward = request(target, { method: message.method ?? 'POST', path: message.url, headers: message.headers });
    onward.on('error', reject);
    onward.on('response', async (answer) => {
      resolve({ status: answer.statusCode ?? 500, headers: answer.headers, body: await readAll(answer) });
    });
    onward.end(body);
  });
}

function refusal(kind: 'conflict' | 'throttle' | 'error', { action, input }: AwsCall): Passed {
  if (kind === 'error') return answer(500, { __type: 'InternalServerError', message: 'Internal server error' });
  if (kind === 'throttle') {
    return answer(400, { __type: 'ThrottlingException', message: 'Throughput exceeds the current capacity' });
  }
  if (action !== 'TransactWriteItems') {
    return answer(400, { __type: 'TransactionConflictException', message: 'Transaction is ongoing for the item' });
  }
  const writes = Array.isArray(input.TransactItems) ? input.TransactItems : [];
  const CancellationReasons = writes.map((_, index) => ({ Code: index === 0 ? 'TransactionConflict' : 'None' }));
  const message = 'Transaction cancelled, please refer cancellation reasons for specific reasons [TransactionConflict]';
  return answer(400, { __type: 'TransactionCanceledException', Message: message, message, CancellationReasons });
}

function answer(status: number, output: { __type: string; [name: string]: unknown }): Passed {
  const namespaced = { ...output, __type: `com.amazonaws.dynamodb.v20120810#${output.__type}` };
  const headers = { 'content-type': 'application/x-amz-json-1.0' };
  return { status, headers, body: Buffer.from(JSON.stringify(namespaced)) };
}

function toCall(message: IncomingMessage, body: Buffer): AwsCall {
  const text = body.toString();
  const [, action = ''] = String(message.headers['x-amz-target']).split('.');
  return { action, input: text ? JSON.parse(text) : {}, text };
}

async function readAll(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks);
}
