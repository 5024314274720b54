import { beforeEach, describe, expect, it } from 'vitest';
import { sandboxOutbound } from '#functions/sandbox/outbound.ts';
import { sandbox } from '#functions/sandbox/provider.ts';
import { sqsClient } from '#lib/aws/clients.ts';
import { chunkOf, envelopeOf, selfPost } from '#lib/aws/queues.ts';
import { storeEnvelope } from '#lib/inbox/fallback.ts';
import { accountKey, stateKey } from '#lib/store/keys.ts';
import { put } from '#lib/store/store.ts';
import { settingsOver, taken, type Wire } from '#test/support/aws-wire.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
import { openFor, outboundTools, outgoing } from '#test/support/providers/outbound-bench.ts';
import { NOW, ReceivingBench } from '#test/support/receiving.ts';

interface Message {
  readonly MessageBody: string;
  readonly DelaySeconds: number;
}

let messages: Message[];
const queueOver = (wire: Wire) =>
  selfPost(sqsClient(settingsOver(wire)), 'https://sqs.eu-central-1.amazonaws.com/1/fallback', { now: () => NOW });
const queue = queueOver(async (_operation, _headers, body) => {
  messages.push(JSON.parse(body));
  return taken(body);
});
const account = { id: 'acc_1', provider: 'sandbox', channel: 'whatsapp' } as const;

beforeEach(() => {
  messages = [];
});

describe('what the hub reports to itself', () => {
  it('comes out of the queue as the statuses of the message that was sent', async () => {
    const bench = new ReceivingBench(sandbox, new MemoryStore());
    const queueState = {
      chain: 'IDLE',
      gen: 0,
      nextSendAt: 0,
      backoffUntil: 0,
      pending: 0,
      tailSeq: 0,
      failuresRunning: 0,
    };
    const times = { createdAt: '2026-01-01T00:00:00.000Z', connectedAt: '2026-01-01T00:00:00.000Z' };
    const flags = { paused: false, held: false, pacing: { minMs: 1600, maxMs: 2400 } };
    const item = {
      ...accountKey('acc_1'),
      ...account,
      ...queueState,
      ...flags,
      workspace: 'team',
      scope: 'acc_1',
      ...times,
    };
    await bench.store.write(put(item));

    const open = openFor(sandboxOutbound, {}, account, { ...outboundTools(), selfPost: queue });
    const outcome = await open.send(outgoing(), Number.POSITIVE_INFINITY);
    const providerId = outcome.kind === 'accepted' ? outcome.providerId : '';
    expect(messages.map(({ DelaySeconds }) => DelaySeconds)).toEqual([1, 2, 3]);

    for (const { MessageBody } of messages) {
      const chunk = chunkOf(MessageBody);
      const stored = await storeEnvelope(sandbox, bench.ports(), envelopeOf(chunk, chunk.data));
      expect(stored).toMatchObject([{ status: 'stored' }]);
    }
    const state = await bench.store.get(
      stateKey({ workspace: 'team', provider: 'sandbox', scope: 'acc_1' }, providerId),
    );
    expect(Object.keys(state ?? {})).toEqual(expect.arrayContaining(['at_sent', 'at_delivered', 'at_read']));
  });

  it('waits in the queue where its account was deleted', async () => {
    await queue.post(account, { event: 'status' }, 1);
    const chunk = chunkOf(messages[0]?.MessageBody ?? '');
    const storing = storeEnvelope(sandbox, new ReceivingBench(sandbox).ports(), envelopeOf(chunk, chunk.data));
    await expect(storing).rejects.toThrow('was deleted');
  });

  it('keeps its delay within what a queue can do', async () => {
    await queue.post(account, {}, 0.2);
    await queue.post(account, {}, 5_000);
    expect(messages.map(({ DelaySeconds }) => DelaySeconds)).toEqual([1, 900]);
  });

  it('is not posted where the queue does not answer', async () => {
    const silent = queueOver(() => Promise.reject(Object.assign(new Error('no answer'), { code: 'ECONNRESET' })));
    expect(await silent.post(account, {}, 1)).toBe(false);
  });

  it('has no URL that leads to it', async () => {
    const bench = new ReceivingBench(sandbox, new MemoryStore());
    await bench.store.write(put({ ...accountKey('acc_1'), workspace: 'team' }));
    const answer = await bench.post('{}', { token: 'account:acc_1' });
    expect(answer.status).toBe(404);
  });
});
