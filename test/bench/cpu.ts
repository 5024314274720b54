import { createHash } from 'node:crypto';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshalMap } from '#lib/adapters/aws/attribute-values.ts';
import type { Transport } from '#lib/adapters/aws/client.ts';
import { isRecord } from '#lib/domain/json.ts';
import { atMost, type Figure } from './figure.ts';
import { receivingThrough, webhookRow } from './in-process.ts';
import { median } from './statistics.ts';
import { greenApiTraffic, type Traffic, traffic } from './traffic.ts';

const rounds = 15;
const perRound = 400;
const warmUp = 2000;

interface Contestant {
  readonly name: string;
  readonly takes: (body: string) => Promise<unknown>;
  readonly bodies: readonly string[];
  /** Microseconds a call, one for each round. */
  readonly costs: number[];
}

/** Processor time of one webhook in the handler, beside what nobody could do without; no wire on either side. */
export async function cpu(): Promise<readonly Figure[]> {
  const floor = contestant('floor', floorHandler(), greenApiTraffic);
  const providers = traffic.map((one) =>
    contestant(one.provider.name, receivingThrough(one, 'bench', stubFor(one)), one),
  );
  const all = [floor, ...providers];
  for (const one of all) await measure(one, warmUp);
  // In turn, so that what else this machine does meets all of them alike.
  for (let round = 0; round < rounds; round += 1) {
    for (const one of all) one.costs.push(await measure(one, perRound));
  }
  return providers.map(({ name, costs }) => ({
    name: `${name}: processor time a webhook`,
    value: median(costs),
    unit: 'µs',
    floor: median(floor.costs),
    aim: atMost('ratio', 2),
  }));
}

function contestant(name: string, takes: Contestant['takes'], { body }: Traffic): Contestant {
  const bodies = Array.from({ length: perRound }, (_, number) => body(number));
  return { name, takes, bodies, costs: [] };
}

async function measure({ takes, bodies }: Contestant, calls: number): Promise<number> {
  const before = process.cpuUsage();
  for (let call = 0; call < calls; call += 1) await takes(bodies[call % bodies.length] ?? '');
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

function stubFor({ provider }: Traffic): Transport {
  const webhook = { status: 200, text: JSON.stringify({ Item: marshalMap(webhookRow(provider.name)) }) };
  const done = { status: 200, text: '{}' };
  return async (operation) => (operation === 'GetItem' ? webhook : done);
}

/** The least that a webhook costs: read it, hash it, put it through the SDK. */
function floorHandler(): (body: string) => Promise<unknown> {
  const answer = Buffer.from('{}');
  const client = new DynamoDBClient({
    region: 'eu-central-1',
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
    requestHandler: { handle: async () => ({ response: { statusCode: 200, headers: {}, body: answer } }) },
  });
  return async (body) => {
    const parsed: unknown = JSON.parse(body);
    if (!isRecord(parsed)) throw new Error('a webhook is an object');
    const id = createHash('sha256').update(body).digest('hex');
    const Item = { pk: { S: `EVT#${id}` }, sk: { S: 'META' }, raw: { S: body } };
    await client.send(new PutItemCommand({ TableName: 'bench', Item }));
  };
}
