import { expect, test } from 'vitest';
import { alarmFaults } from '#infra/verify/rules/alarms.ts';
import type { Template } from '#infra/verify/template.ts';

const NEED = 'writes that the table refuses';

function withAlarm(properties: object): Template {
  const alarm = { Type: 'AWS::CloudWatch::Alarm', Properties: { ...properties }, DependsOn: [] };
  const table = { Type: 'AWS::DynamoDB::Table', Properties: {}, DependsOn: [] };
  return { Resources: { Table: table, Alarm: alarm }, Outputs: {} };
}

const metric = (name: string, table: unknown) => ({
  Id: 'table',
  MetricStat: {
    Metric: { Namespace: 'AWS/DynamoDB', MetricName: name, Dimensions: [{ Name: 'TableName', Value: table }] },
    Period: 300,
    Stat: 'Sum',
  },
});
const above = { ComparisonOperator: 'GreaterThanThreshold', Threshold: 10 };
const said = (properties: object) => alarmFaults(withAlarm(properties)).join('\n');

test('counts an alarm that calculates by what it calculates with', () => {
  const sum = { Id: 'all', Expression: 'table + index' };
  const own = { ...above, Metrics: [sum, metric('WriteThrottleEvents', { Ref: 'Table' })] };
  expect(said(own)).not.toContain(NEED);
});

test.each([
  ['another metric', { ...above, Metrics: [metric('ReadThrottleEvents', { Ref: 'Table' })] }],
  ['another table', { ...above, Metrics: [metric('WriteThrottleEvents', 'other')] }],
  [
    'too few',
    { ...above, ComparisonOperator: 'LessThanThreshold', Metrics: [metric('WriteThrottleEvents', { Ref: 'Table' })] },
  ],
  ['far too many', { ...above, Threshold: 10_000, Metrics: [metric('WriteThrottleEvents', { Ref: 'Table' })] }],
])('does not count one that calculates with %s', (_, properties) => {
  expect(said(properties)).toContain(`nobody is told of ${NEED}`);
});
