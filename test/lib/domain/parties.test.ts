import { describe, expect, it } from 'vitest';
import type { Message } from '#lib/domain/event.ts';
import { withParties } from '#lib/domain/parties.ts';

const OWN = '+15550100001';
const ANA = { id: '15550100099@c.us', phone: '+15550100099' };
const chat = { id: ANA.id, kind: 'individual', title: 'Ana Ruiz' } as const;
const group = { id: '120363000000000001@g.us', kind: 'group' } as const;

const told = (more: Partial<Message>): Message => ({
  id: 'm1',
  chat,
  direction: 'inbound',
  via: 'unknown',
  channel: 'whatsapp',
  sender: { ...ANA, name: 'Ana' },
  account: { phone: OWN, name: 'Corner Shop' },
  content: { type: 'text', text: 'hello' },
  ...more,
});

function parties(more: Partial<Message>): Message {
  const payload = withParties({ kind: 'message', message: told(more) });
  if (payload.kind !== 'message') throw new Error('not a message');
  return payload.message;
}

it('leaves alone what is right', () => {
  expect(parties({})).toEqual(told({}));
});

describe('the title of a chat', () => {
  it.each<[string, Partial<Message>]>([
    ['the name of who wrote to the group', { chat: { ...group, title: 'Bo' }, sender: { name: 'Bo' } }],
    ['what the address book calls the writer', { chat: { ...group, title: 'Bo' }, sender: { contactName: 'Bo' } }],
    ['the number of who wrote to the group', { chat: { ...group, title: '+1 (555) 010-0099' } }],
    ['the number in their id', { chat: { ...group, title: '15550100099' }, sender: { id: ANA.id } }],
    ['our own number', { chat: { ...group, title: '+1 555 010 0001' } }],
    ["a group's own id", { chat: { ...group, title: '120363000000000001' } }],
    ['the number of the person', { chat: { ...chat, title: '+1 (555) 010-0099' } }],
    [
      'a number within marks of direction',
      { chat: { ...chat, title: '\u202a+1\u00a0(555)\u00a0010\u20110099\u202c' } },
    ],
    ['a number with the mark of a stranger', { chat: { ...group, title: '~ +1 555 010 0099' } }],
    [
      "the writer's name within marks of direction",
      { chat: { ...group, title: '\u2068Bo\u2069' }, sender: { name: 'Bo' } },
    ],
    ['another number', { chat: { ...chat, title: '15550100077' } }],
    ['a number with its middle hidden', { chat: { ...chat, title: '+1 555 \u2022\u2022\u2022 00\u221999' } }],
    [
      'the digits of a hidden number',
      { chat: { id: '190000000000042@lid', kind: 'individual', title: '190000000000042' } },
    ],
    ['a short code', { chat: { id: '54321', kind: 'individual', title: '54321' } }],
    ['our own name', { chat: { ...chat, title: 'Corner Shop' } }],
    [
      'our own name, told as the sender',
      { chat: { ...chat, title: 'Lee' }, direction: 'outbound', sender: { name: 'Lee' } },
    ],
    ['whoever posted a story', { chat: { id: 'status@broadcast', kind: 'status', title: 'Ana Ruiz' } }],
    ['nothing but blanks', { chat: { ...chat, title: ' ' } }],
  ])('is not %s', (_what, more) => {
    expect(parties(more).chat.title).toBeUndefined();
  });

  it.each<[string, Partial<Message>]>([
    ['of a person who calls themselves so', { chat: { ...chat, title: 'Ana' } }],
    ['of a group by its year', { chat: { ...group, title: '20262027' } }],
    ['of a group', { chat: { ...group, title: 'Lunch club' } }],
    ['of a channel', { chat: { id: '1@newsletter', kind: 'channel', title: 'City news' }, sender: {} }],
    ['with a short number', { chat: { ...chat, title: '007' } }],
  ])('stays: %s', (_what, more) => {
    expect(parties(more).chat.title).toBe(more.chat?.title);
  });

  it('is looked at in what is told of a chat itself as well', () => {
    const told = { id: '5', kind: 'individual', change: 'created', phone: ANA.phone } as const;
    const [number, name] = [ANA.phone, 'Ana'].map((title) => withParties({ kind: 'chat', chat: { ...told, title } }));
    expect([number, name]).toEqual([
      { kind: 'chat', chat: told },
      { kind: 'chat', chat: { ...told, title: 'Ana' } },
    ]);
  });
});

describe('the sender of what came in', () => {
  it.each<[string, Partial<Message>, object]>([
    ['our own number', { sender: { phone: OWN, name: 'Corner Shop' } }, { ...ANA, name: 'Ana Ruiz' }],
    ['our own id', { sender: { id: '15550100001@c.us' } }, { ...ANA, name: 'Ana Ruiz' }],
    [
      'our own number, where theirs is hidden',
      { chat: { id: '190000000000042@lid', kind: 'individual', title: 'Bo' }, sender: { phone: OWN } },
      { id: '190000000000042@lid', name: 'Bo' },
    ],
    [
      'our own number, where the chat has an id of the provider',
      { chat: { id: '510234', kind: 'individual', phone: ANA.phone }, sender: { phone: OWN } },
      { phone: ANA.phone },
    ],
  ])('is the other one in a chat of two, where it is told as %s', (_what, more, sender) => {
    expect(parties(more)).toMatchObject({ direction: 'inbound' });
    expect(parties(more).sender).toEqual(sender);
  });

  it.each([
    ['+5215550000001', '+525550000001'],
    ['+555187654321', '+5551987654321'],
    ['+5491123456789', '+541123456789'],
  ])('is the other one, where ours is told as %s and the account has %s', (told, own) => {
    const account = { phone: own };
    expect(parties({ sender: { phone: told }, account }).sender).toEqual({ ...ANA, name: 'Ana Ruiz' });
    expect(parties({ chat: group, sender: { phone: told }, account }).direction).toBe('outbound');
  });

  it('is the other one, and we are the recipient, where the two are told the wrong way round', () => {
    const ours = { phone: OWN, name: 'Lee' };
    const swapped = parties({ sender: ours, recipient: { ...ANA, name: 'Ana' } });
    expect(swapped).toMatchObject({ direction: 'inbound', sender: { ...ANA, name: 'Ana Ruiz' }, recipient: ours });
    const self = { id: '15550100001@c.us', kind: 'individual' } as const;
    expect(parties({ chat: self, sender: ours, recipient: { phone: OWN } }).recipient).toEqual({ phone: OWN });
    expect(parties({ recipient: { phone: '+15550100088' } }).recipient).toEqual({ phone: '+15550100088' });
  });

  it('is named by the chat, where it has no name of its own', () => {
    expect(parties({ sender: ANA }).sender).toEqual({ ...ANA, name: 'Ana Ruiz' });
    const named = { ...ANA, contactName: 'Ana from work' };
    expect(parties({ sender: named }).sender).toEqual(named);
    expect(parties({ chat: { ...group, title: 'Lunch club' }, sender: ANA }).sender).toEqual(ANA);
  });

  it('is ourselves in a chat with ourselves', () => {
    const self = { id: '15550100001@c.us', kind: 'individual' } as const;
    expect(parties({ chat: self, sender: { phone: OWN } }).sender).toEqual({ phone: OWN });
    const ours = told({ chat: self, direction: 'outbound', sender: { phone: OWN, name: 'Lee' } });
    expect(parties(ours)).toEqual(ours);
  });
});

it('tells that what we wrote to a group went out, whatever the event is called', () => {
  expect(parties({ chat: group, sender: { phone: OWN } }).direction).toBe('outbound');
  expect(parties({ chat: group, sender: ANA }).direction).toBe('inbound');
  expect(parties({ chat: group, sender: { phone: OWN }, account: {} }).direction).toBe('inbound');
});

describe('what came through a broadcast list', () => {
  const list = { id: '1668000000@broadcast', kind: 'broadcast', title: 'Ana Ruiz' } as const;

  it('stands in the chat with its sender', () => {
    expect(parties({ chat: list })).toMatchObject({
      chat: { id: ANA.id, kind: 'individual', title: 'Ana Ruiz', phone: ANA.phone },
      sender: { ...ANA, name: 'Ana' },
      broadcastList: list.id,
    });
  });

  it('stays where it is, if it is ours or nobody knows whose', () => {
    for (const more of [{ direction: 'outbound' as const }, { sender: { phone: OWN } }, { sender: {} }]) {
      expect(parties({ chat: list, ...more }).chat).toMatchObject({ id: list.id, kind: 'broadcast' });
    }
  });
});

describe('in a chat of two, what went out', () => {
  const ours = { phone: OWN, name: 'Corner Shop' };
  it.each<[string, Partial<Message>]>([
    ['a jid', {}],
    ['an id of the provider beside the number', { chat: { ...chat, id: '510234', phone: ANA.phone } }],
    ['a number', { chat: { ...chat, id: ANA.phone }, sender: { phone: ANA.phone, name: 'Ana' } }],
  ])('is ours, where the other one is called its sender: %s', (_what, more) => {
    const message = parties({ direction: 'outbound', recipient: ours, ...more });
    expect(message).toMatchObject({ sender: ours, recipient: { phone: ANA.phone, name: 'Ana' } });
    expect(message.chat.title).toBe('Ana Ruiz');
  });

  it.each<[string, Partial<Message>]>([
    ['it is ours already', { sender: ours, recipient: ANA }],
    ['nobody knows our number', { account: {} }],
    ['we write to ourselves', { chat: { id: OWN, kind: 'individual' }, sender: { phone: OWN } }],
    ['it is a group', { chat: { ...group, title: 'Lunch club' }, sender: ANA }],
  ])('stays as it was told, where %s', (_what, more) => {
    const given = told({ direction: 'outbound', ...more });
    expect(parties({ direction: 'outbound', ...more })).toMatchObject({ sender: given.sender });
  });
});
