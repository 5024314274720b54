import { setTimeout as sleep } from 'node:timers/promises';
import type { SQSEvent } from 'aws-lambda';
import { greenApiAccount } from '#functions/green-api/account.ts';
import * as outbound from '#functions/outbound.ts';
import { callAws } from '#infra/local/engines/local-aws.ts';
import { contextFor } from '#infra/local/lambda.ts';
import { marshalMap } from '#lib/aws/dynamo-store.ts';
import { sendHandler } from '#lib/aws/http-entries.ts';
import { senderHandler } from '#lib/aws/sender-entries.ts';
import { isRecord } from '#lib/domain/json.ts';
import type { Account } from '#lib/sender/items.ts';
import { createAccount } from '#lib/tenants/accounts.ts';
import { type Answer, ok, taken, type Wire } from '#test/support/aws-wire.ts';
import type { FakeGreenApi } from '#test/support/providers/fake-green-api.ts';
import { receivingThrough, runtimeOn, sendWebhookRow, TOKEN, webhookRow } from './in-process.ts';
import { type Bill, metered } from './metered.ts';
import type { Engine } from './stack.ts';
import { greenApiStatus, greenApiTraffic, postTo } from './traffic.ts';

/** What sending so many messages took, as a bill would list it. */
export interface SendingBill {
  readonly requests: Bill[];
  /** Posts of ticks; Lambda adds a receive and a delete for each. */
  ticks: number;
  /** Milliseconds of each run of the function that takes messages in, and of the one that sends them. */
  readonly accepting: number[];
  readonly sending: number[];
}

const environment = {
  HOOKLINE_TICKS_QUEUE_URL: 'http://127.0.0.1/ticks',
  HOOKLINE_SECRETS_PREFIX: '/bench',
  HOOKLINE_ALLOW_PRIVATE_HOSTS: '1',
  HOOKLINE_START_CREDITS: '1000',
};

/**
 * The functions of sending as they are deployed, one account of a GREEN-API server, a table that says what it charges,
 * and a queue that delivers each tick when its delay is over.
 */
export class SendingBench {
  bill: SendingBill = emptyBill();
  readonly #server: FakeGreenApi;
  readonly #accept;
  readonly #tick;
  readonly #account;
  readonly #engine: Engine;
  readonly #running = new Set<Promise<void>>();

  static async start(engine: Engine, server: FakeGreenApi): Promise<SendingBench> {
    const row = { TableName: engine.table, Item: marshalMap(sendWebhookRow()) };
    await callAws(engine.endpoint, 'DynamoDB_20120810.PutItem', row);
    const bench = new SendingBench(engine, server);
    // A first one opens the credits, which happens once.
    await bench.send('A first message');
    await bench.atRest();
    bench.begin();
    return bench;
  }

  constructor(engine: Engine, server: FakeGreenApi) {
    const runtime = runtimeOn(engine.table, this.#wire(engine), environment);
    this.#server = server;
    this.#engine = engine;
    this.#accept = sendHandler(Object.values(outbound), runtime);
    this.#tick = senderHandler(Object.values(outbound), runtime);
    this.#account = connected({ ...runtime, secrets: noSecrets }, 'main', greenApiAccount, {
      channel: 'whatsapp',
      phone: '+15550100001',
      credentials: server.credentials(),
    });
  }

  /** Begins a new bill. */
  begin(): void {
    this.bill = emptyBill();
  }

  async send(text: string): Promise<void> {
    const body = JSON.stringify({ action: 'send', account_id: (await this.#account).id, phone: '+14151231234', text });
    const since = performance.now();
    const { statusCode, body: answer } = await this.#accept(postTo('/send', TOKEN, body));
    this.bill.accepting.push(performance.now() - since);
    if (statusCode !== 200) throw new Error(`a message was answered ${statusCode} ${answer}`);
  }

  /** Lets the provider tell of each message that it took, through a webhook of the account; no message can be sent after. */
  async report(status: string): Promise<number> {
    const { endpoint, table: TableName } = this.#engine;
    const row = { ...webhookRow('green-api'), accountId: (await this.#account).id };
    await callAws(endpoint, 'DynamoDB_20120810.PutItem', { TableName, Item: marshalMap(row) });
    const receive = receivingThrough(greenApiTraffic, TableName, metered(this.#engine, this.bill.requests));
    for (const { idMessage, chatId } of this.#server.taken)
      await receive(greenApiStatus({ idMessage, chatId, status }));
    return this.#server.taken.length;
  }

  /** Resolves once no tick is on its way and none runs. */
  async atRest(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #wire(engine: Engine): Wire {
    const table: Wire = (...call) => metered(engine, this.bill.requests)(...call);
    return async (operation, headers, body) => {
      if (operation === 'SendMessage') return this.#post(body);
      if (operation === 'GetParameter') return ok({ Parameter: { Value: JSON.stringify(this.#server.credentials()) } });
      return table(operation, headers, body);
    };
  }

  #post(sendMessage: string): Answer {
    const input: unknown = JSON.parse(sendMessage);
    if (!isRecord(input)) throw new Error('a tick is an object');
    this.bill.ticks += 1;
    const delivered = this.#deliver(String(input.MessageBody), Number(input.DelaySeconds));
    this.#running.add(delivered);
    void delivered.finally(() => this.#running.delete(delivered));
    return taken(sendMessage);
  }

  async #deliver(body: string, delaySeconds: number): Promise<void> {
    await sleep(delaySeconds * 1000);
    const since = performance.now();
    const { batchItemFailures } = await this.#tick(tickEvent(body), contextFor(lambda));
    this.bill.sending.push(performance.now() - since);
    if (batchItemFailures.length > 0) throw new Error('a tick failed');
  }
}

const emptyBill = (): SendingBill => ({ requests: [], ticks: 0, accepting: [], sending: [] });

/** The account's credentials are answered without being kept. */
async function connected(...given: Parameters<typeof createAccount>): Promise<Account> {
  const made = await createAccount(...given);
  if (made.kind !== 'created') throw new Error(`no account: ${made.kind}`);
  return made.account;
}

const noSecrets = { get: async () => undefined, put: async () => 1, delete: async () => undefined };

const lambda = { name: 'sender', timeoutMs: 45_000, memoryMb: 512 };

function tickEvent(body: string): SQSEvent {
  const now = String(Date.now());
  const record = {
    messageId: 'tick',
    receiptHandle: 'tick',
    body,
    attributes: {
      SenderId: 'bench',
      SentTimestamp: now,
      ApproximateReceiveCount: '1',
      ApproximateFirstReceiveTimestamp: now,
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:ticks',
    awsRegion: 'us-east-1',
  };
  return { Records: [record] };
}
