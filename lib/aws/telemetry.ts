import { AsyncLocalStorage } from 'node:async_hooks';
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics as EmbeddedMetrics } from '@aws-lambda-powertools/metrics';
import type { Log, Metrics } from '#lib/domain/ports.ts';
import { METRICS } from '#lib/domain/ports.ts';
import { redacted } from '#lib/domain/redact.ts';

type Fields = Readonly<Record<string, string>>;
const current = new AsyncLocalStorage<Fields>();

/** On every log line and metric that `work` writes stand these ids, by which the lines about one thing are found. */
export function correlated<Result>(ids: Fields, work: () => Promise<Result>): Promise<Result> {
  return current.run({ ...current.getStore(), ...ids }, work);
}

export const correlation = (): Fields => current.getStore() ?? {};

/** Whether it was done: a fault goes into the log, as `fault`, and no further. */
export async function isDone(log: Log, fault: string, work: () => Promise<unknown>, fields?: Fields): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (cause) {
    log.error(fault, cause, fields);
    return false;
  }
}

/** `serviceName` tells the stages of one account apart. */
export function structuredLog(serviceName: string): Log {
  // A webhook that is taken as usual writes no line, and to make one costs a millisecond of each start.
  let made: Logger | undefined;
  const logger = () => {
    made ??= new Logger({ serviceName });
    return made;
  };
  return {
    info: (message, fields) => neverThrow(() => logger().info(message, { ...correlation(), ...fields })),
    warn: (message, fields) => neverThrow(() => logger().warn(message, { ...correlation(), ...fields })),
    error: (message, cause, fields) => {
      neverThrow(() => logger().error(message, { ...correlation(), ...fields, error: bare(cause) }));
    },
  };
}

/** Their messages quote what they were given: valibot's the value, a parser's the text around the place. */
const QUOTING: ReadonlySet<string> = new Set(['SyntaxError', 'ValiError']);

/**
 * An error as the log may hold it: name, message, the places it came through, and the same of its causes. Libraries hang
 * whatever they met on their errors, as valibot all of its input and AWS the items of a refused transaction, and the
 * logger would write it out. A message may name the URL that was called.
 */
function bare(cause: unknown): Error {
  const { name, message, stack = '', cause: deeper } = cause instanceof Error ? cause : new Error(String(cause));
  const shown = new Error(
    QUOTING.has(name) ? 'its message is left out, since it may quote the content' : redacted(message),
  );
  shown.name = name;
  const places = stack.split('\n').filter((line) => /^ +at /.test(line));
  shown.stack = [`${name}: ${shown.message}`, ...places].join('\n');
  if (deeper !== undefined) shown.cause = bare(deeper);
  return shown;
}

/**
 * CloudWatch's embedded metric format, one line a value: once over all, for alarms, and once by what the metric is split
 * by. The other fields are on the line for whoever reads the log.
 */
export function embeddedMetrics(serviceName: string): Metrics {
  const metrics = new EmbeddedMetrics({ namespace: 'Hookline', serviceName });
  return {
    count: (name, fields = {}, value = 1) =>
      neverThrow(() => {
        const { unit, by } = METRICS[name];
        const split: readonly string[] = by;
        const single = metrics.singleMetric();
        const dimensions = Object.entries(fields).filter(([field]) => split.includes(field));
        if (dimensions.length > 0) single.addDimensions({}).addDimensions(Object.fromEntries(dimensions));
        for (const [field, of] of Object.entries({ ...correlation(), ...fields })) {
          if (!split.includes(field)) single.addMetadata(field, of);
        }
        single.addMetric(name, unit, value);
      }),
  };
}

/** What was done is done, whether or not a line tells of it: a message that was sent must not look as if it were not. */
function neverThrow(write: () => void): void {
  try {
    write();
  } catch (cause) {
    const line = { level: 'ERROR', message: 'a line could not be written', error: String(cause) };
    process.stderr.write(`${JSON.stringify(line)}\n`);
  }
}
