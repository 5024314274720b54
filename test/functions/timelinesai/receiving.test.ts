import { beforeEach, describe, expect, it } from 'vitest';
import { timelinesAi } from '#functions/timelinesai/provider.ts';
import { providerChatPartition } from '#lib/store/keys.ts';
import { ReceivingBench } from '#test/support/receiving.ts';
import { fixture, varied } from './fixtures.ts';

const received = fixture('message-received');
const _UID = '3f1c2b7e-1111-4222-8333-944455556666';
let bench: ReceivingBench;

beforeEach(async () => {
  bench = new ReceivingBench(timelinesAi);
  await bench.addWebhook('timelinesai');
});

const post = async (payload: object) => (await bench.post(JSON.stringify(payload))).body;
const chatsOf = async (id: string) =>
  (await bench.store.query({ index: 'gsi3', pk: providerChatPartition('main', id), limit: 10 })).items;

describe('a delivery of TimelinesAI', () => {
  it('answers the second name of a message, and a repetition, as a duplicate of the first', async () => {
    const { id } = await post(received);
    expect(await post({ ...received, event_type: 'message:new' })).toEqual({ status: 'duplicate', id });
    expect(await post(received)).toEqual({ status: 'duplicate', id });
  });

  it('stores every message of a bundle, and none of them again', async () => {
    expect(await post(fixture('bundle'))).toMatchObject({ status: 'stored' });
    expect(await post(fixture('bundle'))).toMatchObject({ status: 'duplicate' });
  });

  it('keeps what is not understood of a bundle in quarantine beside the rest', async () => {
    const bundle = { ...fixture('bundle'), messages: [{ direction: 'sent', text: 'x' }, { text: 'no direction' }] };
    const { status, ids } = await post(bundle);
    expect([status, ids]).toEqual(['stored', [expect.any(String), expect.any(String)]]);
    const [first, second] = await Promise.all([ids].flat().map((id) => bench.record(id)));
    expect(first?.event).toMatchObject({ kind: 'message', message: { content: { text: 'x' } } });
    expect(second?.event).toMatchObject({
      kind: 'unknown',
      quarantined: true,
      issues: [{ path: 'messages.1.direction' }],
    });
    expect(await post(bundle)).toEqual({ status: 'duplicate', id: first?.event.id });
    expect(bench.counted.filter((name) => name.startsWith('QuarantinedEvents'))).toHaveLength(1);
  });

  it('finds messages and changes of a chat under one chat', async () => {
    await post(received);
    await post({ ...fixture('chat-assigned'), event_type: 'chat:new' });
    await post(fixture('chat-assigned'));
    expect(await chatsOf('510234')).toHaveLength(1);
    expect(await chatsOf('15550100099@c.us')).toHaveLength(1);
  });

  it('keeps a chat of one account, and what stands in it, apart from one of another', async () => {
    const others = varied(received, 'whatsapp_account', { phone: '+15550100002' });
    const [first, second] = [await post(received), await post(others)];
    expect(await chatsOf('510234')).toHaveLength(2);
    expect([first, second]).toMatchObject([{ status: 'stored' }, { status: 'stored' }]);
    expect(await post(received)).toEqual({ status: 'duplicate', id: first.id });
    expect(await post(others)).toEqual({ status: 'duplicate', id: second.id });
  });

  it('is answered with paths and never with values where it is not understood', async () => {
    const answer = await post({ event_type: 'message:new', message: { text: 'a secret' } });
    expect(answer).toMatchObject({ status: 'quarantined', issues: [{ path: 'chat.chat_id', message: 'is missing' }] });
    expect(JSON.stringify(answer)).not.toContain('secret');
  });
});
