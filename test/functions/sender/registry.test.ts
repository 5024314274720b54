import { beforeEach, describe, expect, it } from 'vitest';
import * as outbound from '#functions/outbound.ts';
import { providers } from '#functions/providers.ts';
import { systemClock } from '#lib/aws/runtime.ts';
import { defaultConfig } from '#lib/sender/config.ts';
import { readAccount, readSend } from '#lib/sender/items.ts';
import { type OpenAccounts, openAccounts, providerProber, providerSender } from '#lib/sender/open-accounts.ts';
import type { OutboundProvider } from '#lib/sender/provider.ts';
import { pointerKey, stateKey } from '#lib/store/keys.ts';
import { put, type Store } from '#lib/store/store.ts';
import { whatBecameOf } from '#lib/watchdog/reconcile.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
import { accountItem, outboundTools, outgoing, unknownSend, within } from '#test/support/providers/outbound-bench.ts';

const outboundProviders = Object.values(outbound);
const account = (provider: string) => readAccount(accountItem(provider));

let reads: string[];
let logged: unknown[];
let stored: string | undefined | Error;
const bench = (able: readonly OutboundProvider[] = outboundProviders): OpenAccounts =>
  openAccounts(able, {
    ...outboundTools(),
    secrets: {
      get: async (name) => {
        reads.push(name);
        if (stored instanceof Error) throw stored;
        return stored;
      },
    },
    log: { info: () => logged, warn: () => logged, error: (...line) => logged.push(line) },
  });
beforeEach(() => {
  reads = [];
  logged = [];
  stored = '{}';
});

it('lists everybody whose accounts can send, in order', () => {
  const able = providers.filter(({ account: { canSend } }) => canSend).map(({ account: { name } }) => name);
  expect(able.length).toBeGreaterThan(0);
  expect(outboundProviders.map(({ name }) => name)).toEqual(able.sort());
});

describe('an account', () => {
  const send = (accounts: OpenAccounts, provider = 'sandbox') =>
    providerSender(accounts).send(outgoing(), account(provider), within(2000));

  it('sends through its provider, with its credentials', async () => {
    expect((await send(bench())).kind).toBe('accepted');
    expect(reads).toEqual(['accounts/acc_1']);
  });

  it('of a provider that cannot send is refused with its name', async () => {
    expect(await send(bench(), 'cooby')).toEqual({ kind: 'rejected', reason: 'cooby offers no way to send' });
  });

  it.each([[undefined], ['not JSON'], ['{"apiUrl":1}']])('whose credentials are %j is held', async (secret) => {
    stored = secret;
    expect((await send(bench(), 'green-api')).kind).toBe('hold');
  });

  it('whose credentials cannot be read is tried again, and the fault logged', async () => {
    stored = new Error('no answer');
    expect((await send(bench())).kind).toBe('retry');
    expect(logged).toHaveLength(1);
  });

  it('without usable credentials stays held when probed', async () => {
    stored = undefined;
    const probed = await providerProber(bench(), systemClock).probe(account('zender'));
    expect(probed.kind).toBe('held');
  });
});

describe('evidence', () => {
  const sendItem = unknownSend('listing', { phone: '+15550100099' }, 'hi', 5);
  const send = readSend(sendItem);
  let listed: { providerId: string; failed?: string }[];
  const listing: OutboundProvider = {
    name: 'listing',
    longestText: () => 1,
    recipients: () => [],
    takesFiles: () => false,
    open: () => ({
      send: async () => ({ kind: 'unknown', reason: '' }),
      probe: async () => ({ kind: 'unknown' }),
      find: async () => listed,
    }),
  };
  const look = (store: Store) =>
    whatBecameOf({ store, clock: systemClock, openAccounts: bench([listing]) }, send, 0, defaultConfig);
  const find = async (claimed: string[] = [], underWay?: string) => {
    const store = new MemoryStore();
    if (underWay !== undefined) {
      const parts = sendItem.parts.map((part) => ({ ...part, text: underWay, state: 'sending' }));
      await store.write(put({ ...sendItem, pk: 'MSG#other', messageId: 'other', parts }));
      await store.write(put({ ...pointerKey('acc_1', 2, 0), send: 'other', part: 0 }));
    }
    await store.write(put(accountItem('listing')));
    await store.write(put(sendItem));
    for (const id of claimed) {
      await store.write(
        put({ ...stateKey({ workspace: 'main', provider: 'listing', scope: 'acc_1' }, id), send: 'other', part: 0 }),
      );
    }
    return look(store);
  };

  it('counts where exactly one message fits', async () => {
    listed = [{ providerId: 'a' }];
    expect(await find()).toEqual({ kind: 'sent', inferred: true, providerId: 'a' });
    listed = [{ providerId: 'a', failed: 'noAccount' }];
    expect(await find()).toEqual({ kind: 'failed', reason: 'noAccount', providerId: 'a' });
    listed = [{ providerId: 'a' }, { providerId: 'b' }];
    expect(await find()).toBeUndefined();
  });

  it('leaves a message alone that is known to be another send', async () => {
    listed = [{ providerId: 'a' }, { providerId: 'b' }];
    expect(await find(['a'])).toEqual({ kind: 'sent', inferred: true, providerId: 'b' });
    expect(await find(['a', 'b'])).toBeUndefined();
  });

  it('is not asked for at another name of the account than the attempt was made under', async () => {
    listed = [{ providerId: 'a' }];
    const store = new MemoryStore();
    await store.write(put({ ...accountItem('listing'), scope: 'another' }));
    await store.write(put(sendItem));
    expect(await look(store)).toBeUndefined();
  });

  it('waits while the same words are on their way to the same person', async () => {
    listed = [{ providerId: 'a' }];
    expect(await find([], 'hi')).toBeUndefined();
    expect(await find([], 'other words')).toEqual({ kind: 'sent', inferred: true, providerId: 'a' });
  });
});
