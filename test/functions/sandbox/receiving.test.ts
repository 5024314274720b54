import { expect, it } from 'vitest';
import { sandbox } from '#functions/sandbox/provider.ts';
import { deliveryReport } from '#lib/inbox/delivery-state.ts';
import { ReceivingBench } from '#test/support/receiving.ts';

it('joins the statuses of a message to it, in whatever order they come', async () => {
  const bench = new ReceivingBench(sandbox);
  await bench.addWebhook('sandbox');
  const post = async (body: object) => (await bench.post(JSON.stringify({ id: 'm-1', account: 'demo', ...body }))).body;
  await post({ event: 'status', status: 'read', at: 1772366403 });
  const { id } = await post({
    event: 'message',
    direction: 'outbound',
    chat: '+15550100099',
    text: 'Hi',
    at: 1772366400,
  });
  await post({ event: 'status', status: 'sent', at: 1772366401 });
  await post({ event: 'status', status: 'delivered', account: 'other', at: 1772366402 });
  const { stateKey = '' } = await bench.record(id);
  const state = await bench.store.get({ pk: stateKey, sk: 'META' });
  expect(state && deliveryReport(state)).toEqual({
    state: 'read',
    sentAt: '2026-03-01T12:00:01.000Z',
    readAt: '2026-03-01T12:00:03.000Z',
  });
});
