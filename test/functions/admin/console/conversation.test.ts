import { expect, it } from 'vitest';
import type { Event, MessageEvent, Send } from '../../../../functions/admin/console/api.ts';
import { conversationOf, reasonIn } from '../../../../functions/admin/console/conversation.ts';

const at = (minute: number) => `2026-03-10T12:${String(minute).padStart(2, '0')}:00.000Z`;
const common = { workspace: 'main', provider: 'sandbox', webhookId: 'wh_1', receivedAt: at(0) };
const chat = { id: '+15550100099', kind: 'individual' as const };

function message(minute: number, content: MessageEvent['message']['content'], more: Partial<MessageEvent> = {}) {
  const event: MessageEvent = {
    ...common,
    ...{ kind: 'message', id: `evt_${minute}`, chatId: 'chat_1', occurredAt: at(minute) },
    message: {
      ...{ id: `m${minute}`, chat, direction: 'inbound', via: 'unknown', channel: 'whatsapp' },
      ...{ sender: { phone: '+15550100099' }, account: {}, content },
    },
    ...more,
  };
  return event;
}
const words = (minute: number, text: string) => message(minute, { type: 'text', text });

function reaction(minute: number, messageId: string, by: string, emoji?: string): Event {
  const given = { messageId, chat, sender: { name: by }, removed: emoji === undefined, ...(emoji && { emoji }) };
  return { ...common, kind: 'reaction', id: `evt_r${minute}`, occurredAt: at(minute), reaction: given };
}

function sent(minute: number, part: Partial<Send['parts'][number]>, more: Partial<Send> = {}): Send {
  return {
    ...{ messageId: `s${minute}`, workspace: 'main', state: 'queued', creditState: 'reserved', credits: 1 },
    ...{ accountId: 'acc_1', provider: 'sandbox', recipient: {}, history: [], createdAt: at(minute) },
    parts: [{ kind: 'text', text: 'Hi', state: 'queued', creditState: 'reserved', attempts: 0, ...part }],
    ...more,
  };
}

const shown = (events: readonly Event[], sends: readonly Send[] = []) => conversationOf(events, sends);
const told = (events: readonly Event[]) =>
  shown(events).flatMap((entry) => (entry.kind === 'message' ? entry.told : []));

it('stands in the order of time, however the events came', () => {
  expect(shown([words(2, 'b'), words(1, 'a')]).map(({ id }) => id)).toEqual(['evt_1', 'evt_2']);
});

it('tells the day with the first of it, and joins what one person wrote in a row', () => {
  const [first, second] = shown([words(1, 'a'), words(2, 'b')]);
  expect([first?.day === undefined, first?.goesOn, second?.day, second?.goesOn]).toEqual([
    false,
    undefined,
    undefined,
    true,
  ]);
});

it('shows the words of a quoted message of which its id alone is told, where it stands further up', () => {
  const quoting = (minute: number, id: string) => {
    const event = words(minute, 'yes');
    return { ...event, message: { ...event.message, quoted: { id } } };
  };
  const [, found, unknown] = told([words(1, 'at 9?'), quoting(2, 'm1'), quoting(3, 'm0')]);
  expect(found?.event.message.quoted).toEqual({
    ...{ id: 'm1', sender: { phone: '+15550100099' } },
    content: { type: 'text', text: 'at 9?' },
  });
  expect(unknown?.event.message.quoted).toEqual({ id: 'm0' });
});

it('names who wrote a quoted message as the message itself does', () => {
  const asked = words(1, 'at 9?');
  const named = { ...asked, message: { ...asked.message, sender: { phone: '+15550100099', name: 'Mia' } } };
  const event = words(2, 'yes');
  const quoted = { id: 'm1', sender: { phone: '+15550100099' }, content: { type: 'text', text: 'at' } as const };
  const [, quoting] = told([named, { ...event, message: { ...event.message, quoted } }]);
  expect(quoting?.event.message.quoted).toEqual({ ...quoted, sender: { phone: '+15550100099', name: 'Mia' } });
});

it('knows a quoted message of ours as ours, also where the message is not here', () => {
  const ours = { ...words(1, 'at 9?').message, direction: 'outbound' as const, account: { phone: '+15550100001' } };
  const answer = (minute: number, quoted: { id: string; sender: { phone: string } }) => {
    const event = words(minute, 'yes');
    return { ...event, message: { ...event.message, quoted } };
  };
  const [, found, older, theirs] = told([
    { ...words(1, 'at 9?'), message: { ...ours, sender: {} } },
    answer(2, { id: 'm1', sender: { phone: '+15550100001' } }),
    answer(3, { id: 'older', sender: { phone: '+15550100001' } }),
    answer(4, { id: 'older', sender: { phone: '+15550100099' } }),
  ]);
  expect([found, older, theirs].map((one) => one?.event.message.quoted?.isOurs)).toEqual([true, true, undefined]);
});

it('shows what is quoted by a reply that waits', () => {
  const quoting = (minute: number, quotedMessageId: string) => sent(minute, { quotedMessageId });
  const [, found, unknown] = shown([words(1, 'at 9?')], [quoting(2, 'm1'), quoting(3, 'm0')]);
  expect([found, unknown]).toMatchObject([
    { quoted: { id: 'm1', sender: { phone: '+15550100099' }, content: { text: 'at 9?' } } },
    { quoted: { id: 'm0' } },
  ]);
});

it('shows an edit and a deletion in the place of their message', () => {
  const [edited, gone, ...rest] = told([
    words(1, 'at 9'),
    words(2, 'wrong chat'),
    message(3, { type: 'edit', of: 'm1', text: 'at 10' }),
    message(4, { type: 'edit', of: 'm1', text: 'at 11' }),
    message(5, { type: 'delete', of: 'm2' }),
  ]);
  expect(edited?.edits.map(({ text }) => text)).toEqual(['at 10', 'at 11']);
  expect([gone?.deletedAt, rest]).toEqual([at(5), []]);
});

it('keeps what changes a message that is not here as a line', () => {
  const [entry] = shown([message(3, { type: 'delete', of: 'older' })]);
  expect(entry?.kind).toBe('line');
});

it('counts of each person the last reaction', () => {
  const [one] = told([
    words(1, 'a'),
    reaction(2, 'm1', 'Ana', '👍'),
    reaction(3, 'm1', 'Ana', '❤️'),
    reaction(4, 'm1', 'Boris', '❤️'),
    reaction(5, 'm1', 'Chidi', '😀'),
    reaction(6, 'm1', 'Chidi'),
  ]);
  expect(one?.reactions).toEqual([{ emoji: '❤️', count: 2, who: ['Ana', 'Boris'] }]);
});

it('believes a provider that counts all reactions', () => {
  const event = reaction(2, 'm1', 'Ana', '👍');
  if (event.kind !== 'reaction') throw new Error('no reaction');
  const tally = [{ emoji: '👍', count: 3 }];
  const [one] = told([words(1, 'a'), { ...event, reaction: { ...event.reaction, tally } }]);
  expect(one?.reactions).toEqual([{ emoji: '👍', count: 3, who: ['Ana'] }]);
});

it('shows what waits behind all that is there, and what failed in its place', () => {
  const entries = shown([words(5, 'a')], [sent(1, {}), sent(2, { state: 'failed', error: 'not on WhatsApp' })]);
  expect(entries.map(({ id }) => id)).toEqual(['s2 0', 'evt_5', 's1 0']);
});

it('shows a message that failed on its way once, with its send', () => {
  const event = message(3, { type: 'text', text: 'Hi' }, { sendId: 's1' });
  const send = sent(1, { state: 'failed', providerMessageId: 'm3' });
  const entries = shown([event], [send]);
  expect(entries).toHaveLength(1);
  expect(entries[0]).toMatchObject({ kind: 'message', told: { send: { messageId: 's1' } } });
});

it('tells why something failed, from the part or else from what was reported later', () => {
  const history = [{ at: at(2), state: 'failed' as const, detail: 'the phone could not be reached' }];
  expect(reasonIn(sent(1, { error: 'not on WhatsApp' }))).toBe('not on WhatsApp');
  expect(reasonIn(sent(1, { state: 'failed' }, { history }))).toBe('the phone could not be reached');
});

it('has calls and what the app tells as lines', () => {
  const call: Event = {
    ...common,
    ...{ kind: 'call', id: 'evt_c', occurredAt: at(1), call: { direction: 'inbound', state: 'missed' } },
  };
  expect(shown([call, message(2, { type: 'system', event: 'e2e' })]).map(({ kind }) => kind)).toEqual(['line', 'line']);
});
