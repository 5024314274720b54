import { expect, it } from 'vitest';
import { cooby } from '#functions/cooby/provider.ts';
import { ReceivingBench } from '#test/support/receiving.ts';
import { text } from './payloads.ts';

const sent = { ...text, direction: 'sent', sender: { phone: '15550100001', wa_name: 'Lee' } };
const swapped = { chat_id: '15550100001_15550100099@c.us' };

/** The current chat of each delivery, posted one after the other. */
async function chatsOf(deliveries: readonly object[]): Promise<ReadonlySet<unknown>> {
  const bench = new ReceivingBench(cooby);
  await bench.addWebhook('cooby');
  const chats = new Set<unknown>();
  for (const [index, delivery] of deliveries.entries()) {
    const message = { ...text.message, id: `3EB0C00B00${index}` };
    const { body } = await bench.post(JSON.stringify({ ...delivery, message }));
    expect(body.status).toBe('stored');
    chats.add(Object((await bench.record(body.id)).event).chatId);
    bench.now += 60_000;
  }
  return chats;
}

it.each<[string, object]>([
  ['the two numbers in the other order', { ...text, ...swapped }],
  ['the same on what we sent', { ...sent, ...swapped }],
  ['numbers with their signs', { ...text, chat_id: '+15550100001_+15550100099@c.us' }],
  ['another server', { ...sent, chat_id: '15550100001_15550100099@s.whatsapp.net' }],
  ['devices', { ...text, chat_id: '15550100099_15550100001:3@c.us' }],
  ['a dash between the numbers', { ...text, chat_id: '15550100001-15550100099@c.us' }],
  ["the other's number alone", { ...text, chat_id: '15550100099@c.us' }],
  ["the user's number written otherwise", { ...sent, ...swapped, user_phone: '+1 (555) 010-0001' }],
  ["no number of the user's, on what came in", { ...text, ...swapped, user_phone: null }],
  ["no number of the user's, on what was sent", { ...sent, ...swapped, user_phone: '' }],
  ['no id of the chat', { ...text, chat_id: undefined }],
  ['an empty id of the chat', { ...sent, chat_id: '' }],
])('a chat is one with %s', async (_, delivery) => {
  expect((await chatsOf([text, delivery])).size).toBe(1);
  expect((await chatsOf([delivery, sent])).size).toBe(1);
});

it('is one by both spellings of a number', async () => {
  const mexican = (phone: string, chat_id: string) => ({
    ...text,
    chat_id,
    sender: { phone, wa_name: 'Luz' },
    participants: [],
  });
  const chats = await chatsOf([
    mexican('5215550000099', '5215550000099_15550100001@c.us'),
    mexican('525550000099', '15550100001_525550000099@c.us'),
  ]);
  expect(chats.size).toBe(1);
});

it.each<[string, object]>([
  [
    'another person',
    {
      ...text,
      chat_id: '15550100001_15550100077@c.us',
      sender: { phone: '15550100077', wa_name: 'Bo' },
      participants: [],
    },
  ],
  ['another user', { ...text, chat_id: '15550100002_15550100099@c.us', user_phone: '15550100002' }],
  ['a group of the older form', { ...text, chat_id: '15550100001-15550100099@g.us', chat_type: 'group' }],
])('is another with %s', async (_, delivery) => {
  expect((await chatsOf([text, delivery])).size).toBe(2);
});
