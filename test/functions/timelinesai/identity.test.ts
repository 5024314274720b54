import { describe, expect, it } from 'vitest';
import { timelinesAi } from '#functions/timelinesai/provider.ts';
import { contentHash, eventId } from '#lib/domain/identity.ts';
import { read } from '#test/support/describe-reading.ts';
import { fixture, varied } from './fixtures.ts';

const received = fixture('message-received');
const reaction = fixture('reaction');
const call = fixture('call');
const assigned = fixture('chat-assigned');
const connected = fixture('account-connected');
const envelope = fixture('envelope');

const named = (payload: object, name: string) => ({ ...payload, event_type: name });

function eventsOf(payload: unknown): { id: string; content: string }[] {
  const reading = read(timelinesAi, { name: '', payload });
  if (!('drafts' in reading)) throw new Error(JSON.stringify(reading.issues));
  return reading.drafts.map((draft) => {
    const content = contentHash(draft.payload, draft.occurredAt);
    return { id: eventId({ workspace: 'w', provider: 'p', webhookId: 'h' }, draft.identity, content), content };
  });
}
const idsOf = (payload: unknown) => eventsOf(payload).map(({ id }) => id);

const resigned = varied(received, 'message', {
  attachments: [
    {
      temporary_download_url: 'https://bucket.example/att/form.pdf?sig=another',
      filename: 'form.pdf',
      size: 84211,
      mimetype: 'application/pdf',
    },
  ],
});

describe('one event of TimelinesAI', () => {
  it.each([
    ['a message under both names', received, named(received, 'message:new')],
    [
      'a sent message under both names',
      fixture('message-sent-by-api'),
      named(fixture('message-sent-by-api'), 'message:new'),
    ],
    ['an envelope under both names', envelope, named(envelope, 'message:new')],
    ['a message whose links were signed anew', received, resigned],
    ['a message whose chat was assigned meanwhile', received, varied(received, 'chat', { responsible_name: 'Kim' })],
    [
      'a message without an id that comes again',
      varied(received, 'message', { message_uid: '' }),
      varied(received, 'message', { message_uid: null }),
    ],
    ['a bundle that comes again', fixture('bundle'), fixture('bundle')],
    ['a chat under both generations of names', named(assigned, 'chat:new'), named(assigned, 'chat:created')],
    ['a chat under a name that tells who began', named(assigned, 'chat:new'), named(assigned, 'chat:incoming:new')],
    ['an assignment under both names', assigned, named(assigned, 'chat:assigned')],
    ['an account event that comes again', connected, { ...connected }],
  ])('is %s', (_name, one, other) => {
    expect(eventsOf(one)).toEqual(eventsOf(other));
  });

  it('has one identity whichever shape it comes in', () => {
    const { message, ...around } = received;
    const single = varied(received, 'message', { attachments: [] });
    const bundled = { ...around, messages: [message] };
    expect(idsOf(single)).toEqual(idsOf(envelope));
    expect(idsOf(received)).toEqual(idsOf(bundled));
  });

  it.each([
    ['messages with different ids', received, varied(received, 'message', { message_uid: 'other' })],
    ['messages of one id in two chats', received, varied(received, 'chat', { chat_id: 1 })],
    [
      'messages without ids that say different things',
      varied(received, 'message', { message_uid: '' }),
      varied(received, 'message', { message_uid: '', text: 'other' }),
    ],
    ['a reaction and its message', received, reaction],
    ['a reaction and its removal', reaction, varied(reaction, 'reaction', { action: 'clear' })],
    ['reactions of two people', reaction, varied(reaction, 'reaction', { reactor: { phone: '+15550100077' } })],
    ['two reactions of one person', reaction, varied(reaction, 'reaction', { emoji: '🎉' })],
    [
      'the same reaction set again later',
      reaction,
      varied(reaction, 'reaction', { timestamp: '2026-03-02 09:18:00 +0100' }),
    ],
    ['two calls', call, varied(call, 'call_details', { message_uid: 'other' })],
    [
      'two calls without ids',
      varied(call, 'call_details', { message_uid: '' }),
      varied(call, 'call_details', { message_uid: '', duration: 1 }),
    ],
    ['two chats', named(assigned, 'chat:new'), varied(named(assigned, 'chat:new'), 'chat', { id: 1 })],
    ['assignments to two people', assigned, varied(assigned, 'chat', { responsible_email: 'kim@example.com' })],
    ['an assignment and its end', assigned, named(assigned, 'chat:unassigned')],
    [
      'two connections of an account',
      connected,
      varied(connected, 'whatsapp_account', { connected_on: '2026-02-02 08:00:00 +0100' }),
    ],
    ['a connection and its end', connected, named(connected, 'whatsapp:account:disconnected')],
    ['connections of two accounts', connected, varied(connected, 'whatsapp_account', { phone: '+15550100002' })],
  ])('is not %s', (_name, one, other) => {
    expect(idsOf(one)).not.toEqual(idsOf(other));
  });

  it('is each attachment of a message, however often it comes', () => {
    const file = { temporary_download_url: 'https://bucket.example/a', filename: 'a.pdf' };
    const message = varied(received, 'message', { attachments: [file, file, file] });
    const ids = idsOf(message);
    expect(new Set(ids).size).toBe(3);
    expect(idsOf(named(message, 'message:new'))).toEqual(ids);
  });
});
