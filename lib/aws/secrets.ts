import { SSMProvider } from '@aws-lambda-powertools/parameters/ssm';
import { DeleteParameterCommand, ParameterNotFound, PutParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';
import type { Secrets } from '#lib/domain/ports.ts';
import { fail } from './clients.ts';

/** Seconds. A key that was changed on another instance works there at once, and here after this long at most. */
const CACHED_FOR = 5 * 60;

/** Secrets as SecureString parameters under `prefix`, such as `/hookline/prod`. */
export function ssmSecrets(ssm: SSMClient, prefix: string): Secrets {
  const provider = new SSMProvider({ awsSdkV3Client: ssm });
  const pathOf = (name: string) => `${prefix}/${name}`;
  return {
    get: async (name, version) => {
      const selected = version === undefined ? name : `${name}:${version}`;
      try {
        // What is not there yet may be written any moment, and is not cached.
        return await provider.get(pathOf(selected), { decrypt: true, maxAge: CACHED_FOR });
      } catch (error) {
        // Powertools wraps the error of the client.
        return unlessMissing(error instanceof Error ? error.cause : error);
      }
    },
    put: async (name, value) => {
      const input = { Name: pathOf(name), Value: value, Type: 'SecureString', Overwrite: true } as const;
      const { Version } = await ssm.send(new PutParameterCommand(input)).catch(fail);
      provider.clearCache();
      if (Version === undefined) throw new Error('the parameter store named no version');
      return Version;
    },
    delete: async (name) => {
      provider.clearCache();
      await ssm.send(new DeleteParameterCommand({ Name: pathOf(name) })).catch(unlessMissing);
    },
  };
}

/** A version that is not there is no missing parameter: it may have been written a moment ago. */
function unlessMissing(error: unknown): undefined {
  return error instanceof ParameterNotFound ? undefined : fail(error);
}
