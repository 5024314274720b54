import { greenApi } from '#functions/green-api/provider.ts';
import { describeReading } from '#test/support/describe-reading.ts';
import { account, incoming } from './payloads.ts';

const data = {
  typeMessage: 'reactionMessage',
  extendedTextMessageData: { text: '👍' },
  quotedMessage: { stanzaId: 'BAE5000000C0FFEE', participant: '12025550100@c.us' },
};
const reaction = {
  id: '3EB0C0FFEE00112233AA',
  messageId: 'BAE5000000C0FFEE',
  messageSender: { id: '12025550100@c.us', phone: '+12025550100' },
  chat: { id: '12025550142@c.us', kind: 'individual', title: 'Noor Example' },
  direction: 'inbound',
  sender: { id: '12025550142@c.us', phone: '+12025550142', name: 'Noor' },
  account,
};

describeReading(greenApi, [
  {
    name: 'a reaction to a message',
    payload: incoming(data),
    exactly: { kind: 'reaction', reaction: { ...reaction, emoji: '👍', removed: false } },
    occurredAt: 1795000001_000,
  },
  {
    name: 'a reaction that was taken back',
    payload: incoming({ ...data, extendedTextMessageData: { text: '' } }),
    exactly: { kind: 'reaction', reaction: { ...reaction, removed: true } },
  },
  {
    name: "the account's own reaction",
    payload: incoming(data, { typeWebhook: 'outgoingMessageReceived', senderData: { chatId: '12025550142@c.us' } }),
    stored: { reaction: { direction: 'outbound', sender: { phone: '+12025550100' }, emoji: '👍' } },
  },
  {
    name: 'a reaction that names its message beside the emoji',
    payload: incoming({
      typeMessage: 'reactionMessage',
      extendedTextMessageData: { text: '👍', stanzaId: 'BAE5000000C0FFEE' },
    }),
    stored: { reaction: { messageId: 'BAE5000000C0FFEE', emoji: '👍' } },
  },
  {
    name: 'a reaction to nobody knows what as an unsupported message',
    payload: incoming({ ...data, quotedMessage: {} }),
    stored: { message: { content: { type: 'unsupported', providerType: 'reactionMessage', text: '👍' } } },
  },
  {
    name: 'a reaction without its emoji as an unsupported message, since it may be no removal',
    payload: incoming({ ...data, extendedTextMessageData: null }),
    stored: { message: { content: { type: 'unsupported', providerType: 'reactionMessage' } } },
  },
]);
