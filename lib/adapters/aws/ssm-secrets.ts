import type { Clock } from '#lib/app/ports.ts';
import type { Secrets } from '#lib/app/secrets.ts';
import { isRecord } from '#lib/domain/json.ts';
import { type AwsClient, AwsError } from './client.ts';

/** A key that was changed on another instance works there at once, and here after this long at most. */
const CACHED_MS = 5 * 60_000;

interface Cached {
  readonly value: string | undefined;
  readonly until: number;
}

/** Secrets as SecureString parameters under `prefix`, such as `/hookline/prod`. */
export function ssmSecrets(ssm: AwsClient, prefix: string, clock: Clock): Secrets {
  const cache = new Map<string, Cached>();
  const pathOf = (name: string) => `${prefix}/${name}`;
  const remember = (name: string, value: string | undefined) => {
    const now = clock.monotonic();
    for (const [old, { until }] of cache) if (until <= now) cache.delete(old);
    cache.set(name, { value, until: now + CACHED_MS });
  };
  return {
    get: async (name, version) => {
      const selected = version === undefined ? name : `${name}:${version}`;
      const cached = cache.get(selected);
      if (cached && cached.until > clock.monotonic()) return cached.value;
      const value = await parameter(ssm, pathOf(selected));
      // What is not there yet may be written any moment.
      if (value !== undefined) remember(selected, value);
      return value;
    },
    put: async (name, value) => {
      const put = await ssm('PutParameter', {
        Name: pathOf(name),
        Value: value,
        Type: 'SecureString',
        Overwrite: true,
      });
      if (typeof put.Version !== 'number') throw new Error('the parameter store named no version');
      remember(name, value);
      return put.Version;
    },
    delete: async (name) => {
      cache.delete(name);
      await ssm('DeleteParameter', { Name: pathOf(name) }).catch(unlessMissing);
    },
  };
}

async function parameter(ssm: AwsClient, path: string): Promise<string | undefined> {
  const answer = await ssm('GetParameter', { Name: path, WithDecryption: true }).catch(unlessMissing);
  const found = answer?.Parameter;
  return isRecord(found) && typeof found.Value === 'string' ? found.Value : undefined;
}

const MISSING = new Set(['ParameterNotFound', 'ParameterVersionNotFound']);

function unlessMissing(error: unknown): undefined {
  if (error instanceof AwsError && MISSING.has(error.code)) return undefined;
  throw error;
}
