import { describe, expect, it, test } from 'vitest';
import { readEnvironment } from '#lib/aws/environment.ts';

const needed = { HOOKLINE_TABLE: 'hookline', AWS_REGION: 'eu-central-1' };
const optional = [
  ...['HOOKLINE_FALLBACK_QUEUE_URL', 'HOOKLINE_TICKS_QUEUE_URL', 'HOOKLINE_ALLOW_PRIVATE_HOSTS', 'HOOKLINE_LOCAL'],
  ...['HOOKLINE_START_CREDITS', 'HOOKLINE_CALL_MS', 'HOOKLINE_LEASE_MS', 'HOOKLINE_GRACE_MS', 'HOOKLINE_WATCHDOG_MS'],
  ...['HOOKLINE_UNKNOWN_AFTER_MS', 'HOOKLINE_SECRETS_PREFIX', 'HOOKLINE_PUBLIC_URL', 'HOOKLINE_MAX_BODY_BYTES'],
  ...['POWERTOOLS_SERVICE_NAME', 'AWS_ENDPOINT_URL_DYNAMODB', 'AWS_ENDPOINT_URL_SQS', 'AWS_ENDPOINT_URL_SSM'],
  ...['AWS_ENDPOINT_URL_SESV2', 'HOOKLINE_MAIL_FROM'],
];

describe('the environment of a function', () => {
  test.each(optional)('takes an empty %s for none', (name) => {
    expect(readEnvironment({ ...needed, [name]: '' })).toEqual(readEnvironment(needed));
  });

  test.each(Object.keys(needed))('is refused without %s, which is named with what to do', (name) => {
    for (const value of [undefined, '']) {
      expect(() => readEnvironment({ ...needed, [name]: value })).toThrow(`${name} is missing: set it`);
    }
  });

  test.each([
    ['HOOKLINE_ALLOW_PRIVATE_HOSTS', 'yes', 'must be 0 or 1, or left out'],
    ['HOOKLINE_CALL_MS', '1.5', 'must be a whole number, or left out'],
    ['HOOKLINE_MAX_BODY_BYTES', '1MB', 'must be a whole number, or left out'],
    ['HOOKLINE_PUBLIC_URL', 'hub.example', 'must be a URL that starts with http:// or https://, or left out'],
    ['AWS_ENDPOINT_URL_SQS', 'queue', 'must be a URL that starts with http:// or https://, or left out'],
  ])('is refused with %s=%s: it %s', (name, value, reason) => {
    expect(() => readEnvironment({ ...needed, [name]: value })).toThrow(`${name} ${reason}`);
  });

  it('tells all faults at once, and no value', () => {
    const read = () => readEnvironment({ HOOKLINE_CALL_MS: 'hush' });
    expect(read).toThrow(/HOOKLINE_TABLE.*HOOKLINE_CALL_MS.*AWS_REGION/);
    expect(read).not.toThrow(/hush/);
  });
});
