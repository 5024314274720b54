import { describe, expect, it } from 'vitest';
import { greenApi } from '#functions/green-api/provider.ts';
import { contentHash, eventId } from '#lib/domain/identity.ts';
import { read } from '#test/support/describe-reading.ts';
import { call, incoming, instanceData, quota, report, senderData, status, textData } from './payloads.ts';

const origin = { workspace: 'ws_1', provider: 'green-api', webhookId: 'wh_1' };

function idOf(payload: object): string {
  const reading = read(greenApi, { name: '', payload });
  if (!('drafts' in reading)) throw new Error(JSON.stringify(reading.issues));
  const [{ identity, payload: said, occurredAt }] = reading.drafts;
  return eventId(origin, identity, contentHash(said, occurredAt));
}

const message = incoming();
const edited = { typeMessage: 'editedMessage', editedMessageData: { textMessage: 'Green', stanzaId: 'X' } };
const tally = (voter: string) => ({
  typeMessage: 'pollUpdateMessage',
  pollMessageData: { stanzaId: 'BAE5', votes: [{ optionName: 'Monday', optionVoters: [voter] }] },
});
const connected = report('stateInstanceChanged', { stateInstance: 'authorized' });

describe('the same event', () => {
  it.each([
    ['the same message sent again', message, structuredClone(message)],
    ['the same message in a wrapper', message, { receiptId: 17, body: message }],
    [
      'the same message with its instance number as text',
      message,
      incoming(textData, { instanceData: { ...instanceData, idInstance: '7999000111' } }),
    ],
    [
      'the same message from another spelling of the chat',
      message,
      incoming(textData, { senderData: { ...senderData, chatId: '12025550142:3@s.whatsapp.net' } }),
    ],
    ['the same status of another spelling of the chat', status, { ...status, chatId: '12025550142:3@c.us' }],
    ['the same outcome of a call, spelt otherwise', { ...call, status: 'hungUp' }, { ...call, status: 'hangUp' }],
    ['the same state at the same time', connected, structuredClone(connected)],
    ['the same quota under the name of another event', quota, { ...quota, typeWebhook: 'incomingBlock' }],
  ])('is %s', (_, one, other) => {
    expect(idOf(other)).toBe(idOf(one));
  });
});

describe('another event', () => {
  it.each([
    ['another message', message, incoming(textData, { idMessage: '3EB0C0FFEE00112233AB' })],
    [
      'the same id in another chat',
      message,
      incoming(textData, { senderData: { ...senderData, chatId: '12025550143@c.us' } }),
    ],
    [
      'the same message as another of our instances sees it',
      message,
      incoming(textData, { instanceData: { ...instanceData, idInstance: 7999000112 } }),
    ],
    ['the same id typed on the phone', message, incoming(textData, { typeWebhook: 'outgoingMessageReceived' })],
    ['an edit under the id of its message', message, incoming(edited)],
    [
      'a deletion under the id of its message',
      message,
      incoming({ typeMessage: 'deletedMessage', deletedMessageData: { stanzaId: 'X' } }),
    ],
    ['a later tally', incoming(tally('1@c.us')), incoming(tally('2@c.us'), { timestamp: 1795000009 })],
    ['a status of the message', { ...message, idMessage: status.idMessage }, status],
    ['another status of the message', status, { ...status, status: 'read' }],
    ['the outcome of the call', call, { ...call, status: 'pickUp' }],
    ['the same call from another chat', call, { ...call, from: '12025550143@c.us' }],
    ['another state', connected, { ...connected, stateInstance: 'blocked' }],
    ['the same state later', connected, { ...connected, timestamp: 1795000099 }],
    ['the same quota later', quota, { ...quota, timestamp: 1795000099 }],
  ])('is %s', (_, one, other) => {
    expect(idOf(other)).not.toBe(idOf(one));
  });
});
