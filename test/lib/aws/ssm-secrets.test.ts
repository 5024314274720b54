import { inspect } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openParameters } from '#infra/local/engines/ssm.ts';
import { ssmClient } from '#lib/aws/clients.ts';
import { ssmSecrets } from '#lib/aws/outgoing.ts';
import { ok, refusal, settingsOver } from '#test/support/aws-wire.ts';

/** The local parameter store in memory, with the operations that it was asked for. */
function parameterStore() {
  const parameters = openParameters();
  const calls: string[] = [];
  const write = (name: string, value: string) =>
    parameters.put({ Name: name, Value: value, Type: 'SecureString', Overwrite: true });
  const found = (selector: string) => {
    try {
      return parameters.get(selector);
    } catch {
      return undefined;
    }
  };
  const ssm = ssmClient(
    settingsOver(async (operation, _, body) => {
      const { Name: name, Value: value } = JSON.parse(body);
      calls.push(`${operation} ${name}`);
      if (operation === 'PutParameter') return ok({ Version: write(name, value) });
      const what = found(name.split(':')[0]) ? 'ParameterVersion' : 'Parameter';
      if (!found(name)) return refusal(`${what}NotFound`);
      if (operation === 'DeleteParameter') parameters.delete(name);
      return ok(operation === 'GetParameter' ? { Parameter: found(name) } : {});
    }),
  );
  return { parameters, write, calls, secrets: ssmSecrets(ssm, '/hookline/test') };
}

afterEach(() => vi.useRealTimers());

describe('secrets in the parameter store', () => {
  it('are read once in five minutes', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { write, calls, secrets } = parameterStore();
    write('/hookline/test/admin-key', 'one');
    expect([await secrets.get('admin-key'), await secrets.get('admin-key')]).toEqual(['one', 'one']);
    expect(calls).toEqual(['GetParameter /hookline/test/admin-key']);
    write('/hookline/test/admin-key', 'two');
    vi.setSystemTime(Date.now() + 300_001);
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
    await expect(secrets.get('accounts/acc_1', 3)).rejects.toThrow();
    expect(await secrets.get('accounts/acc_2', 1)).toBeUndefined();
    expect(calls).toEqual(
      ['1:1', '1:2', '1:3', '2:1'].map((which) => `GetParameter /hookline/test/accounts/acc_${which}`),
    );
  });

  it('raise what the store says otherwise, without the value that it may quote', async () => {
    const refusing = settingsOver(async () => refusal('AccessDeniedException', 400, { message: "value 'a-secret'" }));
    const secrets = ssmSecrets(ssmClient(refusing), '/p');
    const failures = [secrets.get('x'), secrets.put('x', 'a-secret'), secrets.delete('x')];
    for (const failed of await Promise.allSettled(failures)) {
      expect(failed).toMatchObject({ status: 'rejected', reason: { code: 'AccessDeniedException' } });
      expect(inspect(failed, { depth: null, showHidden: true })).not.toContain('a-secret');
    }
  });
});
