import { describe, expect, it } from 'vitest';
import * as outbound from '#functions/outbound.ts';
import { isRecord } from '#lib/domain/json.ts';
import { type Account, readAccount } from '#lib/sender/items.ts';
import { openAccounts, providerProber, providerSender } from '#lib/sender/open-accounts.ts';
import { accountKey } from '#lib/store/keys.ts';
import { remove, set, update } from '#lib/store/store.ts';
import { AdminBench } from '#test/functions/admin/admin-bench.ts';
import { outboundTools, outgoing } from '#test/support/providers/outbound-bench.ts';

const credentials = (idInstance: string, apiTokenInstance = 'abc') => ({
  apiUrl: 'https://7103.api.greenapi.com',
  idInstance,
  apiTokenInstance,
});
const ONE = '7103000000';
const OTHER = '7103000001';

/** A hub whose sender has been warm all along, and the paths that it called. */
class WarmHub {
  readonly hub = new AdminBench();
  readonly called: string[] = [];
  afterRead: () => Promise<unknown> = async () => undefined;
  readonly #accounts = this.#opened();

  #opened() {
    return openAccounts(Object.values(outbound), {
      ...outboundTools(),
      http: {
        call: async ({ url }) => {
          this.called.push(new URL(url).pathname);
          const text = JSON.stringify({ idMessage: 'A', stateInstance: 'authorized' });
          return { kind: 'answered', status: 200, headers: {}, text };
        },
      },
      secrets: {
        get: async (name, version) => {
          const read = await this.hub.ports.secrets.get(name, version);
          await this.afterRead();
          return read;
        },
      },
      log: this.hub.ports.log,
    });
  }

  async connect(idInstance = ONE): Promise<string> {
    const body = { provider: 'green-api', channel: 'whatsapp', credentials: credentials(idInstance) };
    return String((await this.hub.done('POST', '/api/accounts', { body })).id);
  }
  change(id: string, given: object) {
    return this.hub.done('PATCH', `/api/accounts/${id}`, { body: { credentials: given } });
  }
  async account(id: string) {
    const item = await this.hub.store.get(accountKey(id));
    if (!item) throw new Error('there is no such account');
    return readAccount(item);
  }
  async send(id: string, account?: Account) {
    const asRead = account ?? (await this.account(id));
    return providerSender(this.#accounts).send(outgoing(), asRead, Number.MAX_SAFE_INTEGER);
  }
  async probe(id: string) {
    return providerProber(this.#accounts, this.hub.ports.clock).probe(await this.account(id));
  }
}

describe('credentials', () => {
  it('that were changed count from the next message on, whoever had cached the old ones', async () => {
    const warm = new WarmHub();
    const id = await warm.connect();
    await warm.send(id);
    await warm.change(id, credentials(OTHER));
    await warm.send(id);
    await warm.change(id, credentials(OTHER, 'renewed'));
    await warm.send(id);
    expect(warm.called).toEqual([
      `/waInstance${ONE}/sendMessage/abc`,
      `/waInstance${OTHER}/sendMessage/abc`,
      `/waInstance${OTHER}/sendMessage/renewed`,
    ]);
  });

  it('are those of the account as it was claimed, while others are on their way into its place', async () => {
    const warm = new WarmHub();
    const id = await warm.connect();
    await warm.hub.ports.secrets.put(`accounts/${id}`, JSON.stringify(credentials(OTHER)));
    await warm.send(id);
    expect(warm.called).toEqual([`/waInstance${ONE}/sendMessage/abc`]);
  });

  it('of another instance than the account says send nothing, and hold it if that does not pass', async () => {
    const warm = new WarmHub();
    const id = await warm.connect();
    await warm.hub.store.write(update(accountKey(id), [set('line', 'line_of_another')]));
    expect(await warm.send(id)).toMatchObject({ kind: 'retry', holdAfter: 5 });
    expect(await warm.probe(id)).toMatchObject({ kind: 'held' });
    expect(warm.called).toEqual([]);
  });

  it('of an account that an earlier release made are read without a version', async () => {
    const warm = new WarmHub();
    const id = await warm.connect();
    await warm.hub.store.write(update(accountKey(id), [remove('credentialsVersion')]));
    expect((await warm.send(id)).kind).toBe('accepted');
    await warm.change(id, credentials(OTHER));
    await warm.send(id);
    expect(warm.called).toEqual([`/waInstance${ONE}/sendMessage/abc`, `/waInstance${OTHER}/sendMessage/abc`]);
  });

  it('that are written leave their version on the account, never themselves', async () => {
    const warm = new WarmHub();
    const id = await warm.connect();
    await warm.change(id, credentials(OTHER, 'renewed'));
    const item = await warm.hub.store.get(accountKey(id));
    expect(isRecord(item) && item.credentialsVersion).toBe(2);
    expect(JSON.stringify(item)).not.toContain('renewed');
  });
});
