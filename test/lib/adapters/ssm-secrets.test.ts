import { describe, expect, it } from 'vitest';
import { AwsError } from '#lib/adapters/aws/client.ts';
import { ssmSecrets } from '#lib/adapters/aws/ssm-secrets.ts';
import { isRecord } from '#lib/domain/json.ts';

/** A parameter store in memory, with the operations that it was asked for. */
function parameterStore() {
  const values = new Map<string, string>();
  const calls: string[] = [];
  let now = 0;
  const client = async (operation: string, input: object) => {
    const { Name: name, Value: value } = isRecord(input) ? input : {};
    calls.push(`${operation} ${name}`);
    if (operation === 'PutParameter') values.set(String(name), String(value));
    const found = values.get(String(name));
    if (found === undefined) throw new AwsError(operation, 400, { __type: 'com.amazonaws.ssm#ParameterNotFound' });
    if (operation === 'DeleteParameter') values.delete(String(name));
    return operation === 'GetParameter' ? { Parameter: { Name: name, Value: found } } : {};
  };
  const clock = { now: () => now, monotonic: () => now, sleep: async () => undefined };
  const secrets = ssmSecrets(client, '/hookline/test', clock);
  return { values, calls, secrets, pass: (milliseconds: number) => (now += milliseconds) };
}

describe('secrets in the parameter store', () => {
  it('are read once in five minutes', async () => {
    const { values, calls, secrets, pass } = parameterStore();
    values.set('/hookline/test/admin-key', 'one');
    expect([await secrets.get('admin-key'), await secrets.get('admin-key')]).toEqual(['one', 'one']);
    expect(calls).toEqual(['GetParameter /hookline/test/admin-key']);
    values.set('/hookline/test/admin-key', 'two');
    pass(300_001);
    expect(await secrets.get('admin-key')).toBe('two');
  });

  it('that are missing are looked for again', async () => {
    const { values, secrets } = parameterStore();
    expect(await secrets.get('admin-key')).toBeUndefined();
    values.set('/hookline/test/admin-key', 'one');
    expect(await secrets.get('admin-key')).toBe('one');
  });

  it('are written, overwritten and deleted, at once for who did it', async () => {
    const { values, secrets } = parameterStore();
    await secrets.put('accounts/acc_1', 'a');
    await secrets.put('accounts/acc_1', 'b');
    expect(values.get('/hookline/test/accounts/acc_1')).toBe('b');
    expect(await secrets.get('accounts/acc_1')).toBe('b');
    await secrets.delete('accounts/acc_1');
    await secrets.delete('accounts/acc_1');
    expect(await secrets.get('accounts/acc_1')).toBeUndefined();
  });

  it('raise what the store says otherwise', async () => {
    const refused = async () => {
      throw new AwsError('GetParameter', 400, { __type: 'AccessDeniedException' });
    };
    const clock = { now: () => 0, monotonic: () => 0, sleep: async () => undefined };
    await expect(ssmSecrets(refused, '/p', clock).get('x')).rejects.toThrow('AccessDenied');
  });
});
