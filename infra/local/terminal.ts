import { styleText } from 'node:util';
import * as v from 'valibot';
import type { Answered } from './http/gateway.ts';

/*
 * What a person at a terminal reads instead of the log's JSON: a line for each delivery that comes in, each message that is
 * handed in, each call of a provider and of an endpoint, and for what goes wrong. Metrics are left out. Like the log,
 * no line holds a text, a token or a number.
 */

export type Paint = (colour: 'green' | 'yellow' | 'red' | 'dim', text: string) => string;

/** In colour where the terminal has it and NO_COLOR is not set. */
export const paint: Paint = (colour, text) => styleText(colour, text, { stream: process.stderr });

const Field = v.union([v.string(), v.number(), v.boolean()]);
const LogLine = v.looseObject({
  level: v.string(),
  message: v.string(),
  timestamp: v.optional(v.string()),
  error: v.optional(v.looseObject({ name: v.optional(v.string(), ''), message: v.optional(v.string(), '') })),
});
type LogLine = v.InferOutput<typeof LogLine>;
const DeliveriesMetric = v.looseObject({
  _aws: v.looseObject({ Timestamp: v.number() }),
  Deliveries: v.number(),
  result: v.string(),
});
const Metric = v.looseObject({ _aws: v.unknown() });
const Receipt = v.looseObject({
  status: v.string(),
  id: v.optional(v.string()),
  ids: v.optional(v.array(v.string())),
});

const COLOURS = new Map<string, Parameters<Paint>[0]>([
  ...['stored', 'accepted', 'delivered'].map((word) => [word, 'green'] as const),
  ...['duplicate', 'repeated'].map((word) => [word, 'dim'] as const),
  ...['quarantined', 'retry', 'hold', 'unknown', 'failed', 'WARN'].map((word) => [word, 'yellow'] as const),
  ...['refused', 'rejected', 'dead', 'ERROR', 'CRITICAL'].map((word) => [word, 'red'] as const),
]);

function line(at: number | string, what: string, result: string, rest: readonly string[], paint: Paint): string {
  const colour = COLOURS.get(result.split(' ')[0] ?? '');
  const padded = result.padEnd(11);
  const time = paint('dim', new Date(at).toTimeString().slice(0, 8));
  return [time, what.padEnd(9), colour ? paint(colour, padded) : padded, ...rest].join(' ').trimEnd();
}

/** The line about a request, where it is one that a provider or an automation made by a webhook's URL. */
export function lineOfAnswer({ routeKey, at, status, body, milliseconds }: Answered, paint: Paint): string | undefined {
  const [, kind, provider = ''] = /^POST \/(hooks|send)(?:\/([\w-]+))?\/\{token\+?\}$/.exec(routeKey) ?? [];
  if (kind === undefined) return undefined;
  const took = `${milliseconds} ms`;
  if (kind === 'send') {
    // What was taken is told by the log, which knows its account.
    return status < 300 ? undefined : line(at, 'send', `refused ${status}`, [took], paint);
  }
  const receipt = v.safeParse(Receipt, jsonOf(body.toString()));
  if (status >= 300 || !receipt.success) return line(at, 'received', `refused ${status}`, [provider, took], paint);
  const { id, ids } = receipt.output;
  return line(at, 'received', receipt.output.status, [provider, ...(ids ?? (id ? [id] : [])), took], paint);
}

/** What functions and the host wrote, as a terminal shows it. What is no JSON of the log stays as it is. */
export function readable(written: string, paint: Paint): string {
  return written
    .split('\n')
    .flatMap((text) => lineOf(text, paint) ?? [])
    .join('\n');
}

function lineOf(text: string, paint: Paint): string | undefined {
  const json = text.startsWith('{') ? jsonOf(text) : undefined;
  const notice = v.safeParse(DeliveriesMetric, json);
  // Nothing else tells of the call of an endpoint.
  if (notice.success) return line(notice.output._aws.Timestamp, 'notice', notice.output.result, [], paint);
  if (v.is(Metric, json)) return undefined;
  const log = v.safeParse(LogLine, json);
  return log.success ? lineOfLog(log.output, paint) : text;
}

function lineOfLog(log: LogLine, paint: Paint): string | undefined {
  const at = log.timestamp ?? Date.now();
  const field = (name: string) => (v.is(Field, log[name]) ? String(log[name]) : '');
  switch (log.message) {
    case 'accepted a message':
    case 'repeated a message':
      return line(at, 'send', log.message.split(' ')[0] ?? '', [field('correlationId'), field('account')], paint);
    case 'called the provider': {
      const took = `${field('milliseconds')} ms`;
      return line(at, 'sent', field('outcome'), [field('provider'), field('correlationId'), took], paint);
    }
    // The line about its request says so.
    case 'a delivery was not taken as usual':
      return undefined;
    default: {
      const fields = Object.entries(log).flatMap(([name, value]) =>
        PLUMBING.has(name) || !v.is(Field, value) ? [] : `${name}=${value}`,
      );
      const why = log.error ? [`(${log.error.name}: ${log.error.message})`] : [];
      return line(at, log.level.toLowerCase(), log.level, [log.message, ...why, paint('dim', fields.join(' '))], paint);
    }
  }
}

const PLUMBING = new Set(['level', 'message', 'timestamp', 'service', 'sampling_rate', 'requestId', 'queueMessage']);

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no JSON is shown as it is
  }
}
