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
  const remember = (name: string, value: string | undefined) =>
    cache.set(name, { value, until: clock.monotonic() + CACHED_MS });
  return {
    get: async (name) => {
      const cached = cache.get(name);
      if (cached && cached.until > clock.monotonic()) return cached.value;
      const value = await parameter(ssm, pathOf(name));
      // What is not there yet may be written any moment.
      if (value !== undefined) remember(name, value);
      return value;
    },
    put: async (name, value) => {
      await ssm('PutParameter', { Name: pathOf(name), Value: value, Type: 'SecureString', Overwrite: true });
      remember(name, value);
    },
    delete: async (name) => {
      cache.delete(name);
      await ssm('DeleteParameter', { Name: pathOf(name) }).catch(unlessMissing);
    },
  };
}

/** Reads secrets anew each time, for who keeps them himself and knows when they are of no use any more. */
export function freshSecrets(ssm: AwsClient, prefix: string): Pick<Secrets, 'get'> {
  return { get: (name) => parameter(ssm, `${prefix}/${name}`) };
}

async function parameter(ssm: AwsClient, path: string): Promise<string | undefined> {
  const answer = await ssm('GetParameter', { Name: path, WithDecryption: true }).catch(unlessMissing);
  const found = answer?.Parameter;
  return isRecord(found) && typeof found.Value === 'string' ? found.Value : undefined;
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof AwsError && error.code === 'ParameterNotFound') return undefined;
  throw error;
}
