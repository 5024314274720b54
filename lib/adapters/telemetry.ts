import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics as PowertoolsMetrics } from '@aws-lambda-powertools/metrics';
import type { Log, Metrics } from '#lib/app/ports.ts';

export function structuredLog(): Log {
  const logger = new Logger({ serviceName: 'hookline' });
  return {
    info: (message, fields) => logger.info(message, fields ?? {}),
    warn: (message, fields) => logger.warn(message, fields ?? {}),
    error: (message, cause, fields) =>
      logger.error(message, { ...fields, error: cause instanceof Error ? cause : new Error(String(cause)) }),
  };
}

/** CloudWatch's embedded metric format, one line a count. */
export function embeddedMetrics(): Metrics {
  const metrics = new PowertoolsMetrics({ namespace: 'Hookline', serviceName: 'hookline' });
  return {
    count: (name, dimensions) => {
      const single = metrics.singleMetric();
      single.addDimensions({ ...dimensions });
      single.addMetric(name, 'Count', 1);
    },
  };
}
