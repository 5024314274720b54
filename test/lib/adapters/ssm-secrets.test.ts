import { describe, expect, it } from 'vitest';
import { openParameters } from '#infra/local/engines/parameters.ts';
import { AwsError } from '#lib/adapters/aws/client.ts';
import { ssmSecrets } from '#lib/adapters/aws/ssm-secrets.ts';
import { isRecord } from '#lib/domain/json.ts';

/** The local parameter store in memory, with the operations that it was asked for. */
function parameterStore() {
  const parameters = openParameters();
  const calls: string[] = [];
  let now = 0;
  const write = (name: string, value: string) =>
    parameters.put({ Name: name, Value: value, Type: 'SecureString', Overwrite: true });
  const found = (selector: string) => {
    try {
      return parameters.get(selector);
    } catch {
      return undefined;
    }
  };
  const client = async (operation: string, input: object): Promise<Record<string, unknown>> => {
    const { Name, Value } = isRecord(input) ? input : {};
    const name = String(Name);
    calls.push(`${operation} ${name}`);
    if (operation === 'PutParameter') return { Version: write(name, String(Value)) };
    const what = name.includes(':') ? 'ParameterVersion' : 'Parameter';
    if (!found(name)) throw new AwsError(operation, 400, { __type: `com.amazonaws.ssm#${what}NotFound` });
    if (operation === 'DeleteParameter') parameters.delete(name);
    return { Parameter: found(name) };
  };
  const clock = { now: () => now, monotonic: () => now, sleep: async () => undefined };
  const secrets = ssmSecrets(client, '/hookline/test', clock);
  return { parameters, write, calls, secrets, pass: (milliseconds: number) => (now += milliseconds) };
}

describe('secrets in the parameter store', () => {
  it('are read once in five minutes', async () => {
    const { write, calls, secrets, pass } = parameterStore();
    write('/hookline/test/admin-key', 'one');
    expect([await secrets.get('admin-key'), await secrets.get('admin-key')]).toEqual(['one', 'one']);
    expect(calls).toEqual(['GetParameter /hookline/test/admin-key']);
    write('/hookline/test/admin-key', 'two');
    pass(300_001);
    expect(await secrets.get('admin-key')).toBe('two');
  });

  it('that are missing are looked for again', async () => {
    const { write, secrets } = parameterStore();
    expect(await secrets.get('admin-key')).toBeUndefined();
    write('/hookline/test/admin-key', 'one');
    expect(await secrets.get('admin-key')).toBe('one');
  });

  it('are written, overwritten and deleted, at once for who did it', async () => {
    const { parameters, secrets } = parameterStore();
    await secrets.put('accounts/acc_1', 'a');
    await secrets.put('accounts/acc_1', 'b');
    expect(parameters.get('/hookline/test/accounts/acc_1').Value).toBe('b');
    expect(await secrets.get('accounts/acc_1')).toBe('b');
    await secrets.delete('accounts/acc_1');
    await secrets.delete('accounts/acc_1');
    expect(await secrets.get('accounts/acc_1')).toBeUndefined();
  });

  it('are read by version, each as it was written, and once', async () => {
    const { secrets, calls } = parameterStore();
    expect([await secrets.put('accounts/acc_1', 'a'), await secrets.put('accounts/acc_1', 'b')]).toEqual([1, 2]);
    calls.length = 0;
    expect([await secrets.get('accounts/acc_1', 1), await secrets.get('accounts/acc_1', 2)]).toEqual(['a', 'b']);
    expect(await secrets.get('accounts/acc_1', 1)).toBe('a');
    expect(await secrets.get('accounts/acc_1', 3)).toBeUndefined();
    expect(calls).toEqual([1, 2, 3].map((version) => `GetParameter /hookline/test/accounts/acc_1:${version}`));
  });

  it('raise what the store says otherwise', async () => {
    const refused = async () => {
      throw new AwsError('GetParameter', 400, { __type: 'AccessDeniedException' });
    };
    const clock = { now: () => 0, monotonic: () => 0, sleep: async () => undefined };
    await expect(ssmSecrets(refused, '/p', clock).get('x')).rejects.toThrow('AccessDenied');
  });
});
