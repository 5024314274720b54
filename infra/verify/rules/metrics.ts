import { METRICS } from '#lib/app/metrics.ts';
import type { Template } from '../template.ts';
import { alarmed, drawn, type Shown } from './shown.ts';

/** An alarm or a graph on a metric that nobody emits is always calm. */
export function metricFaults(template: Template): string[] {
  return [...alarmed(template), ...drawn(template)].flatMap(unknownMetric);
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
