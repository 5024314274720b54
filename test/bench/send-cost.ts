import { setTimeout as sleep } from 'node:timers/promises';
import { FakeGreenApi } from '#test/support/providers/fake-green-api.ts';
import { mean, sum } from '#test/support/sending/pace.ts';
import { atMost, type Figure } from './figure.ts';
import { costFigures, LOGGED, MEMORY_GB } from './prices.ts';
import { SendingBench, type SendingBill } from './sending.ts';
import { startEngine } from './stack.ts';

const messages = 20;
const single = 3;
/** By then an account may send again at once, milliseconds. */
const restMs = 2_500;
/** What a call of the provider takes here, milliseconds: Lambda is paid while it waits for it. */
const callMs = 250;
const TEXT = 'Your table for four is booked for Saturday, 19:30. Reply 1 to confirm or 2 to change. Thank you!';

/** What one message of one part, sent without a key, costs from its acceptance until the provider has it. */
export async function sendCost(): Promise<readonly Figure[]> {
  await using started = new AsyncDisposableStack();
  const engine = await startEngine(started);
  const server = new FakeGreenApi('a-token');
  server.answersAfterMs = () => callMs;
  await server.http.start();
  started.defer(() => server.http.stop());
  const logged = countLogged(started);
  const bench = await SendingBench.start(engine, server);

  const before = logged();
  for (let number = 0; number < messages; number += 1) await bench.send(TEXT);
  await bench.atRest();
  const busy = bench.bill;
  const logKilobytes = (logged() - before) / 1024 / messages;
  bench.begin();
  for (let number = 0; number < single; number += 1) {
    await sleep(restMs);
    await bench.send(TEXT);
    await bench.atRest();
  }
  return [
    ...figuresOf('in a busy queue', busy, messages),
    ...figuresOf('on an account at rest', bench.bill, single),
    ...costOf(busy, logKilobytes),
    ...(await reported(bench)),
  ];
}

/** Functions write their log to standard output, where CloudWatch takes it up and charges for it. */
function countLogged(started: AsyncDisposableStack): () => number {
  const write = process.stdout.write;
  let bytes = 0;
  process.stdout.write = (chunk: string | Uint8Array) => {
    bytes += Buffer.byteLength(chunk);
    return true;
  };
  started.defer(() => {
    process.stdout.write = write;
  });
  return () => bytes;
}

function figuresOf(name: string, bill: SendingBill, count: number): Figure[] {
  const { table, indexes, reads, sqs } = countsOf(bill, count);
  const each = (what: string, value: number, unit = '') => ({ name: `${name}: ${what}`, value, unit });
  return [
    { ...each('write units in the table', table), aim: atMost('value', 25) },
    each('write units in the indexes', indexes),
    each('read units', reads),
    { ...each('requests of SQS', sqs), aim: atMost('value', 3) },
    each('billed for accepting', mean(bill.accepting), 'ms'),
    each('billed for sending, waiting included', sum(bill.sending) / count, 'ms'),
  ];
}

function countsOf({ requests, ticks }: SendingBill, count: number) {
  const writes = requests.filter(({ isWrite }) => isWrite);
  const reads = requests.filter(({ isWrite }) => !isWrite);
  return {
    table: sum(writes.map((bill) => bill.table)) / count,
    indexes: sum(writes.map((bill) => bill.indexes)) / count,
    reads: sum(reads.map((bill) => bill.table + bill.indexes)) / count,
    // Each tick is posted by us, and received and deleted by Lambda.
    sqs: (3 * ticks) / count,
  };
}

/** What its provider tells of a message is a webhook, and costs what webhooks cost. */
async function reported(bench: SendingBench): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const status of ['sent', 'delivered', 'read']) {
    bench.begin();
    const count = await bench.report(status);
    const { table, indexes, reads } = countsOf(bench.bill, count);
    figures.push(
      { name: `status ${status}: write units in the table`, value: table, unit: '' },
      { name: `status ${status}: write units in the indexes`, value: indexes, unit: '' },
      { name: `status ${status}: read units`, value: reads, unit: '' },
    );
  }
  return figures;
}

/** Statuses that come back are not in it. */
function costOf(bill: SendingBill, logKilobytes: number): Figure[] {
  const { table, indexes, reads, sqs } = countsOf(bill, messages);
  const runs = 1 + bill.sending.length / messages;
  return costFigures('a message sent', {
    apiRequests: 1,
    lambdaRequests: runs,
    lambdaGbMs: MEMORY_GB * (mean(bill.accepting) + sum(bill.sending) / messages),
    writeUnits: table + indexes,
    readUnits: reads,
    sqsRequests: sqs,
    logKilobytes: logKilobytes + LOGGED.request,
  });
}
