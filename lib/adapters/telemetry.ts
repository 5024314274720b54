import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics as PowertoolsMetrics } from '@aws-lambda-powertools/metrics';
import { METRICS } from '#lib/app/metrics.ts';
import type { Log, Metrics } from '#lib/app/ports.ts';
import { correlation } from './correlation.ts';

/** `serviceName` tells the stages of one account apart. */
export function structuredLog(serviceName: string): Log {
  const logger = new Logger({ serviceName });
  return {
    info: (message, fields) => logger.info(message, { ...correlation(), ...fields }),
    warn: (message, fields) => logger.warn(message, { ...correlation(), ...fields }),
    error: (message, cause, fields) =>
      logger.error(message, {
        ...correlation(),
        ...fields,
        error: cause instanceof Error ? cause : new Error(String(cause)),
      }),
  };
}

/**
 * CloudWatch's embedded metric format, one line a value: once over all, for alarms, and once by what the metric is split
 * by. The other fields are on the line for whoever reads the log.
 */
export function embeddedMetrics(serviceName: string): Metrics {
  const metrics = new PowertoolsMetrics({ namespace: 'Hookline', serviceName });
  return {
    count: (name, fields = {}, value = 1) => {
      const { unit, by } = METRICS[name];
      const split: readonly string[] = by;
      const single = metrics.singleMetric();
      const dimensions = Object.entries(fields).filter(([field]) => split.includes(field));
      if (dimensions.length > 0) single.addDimensions({}).addDimensions(Object.fromEntries(dimensions));
      for (const [field, of] of Object.entries({ ...correlation(), ...fields })) {
        if (!split.includes(field)) single.addMetadata(field, of);
      }
      single.addMetric(name, unit, value);
    },
  };
}
