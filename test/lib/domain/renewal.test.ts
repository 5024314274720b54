import { describe, expect, it } from 'vitest';
import type { MessageEvent } from '#lib/domain/event.ts';
import { isSameEvent, isSameMessage, renewed } from '#lib/domain/identity.ts';
import { toIso } from '#lib/domain/time.ts';

const AT = Date.parse('2026-03-01T12:00:00.000Z');
const file = { url: 'https://f.example/a.jpg', name: 'a.jpg', nameGenerated: true, mimeType: 'image/jpeg' };

const message = {
  id: 'm1',
  chat: { id: 'c1', kind: 'individual', title: 'Ana' },
  direction: 'inbound',
  via: 'phone',
  channel: 'whatsapp',
  sender: { id: '15550100099@c.us', phone: '+15550100099', name: 'Ana' },
  account: {},
  content: { type: 'image', caption: 'look', file },
  quoted: { id: 'q1' },
} satisfies MessageEvent['message'];

type Message = MessageEvent['message'];

const told = (changes: Partial<Message> = {}, occurredAt = AT, receivedAt = AT + 1000): MessageEvent => ({
  id: 'evt_1',
  workspace: 'main',
  provider: 'courier',
  webhookId: 'wh_1',
  chatId: 'chat_1',
  kind: 'message',
  message: { ...message, ...changes },
  occurredAt: toIso(occurredAt),
  receivedAt: toIso(receivedAt),
});

const image = (more: object, caption = 'look') => ({
  content: { type: 'image' as const, caption, file: { ...file, ...more } },
});

describe('an event that comes again', () => {
  const phone = '+5215550000001';
  it.each<[string, Message['account'], Message['account'], boolean]>([
    ['is the same for an account and for none', { phone }, {}, true],
    ['is the same for two spellings of a number', { phone }, { phone: '+525550000001' }, true],
    ['is the same for an instance that got another number', { instance: '7', phone }, { instance: '7' }, true],
    ['is the same, with both numbers', { instance: '7', phone }, { instance: '7', phone: '+15550100002' }, true],
    ['is another for another number', { phone }, { phone: '+15550100002' }, false],
    ['is another for another instance', { instance: '7' }, { instance: '8' }, false],
  ])('%s', (_what, account, other, expected) => {
    expect(isSameEvent(told({ account }), told({ account: other }))).toBe(expected);
    expect(isSameEvent(told({ account: other }), told({ account }))).toBe(expected);
  });
});

describe('a message that comes again is the same', () => {
  it.each<[string, Partial<Message>]>([
    ['with another link', image({ url: 'https://f.example/b.jpg' })],
    ['with another name of its file', image({ name: 'b.jpg' })],
    ['with another thumbnail and size', image({ thumbnail: '/9j/', size: 7 })],
    ['without its file', { content: { type: 'image', caption: 'look', file: {} } }],
    ['in a chat of another title', { chat: { ...message.chat, title: 'Ana Ruiz' } }],
    ['from a contact of another name', { sender: { ...message.sender, name: 'A.', contactName: 'Ana Ruiz' } }],
    ['with more of its quoted message', { quoted: { id: 'q1', content: { type: 'text', text: 'hi' } } }],
    ['from a sender who is not named', { sender: {} }],
    ['from a sender who hides their number', { sender: { id: '190000000000042@lid' } }],
    ['from a sender who is named by the number alone', { sender: { phone: '+15550100099' } }],
  ])('%s', (_, changes) => {
    expect(isSameMessage(message, { ...message, ...changes })).toBe(true);
    expect(isSameMessage({ ...message, ...changes }, message)).toBe(true);
  });
});

describe('a message under the same id is another', () => {
  it.each<[string, Partial<Message>]>([
    ['with another caption', image({}, 'look here')],
    ['without its caption', { content: { type: 'image', file } }],
    ['of another type', { content: { type: 'video', caption: 'look', file } }],
    ['in the other direction', { direction: 'outbound' }],
    ['from somebody else', { sender: { phone: '+15550100077' } }],
    ['that quotes something else', { quoted: { id: 'q2' } }],
    ['with a text', { content: { type: 'text', text: 'look' } }],
  ])('%s', (_, changes) => {
    expect(isSameMessage(message, { ...message, ...changes })).toBe(false);
    expect(isSameMessage({ ...message, ...changes }, message)).toBe(false);
  });

  it('but not from somebody in the other spelling of their number', () => {
    const [one, other] = ['+525550000099', '+5215550000099'].map((phone) => ({ ...message, sender: { phone } }));
    expect(one && other && isSameMessage(one, other)).toBe(true);
  });

  it('where it is no file, and says something else', () => {
    const place = { ...message, content: { type: 'location', latitude: 1, longitude: 2 } } satisfies Message;
    const other = { ...message, content: { type: 'location', latitude: 1, longitude: 3 } } satisfies Message;
    expect(isSameMessage(place, place)).toBe(true);
    expect(isSameMessage(place, other)).toBe(false);
  });
});

describe('later data of a message', () => {
  const later = (changes: Partial<Message>, occurredAt = AT) => renewed(told(), told(changes, occurredAt, AT + 60_000));

  it('replace link, names, title and time, and count its deliveries', () => {
    const changes = {
      ...image({ url: 'https://f.example/b.jpg', name: 'b.jpg' }),
      chat: { ...message.chat, title: 'Ana Ruiz' },
      sender: { ...message.sender, name: 'A. Ruiz' },
    };
    expect(later(changes, AT + 5000)).toEqual({
      ...told(changes, AT + 5000),
      renewedAt: toIso(AT + 60_000),
      deliveries: 2,
    });
  });

  it('are none where all is as it was, or nothing is said', () => {
    expect(later({})).toBeUndefined();
    expect(later({ chat: { id: 'c1', kind: 'individual' }, sender: {}, via: 'unknown' })).toBeUndefined();
    expect(later({ content: { type: 'image', caption: 'look', file: { url: '' } } })).toBeUndefined();
  });

  it('leave a link that they do not have', () => {
    const content = { type: 'image' as const, caption: 'look', file: { name: 'c.jpg', nameGenerated: true } };
    expect(later({ content })?.message.content).toEqual({ ...message.content, file: { ...file, name: 'c.jpg' } });
  });

  it('leave a name that somebody gave where theirs is made up, and give one in the place of one made up', () => {
    const given = { ...file, name: 'trip.jpg' };
    const { nameGenerated: _, ...named } = given;
    const made = told(image({ url: 'https://f.example/b.jpg' }), AT, AT + 60_000);
    const asGiven = told({ content: { ...message.content, file: named } });
    expect(renewed(asGiven, made)?.message.content).toMatchObject({
      file: { ...named, url: 'https://f.example/b.jpg' },
    });
    expect(renewed(asGiven, made)?.message.content).not.toHaveProperty('file.nameGenerated');
    const after = renewed(told(), { ...asGiven, receivedAt: toIso(AT + 60_000) });
    expect(after?.message.content).toEqual({ ...message.content, file: named });
  });

  it('take the fault of a file away that has come, and bring none to one that is there', () => {
    const error = { code: 'SWE002', message: 'too large' };
    const unfetched = { name: 'a.jpg', nameGenerated: true };
    const without = told({ content: { type: 'image', caption: 'look', file: unfetched }, error });
    expect(renewed(without, told({}, AT, AT + 60_000))?.message).not.toHaveProperty('error');
    expect(renewed(told(), { ...without, receivedAt: toIso(AT + 60_000) })).toBeUndefined();
  });

  it('name the account that was left open, and its chat', () => {
    const named = { ...told({}, AT, AT + 60_000), accountId: 'acc_1', chatId: 'chat_2' };
    expect(renewed(told(), named)).toMatchObject({ accountId: 'acc_1', chatId: 'chat_2', deliveries: 2 });
    expect(renewed(named, told({ chat: { ...message.chat, title: 'B' } }, AT, AT + 90_000))).toMatchObject({
      accountId: 'acc_1',
      chatId: 'chat_2',
    });
  });

  it('have no time where the provider gives none', () => {
    const timeless = told({ chat: { ...message.chat, title: 'Ana Ruiz' } }, AT + 60_000, AT + 60_000);
    expect(renewed(told(), timeless)).toMatchObject({ occurredAt: toIso(AT), renewedAt: toIso(AT + 60_000) });
  });

  it('that come late fill only what is missing', () => {
    const newest = told(
      { ...image({ url: 'https://f.example/b.jpg' }), chat: { id: 'c1', kind: 'individual' } },
      AT,
      AT + 60_000,
    );
    const late = renewed(newest, told());
    expect(late?.message).toEqual({ ...message, ...image({ url: 'https://f.example/b.jpg' }) });
    expect(late).toMatchObject({ renewedAt: toIso(AT + 60_000), deliveries: 2 });
    expect(late && renewed(late, told())).toBeUndefined();
  });
});
