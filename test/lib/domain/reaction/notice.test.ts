import { describe, expect, it, test } from 'vitest';
import type { Event } from '#lib/domain/event.ts';
import { isAmong, isNoticePattern, NOTICE_TYPES, typeOf } from '#lib/domain/reaction/notice.ts';
import { messageEvent, statusEvent } from './events.ts';

const common = {
  id: 'evt_1',
  workspace: 'main',
  provider: 'sandbox',
  webhookId: 'wh_1',
  occurredAt: '2026-03-01T12:00:00.000Z',
  receivedAt: '2026-03-01T12:00:01.000Z',
};

describe('the type of a notice', () => {
  const cases: [what: string, event: Event, type: string | undefined][] = [
    ['a message that came in', messageEvent(), 'message.received'],
    ['a message of ours', messageEvent({ direction: 'outbound' }), 'message.sent'],
    ['an edit', messageEvent({ content: { type: 'edit', of: '1', text: 'b' } }), 'message.edited'],
    ['a deletion of ours', messageEvent({ direction: 'outbound', content: { type: 'delete' } }), 'message.deleted'],
    ['a status that the message itself tells', statusEvent('sent'), undefined],
    ['a status: delivered', statusEvent('delivered'), 'message.delivered'],
    ['a status: read', statusEvent('read'), 'message.read'],
    ['a status: failed', statusEvent('failed'), 'message.failed'],
    [
      'a sleeping account',
      { ...common, kind: 'connection', connection: { state: 'sleeping' } },
      'account.disconnected',
    ],
    ['an account on its way', { ...common, kind: 'connection', connection: { state: 'connecting' } }, undefined],
    ['a blocked account', { ...common, kind: 'connection', connection: { state: 'blocked' } }, 'account.restricted'],
    ['a missed call', { ...common, kind: 'call', call: { direction: 'inbound', state: 'missed' } }, 'call.missed'],
    [
      'what nobody understands',
      { ...common, kind: 'unknown', quarantined: true, issues: [{ path: 'type', message: 'is missing' }] },
      'event.quarantined',
    ],
    ['what a replay has understood since', { ...common, kind: 'unknown', quarantined: false, issues: [] }, undefined],
  ];
  it.each(cases)('of %s', (_what, event, type) => {
    expect(typeOf(event)).toBe(type);
    if (type !== undefined) expect(Object.keys(NOTICE_TYPES)).toContain(type);
  });
});

test('a pattern stands for a type, for all of a group or for all', () => {
  expect(isAmong('message.received', ['message.*'])).toBe(true);
  expect(isAmong('message.received', ['*'])).toBe(true);
  expect(isAmong('message.received', ['chat.*', 'message.received'])).toBe(true);
  expect(isAmong('message.received', ['message.read', 'messages.*', 'mess*'])).toBe(false);
  expect(isAmong('message.received', [])).toBe(false);
});

test('a pattern that stands for nothing is none', () => {
  expect(['message.*', '*', 'send.failed'].every(isNoticePattern)).toBe(true);
  expect(['', 'message', 'message.', 'mail.*', 'message.receive', '*.received'].some(isNoticePattern)).toBe(false);
});
