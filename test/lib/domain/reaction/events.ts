import type { Event, MessageEvent } from '#lib/domain/event.ts';

type Parts = Partial<MessageEvent['message']> & Partial<Pick<MessageEvent, 'occurredAt' | 'conflict'>>;

/** "What is the price?" of Ana, in an individual chat. */
export function messageEvent({ occurredAt, conflict, ...message }: Parts = {}): MessageEvent {
  return {
    id: 'evt_1',
    workspace: 'main',
    provider: 'sandbox',
    webhookId: 'wh_1',
    accountId: 'acc_1',
    occurredAt: occurredAt ?? '2026-03-01T12:00:00.000Z',
    receivedAt: '2026-03-01T12:00:01.000Z',
    ...(conflict !== undefined && { conflict }),
    kind: 'message',
    chatId: 'chat_1',
    message: {
      id: '1',
      chat: { id: '15550100@c.us', kind: 'individual', title: 'Ana' },
      direction: 'inbound',
      via: 'phone',
      channel: 'whatsapp',
      sender: { phone: '+15550100', name: 'Ana' },
      account: { phone: '+15550199' },
      content: { type: 'text', text: 'What is the price?' },
      ...message,
    },
  };
}

export function statusEvent(state: Extract<Event, { kind: 'status' }>['status']['state']): Event {
  const { id, workspace, provider, webhookId, occurredAt, receivedAt } = messageEvent();
  return {
    id,
    workspace,
    provider,
    webhookId,
    occurredAt,
    receivedAt,
    kind: 'status',
    status: { messageId: '1', state },
  };
}
