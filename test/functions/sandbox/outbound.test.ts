import { describe, expect, it } from 'vitest';
import { sandboxAccount } from '#functions/sandbox/account.ts';
import { magicOf, sandboxOutbound } from '#functions/sandbox/outbound.ts';
import type { Outgoing } from '#lib/sender/provider.ts';
import { describeOutbound } from '#test/support/describe-outbound.ts';
import { inShort, openFor, outboundTools, outgoing, type Posted } from '#test/support/providers/outbound-bench.ts';

/** Time that passes only while somebody sleeps. */
function bench(queueTakes = true) {
  let now = Date.parse('2026-03-01T12:00:00.000Z');
  const posted: Posted[] = [];
  const tools = outboundTools(posted);
  const clock = {
    now: () => now,
    monotonic: () => now,
    sleep: async (milliseconds: number) => {
      now += milliseconds;
    },
  };
  const selfPost = queueTakes ? tools.selfPost : { post: async () => false };
  const account = openFor(sandboxOutbound, {}, {}, { ...tools, clock, selfPost });
  const began = now;
  const send = (phone: string, over: Partial<Outgoing> = {}) =>
    account.send(outgoing({ recipient: { phone }, ...over }), began + 10_000);
  return { account, posted, send, elapsed: () => now - began };
}
const statuses = (posted: readonly Posted[]) =>
  posted.map(({ body, delaySeconds }) => `${'status' in body ? body.status : ''} after ${delaySeconds} s`);

describeOutbound(sandboxAccount, sandboxOutbound, { credentials: () => ({}) });

describe('the sandbox', () => {
  it('takes a message at once and reports on it in three seconds', async () => {
    const { send, posted, elapsed } = bench();
    expect(await send('+15550100099')).toEqual({ kind: 'accepted', providerId: 'sandbox-3EB0A1B2C3D4E5F60718-0' });
    expect(elapsed()).toBe(0);
    expect(statuses(posted)).toEqual(['sent after 1 s', 'delivered after 2 s', 'read after 3 s']);
    expect(posted[0]).toEqual({
      account: 'acc_1',
      delaySeconds: 1,
      body: {
        event: 'status',
        id: 'sandbox-3EB0A1B2C3D4E5F60718-0',
        status: 'sent',
        via: 'api',
        at: '2026-03-01T12:00:01.000Z',
      },
    });
  });

  it('tries again where the queue does not take its reports', async () => {
    expect((await bench(false).send('+15550100099')).kind).toBe('retry');
  });
});

describe('a magic recipient', () => {
  it.each([
    ['+15550100404', 'rejected', 'rejected', 0, []],
    ['+15550100410', 'accepted', 'accepted', 0, ['sent after 1 s', 'failed after 2 s']],
    ['+15550100429', 'retry, wait 3000', 'accepted', 0, []],
    ['+15550100401', 'hold', 'accepted', 0, []],
    ['+15550100408', 'unknown', 'unknown', 10_000, ['sent after 1 s', 'delivered after 2 s', 'read after 3 s']],
    ['+15550100500', 'unknown', 'unknown', 0, []],
    ['+15550100800', 'accepted', 'accepted', 8_000, ['sent after 1 s', 'delivered after 2 s', 'read after 3 s']],
  ])('%s: %s, and then %s', async (phone, first, second, milliseconds, reported) => {
    const { send, posted, elapsed } = bench();
    expect(inShort(await send(phone))).toBe(first);
    expect(elapsed()).toBe(milliseconds);
    expect(statuses(posted)).toEqual(reported);
    expect((await bench().send(phone, { attempt: 2 })).kind).toBe(second);
  });

  it('is the same by whichever name', () => {
    for (const recipient of [
      { jid: '15550100429@s.whatsapp.net' },
      { chat_id: '+15550100429' },
      { phone: '15550100429' },
    ]) {
      expect(magicOf(recipient)).toBe('throttled');
    }
  });

  it('whose answer was lost leaves evidence, one that failed none', async () => {
    const { account } = bench();
    const attempted = {
      messageId: 'wa_backend:3EB0A1',
      part: 1,
      content: { kind: 'text', text: 'a' } as const,
      since: 1,
    };
    const lost = await account.find({ ...attempted, recipient: { phone: '+15550100408' } }, 0);
    expect(lost).toEqual([{ providerId: 'sandbox-3EB0A1-1' }]);
    expect(await account.find({ ...attempted, recipient: { phone: '+15550100500' } }, 0)).toEqual([]);
  });
});
