import type {
  Check,
  Condition,
  Delete,
  Item,
  Key,
  Page,
  Put,
  Query,
  Store,
  Transacted,
  Update,
  Written,
} from '#lib/app/store.ts';
import { StoreUnavailable } from '#lib/app/store.ts';
import { isRecord } from '#lib/domain/json.ts';
import { marshalMap, unmarshalItem, unmarshalMap } from './attribute-values.ts';
import { type AwsClient, AwsError, AwsUnreachable } from './client.ts';
import { Expressions } from './expressions.ts';

type Answer = Readonly<Record<string, unknown>>;

/** The storage port on a DynamoDB table. It does not retry: who calls knows until when that makes sense. */
export function dynamoStore(client: AwsClient, table: string): Store {
  const call = (operation: string, input: object) => client(operation, input).catch(unavailable);
  return {
    get: async (key, options) => {
      const input = { TableName: table, Key: keyOf(key), ConsistentRead: options?.consistent ?? false };
      return unmarshalItem((await call('GetItem', input)).Item);
    },
    getMany: (keys, options) => getMany(call, table, keys, options?.consistent ?? false),
    query: (query) => runQuery(call, table, query),
    write: (write, options) => writeOne(client, table, write, options?.returns ?? 'nothing'),
    transact: (writes, token) => transact(client, table, writes, token),
    writeMany: (writes) => writeMany(call, table, writes),
  };
}

const keyOf = (key: Key) => ({ pk: { S: key.pk }, sk: { S: key.sk } });

async function writeOne(
  client: AwsClient,
  table: string,
  write: Put | Update | Delete,
  returns: 'new' | 'nothing',
): Promise<Written> {
  const operations = { put: 'PutItem', update: 'UpdateItem', delete: 'DeleteItem' } as const;
  const input = { TableName: table, ...parametersOf(write), ...(returns === 'new' && { ReturnValues: 'ALL_NEW' }) };
  try {
    const answer = await client(operations[write.kind], input);
    return { done: true, ...itemIn(answer.Attributes) };
  } catch (error) {
    if (error instanceof AwsError && error.code === 'ConditionalCheckFailedException') {
      return { done: false, ...itemIn(error.body.Item) };
    }
    return unavailable(error);
  }
}

function parametersOf(write: Put | Update | Delete | Check): object {
  const expressions = new Expressions();
  const target = targetOf(write, expressions);
  const condition = write.if && conditionOf(write.if, expressions);
  return { ...target, ...condition, ...expressions.parameters };
}

function targetOf(write: Put | Update | Delete | Check, expressions: Expressions): object {
  if (write.kind === 'put') return { Item: marshalMap(write.item) };
  if (write.kind !== 'update') return { Key: keyOf(write.key) };
  return { Key: keyOf(write.key), UpdateExpression: expressions.update(write.changes) };
}

function conditionOf(condition: Condition, expressions: Expressions): object {
  return {
    ConditionExpression: expressions.condition(condition),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  };
}

function itemIn(raw: unknown): { item?: Item } {
  const item = unmarshalItem(raw);
  return item === undefined ? {} : { item };
}

async function transact(
  client: AwsClient,
  table: string,
  writes: readonly (Put | Update | Delete | Check)[],
  token: string,
): Promise<Transacted> {
  const names = { put: 'Put', update: 'Update', delete: 'Delete', check: 'ConditionCheck' } as const;
  const items = writes.map((write) => ({ [names[write.kind]]: { TableName: table, ...parametersOf(write) } }));
  try {
    await client('TransactWriteItems', { TransactItems: items, ClientRequestToken: token });
    return { done: true };
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== 'TransactionCanceledException') return unavailable(error);
    return refusal(error);
  }
}

/** A conflict counts before a refused condition: what was read during a conflict may be gone in a moment. */
function refusal(error: AwsError): Transacted {
  const reasons = Array.isArray(error.body.CancellationReasons) ? error.body.CancellationReasons : [];
  const codes = reasons.map((reason) => (isRecord(reason) ? reason.Code : undefined));
  if (codes.includes('TransactionConflict')) throw new StoreUnavailable('conflict', { cause: error });
  if (codes.some((code) => code === 'ThrottlingError' || code === 'ProvisionedThroughputExceeded')) {
    throw new StoreUnavailable('throttled', { cause: error });
  }
  if (!codes.includes('ConditionalCheckFailed')) throw error;
  return {
    done: false,
    refused: reasons.map((reason) =>
      isRecord(reason) && reason.Code === 'ConditionalCheckFailed' ? itemIn(reason.Item) : undefined,
    ),
  };
}

type Call = (operation: string, input: object) => Promise<Answer>;

async function runQuery(call: Call, table: string, query: Query): Promise<Page> {
  // DynamoDB refuses bounds that are the wrong way round; nothing lies between them.
  if (query.from !== undefined && query.before !== undefined && query.from > query.before) return { items: [] };
  const expressions = new Expressions();
  const answer = await call('Query', {
    TableName: table,
    KeyConditionExpression: keyCondition(query, expressions),
    ...(query.index && { IndexName: query.index }),
    ...(query.filter && { FilterExpression: expressions.condition(query.filter) }),
    Limit: query.limit,
    ScanIndexForward: !query.descending,
    ...(query.consistent && { ConsistentRead: true }),
    ...(query.start && { ExclusiveStartKey: marshalMap(query.start) }),
    ...expressions.parameters,
  });
  const items = itemsIn(answer.Items);
  const sortKey = query.index ? `${query.index}sk` : 'sk';
  const next = answer.LastEvaluatedKey;
  return {
    // BETWEEN includes its end.
    items: query.before === undefined ? items : items.filter((item) => item[sortKey] !== query.before),
    ...(isRecord(next) && { next: unmarshalMap(next) }),
  };
}

function keyCondition({ index, pk, prefix, from, before }: Query, expressions: Expressions): string {
  const partition = `${expressions.path(index ? `${index}pk` : 'pk')} = ${expressions.value(pk)}`;
  // A name that no expression uses is refused.
  if (prefix === undefined && from === undefined && before === undefined) return partition;
  const sort = expressions.path(index ? `${index}sk` : 'sk');
  if (prefix !== undefined) return `${partition} AND begins_with(${sort}, ${expressions.value(prefix)})`;
  if (from !== undefined && before !== undefined) {
    return `${partition} AND ${sort} BETWEEN ${expressions.value(from)} AND ${expressions.value(before)}`;
  }
  if (from !== undefined) return `${partition} AND ${sort} >= ${expressions.value(from)}`;
  return `${partition} AND ${sort} < ${expressions.value(before ?? '')}`;
}

/** DynamoDB may leave keys for another call: too much data, or too much load. */
async function getMany(call: Call, table: string, keys: readonly Key[], consistent: boolean): Promise<Item[]> {
  const found: Item[] = [];
  let left: unknown = { [table]: { Keys: keys.map(keyOf), ConsistentRead: consistent } };
  for (let round = 0; keys.length > 0 && isRecord(left) && Object.keys(left).length > 0; round++) {
    if (round > 20) throw new StoreUnavailable('throttled');
    const answer: Answer = await call('BatchGetItem', { RequestItems: left });
    const responses = answer.Responses;
    found.push(...itemsIn(isRecord(responses) ? responses[table] : []));
    left = answer.UnprocessedKeys;
  }
  return found;
}

/** 25 writes a request; DynamoDB may leave some for another call. */
async function writeMany(call: Call, table: string, writes: readonly (Put | Delete)[]): Promise<void> {
  for (let start = 0; start < writes.length; start += 25) {
    const requests = writes.slice(start, start + 25).map(requestOf);
    let left: unknown = { [table]: requests };
    for (let round = 0; isRecord(left) && Object.keys(left).length > 0; round++) {
      if (round > 20) throw new StoreUnavailable('throttled');
      left = (await call('BatchWriteItem', { RequestItems: left })).UnprocessedItems;
    }
  }
}

function requestOf(write: Put | Delete): object {
  return write.kind === 'put'
    ? { PutRequest: { Item: marshalMap(write.item) } }
    : { DeleteRequest: { Key: keyOf(write.key) } };
}

function itemsIn(raw: unknown): Item[] {
  return Array.isArray(raw) ? raw.flatMap((item) => unmarshalItem(item) ?? []) : [];
}

const THROTTLED = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
  'LimitExceededException',
]);

/** The request itself is wrong. All else is about the table: it is not there, its key is not, or we have no permission. */
const OUR_FAULT = new Set([
  'ValidationException',
  'SerializationException',
  'IdempotentParameterMismatchException',
  'ItemCollectionSizeLimitExceededException',
]);

function unavailable(error: unknown): never {
  if (error instanceof AwsUnreachable) throw new StoreUnavailable('unreachable', { cause: error });
  if (!(error instanceof AwsError)) throw error;
  if (error.code === 'TransactionConflictException' || error.code === 'TransactionInProgressException') {
    throw new StoreUnavailable('conflict', { cause: error });
  }
  if (THROTTLED.has(error.code)) throw new StoreUnavailable('throttled', { cause: error });
  if (error.status >= 500) throw new StoreUnavailable('unreachable', { cause: error });
  if (OUR_FAULT.has(error.code)) throw error;
  throw new StoreUnavailable('refused', { cause: error });
}
