import { callAws } from '#infra/local/engines/local-aws.ts';
import { marshalMap } from '#lib/aws/dynamo-store.ts';
import { isRecord } from '#lib/domain/json.ts';
import { atMost, type Figure } from './figure.ts';
import { receivingThrough, webhookRow } from './in-process.ts';
import { type Bill, metered } from './metered.ts';
import { costFigures, LOGGED, MEMORY_GB } from './prices.ts';
import { type Engine, startEngine } from './stack.ts';
import { type Traffic, traffic } from './traffic.ts';

/** Milliseconds of a run on AWS, as assumed: it is mostly the wait for four answers of the table, and was not measured. */
const RUN_MS = 15;

/** Requests and units of a message to a chat that is known, by when the one before it came. */
export async function writes(): Promise<readonly Figure[]> {
  await using started = new AsyncDisposableStack();
  const engine = await startEngine(started);
  const figures: Figure[] = [];
  for (const one of traffic) {
    const webhook = { TableName: engine.table, Item: marshalMap(webhookRow(one.provider.name)) };
    await callAws(engine.endpoint, 'DynamoDB_20120810.PutItem', webhook);
    await billsOf(one, engine, 'the first message of the chat');
    figures.push(...figuresOf(one.provider.name, await billsOf(one, engine, 'an ordinary one')));
    await moveChatsDown(engine);
    figures.push(...figuresOf(`${one.provider.name}, first of a minute`, await billsOf(one, engine, 'a later one')));
  }
  return figures;
}

/** As if nothing had happened in any chat for long. */
async function moveChatsDown({ endpoint, table }: Engine): Promise<void> {
  const { output } = await callAws(endpoint, 'DynamoDB_20120810.Scan', { TableName: table });
  const items = isRecord(output) && Array.isArray(output.Items) ? output.Items.filter(isRecord) : [];
  const chats = items.filter(({ pk }) => isRecord(pk) && String(pk.S).startsWith('CHAT#'));
  for (const chat of chats) {
    const Item = { ...chat, gsi1sk: { S: `2026-01-01T00:00#${isRecord(chat.chatId) ? chat.chatId.S : ''}` } };
    await callAws(endpoint, 'DynamoDB_20120810.PutItem', { TableName: table, Item });
  }
}

function figuresOf(name: string, bills: readonly Bill[]): Figure[] {
  const written = bills.filter(({ isWrite }) => isWrite);
  const sum = (pick: (bill: Bill) => number) => written.reduce((total, bill) => total + pick(bill), 0);
  return [
    // The message, its place in the feed, its chat, the attempt.
    { name: `${name}: write requests a message`, value: written.length, unit: '', aim: atMost('value', 4) },
    { name: `${name}: write units in the table`, value: sum((bill) => bill.table), unit: '' },
    { name: `${name}: write units in the indexes`, value: sum((bill) => bill.indexes), unit: '' },
    { name: `${name}: reads`, value: bills.length - written.length, unit: '' },
    ...costFigures(`a message of ${name}`, {
      apiRequests: 1,
      lambdaRequests: 1,
      lambdaGbMs: MEMORY_GB * RUN_MS,
      writeUnits: sum((bill) => bill.table + bill.indexes),
      readUnits: bills.length - written.length,
      sqsRequests: 0,
      logKilobytes: LOGGED.request,
    }).slice(-1),
  ];
}

async function billsOf(one: Traffic, engine: Engine, id: string): Promise<Bill[]> {
  const bills: Bill[] = [];
  await receivingThrough(one, engine.table, metered(engine, bills))(one.body(id.replaceAll(' ', '-'), 0));
  return bills;
}
