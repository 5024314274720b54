import { expect, test } from 'vitest';
import { audit } from '#lib/credits/audit.ts';
import { grant, showCredits } from '#lib/credits/credits.ts';
import type { Clock } from '#lib/domain/ports.ts';
import { DEFAULT_PACING } from '#lib/domain/send/outcome.ts';
import { cancel } from '#lib/outbox/cancel.ts';
import { accept } from '#lib/sender/accept.ts';
import { hold, pause, resume } from '#lib/sender/account.ts';
import { defaultConfig } from '#lib/sender/config.ts';
import { readSend } from '#lib/sender/items.ts';
import type { Tick } from '#lib/sender/provider.ts';
import { tick } from '#lib/sender/tick.ts';
import { accountKey, directoryKey, sendKey } from '#lib/store/keys.ts';
import { put } from '#lib/store/store.ts';
import { sendingStart } from '#lib/tenants/accounts.ts';
import { watchdog } from '#lib/watchdog/watchdog.ts';
import { emulatedStore } from '#test/support/emulated-store.ts';
import { Seeded } from '#test/support/simulation/seeded.ts';
import { tasksBy } from '#test/support/tasks.ts';

/** The use cases on a real table; time passes as fast as it is asked to, and ticks are handed on by hand. */
async function hub() {
  const store = await emulatedStore();
  let now = Date.UTC(2026, 10, 21, 12);
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    sleep: async (ms) => {
      now += ms;
    },
  };
  const ticks: Tick[] = [];
  const sent: string[] = [];
  const ports = {
    store,
    clock,
    random: new Seeded(1),
    metrics: { count: () => undefined },
    ticks: { send: async (message: Tick) => void ticks.push(message) },
    attachments: { fetch: async () => ({ kind: 'unavailable', reason: 'http 503' }) as const },
    sender: {
      send: async ({ messageId }: { readonly messageId: string }) => {
        sent.push(messageId);
        return { kind: 'accepted', providerId: `P${sent.length}` } as const;
      },
    },
    prober: { probe: async () => ({ kind: 'ok' }) as const },
    openAccounts: { open: async () => ({ kind: 'cannot send' }) as const },
  };
  async function drain() {
    for (let message = ticks.shift(); message; message = ticks.shift()) {
      now = Math.max(now, message.at);
      const run = { id: `run-${now}`, endsAt: now + 45_000, received: { times: 1, firstAt: now } };
      await tick(message, run, ports, defaultConfig);
    }
  }
  await store.write(
    put({
      ...accountKey('a'),
      ...sendingStart('a', DEFAULT_PACING),
      id: 'a',
      workspace: 'main',
      provider: 'fake',
      channel: 'whatsapp',
      scope: 'a',
      createdAt: '2026-01-01T00:00:00.000Z',
      connectedAt: '2026-01-01T00:00:00.000Z',
    }),
  );
  await store.write(put({ ...directoryKey('main', 'ACCOUNT', 'a') }));
  await grant(ports, 'main', { credits: 10, reason: 'test' }, defaultConfig);
  const send = (text: string) => {
    const parts = [{ kind: 'text', text }] as const;
    return accept({ workspace: 'main', account: 'a', recipient: { phone: '+1' }, parts }, ports, defaultConfig);
  };
  return { ports, sent, drain, send, pass: (ms: number) => (now += ms) };
}

test('messages go through on DynamoDB: paused, held, resumed, cancelled, refunded and audited', async () => {
  const { ports, sent, drain, send, pass } = await hub();
  const first = await send('one');
  const second = await send('two');
  await drain();
  expect(sent).toEqual([first, second].map((answer) => 'messageId' in answer && answer.messageId));

  await hold(ports, 'a', 'logged out', defaultConfig);
  await pause(ports, 'a', 'lunch', defaultConfig);
  const [third, fourth] = [await send('three'), await send('four')];
  if (third.kind !== 'accepted' || fourth.kind !== 'accepted') throw new Error('not accepted');
  await drain();
  expect(await cancel(ports, 'main', third.messageId, defaultConfig)).toBe('cancelled');
  pass(90_000);
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  await watchdog({ ...ports, tasks: tasksBy(), log }, ports.clock.monotonic() + 30_000, defaultConfig);
  await drain();
  expect(sent).toHaveLength(2);
  await resume(ports, 'a', defaultConfig);
  await drain();
  expect(sent[2]).toBe(fourth.messageId);

  const parts = [{ kind: 'file', url: 'https://files.test/a', name: 'a' }] as const;
  const request = { workspace: 'main', account: 'a', recipient: { phone: '+1' }, parts };
  const failing = await accept(request, ports, defaultConfig);
  await drain();
  if (failing.kind !== 'accepted') throw new Error('not accepted');
  const item = await ports.store.get(sendKey(failing.messageId), { consistent: true });
  expect(item && readSend(item).parts[0]).toMatchObject({ state: 'failed', creditState: 'refunded' });

  expect(await showCredits(ports, 'main', defaultConfig)).toMatchObject({ available: 7, reserved: 0, spent: 3 });
  expect(await audit(ports, 'main')).toMatchObject({ ok: true, differences: [], complete: true });
  expect(await ports.store.get(accountKey('a'), { consistent: true })).toMatchObject({ chain: 'IDLE', pending: 0 });
});
