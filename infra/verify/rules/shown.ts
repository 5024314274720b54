import { at, listOf, type Named, ofType, type Template } from '../template.ts';

/** A metric that an alarm or a dashboard looks at. */
export interface Shown {
  readonly by: string;
  readonly namespace: unknown;
  readonly name: unknown;
  /** The names of its dimensions. */
  readonly dimensions: readonly unknown[];
  /** As they were written, with what they refer to. */
  readonly values: unknown;
  readonly statistic: unknown;
}

export function alarmed(template: Template): Shown[] {
  return ofType(template, 'AWS::CloudWatch::Alarm').flatMap(watchedBy);
}

/** What an alarm looks at: one metric, or those that it calculates with. */
export function watchedBy({ id, Properties }: Named): Shown[] {
  const own = Properties.MetricName === undefined ? [] : [{ metric: Properties, statistic: Properties.Statistic }];
  const parts = listOf(Properties.Metrics).flatMap((part) => {
    const metric = at(part, 'MetricStat', 'Metric');
    return metric === undefined ? [] : [{ metric, statistic: at(part, 'MetricStat', 'Stat') }];
  });
  return [...own, ...parts].map(({ metric, statistic }) => ({
    by: id,
    namespace: at(metric, 'Namespace'),
    name: at(metric, 'MetricName'),
    dimensions: listOf(at(metric, 'Dimensions')).map((dimension) => at(dimension, 'Name')),
    values: at(metric, 'Dimensions'),
    statistic,
  }));
}

export function drawn(template: Template): Shown[] {
  return ofType(template, 'AWS::CloudWatch::Dashboard').flatMap(({ id, Properties }) =>
    rowsOf(Properties.DashboardBody).map((row) => {
      const [namespace, name, ...rest] = listOf(row);
      const values = rest.filter((part) => typeof part === 'string');
      const dimensions = rest.filter((part, i) => i % 2 === 0 && typeof part === 'string');
      return { by: id, namespace, name, dimensions, values, statistic: undefined };
    }),
  );
}

/** CloudWatch refuses a dashboard, and with it the deployment, that has anything but lists for its rows. */
export function unreadRows(template: Template): string[] {
  return ofType(template, 'AWS::CloudWatch::Dashboard').flatMap(({ id, Properties }) =>
    rowsOf(Properties.DashboardBody)
      .filter((row) => !Array.isArray(row) || row.slice(0, -1).some((part) => typeof part !== 'string'))
      .map((row) => `${id}: a graph has the row ${JSON.stringify(row)}: make it a list of words, and of options last`),
  );
}

function rowsOf(given: unknown): unknown[] {
  const body = JSON.parse(String(at(given, 'Fn::Sub') ?? given));
  return listOf(at(body, 'widgets')).flatMap((widget) => listOf(at(widget, 'properties', 'metrics')));
}
