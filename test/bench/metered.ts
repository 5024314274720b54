import { callAws } from '#infra/local/engines/local-aws.ts';
import { isRecord } from '#lib/domain/json.ts';
import type { Wire } from '#test/support/aws-wire.ts';
import type { Engine } from './stack.ts';

/** What one request asked of the table. */
export interface Bill {
  readonly operation: string;
  readonly isWrite: boolean;
  /** Units in the table itself, and in its indexes. */
  readonly table: number;
  readonly indexes: number;
}

const READS = ['GetItem', 'BatchGetItem', 'Query'];

/** Carries requests to the engine, and writes down what each of them would be charged for. */
export function metered({ endpoint }: Engine, bills: Bill[]): Wire {
  return async (operation, _headers, body) => {
    const input: unknown = JSON.parse(body);
    const asked = Object.assign({}, input, { ReturnConsumedCapacity: 'INDEXES' });
    const { status, output } = await callAws(endpoint, `DynamoDB_20120810.${operation}`, asked);
    // A request that is refused says nothing of what it cost.
    if (status === 200) bills.push({ operation, isWrite: !READS.includes(operation), ...unitsOf(output) });
    return { status, text: JSON.stringify(output) };
  };
}

function unitsOf(output: unknown): { table: number; indexes: number } {
  const consumed = isRecord(output) ? output.ConsumedCapacity : undefined;
  const tables = (Array.isArray(consumed) ? consumed : [consumed]).filter(isRecord);
  if (tables.length === 0) throw new Error('the engine does not say what a request consumed');
  const indexes = tables.flatMap(({ GlobalSecondaryIndexes: all }) => (isRecord(all) ? Object.values(all) : []));
  return { table: sum(tables.map((table) => units(table.Table))), indexes: sum(indexes.map(units)) };
}

function units(part: unknown): number {
  return isRecord(part) && typeof part.CapacityUnits === 'number' ? part.CapacityUnits : 0;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
