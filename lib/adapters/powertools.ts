/** A file of its own beside each bundle, loaded by `telemetry.ts` when the first line is written. */
export { Logger } from '@aws-lambda-powertools/logger';
export { Metrics } from '@aws-lambda-powertools/metrics';
