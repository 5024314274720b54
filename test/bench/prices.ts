import type { Figure } from './figure.ts';

/**
 * AWS's list prices in us-east-1, in US dollars a million, without free tiers, taxes and discounts, as published for
 * November 2024 and later (DynamoDB on demand, standard table class; SQS standard queue; Lambda on arm64; HTTP API).
 * `docs/operations.md` shows them, and a test compares.
 */
export const PRICES = {
  apiRequests: 1,
  lambdaRequests: 0.2,
  /** Of gigabyte-milliseconds: 0.0000133334 dollars a gigabyte-second. */
  lambdaGbMs: 0.0133334,
  writeUnits: 0.625,
  readUnits: 0.125,
  sqsRequests: 0.4,
  /** Of kilobytes taken in by CloudWatch Logs: 0.50 dollars a gigabyte. */
  logKilobytes: 0.5,
};

/** What one message uses of each. */
export type Usage = Readonly<Record<keyof typeof PRICES, number>>;

/** What AWS itself writes to the logs of a request, kilobytes: one line. Of a run that went well it writes none. */
export const LOGGED = { request: 0.28 };

/** The memory of every function but `deliver`, gigabytes. */
export const MEMORY_GB = 0.5;

/** What is paid for, as the table of `docs/operations.md` calls it. */
export const KINDS = [
  ['apiRequests', 'HTTP API, requests'],
  ['lambdaRequests', 'Lambda, runs'],
  ['lambdaGbMs', 'Lambda, GB-ms'],
  ['writeUnits', 'DynamoDB, write units'],
  ['readUnits', 'DynamoDB, read units'],
  ['sqsRequests', 'SQS, requests'],
  ['logKilobytes', 'CloudWatch Logs, KB'],
] as const;

/** What each of these uses, and what a million of them costs. */
export function costFigures(of: string, usage: Usage): Figure[] {
  const all = KINDS.reduce((total, [kind]) => total + usage[kind] * PRICES[kind], 0);
  return [
    ...KINDS.map(([kind, name]) => ({ name: `${of}: ${name}`, value: usage[kind], unit: '' })),
    { name: `a million times ${of}, us-east-1`, value: all, unit: '$' },
  ];
}
