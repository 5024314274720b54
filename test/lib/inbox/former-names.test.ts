import { beforeEach, describe, expect, it } from 'vitest';
import { accountKey } from '#lib/store/keys.ts';
import { set, update } from '#lib/store/store.ts';
import { Conversation } from '#test/support/conversation.ts';

const envelope = {
  instanceData: { idInstance: 7999000111, wid: '15550100001@c.us', typeInstance: 'whatsapp' },
  timestamp: 1772366400,
  idMessage: 'P1',
};
const chatId = '15550100099@c.us';
const status = {
  ...envelope,
  typeWebhook: 'outgoingMessageStatus',
  chatId,
  status: 'delivered',
  sendByApi: true,
};
const echo = {
  ...envelope,
  typeWebhook: 'outgoingAPIMessageReceived',
  senderData: { chatId, sender: '15550100001@c.us', chatName: 'Ana Ruiz', senderName: 'Shop' },
  messageData: { typeMessage: 'extendedTextMessage', extendedTextMessageData: { text: 'hello' } },
};

describe('a message that went out while its account had another name', () => {
  let hub: Conversation;
  let send: string;
  beforeEach(async () => {
    hub = await new Conversation('green-api').begin({ scope: 'acc_1' });
    send = await hub.send({ phone: '+15550100099' });
    await hub.deliver();
    const renamed = [set('scope', '7999000111'), set('formerScopes', ['a name before', 'acc_1'])];
    await hub.bench.memory.write(update(accountKey('acc_1'), renamed));
  });

  it('is moved on by what is told of it under the name of today', async () => {
    expect(await hub.receive(status)).toMatchObject({ sendId: send, recipient: { phone: '+15550100099' } });
    expect(hub.bench.send(send).parts).toMatchObject([{ state: 'delivered', providerId: 'P1' }]);
  });

  it('is shown once, by its echo', async () => {
    await hub.receive(echo);
    expect((await hub.chats()).map(({ messages }) => messages)).toEqual([['P1']]);
  });
});

it('a message of ours is known by its echo, however the provider spells our number', async () => {
  const hub = await new Conversation('timelinesai').begin({ phone: '+5215550000001', scope: '+5215550000001' });
  const send = await hub.send({ phone: '+15550100099' });
  await hub.deliver();
  const echoed = await hub.receive({
    event_type: 'message:sent:new',
    chat: { chat_id: 510234, is_group: false, full_name: 'Ana Ruiz', phone: '+15550100099' },
    whatsapp_account: { phone: '+52 55 5000 0001' },
    message: { text: 'hello', direction: 'sent', origin: 'Public API', message_uid: 'P1' },
  });
  expect(echoed).toMatchObject({ accountId: 'acc_1', sendId: send });
  expect((await hub.chats()).map(({ messages }) => messages)).toEqual([['P1']]);
});
