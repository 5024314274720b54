import { at, type Named, ofType, type Template } from '../template.ts';

/** The table can be brought back, forgets what is to be forgotten, and outlives a mistake. */
export function dataFaults(template: Template): string[] {
  const tables = ofType(template, 'AWS::DynamoDB::Table');
  if (tables.length !== 1) return [`there are ${tables.length} tables, not one`];
  return tables.flatMap(tableFaults);
}

function tableFaults({ id, Properties, ...table }: Named): string[] {
  const isDev = String(Properties.TableName).endsWith('-dev');
  const isKept = table.DeletionPolicy === 'Retain' && Properties.DeletionProtectionEnabled === true;
  const must: readonly [boolean, string][] = [
    [isDev || isKept, 'goes away with its stack'],
    [table.UpdateReplacePolicy === 'Retain', 'goes away when it is replaced'],
    [at(Properties, 'PointInTimeRecoverySpecification', 'PointInTimeRecoveryEnabled') === true, 'cannot be restored'],
    [at(Properties, 'TimeToLiveSpecification', 'AttributeName') === 'expiresAt', 'never forgets'],
    [at(Properties, 'StreamSpecification', 'StreamViewType') === 'NEW_IMAGE', 'does not tell of its changes'],
    [at(Properties, 'SSESpecification', 'SSEEnabled') === true, 'is not encrypted with a key of its own'],
    [Properties.BillingMode === 'PAY_PER_REQUEST', 'must be given a capacity'],
  ];
  return must.filter(([holds]) => !holds).map(([, fault]) => `${id} ${fault}`);
}
