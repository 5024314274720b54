import { METRICS } from '#lib/app/metrics.ts';
import { at, listOf, ofType, referred, type Template } from '../template.ts';

interface Shown {
  readonly by: string;
  readonly namespace: unknown;
  readonly name: unknown;
  readonly dimensions: readonly unknown[];
}

/** An alarm or a graph on a metric that nobody emits is always calm. */
export function metricFaults(template: Template): string[] {
  return [...alarmFaults(template), ...[...alarmed(template), ...drawn(template)].flatMap(unknownMetric)];
}

function alarmFaults(template: Template): string[] {
  return ofType(template, 'AWS::CloudWatch::Alarm').flatMap(({ id, Properties }) => {
    const topics = listOf(Properties.AlarmActions).map(referred);
    const isHeard = topics.some((topic) => topic && template.Resources[topic]?.Type === 'AWS::SNS::Topic');
    return [
      ...(isHeard ? [] : [`${id} tells nobody`]),
      ...(Properties.TreatMissingData === undefined ? [`${id} does not say what silence means`] : []),
    ];
  });
}

function alarmed(template: Template): Shown[] {
  return ofType(template, 'AWS::CloudWatch::Alarm').map(({ id, Properties }) => ({
    by: id,
    namespace: Properties.Namespace,
    name: Properties.MetricName,
    dimensions: listOf(Properties.Dimensions).map((dimension) => at(dimension, 'Name')),
  }));
}

function drawn(template: Template): Shown[] {
  return ofType(template, 'AWS::CloudWatch::Dashboard').flatMap(({ id, Properties }) => {
    const body = JSON.parse(String(at(Properties.DashboardBody, 'Fn::Sub')));
    const rows = listOf(at(body, 'widgets')).flatMap((widget) => listOf(at(widget, 'properties', 'metrics')));
    return rows.map((row) => {
      const [namespace, name, ...rest] = listOf(row);
      return { by: id, namespace, name, dimensions: rest.filter((part, i) => i % 2 === 0 && typeof part === 'string') };
    });
  });
}

function unknownMetric({ by, namespace, name, dimensions }: Shown): string[] {
  if (namespace !== 'Hookline') return [];
  const metric = Object.entries(METRICS).find(([known]) => known === name)?.[1];
  if (!metric) return [`${by} looks at ${String(name)}, which nobody counts`];
  const expected = [['service'], ['service', ...metric.by]].map(String);
  return expected.includes(String(dimensions))
    ? []
    : [`${by} looks at ${String(name)} by ${String(dimensions)}, by which nobody counts it`];
}
