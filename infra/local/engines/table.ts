import * as v from 'valibot';
import type { TableProperties } from '../service/schema.ts';
import { callAws } from './local-aws.ts';

/**
 * What the template says that only AWS has a use for. Nothing here reads the stream, and dynoxide counts all of its
 * records at every write: after two thousand webhooks each takes six times the processor time.
 */
const onAwsAlone = [
  'PointInTimeRecoverySpecification',
  'DeletionProtectionEnabled',
  'SSESpecification',
  'StreamSpecification',
  'Tags',
];

const Index = v.object({
  IndexName: v.string(),
  Projection: v.object({ ProjectionType: v.string(), NonKeyAttributes: v.optional(v.array(v.string()), []) }),
});
const Indexes = v.object({ GlobalSecondaryIndexes: v.optional(v.array(Index), []) });

/** Makes the table of the template, unless it is there from an earlier start. */
export async function createTable(endpoint: string, properties: TableProperties): Promise<void> {
  const { TimeToLiveSpecification, ...definition } = Object.fromEntries(
    Object.entries(properties).filter(([name]) => !onAwsAlone.includes(name)),
  );
  const call = (action: string, input: unknown) => callAws(endpoint, `DynamoDB_20120810.${action}`, input);
  const made = await call('CreateTable', definition);
  if (made.status !== 200) {
    if (!JSON.stringify(made.output).includes('ResourceInUseException')) {
      throw new Error(`the table could not be made: ${JSON.stringify(made.output)}`);
    }
    const kept = await call('DescribeTable', { TableName: properties.TableName });
    return checkIndexes(v.parse(v.object({ Table: Indexes }), kept.output).Table, v.parse(Indexes, properties));
  }
  if (!TimeToLiveSpecification) return;
  const timed = await call('UpdateTimeToLive', { TableName: properties.TableName, TimeToLiveSpecification });
  if (timed.status !== 200) throw new Error(`the table takes no time to live: ${JSON.stringify(timed.output)}`);
}

/** A table kept from before an upgrade may lack what the functions query now. */
function checkIndexes(kept: v.InferOutput<typeof Indexes>, wanted: v.InferOutput<typeof Indexes>): void {
  if (describe(kept) === describe(wanted)) return;
  throw new Error(
    `the table was made by another version, with the indexes ${describe(kept)} instead of ${describe(wanted)}; ` +
      'move the data folder away, or set HOOKLINE_DATA to another one',
  );
}

function describe({ GlobalSecondaryIndexes }: v.InferOutput<typeof Indexes>): string {
  return GlobalSecondaryIndexes.map(({ IndexName, Projection }) =>
    [IndexName, Projection.ProjectionType, ...Projection.NonKeyAttributes.toSorted()].join(' '),
  )
    .sort()
    .join(', ');
}
