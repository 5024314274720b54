import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { sandboxAccount } from '#functions/sandbox/account.ts';
import { sandbox } from '#functions/sandbox/provider.ts';
import { describeReading, type Row } from '#test/support/describe-reading.ts';
import { identified } from '#test/support/identity.ts';

const inbound = {
  id: 'm-1',
  event: 'message',
  account: 'demo',
  direction: 'inbound',
  chat: '+15550100099',
  from: '+15550100099',
  name: 'Ana',
  text: 'good morning',
  at: '2026-01-01T00:00:00.000Z',
};
const outbound = {
  id: 'm-2',
  event: 'message',
  account: 'demo',
  direction: 'outbound',
  via: 'api',
  chat: '+15550100099',
  title: 'Ana Ruiz',
  from: '+15550100001',
  text: 'see this',
  file: { url: 'https://files.example/1', name: 'a.jpg', mimeType: 'image/jpeg', size: 2048 },
  at: 1767225601,
};
const delivered = {
  id: 'm-2',
  event: 'status',
  account: 'demo',
  chat: '+15550100099',
  status: 'delivered',
  via: 'api',
  at: 1767225602_000,
};
const says = (content: object) => ({ kind: 'message', message: { content } });

const rows: Row[] = [
  {
    name: 'a message that came in, whole',
    payload: inbound,
    exactly: {
      kind: 'message',
      message: {
        id: 'm-1',
        chat: { id: '+15550100099', kind: 'individual', phone: '+15550100099' },
        direction: 'inbound',
        via: 'unknown',
        channel: 'whatsapp',
        sender: { phone: '+15550100099', name: 'Ana' },
        account: { instance: 'demo' },
        content: { type: 'text', text: 'good morning' },
      },
    },
    occurredAt: 1767225600_000,
  },
  {
    name: 'a message that went out, whole, its text the caption of the file',
    payload: outbound,
    exactly: {
      kind: 'message',
      message: {
        id: 'm-2',
        chat: { id: '+15550100099', kind: 'individual', title: 'Ana Ruiz', phone: '+15550100099' },
        direction: 'outbound',
        via: 'api',
        channel: 'whatsapp',
        sender: { phone: '+15550100001' },
        recipient: { phone: '+15550100099', contactName: 'Ana Ruiz' },
        account: { instance: 'demo', phone: '+15550100001' },
        content: {
          type: 'image',
          file: { url: 'https://files.example/1', name: 'a.jpg', mimeType: 'image/jpeg', size: 2048 },
          caption: 'see this',
        },
      },
    },
    occurredAt: 1767225601_000,
  },
  {
    name: 'a status, whole',
    payload: delivered,
    exactly: {
      kind: 'status',
      status: {
        messageId: 'm-2',
        chatId: '+15550100099',
        state: 'delivered',
        viaApi: true,
        account: { instance: 'demo' },
      },
    },
    occurredAt: 1767225602_000,
  },
  ...(['sent', 'delivered', 'read', 'failed'] as const).map(
    (status): Row => ({
      name: `the status ${status}, with no more than it needs`,
      payload: { id: 'm-2', event: 'status', status },
      exactly: { kind: 'status', status: { messageId: 'm-2', state: status } },
    }),
  ),
  {
    name: 'why a message failed',
    payload: { ...delivered, status: 'failed', detail: 'not on WhatsApp' },
    stored: { kind: 'status', status: { state: 'failed', detail: 'not on WhatsApp' } },
  },
  {
    name: 'a message with no more than it needs',
    payload: { id: 'm-3', event: 'message', chat: '120363000000000042@g.us', text: 'Hi' },
    exactly: {
      kind: 'message',
      message: {
        id: 'm-3',
        chat: { id: '120363000000000042@g.us', kind: 'group' },
        direction: 'inbound',
        via: 'unknown',
        channel: 'whatsapp',
        sender: {},
        account: {},
        content: { type: 'text', text: 'Hi' },
      },
    },
  },
  {
    name: 'an SMS',
    payload: { ...inbound, channel: 'sms', from: '70123', chat: '70123' },
    stored: { kind: 'message', message: { channel: 'sms', chat: { id: '70123' }, sender: { id: '70123' } } },
  },
  ...(
    [
      ['video/mp4', 'video'],
      ['audio/ogg', 'audio'],
      ['application/pdf', 'document'],
      [undefined, 'document'],
    ] as const
  ).map(
    ([mimeType, type]): Row => ({
      name: `a file of type ${mimeType} as ${type}`,
      payload: { ...outbound, file: { url: 'https://files.example/1', mimeType } },
      stored: says({ type }),
    }),
  ),
  {
    name: 'a message with neither text nor file',
    payload: { ...inbound, text: undefined },
    stored: says({ type: 'unsupported', providerType: 'message' }),
  },
  { name: 'nothing from an unknown event', payload: { ...inbound, event: 'chat.closed' }, quarantined: ['event'] },
  { name: 'nothing without an event', payload: { id: 'm-1' }, quarantined: ['event'] },
  {
    name: 'a reaction that was taken back',
    payload: { event: 'reaction', id: 'm-1', from: '+15550100099' },
    exactly: {
      kind: 'reaction',
      reaction: {
        messageId: 'm-1',
        chat: { id: '+15550100099', kind: 'individual', phone: '+15550100099' },
        sender: { phone: '+15550100099' },
        removed: true,
      },
    },
  },
  {
    name: 'an edit',
    payload: { ...inbound, id: 'm-9', edits: 'm-1', text: 'good evening' },
    stored: says({ type: 'edit', of: 'm-1', text: 'good evening' }),
  },
  {
    name: 'a deletion',
    payload: { ...inbound, id: 'm-9', deletes: 'm-1' },
    stored: says({ type: 'delete', of: 'm-1' }),
  },
  { name: 'nothing without an id', payload: { event: 'message', chat: '1', text: 'Hi' }, quarantined: ['id'] },
  { name: 'nothing without a chat or an author', payload: { event: 'message', id: '1' }, quarantined: ['chat'] },
  { name: 'nothing from an unknown status', payload: { ...delivered, status: 'lost' }, quarantined: ['status'] },
  { name: 'nothing from a form', payload: 'id=m-1&event=message', quarantined: [''] },
];

describeReading(sandbox, rows);

it('reads the examples of its README', () => {
  const readme = readFileSync(new URL('../../../functions/sandbox/README.md', import.meta.url), 'utf8');
  const examples = [...readme.matchAll(/```json\n(.*?)```/gs)].map(([, text = '']) => text);
  const events = examples.map((text) => sandbox.read(JSON.parse(text)));
  expect(events).toMatchObject([
    { drafts: [{ payload: { kind: 'message' } }] },
    { drafts: [{ payload: { kind: 'status' } }] },
    { drafts: [{ payload: { kind: 'reaction', reaction: { messageId: 'm-1', emoji: '👍', removed: false } } }] },
    { drafts: [{ payload: { kind: 'call', call: { state: 'missed' } } }] },
  ]);
});

describe('an event of sandbox', () => {
  const of = (payload: unknown) => identified(sandbox, payload);
  it('is the same when it comes again, however its time is written', () => {
    expect(of({ ...inbound, at: 1767225600 })).toEqual(of(inbound));
  });

  it.each([
    ['for another message', { ...delivered, id: 'm-3' }],
    ['for another status', { ...delivered, status: 'read' }],
    ['for another account', { ...delivered, account: 'other' }],
    ['for the message itself', outbound],
  ])('is another %s', (_name, other) => {
    expect(of(other).id).not.toBe(of(delivered).id);
  });
});

it('has accounts without credentials', () => {
  expect(v.is(sandboxAccount.credentials('whatsapp'), {})).toBe(true);
  expect(v.is(sandboxAccount.credentials('sms'), { token: 'x' })).toBe(false);
  expect(sandboxAccount.instanceOf).toBeUndefined();
});
