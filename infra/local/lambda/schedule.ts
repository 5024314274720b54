import { randomUUID } from 'node:crypto';
import { localAws } from '../engines/local-aws.ts';
import type { FaultReport } from '../gateway/server.ts';
import type { Lambda } from './lambda.ts';

const units: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** The period of `rate(1 minute)`, in milliseconds. */
export function periodOf(expression: string): number {
  const [, count, unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  const length = units[unit];
  if (!length) throw new Error(`serverless.yml: the schedule ${expression} is not of the form rate(1 minute)`);
  return Number(count) * length;
}

/** Calls a function again and again, never twice at once, and returns what ends it after the call under way. */
export function startSchedule(lambda: Lambda, periodMs: number, report: FaultReport): () => Promise<void> {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= run(lambda, report).finally(() => {
      running = undefined;
    });
  }, periodMs);
  return async () => {
    clearInterval(timer);
    await running;
  };
}

async function run(lambda: Lambda, report: FaultReport): Promise<void> {
  const invocation = await lambda.invoke({
    id: randomUUID(),
    source: 'aws.events',
    'detail-type': 'Scheduled Event',
    account: localAws.accountId,
    region: localAws.region,
    time: new Date().toISOString(),
    resources: [],
    detail: {},
  });
  if (invocation.kind === 'timeout') report(lambda.name, new Error('ran into its timeout'));
  if (invocation.kind === 'failed') report(lambda.name, invocation.error);
}
