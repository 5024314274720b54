import {
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { settingsOver } from '#test/support/aws-wire.ts';
import { atMost, type Figure } from './figure.ts';
import { everyday, receivingThrough } from './in-process.ts';
import { median } from './statistics.ts';
import { type Traffic, traffic } from './traffic.ts';

const rounds = 15;
const perRound = 100;
const warmUp = 1000;

interface Contestant {
  readonly take: (number: number) => Promise<unknown>;
  /** Before each round, unmeasured. */
  readonly prepare?: () => void;
  /** Microseconds a call, one for each round. */
  readonly costs: number[];
}

/**
 * Processor time of one webhook in the handler, beside the calls that it makes and nothing else, by a client of the SDK as
 * it comes; no wire on either.
 */
export async function cpu(): Promise<readonly Figure[]> {
  const pairs = await Promise.all(traffic.map(pairOf));
  const all = pairs.flatMap(({ webhook, floor }) => [webhook, floor]);
  for (const one of all) await measure(one, warmUp);
  // In turn, so that what else this machine does meets all of them alike.
  for (let round = 0; round < rounds; round += 1) {
    for (const one of all) {
      one.prepare?.();
      one.costs.push(await measure(one, perRound));
    }
  }
  return pairs.map(({ name, webhook, floor }) => ({
    name: `${name}: processor time a webhook`,
    value: median(webhook.costs),
    unit: 'µs',
    floor: median(floor.costs),
    ratio: median(webhook.costs.map((cost, round) => cost / (floor.costs[round] ?? Number.NaN))),
    aim: atMost('ratio', 1.4),
  }));
}

async function pairOf(one: Traffic) {
  // What is old when it comes may have come before, and costs a look: each round has its own.
  const newBodies = () => Array.from({ length: perRound }, (_, number) => one.body(number, number));
  let bodies = newBodies();
  const wire = everyday(one.provider.name);
  const receive = receivingThrough(one, 'bench', wire);
  const { endpoints: _, ...settings } = settingsOver(wire);
  const client = new DynamoDBClient(settings);
  const calls: (readonly BareCall[])[] = [];
  for (const body of bodies) calls.push(await callsOf(one, body, client));
  const prepare = () => {
    bodies = newBodies();
  };
  const webhook: Contestant = { take: (number) => receive(bodies[number] ?? ''), prepare, costs: [] };
  const floor: Contestant = {
    take: async (number) => {
      for (const call of calls[number] ?? []) await call();
    },
    costs: [],
  };
  return { name: one.provider.name, webhook, floor };
}

async function measure({ take }: Contestant, calls: number): Promise<number> {
  const before = process.cpuUsage();
  for (let call = 0; call < calls; call += 1) await take(call % perRound);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

type BareCall = () => Promise<unknown>;

/** What the handler calls for one webhook, to be called again with the input ready made. */
async function callsOf(one: Traffic, body: string, client: DynamoDBClient): Promise<readonly BareCall[]> {
  const calls: BareCall[] = [];
  const answer = everyday(one.provider.name);
  const receive = receivingThrough(one, 'bench', (operation, headers, sent) => {
    calls.push(bareCall(operation, sent, client));
    return answer(operation, headers, sent);
  });
  await receive(body);
  calls.length = 0;
  await receive(body);
  return calls;
}

function bareCall(operation: string, sent: string, client: DynamoDBClient): BareCall {
  const input = JSON.parse(sent, (name, value) =>
    name === 'B' && typeof value === 'string' ? Buffer.from(value, 'base64') : value,
  );
  switch (operation) {
    case 'GetItem':
      return () => client.send(new GetItemCommand(input));
    case 'PutItem':
      return () => client.send(new PutItemCommand(input));
    case 'UpdateItem':
      return () => client.send(new UpdateItemCommand(input));
    case 'TransactWriteItems':
      return () => client.send(new TransactWriteItemsCommand(input));
    case 'Query':
      return () => client.send(new QueryCommand(input));
    default:
      throw new Error(`the floor does not know ${operation}`);
  }
}
