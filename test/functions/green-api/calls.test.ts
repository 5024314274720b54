import { greenApi } from '#functions/green-api/provider.ts';
import { describeReading } from '#test/support/describe-reading.ts';
import { account, call, instanceData, report } from './payloads.ts';

const noor = { id: '12025550142@c.us', phone: '+12025550142' };
const shop = { id: '12025550100@c.us', phone: '+12025550100' };
const { status: _, ...statusless } = call;
const outgoing = report('outgoingCall', {
  idMessage: 'F9E8D7C6B5A493827160F5E4D3C2B1A0',
  from: '12025550142@c.us',
  isVideo: false,
  duration: 42,
  status: 'pickUp',
  participants: [{ id: '12025550142@c.us', status: 'pickUp' }],
});

describeReading(greenApi, [
  {
    name: 'a call that rings',
    payload: call,
    exactly: {
      kind: 'call',
      call: {
        direction: 'inbound',
        state: 'ringing',
        from: noor,
        to: shop,
        chat: { id: '12025550142@c.us', kind: 'individual' },
        account,
        messageId: '0A1B2C3D4E5F60718293A4B5C6D7E8F9',
        detail: 'offer',
      },
    },
    occurredAt: 1795000033_000,
  },
  ...[
    ['pickUp', 'answered'],
    ['hungUp', 'missed'],
    ['hangUp', 'missed'],
    ['declined', 'declined'],
    ['missed', 'missed'],
    ['teleported', 'unknown'],
  ].map(([detail, state]) => ({
    name: `a call that ended as ${detail}`,
    payload: { ...call, status: detail },
    stored: { call: { direction: 'inbound', state, detail } },
  })),
  { name: 'a call of old, without a status', payload: statusless, stored: { call: { state: 'unknown', from: noor } } },
  {
    name: 'a video call with its length',
    payload: { ...call, status: 'pickUp', isVideo: true, duration: 12 },
    stored: { call: { video: true, durationSeconds: 12 } },
  },
  {
    name: 'a call in a group, of which nobody is named as the caller',
    payload: { ...call, from: '120363000000000042@g.us' },
    exactly: {
      kind: 'call',
      call: {
        direction: 'inbound',
        state: 'ringing',
        to: shop,
        chat: { id: '120363000000000042@g.us', kind: 'group' },
        account,
        messageId: '0A1B2C3D4E5F60718293A4B5C6D7E8F9',
        detail: 'offer',
      },
    },
  },
  {
    name: 'a call to somebody, whom `from` names',
    payload: outgoing,
    exactly: {
      kind: 'call',
      call: {
        direction: 'outbound',
        state: 'answered',
        from: shop,
        to: noor,
        chat: { id: '12025550142@c.us', kind: 'individual' },
        account,
        video: false,
        durationSeconds: 42,
        messageId: 'F9E8D7C6B5A493827160F5E4D3C2B1A0',
        participants: [{ id: '12025550142@c.us', state: 'pickUp' }],
        detail: 'pickUp',
      },
    },
  },
  ...[
    ['hungUp', 'ended'],
    ['invalid', 'failed'],
  ].map(([detail, state]) => ({
    name: `a call to somebody that ended as ${detail}`,
    payload: { ...outgoing, status: detail },
    stored: { call: { direction: 'outbound', state, detail } },
  })),
  {
    name: 'participants by either name of their id',
    payload: {
      ...outgoing,
      participants: [{ wid: '12025550142:1@c.us', status: 'hungUp' }, { id: '1@lid' }, { status: 'pickUp' }, null],
    },
    stored: { call: { participants: [{ id: '12025550142@c.us', state: 'hungUp' }, { id: '1@lid' }] } },
  },
  {
    name: 'a call while the account is not known',
    payload: { ...call, instanceData: { ...instanceData, wid: '' } },
    exactly: {
      kind: 'call',
      call: {
        direction: 'inbound',
        state: 'ringing',
        from: noor,
        chat: { id: '12025550142@c.us', kind: 'individual' },
        account: { instance: '7999000111' },
        messageId: '0A1B2C3D4E5F60718293A4B5C6D7E8F9',
        detail: 'offer',
      },
    },
  },
  { name: 'no call of nobody', payload: { ...call, from: '' }, quarantined: ['from'] },
  ...[
    ['OFFER', 'ringing'],
    ['hangup', 'missed'],
    ['HungUp', 'missed'],
    ['PICKUP', 'answered'],
  ].map(([word, state]) => ({
    name: `the word ${word} in whatever case`,
    payload: { ...call, status: word },
    stored: { call: { state, detail: word } },
  })),
]);
