import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Clock, Log, Metrics, Random } from '#lib/domain/ports.ts';
import type { Reach } from '#lib/domain/url.ts';
import type { ReceivingPorts } from '#lib/inbox/receive.ts';
import { reachesOf } from '#lib/outbox/resolve.ts';
import type { Store } from '#lib/store/store.ts';
import { type AwsSettings, awsSettings, dynamoDbClient, sqsClient } from './clients.ts';
import { dynamoStore } from './dynamo-store.ts';
import { type Environment, readEnvironment, sendingConfig } from './environment.ts';
import { fallbackQueue, sqsTasks, sqsTicks } from './queues.ts';
import { embeddedMetrics, structuredLog } from './telemetry.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (milliseconds) => {
    await sleep(milliseconds);
  },
};

export const systemRandom: Random = {
  next: () => Math.random(),
  bytes: (count) => randomBytes(count),
};

/** Of the processor, in milliseconds: by what runs here alone, since others of the process collect memory, hash and compress. */
export const usedCpu = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

/** Everything that a function reaches outside of itself, built once per cold start. */
export interface Runtime {
  readonly environment: Environment;
  readonly store: Store;
  readonly sqs: SQSClient;
  /** For the clients that not every function has. */
  readonly aws: AwsSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly cpu: () => number;
}

export function runtime(): Runtime {
  const environment = readEnvironment(process.env);
  return runtimeOf(environment, awsSettings(environment));
}

export function runtimeOf(environment: Environment, aws: AwsSettings): Runtime {
  return {
    environment,
    aws,
    store: dynamoStore(dynamoDbClient(aws), environment.HOOKLINE_TABLE),
    sqs: sqsClient(aws),
    clock: systemClock,
    random: systemRandom,
    log: structuredLog(environment.POWERTOOLS_SERVICE_NAME),
    metrics: embeddedMetrics(environment.POWERTOOLS_SERVICE_NAME),
    cpu: usedCpu,
  };
}

export function receivingPorts({ environment, sqs, ...runtime }: Runtime): ReceivingPorts {
  const queueUrl = required(environment, 'HOOKLINE_FALLBACK_QUEUE_URL');
  return { ...runtime, fallback: fallbackQueue(sqs, queueUrl), maxBytes: environment.HOOKLINE_MAX_BODY_BYTES };
}

/** What every step of sending needs: accepting, ticking, watching. */
export function sendingPorts({ environment, sqs, ...runtime }: Runtime) {
  const queueUrl = required(environment, 'HOOKLINE_TICKS_QUEUE_URL');
  return { ...runtime, ticks: sqsTicks(sqs, queueUrl), config: sendingConfig(environment) };
}

/** What taking messages in needs beside: from a caller, a rule or an operator. */
export function acceptingPorts(all: Runtime, providers: Parameters<typeof reachesOf>[0]) {
  const rules = { allowPrivateHosts: allowsPrivateHosts(all.environment) };
  return { ...sendingPorts(all), reaches: reachesOf(providers), rules };
}

export const tasksOf = ({ environment, sqs }: Runtime) =>
  sqsTasks(sqs, required(environment, 'HOOKLINE_DELIVERIES_QUEUE_URL'));

/** What providers' base URLs may lead to. */
export const reachOf = (environment: Environment): Reach => ({
  anyPort: environment.HOOKLINE_LOCAL === '1' || allowsPrivateHosts(environment),
  privateHosts: allowsPrivateHosts(environment),
});

export const allowsPrivateHosts = (environment: Environment): boolean =>
  environment.HOOKLINE_ALLOW_PRIVATE_HOSTS === '1';

type Optional =
  | 'HOOKLINE_DELIVERIES_QUEUE_URL'
  | 'HOOKLINE_EVENTS_DEAD_QUEUE_URL'
  | 'HOOKLINE_TICKS_QUEUE_URL'
  | 'HOOKLINE_FALLBACK_QUEUE_URL'
  | 'HOOKLINE_SECRETS_PREFIX';

/** Not every function is given everything. */
export function required(environment: Environment, name: Optional): string {
  const value = environment[name];
  if (value === undefined) throw new Error(`${name} is missing: set it`);
  return value;
}
