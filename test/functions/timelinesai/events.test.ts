import { timelinesAi } from '#functions/timelinesai/provider.ts';
import { describeReading } from '#test/support/describe-reading.ts';
import { fixture, varied } from './fixtures.ts';

const reaction = fixture('reaction');
const call = fixture('call');
const assigned = fixture('chat-assigned');
const connected = fixture('account-connected');
const chat = {
  id: '510234',
  kind: 'individual',
  title: 'Ana Ruiz',
  phone: '+15550100099',
  url: 'https://app.timelines.ai/chat/510234/messages/',
};
const owner = { name: 'Lee', email: 'lee@example.com' };
const account = { phone: '+15550100001', owner };
const ana = { phone: '+15550100099', name: 'Ana Ruiz' };

describeReading(timelinesAi, [
  {
    name: 'a reaction, and all that the message has by now',
    payload: reaction,
    occurredAt: Date.parse('2026-03-02T08:16:00Z'),
    exactly: {
      kind: 'reaction',
      reaction: {
        messageId: '3f1c2b7e-1111-4222-8333-944455556666',
        chat,
        sender: ana,
        account,
        emoji: '👍',
        removed: false,
        tally: [{ emoji: '👍', count: 1 }],
      },
    },
  },
  ...['reaction', 'message:reaction:new'].map((event_type) => ({
    name: `a reaction under the name ${event_type}`,
    payload: { ...reaction, event_type },
    stored: { kind: 'reaction' },
  })),
  {
    name: 'a reaction in a chat that stands beside it',
    payload: {
      event_type: 'message:reaction',
      chat_id: 510234,
      reaction: { message_uid: 'm-1', emoji: '👍', action: 'set' },
    },
    stored: { reaction: { messageId: 'm-1', chat: { id: '510234' } } },
  },
  ...(
    [
      ['call:missed', 'inbound', 'missed'],
      ['call:incoming', 'inbound', 'ended'],
      ['call:outgoing', 'outbound', 'ended'],
    ] as const
  ).map(([event_type, direction, state]) => ({
    name: `a call under the name ${event_type}`,
    payload: { ...call, event_type, call_details: { message_uid: 'u' } },
    stored: { call: { direction, state } },
  })),
  {
    name: 'an account under a shorter name',
    payload: { ...connected, event_type: 'account:connected' },
    stored: { connection: { state: 'connected' } },
  },
  {
    name: 'no call of which the name does not tell who called',
    payload: { ...call, event_type: 'call:ended' },
    quarantined: ['event_type'],
  },
  {
    name: 'a reaction that is taken back',
    payload: varied(reaction, 'reaction', { action: 'clear', emoji: '', reactions: {} }),
    exactly: {
      kind: 'reaction',
      reaction: {
        messageId: '3f1c2b7e-1111-4222-8333-944455556666',
        chat,
        sender: ana,
        account,
        removed: true,
        tally: [],
      },
    },
  },
  {
    name: 'a reaction that is taken back, in whatever case, though it says which',
    payload: varied(reaction, 'reaction', { action: 'Clear' }),
    stored: { reaction: { removed: true } },
  },
  {
    name: 'a reaction in a group',
    payload: varied(reaction, 'chat', { chat_type: 'group', phone: '' }),
    stored: { reaction: { chat: { kind: 'group' }, sender: ana } },
  },
  {
    name: 'no reaction to an unknown message',
    payload: varied(reaction, 'reaction', { message_uid: null }),
    quarantined: ['reaction.message_uid'],
  },
  { name: 'no reaction in an unknown chat', payload: { ...reaction, chat: 'x' }, quarantined: ['chat.chat_id'] },
  { name: 'no reaction event without one', payload: { ...reaction, reaction: undefined }, quarantined: ['reaction'] },

  {
    name: 'a call that was answered',
    payload: call,
    occurredAt: Date.parse('2026-03-02T08:30:00Z'),
    exactly: {
      kind: 'call',
      call: {
        direction: 'inbound',
        state: 'answered',
        detail: 'Answered',
        from: ana,
        to: { phone: '+15550100001', name: 'Lee' },
        chat,
        account,
        video: true,
        durationSeconds: 73,
        messageId: '3f1c2b7e-1111-4222-8333-944455559999',
      },
    },
  },
  ...[
    ['Missed', 'missed'],
    ['Rejected', 'declined'],
    ['Ended', 'ended'],
    ['No Answer', 'missed'],
    ['Forwarded', 'unknown'],
  ].map(([status, state]) => ({
    name: `a call with status ${status} as ${state}`,
    payload: varied(call, 'call_details', { status }),
    stored: { call: { state, detail: status } },
  })),
  ...[
    ['Outgoing', 'outbound'],
    ['sent', 'outbound'],
    ['received', 'inbound'],
    ['sideways', 'inbound'],
  ].map(([direction, ours]) => ({
    name: `a call of direction ${direction} as ${ours}`,
    payload: { ...varied(call, 'call_details', { direction }), event_type: 'call:incoming:ended' },
    stored: { call: { direction: ours } },
  })),
  ...[
    ['call:incoming:missed', 'inbound', 'missed'],
    ['call:incoming:ended', 'inbound', 'ended'],
    ['call:outgoing:ended', 'outbound', 'ended'],
  ].map(([name, direction, state]) => ({
    name: `what ${name} says by its name alone`,
    payload: { ...call, event_type: name, call_details: { message_uid: 'u' } },
    exactly: { kind: 'call', call: { direction, state, chat, account, messageId: 'u' } },
  })),
  {
    name: 'no call of which neither the chat nor the id is known',
    payload: { ...varied(call, 'call_details', { message_uid: '' }), chat: {} },
    quarantined: ['chat.chat_id'],
  },

  {
    name: 'a chat that was assigned to somebody',
    payload: assigned,
    exactly: {
      kind: 'chat',
      chat: {
        ...chat,
        change: 'assigned',
        account: { ...account, name: 'Front desk' },
        aliases: ['15550100099@c.us'],
        closed: false,
        read: true,
        unattended: true,
        autoReply: false,
        labels: ['vip', '2026'],
        createdAt: '2026-01-08T08:35:18.000Z',
        lastMessage: { id: '3f1c2b7e-1111-4222-8333-944455556666', at: '2026-03-02T08:15:00.000Z' },
        responsible: owner,
        previousResponsible: { name: 'Kim', email: 'kim@example.com' },
      },
    },
  },
  ...[
    ['chat:new', 'created'],
    ['chat:created', 'created'],
    ['chat:incoming:new', 'created'],
    ['chat:received:created', 'created'],
    ['chat:outgoing:new', 'created'],
    ['chat:sent:created', 'created'],
    ['chat:assigned', 'assigned'],
    ['chat:responsible:unassigned', 'unassigned'],
    ['chat:unassigned', 'unassigned'],
  ].map(([name, change]) => ({
    name: `${name} as a chat that was ${change}`,
    payload: { ...assigned, event_type: name },
    stored: { chat: { id: '510234', change } },
  })),
  {
    name: 'a new chat at the time at which it was made',
    payload: { ...assigned, event_type: 'chat:new' },
    occurredAt: Date.parse('2026-01-08T08:35:18Z'),
  },
  {
    name: 'a new group by its JID, though no flag says so',
    payload: {
      event_type: 'chat:new',
      chat: {
        id: 510777,
        name: 'Night shift',
        jid: '120363000000000042@g.us',
        whatsapp_account_id: '15550100001@c.us',
      },
    },
    exactly: {
      kind: 'chat',
      chat: {
        id: '510777',
        kind: 'group',
        title: 'Night shift',
        change: 'created',
        account: { phone: '+15550100001' },
        aliases: ['120363000000000042@g.us'],
      },
    },
  },
  {
    name: 'no chat that is not named',
    payload: varied(assigned, 'chat', { id: {}, jid: '', phone: '', chat_url: '' }),
    quarantined: ['chat.id'],
  },
  { name: 'no chat event without a chat', payload: { event_type: 'chat:new' }, quarantined: ['chat'] },

  {
    name: 'an account that was connected, and since when',
    payload: connected,
    occurredAt: Date.parse('2026-02-01T07:00:00Z'),
    exactly: {
      kind: 'connection',
      connection: {
        state: 'connected',
        detail: 'active',
        account: { ...account, name: 'Front desk' },
        connectedAt: '2026-02-01T07:00:00.000Z',
        disconnectedAt: '2026-01-31T18:00:00.000Z',
      },
    },
  },
  {
    name: 'an account that was disconnected, at that time',
    payload: { ...connected, event_type: 'whatsapp:account:disconnected' },
    occurredAt: Date.parse('2026-01-31T18:00:00Z'),
    stored: { connection: { state: 'disconnected' } },
  },
  {
    name: 'an account that was suspended',
    payload: varied({ ...connected, event_type: 'whatsapp:account:suspended' }, 'whatsapp_account', { status: '' }),
    stored: { connection: { state: 'restricted', detail: 'suspended' } },
  },
  {
    name: 'an account that was resumed',
    payload: varied({ ...connected, event_type: 'whatsapp:account:resumed' }, 'whatsapp_account', { status: null }),
    stored: { connection: { state: 'connected', detail: 'resumed' } },
  },
  {
    name: 'an account whose number is not known by its id',
    payload: { ...connected, whatsapp_account: { id: '123456789012345@lid' } },
    exactly: {
      kind: 'connection',
      connection: { state: 'connected', detail: 'connected', account: { instance: '123456789012345@lid' } },
    },
  },
  {
    name: 'no account that is not named',
    payload: { ...connected, whatsapp_account: {} },
    quarantined: ['whatsapp_account.phone'],
  },
]);
