import {
  type AttributeValue,
  BatchGetItemCommand,
  type BatchGetItemCommandInput,
  BatchWriteItemCommand,
  type BatchWriteItemCommandInput,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import {
  type Change,
  type Check,
  type Condition,
  type Delete,
  type Item,
  type Key,
  type Page,
  type Path,
  type Put,
  type Query,
  type Store,
  StoreUnavailable,
  type Transacted,
  type Update,
  type Value,
  type ValueMap,
  type Write,
  type Written,
} from '#lib/store/store.ts';
import { AwsUnreachable, failureOf } from './clients.ts';

type AttributeMap = Record<string, AttributeValue>;

/** What has no value is left out. Numbers of others, as in what a provider sent, may be larger than is exact. */
export const marshalMap = (map: ValueMap): AttributeMap =>
  marshall(map, { removeUndefinedValues: true, allowImpreciseNumbers: true });

const unmarshalMap = (map: AttributeMap): ValueMap => unmarshall(map, { wrapNumbers: Number });

export function unmarshalItem(map: AttributeMap): Item {
  const { pk, sk, ...rest } = unmarshalMap(map);
  if (typeof pk !== 'string' || typeof sk !== 'string') throw new TypeError('an item without its key');
  return { pk, sk, ...rest };
}

interface Parameters {
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: AttributeMap;
}

/** Collects names and values of one request, so that each is sent once and no reserved word gets in the way. */
class Expressions {
  readonly #names = new Map<string, string>();
  readonly #values: Record<string, Value> = {};
  #count = 0;

  /** The parameters of the request; DynamoDB refuses empty ones. */
  get parameters(): Parameters {
    return {
      ...(this.#names.size > 0 && {
        ExpressionAttributeNames: Object.fromEntries([...this.#names].map(([name, alias]) => [alias, name])),
      }),
      ...(this.#count > 0 && { ExpressionAttributeValues: marshalMap(this.#values) }),
    };
  }

  condition(condition: Condition): string {
    switch (condition.kind) {
      case 'exists':
        return `attribute_exists(${this.path(condition.path)})`;
      case 'absent':
        return `attribute_not_exists(${this.path(condition.path)})`;
      case 'compare':
        return `${this.path(condition.path)} ${condition.op} ${this.value(condition.value)}`;
      case 'all':
        return `(${condition.of.map((one) => this.condition(one)).join(' AND ')})`;
      case 'any':
        return `(${condition.of.map((one) => this.condition(one)).join(' OR ')})`;
    }
  }

  update(changes: readonly Change[]): string {
    const sets = changes.flatMap((change) => this.#set(change));
    const removes = changes.filter((change) => change.kind === 'remove').map((change) => this.path(change.path));
    const clauses = [];
    if (sets.length > 0) clauses.push(`SET ${sets.join(', ')}`);
    if (removes.length > 0) clauses.push(`REMOVE ${removes.join(', ')}`);
    return clauses.join(' ');
  }

  #set(change: Change): string[] {
    if (change.kind === 'remove') return [];
    const path = this.path(change.path);
    switch (change.kind) {
      case 'set':
        return [`${path} = ${this.value(change.value)}`];
      case 'setIfAbsent':
        return [`${path} = if_not_exists(${path}, ${this.value(change.value)})`];
      case 'add':
        return [`${path} = if_not_exists(${path}, ${this.value(0)}) + ${this.value(change.by)}`];
      case 'append':
        return [`${path} = list_append(if_not_exists(${path}, ${this.value([])}), ${this.value(change.values)})`];
    }
  }

  path(path: Path): string {
    if (typeof path === 'string') return this.#name(path);
    return path
      .map((step, i) => (typeof step === 'number' ? `[${step}]` : `${i ? '.' : ''}${this.#name(step)}`))
      .join('');
  }

  value(value: Value): string {
    const alias = `:v${this.#count++}`;
    this.#values[alias] = value;
    return alias;
  }

  #name(name: string): string {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const alias = `#n${this.#names.size}`;
    this.#names.set(name, alias);
    return alias;
  }
}

/** The storage port on a DynamoDB table. It does not retry: who calls knows until when that makes sense. */
export function dynamoStore(client: DynamoDBClient, table: string): Store {
  return {
    get: async (key, options) => {
      const input = { TableName: table, Key: keyOf(key), ConsistentRead: options?.consistent ?? false };
      const { Item } = await client.send(new GetItemCommand(input)).catch(unavailable);
      return Item && unmarshalItem(Item);
    },
    getMany: (keys, options) => getMany(client, table, keys, options?.consistent ?? false),
    query: (query) => runQuery(client, table, query),
    write: (write, options) => writeOne(client, table, write, options?.returns ?? 'nothing'),
    transact: (writes, token) => transact(client, table, writes, token),
    writeMany: (writes) => writeMany(client, table, writes),
  };
}

const keyOf = ({ pk, sk }: Key) => marshalMap({ pk, sk });

async function writeOne(
  client: DynamoDBClient,
  table: string,
  write: Write,
  returns: 'new' | 'nothing',
): Promise<Written> {
  switch (write.kind) {
    case 'put':
      return written(client.send(new PutItemCommand(putOf(table, write))));
    case 'delete':
      return written(client.send(new DeleteItemCommand(deleteOf(table, write))));
    case 'update': {
      const ReturnValues = returns === 'new' ? 'ALL_NEW' : 'NONE';
      return written(client.send(new UpdateItemCommand({ ...updateOf(table, write), ReturnValues })));
    }
  }
}

async function written(sent: Promise<{ readonly Attributes?: AttributeMap | undefined }>): Promise<Written> {
  const answer = await sent.catch((error: unknown) =>
    error instanceof ConditionalCheckFailedException ? error : unavailable(error),
  );
  if (answer instanceof ConditionalCheckFailedException) return { done: false, ...itemIn(answer.Item) };
  return { done: true, ...itemIn(answer.Attributes) };
}

const putOf = (TableName: string, { item, if: condition }: Put) => ({
  TableName,
  Item: marshalMap(item),
  ...conditionOf(condition, new Expressions()),
});

const deleteOf = (TableName: string, { key, if: condition }: Delete) => ({
  TableName,
  Key: keyOf(key),
  ...conditionOf(condition, new Expressions()),
});

function updateOf(TableName: string, { key, changes, if: condition }: Update) {
  const expressions = new Expressions();
  const UpdateExpression = expressions.update(changes);
  return { TableName, Key: keyOf(key), UpdateExpression, ...conditionOf(condition, expressions) };
}

function checkOf(TableName: string, { key, if: condition }: Check) {
  const expressions = new Expressions();
  return { TableName, Key: keyOf(key), ...requirement(condition, expressions), ...expressions.parameters };
}

/** The condition, if any, and the parameters that the whole request has collected by then. */
function conditionOf(condition: Condition | undefined, expressions: Expressions) {
  const required = condition && requirement(condition, expressions);
  return { ...required, ...expressions.parameters };
}

const requirement = (condition: Condition, expressions: Expressions) => ({
  ConditionExpression: expressions.condition(condition),
  ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
});

function itemIn(attributes: AttributeMap | undefined): { item?: Item } {
  return attributes ? { item: unmarshalItem(attributes) } : {};
}

async function transact(
  client: DynamoDBClient,
  table: string,
  writes: readonly (Write | Check)[],
  token: string | undefined,
): Promise<Transacted> {
  const TransactItems = writes.map((write) => transactItem(table, write));
  try {
    await client.send(new TransactWriteItemsCommand({ TransactItems, ClientRequestToken: token }));
    return { done: true };
  } catch (error) {
    return error instanceof TransactionCanceledException ? refusal(error) : unavailable(error);
  }
}

function transactItem(table: string, write: Write | Check): TransactWriteItem {
  switch (write.kind) {
    case 'put':
      return { Put: putOf(table, write) };
    case 'update':
      return { Update: updateOf(table, write) };
    case 'delete':
      return { Delete: deleteOf(table, write) };
    case 'check':
      return { ConditionCheck: checkOf(table, write) };
  }
}

/** A conflict counts before a refused condition: what was read during a conflict may be gone in a moment. */
function refusal(error: TransactionCanceledException): Transacted {
  const reasons = error.CancellationReasons ?? [];
  const codes = reasons.map(({ Code }) => Code);
  if (codes.includes('TransactionConflict')) throw new StoreUnavailable('conflict', { cause: failureOf(error) });
  if (codes.some((code) => code === 'ThrottlingError' || code === 'ProvisionedThroughputExceeded')) {
    throw new StoreUnavailable('throttled', { cause: failureOf(error) });
  }
  if (!codes.includes('ConditionalCheckFailed')) throw failureOf(error);
  return {
    done: false,
    refused: reasons.map(({ Code, Item }) => (Code === 'ConditionalCheckFailed' ? itemIn(Item) : undefined)),
  };
}

async function runQuery(client: DynamoDBClient, table: string, query: Query): Promise<Page> {
  // DynamoDB refuses bounds that are the wrong way round; nothing lies between them.
  if (query.from !== undefined && query.before !== undefined && query.from > query.before) return { items: [] };
  const expressions = new Expressions();
  const command = new QueryCommand({
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
  const { Items, LastEvaluatedKey: next } = await client.send(command).catch(unavailable);
  const items = itemsIn(Items);
  const sortKey = query.index ? `${query.index}sk` : 'sk';
  return {
    // BETWEEN includes its end.
    items: query.before === undefined ? items : items.filter((item) => item[sortKey] !== query.before),
    ...(next && { next: unmarshalMap(next) }),
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
async function getMany(
  client: DynamoDBClient,
  table: string,
  keys: readonly Key[],
  consistent: boolean,
): Promise<Item[]> {
  const found: Item[] = [];
  let left: BatchGetItemCommandInput['RequestItems'] = {
    [table]: { Keys: keys.map(keyOf), ConsistentRead: consistent },
  };
  for (let round = 0; keys.length > 0 && left && Object.keys(left).length > 0; round++) {
    if (round > 20) throw new StoreUnavailable('throttled');
    const command: BatchGetItemCommand = new BatchGetItemCommand({ RequestItems: left });
    const { Responses, UnprocessedKeys } = await client.send(command).catch(unavailable);
    found.push(...itemsIn(Responses?.[table]));
    left = UnprocessedKeys;
  }
  return found;
}

/** 25 writes a request; DynamoDB may leave some for another call. */
async function writeMany(client: DynamoDBClient, table: string, writes: readonly (Put | Delete)[]): Promise<void> {
  for (let start = 0; start < writes.length; start += 25) {
    let left: BatchWriteItemCommandInput['RequestItems'] = {
      [table]: writes.slice(start, start + 25).map(requestOf),
    };
    for (let round = 0; left && Object.keys(left).length > 0; round++) {
      if (round > 20) throw new StoreUnavailable('throttled');
      const command: BatchWriteItemCommand = new BatchWriteItemCommand({ RequestItems: left });
      left = (await client.send(command).catch(unavailable)).UnprocessedItems;
    }
  }
}

function requestOf(write: Put | Delete): WriteRequest {
  return write.kind === 'put'
    ? { PutRequest: { Item: marshalMap(write.item) } }
    : { DeleteRequest: { Key: keyOf(write.key) } };
}

function itemsIn(items: readonly AttributeMap[] | undefined): Item[] {
  return (items ?? []).map(unmarshalItem);
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
  const cause = failureOf(error);
  if (cause instanceof AwsUnreachable) throw new StoreUnavailable('unreachable', { cause });
  if (cause.code === 'TransactionConflictException' || cause.code === 'TransactionInProgressException') {
    throw new StoreUnavailable('conflict', { cause });
  }
  if (THROTTLED.has(cause.code)) throw new StoreUnavailable('throttled', { cause });
  if (cause.status >= 500) throw new StoreUnavailable('unreachable', { cause });
  if (OUR_FAULT.has(cause.code)) throw cause;
  throw new StoreUnavailable('refused', { cause });
}
