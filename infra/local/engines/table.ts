import type { TableProperties } from '../service/schema.ts';
import { callAws } from './local-aws.ts';

/** What the template says that only AWS has a use for. */
const onAwsAlone = ['PointInTimeRecoverySpecification', 'DeletionProtectionEnabled', 'SSESpecification', 'Tags'];

/** Makes the table of the template, unless it is there from an earlier start. */
export async function createTable(endpoint: string, properties: TableProperties): Promise<void> {
  const { TimeToLiveSpecification, StreamSpecification, ...definition } = Object.fromEntries(
    Object.entries(properties).filter(([name]) => !onAwsAlone.includes(name)),
  );
  const call = (action: string, input: unknown) => callAws(endpoint, `DynamoDB_20120810.${action}`, input);
  const made = await call('CreateTable', {
    ...definition,
    ...(StreamSpecification
      ? { StreamSpecification: Object.assign({ StreamEnabled: true }, StreamSpecification) }
      : {}),
  });
  if (made.status !== 200) {
    if (JSON.stringify(made.output).includes('ResourceInUseException')) return;
    throw new Error(`the table could not be made: ${JSON.stringify(made.output)}`);
  }
  if (!TimeToLiveSpecification) return;
  const timed = await call('UpdateTimeToLive', { TableName: properties.TableName, TimeToLiveSpecification });
  if (timed.status !== 200) throw new Error(`the table takes no time to live: ${JSON.stringify(timed.output)}`);
}
