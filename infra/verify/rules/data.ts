import { isDeepStrictEqual } from 'node:util';
import { at, type Named, ofType, type Template } from '../template.ts';

/** The table can be brought back, forgets what is to be forgotten, and outlives a mistake. */
export function dataFaults(template: Template): string[] {
  const tables = ofType(template, 'AWS::DynamoDB::Table');
  if (tables.length !== 1) return [`there are ${tables.length} tables, not one`];
  return tables.flatMap(tableFaults);
}

const TIME_TO_LIVE = { AttributeName: 'expiresAt', Enabled: true };

function tableFaults({ id, Properties, ...table }: Named): string[] {
  const isDev = Properties.TableName === 'hookline-dev';
  const isKept = table.DeletionPolicy === 'Retain' && Properties.DeletionProtectionEnabled === true;
  const must: readonly [boolean, string][] = [
    [isDev || isKept, 'goes away with its stack: retain it, and protect it from deletion'],
    [table.UpdateReplacePolicy === 'Retain', 'goes away when it is replaced: retain it then, too'],
    [
      at(Properties, 'PointInTimeRecoverySpecification', 'PointInTimeRecoveryEnabled') === true,
      'cannot be restored: switch point-in-time recovery on',
    ],
    [
      isDeepStrictEqual(Properties.TimeToLiveSpecification, TIME_TO_LIVE),
      'never forgets: switch its TTL on, by expiresAt',
    ],
    [
      at(Properties, 'StreamSpecification', 'StreamViewType') === 'NEW_IMAGE',
      'does not tell of its changes: give it a stream of new images',
    ],
    [at(Properties, 'SSESpecification', 'SSEEnabled') === true, 'is not encrypted with a key of its own'],
    [Properties.BillingMode === 'PAY_PER_REQUEST', 'must be given a capacity'],
  ];
  return must.filter(([holds]) => !holds).map(([, fault]) => `${id} ${fault}`);
}
