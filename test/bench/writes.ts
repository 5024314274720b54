import { callAws } from '#infra/local/engines/local-aws.ts';
import { marshalMap } from '#lib/adapters/aws/attribute-values.ts';
import type { Transport } from '#lib/adapters/aws/client.ts';
import { isRecord } from '#lib/domain/json.ts';
import { atMost, type Figure } from './figure.ts';
import { receivingThrough, webhookRow } from './in-process.ts';
import { type Engine, startEngine } from './stack.ts';
import { type Traffic, traffic } from './traffic.ts';

/** What one webhook asked of the table. */
interface Bill {
  readonly operation: string;
  readonly table: number;
  readonly indexes: number;
}

/** Requests and units of a message to a chat that is known: what a message costs, again and again. */
export async function writes(): Promise<readonly Figure[]> {
  await using started = new AsyncDisposableStack();
  const engine = await startEngine(started);
  const figures: Figure[] = [];
  for (const one of traffic) {
    const webhook = { TableName: engine.table, Item: marshalMap(webhookRow(one.provider.name)) };
    await callAws(engine.endpoint, 'DynamoDB_20120810.PutItem', webhook);
    await billsOf(one, engine, 'the first message of the chat');
    figures.push(...figuresOf(one.provider.name, await billsOf(one, engine, 'an ordinary one')));
  }
  return figures;
}

function figuresOf(name: string, bills: readonly Bill[]): Figure[] {
  const written = bills.filter(({ operation }) => operation !== 'GetItem');
  const sum = (pick: (bill: Bill) => number) => written.reduce((total, bill) => total + pick(bill), 0);
  return [
    // The message, its chat, the attempt.
    { name: `${name}: write requests a message`, value: written.length, unit: '', aim: atMost('value', 3) },
    { name: `${name}: write units in the table`, value: sum((bill) => bill.table), unit: '' },
    { name: `${name}: write units in the indexes`, value: sum((bill) => bill.indexes), unit: '' },
    { name: `${name}: reads`, value: bills.length - written.length, unit: '' },
  ];
}

async function billsOf(one: Traffic, { endpoint, table }: Engine, id: string): Promise<Bill[]> {
  const bills: Bill[] = [];
  const transport: Transport = async (operation, _headers, body) => {
    const input: unknown = JSON.parse(body);
    const metered = Object.assign({}, input, { ReturnConsumedCapacity: 'INDEXES' });
    const { status, output } = await callAws(endpoint, `DynamoDB_20120810.${operation}`, metered);
    bills.push({ operation, ...unitsOf(output) });
    return { status, text: JSON.stringify(output) };
  };
  await receivingThrough(one, table, transport)(one.body(id.replaceAll(' ', '-')));
  return bills;
}

function unitsOf(output: unknown): { table: number; indexes: number } {
  const consumed = isRecord(output) ? output.ConsumedCapacity : undefined;
  if (!isRecord(consumed)) throw new Error('the engine does not say what a request consumed');
  const indexes = isRecord(consumed.GlobalSecondaryIndexes) ? Object.values(consumed.GlobalSecondaryIndexes) : [];
  return { table: units(consumed.Table), indexes: indexes.reduce((total: number, index) => total + units(index), 0) };
}

function units(part: unknown): number {
  return isRecord(part) && typeof part.CapacityUnits === 'number' ? part.CapacityUnits : 0;
}
