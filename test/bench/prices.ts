/**
 * AWS's list prices in us-east-1, in US dollars a million, without free tiers, taxes and discounts, as published for
 * November 2024 and later (DynamoDB on demand, standard table class; SQS standard queue; Lambda on arm64; HTTP API).
 */
export const PRICES = {
  writeUnits: 0.625,
  readUnits: 0.125,
  sqsRequests: 0.4,
  lambdaRequests: 0.2,
  /** Of gigabyte-milliseconds: 0.0000133334 dollars a gigabyte-second. */
  lambdaGbMs: 0.0133334,
  apiRequests: 1,
  /** Of kilobytes taken in by CloudWatch Logs: 0.50 dollars a gigabyte. */
  logKilobytes: 0.5 / 1.048576,
};
