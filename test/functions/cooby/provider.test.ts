import { expect } from 'vitest';
import { cooby } from '#functions/cooby/provider.ts';
import { describeReading, type Row } from '#test/support/describe-reading.ts';
import sample from './fixtures/sent.json' with { type: 'json' };
import { groupImage, older, text, tooBig, voice, withMessage } from './payloads.ts';

const individual = { id: '15550100099_15550100001@c.us', kind: 'individual', title: 'Ana Ruiz', phone: '+15550100099' };
const account = { phone: '+15550100001', user: 'lee@example.com' };
const ana = { phone: '+15550100099', name: 'Ana' };
const lee = { phone: '+15550100001', name: 'Lee' };
const envelope = { via: 'unknown', channel: 'whatsapp', account };
const content = (stored: object) => ({ kind: 'message', message: { content: stored } });
const sent = (message: object) => ({ kind: 'message', message });

const deliveries: Row[] = [
  {
    name: 'a received text, whole',
    payload: text,
    exactly: sent({
      ...envelope,
      id: '3EB0AA11BB22CC33DD44',
      chat: individual,
      direction: 'inbound',
      sender: { ...ana, contactName: 'Ana Ruiz' },
      participants: [ana, lee],
      content: { type: 'text', text: 'good morning' },
    }),
    occurredAt: 1767225600_000,
  },
  {
    name: "the sample of the provider's page, whole: text with a file beside it",
    payload: sample,
    exactly: sent({
      id: '3EB093D273669B3BE3D2',
      chat: { id: '447441369136_447441368384@c.us', kind: 'individual', title: 'Sarah Brown', phone: '+447441369136' },
      direction: 'outbound',
      recipient: { phone: '+447441369136', name: 'Sarah Brown', contactName: 'Sarah Brown' },
      via: 'unknown',
      channel: 'whatsapp',
      sender: { phone: '+447441368384', name: 'Cooby' },
      account: { phone: '+447441368384', user: 'user@example.com' },
      participants: [
        { phone: '+447441369136', name: 'Sarah Brown' },
        { phone: '+447441368384', name: 'Cooby' },
      ],
      content: {
        type: 'text',
        text: 'Hi, welcome to Cooby!',
        file: {
          url: 'https://api.cooby.co/v2/files/xxxxx',
          name: 'Cooby Image 2023-07-12 at 11.13.32 AM',
          nameGenerated: true,
        },
      },
    }),
    // As the timestamp says, whatever date stands in the file's name.
    occurredAt: 1628843453_000,
  },
  {
    name: 'a sent image of a group, whole: its caption once, its generated name marked',
    payload: groupImage,
    exactly: sent({
      ...envelope,
      id: '3EB0AA11BB22CC33DD45',
      chat: { id: '120363000000000042@g.us', kind: 'group', title: 'Night shift' },
      direction: 'outbound',
      sender: lee,
      participants: [lee, { phone: '+15550100077', name: 'Bo' }, { phone: '+15550100088', name: 'Cy' }],
      content: {
        type: 'image',
        file: {
          url: 'https://api.cooby.co/v2/files/made-up-token',
          name: 'Cooby Image 2026-01-01 at 12.05.09 AM',
          nameGenerated: true,
        },
        caption: 'plan',
      },
    }),
    occurredAt: 1767225909_000,
  },
  {
    name: 'a document too big to fetch, whole: its original name and the error',
    payload: tooBig,
    exactly: sent({
      ...envelope,
      id: '3EB0AA11BB22CC33DD46',
      chat: { ...individual, title: '15550100099' },
      direction: 'inbound',
      sender: { phone: '+15550100099' },
      participants: [{ phone: '+15550100099' }, lee],
      content: { type: 'document', file: { name: 'scan.zip' } },
      error: {
        code: 'file_size_out_of_limit',
        message: '[File size out of limit. Max file size supported by Cooby is 15MB.]',
      },
    }),
  },
  {
    name: 'a voice note, which has no text field',
    payload: voice,
    stored: content({
      type: 'audio',
      file: {
        url: 'https://api.cooby.co/v2/files/made-up-token-2',
        name: 'Cooby Audio 2026-01-01 at 12.10.00 AM',
        nameGenerated: true,
      },
    }),
  },
  {
    name: 'text/plain, as a browser may post it',
    payload: JSON.stringify(text),
    contentType: 'text/plain;charset=UTF-8',
    stored: content({ type: 'text', text: 'good morning' }),
  },
];

const chats: Row[] = [
  {
    name: 'a chat id with the two numbers the other way round as the same chat',
    payload: { ...text, chat_id: '15550100001_15550100099@c.us', participants: [] },
    stored: sent({
      chat: { id: '15550100099_15550100001@c.us' },
      participants: [{ phone: '+15550100001' }, { phone: '+15550100099' }],
    }),
  },
  {
    name: 'no phone where the digits of a hidden number stand in its place',
    payload: {
      ...text,
      chat_id: '490000000004@lid',
      direction: 'received',
      sender: { phone: '490000000004', wa_name: 'Bo' },
      participants: [{ phone: '490000000004' }],
    },
    stored: sent({ chat: { id: '490000000004@lid' }, sender: { id: '490000000004', name: 'Bo' } }),
  },
  {
    name: 'a chat id with one number',
    payload: { ...text, chat_id: '15550100099@c.us' },
    stored: sent({ chat: { id: '15550100099@c.us', kind: 'individual' } }),
  },
  {
    name: "the other party's number from the chat id, where neither sender nor participants name it",
    payload: { ...text, sender: null, participants: null },
    stored: sent({
      sender: { phone: '+15550100099', contactName: 'Ana Ruiz' },
      participants: [{ phone: '+15550100099' }, { phone: '+15550100001' }],
    }),
  },
  {
    name: 'a group by its chat id, should the chat type be missing',
    payload: { ...groupImage, chat_type: null },
    stored: sent({ chat: { id: '120363000000000042@g.us', kind: 'group' } }),
  },
  {
    name: 'a received group message without a sender: the author stays unknown',
    payload: { ...groupImage, direction: 'received', sender: {} },
    stored: sent({ chat: { kind: 'group' }, sender: {} }),
  },
  {
    name: 'a sender who hides behind a LID: an id, never a phone',
    payload: { ...groupImage, direction: 'received', sender: { phone: '123456789012345@lid' } },
    stored: sent({ sender: { id: '123456789012345@lid' } }),
  },
  {
    name: 'a hidden number that members stand beside: our own number is not the other side',
    payload: {
      ...text,
      chat_id: '190000000000042@lid',
      sender: { phone: '190000000000042', wa_name: 'Bo' },
      participants: [{ phone: '190000000000042', wa_name: 'Bo' }, ...text.participants.slice(1)],
    },
    exactly: sent({
      ...envelope,
      id: '3EB0AA11BB22CC33DD44',
      chat: { id: '190000000000042@lid', kind: 'individual', title: 'Ana Ruiz' },
      direction: 'inbound',
      sender: { id: '190000000000042', name: 'Bo', contactName: 'Ana Ruiz' },
      participants: [lee],
      content: { type: 'text', text: 'good morning' },
    }),
  },
  {
    name: 'a message to a hidden number: it went to nobody whose number is told',
    payload: {
      ...text,
      chat_id: '190000000000042@lid',
      direction: 'sent',
      sender: text.participants[1],
      participants: [{ phone: '190000000000042', wa_name: 'Bo' }, ...text.participants.slice(1)],
    },
    exactly: sent({
      ...envelope,
      id: '3EB0AA11BB22CC33DD44',
      chat: { id: '190000000000042@lid', kind: 'individual', title: 'Ana Ruiz' },
      direction: 'outbound',
      sender: lee,
      participants: [lee],
      content: { type: 'text', text: 'good morning' },
    }),
  },
  {
    name: 'a hidden number where our own is not told either',
    payload: {
      ...text,
      chat_id: '190000000000042_15550100001@c.us',
      user_phone: null,
      sender: { phone: '190000000000042@lid', wa_name: 'Bo' },
      participants: text.participants.slice(1),
    },
    stored: sent({ sender: { id: '190000000000042@lid', name: 'Bo' }, chat: { kind: 'individual' } }),
  },
  {
    name: 'numbers in the form of WhatsApp ids',
    payload: {
      ...text,
      user_phone: '15550100001:12@s.whatsapp.net',
      sender: { phone: '15550100099@c.us', wa_name: 'Ana' },
      participants: [{ phone: '15550100099@c.us', wa_name: 'Ana' }],
    },
    stored: sent({ chat: individual, account, sender: ana, participants: [ana] }),
  },
  {
    name: "a channel's title as its own, and not as the name of whoever writes",
    payload: { ...text, chat_id: '120363000000000099@newsletter', chat_title: 'News' },
    exactly: sent({
      ...envelope,
      id: '3EB0AA11BB22CC33DD44',
      chat: { id: '120363000000000099@newsletter', kind: 'channel', title: 'News' },
      direction: 'inbound',
      sender: ana,
      participants: [ana, lee],
      content: { type: 'text', text: 'good morning' },
    }),
  },
  {
    name: 'a message to oneself',
    payload: { ...older, participants: [older.sender, older.sender] },
    stored: sent({ chat: { id: '15550100001_15550100001@c.us', kind: 'individual' }, recipient: lee }),
  },
];

const olderShape: Row[] = [
  {
    name: 'the older shape, whole: the chat named after its two parties, the text as caption',
    payload: older,
    exactly: sent({
      ...envelope,
      id: expect.stringMatching(/^msg_[0-9a-f]{32}$/),
      chat: { ...individual, title: 'Ana' },
      direction: 'outbound',
      recipient: { ...ana, contactName: 'Ana' },
      sender: lee,
      participants: [ana, lee],
      content: { type: 'image', file: { url: 'https://api.cooby.co/v2/files/made-up-token-3' }, caption: 'Hi' },
    }),
    occurredAt: 1767226300_000,
  },
  {
    name: 'the older shape of a group: more than two participants',
    payload: { ...older, chat_title: 'Night shift', participants: groupImage.participants },
    stored: sent({ chat: { id: expect.stringMatching(/^chat_/), kind: 'group', title: 'Night shift' } }),
  },
  {
    name: 'the older shape where only the title tells the chat',
    payload: { ...older, participants: [] },
    stored: sent({ chat: { id: expect.stringMatching(/^chat_/), kind: 'individual', title: 'Ana' } }),
  },
];

const oddities: Row[] = [
  {
    name: 'a timestamp that came as a number',
    payload: { ...text, timestamp: 1767225600 },
    occurredAt: 1767225600_000,
  },
  {
    name: 'a timestamp as the page describes it: date and time in UTC',
    payload: { ...text, timestamp: '2026-01-01 00:00:00' },
    occurredAt: 1767225600_000,
  },
  {
    name: 'a timestamp that says that it is in UTC',
    payload: { ...text, timestamp: '2026-01-01 00:00:00 UTC' },
    occurredAt: 1767225600_000,
  },
  ...['Received', ' RECEIVED '].map((direction) => ({
    name: `a direction written as "${direction}"`,
    payload: { ...text, direction },
    stored: sent({ direction: 'inbound' }),
  })),
  {
    name: 'a list with nothing in one place',
    payload: { ...text, participants: [null, text.sender] },
    stored: sent({ participants: [ana] }),
  },
  {
    name: 'details of another type than expected as not said',
    payload: {
      ...text,
      user_email: ['lee@example.com'],
      message: { ...text.message, file_name: {}, error_code: false },
    },
    stored: sent({ account: { phone: '+15550100001' }, content: { type: 'text', text: 'good morning' } }),
  },
  ...['false', 'False', '0', 0, '', null].map((is_error) => ({
    name: `no error where that is written as ${JSON.stringify(is_error)}`,
    payload: withMessage({ is_error }),
    exactly: sent({
      ...envelope,
      id: '3EB0AA11BB22CC33DD44',
      chat: individual,
      direction: 'inbound',
      sender: { ...ana, contactName: 'Ana Ruiz' },
      participants: [ana, lee],
      content: { type: 'text', text: 'good morning' },
    }),
  })),
  ...['Image', ' IMAGE'].map((type) => ({
    name: `a type written as "${type}"`,
    payload: { ...groupImage, message: { ...groupImage.message, type } },
    stored: content({ type: 'image', caption: 'plan' }),
  })),
  { name: 'no timestamp', payload: { ...text, timestamp: null }, stored: content({ type: 'text' }) },
  {
    name: 'a user phone that came as a number or with +',
    payload: { ...text, user_phone: 15550100001, sender: { phone: '+15550100099' } },
    stored: sent({ account, sender: { phone: '+15550100099' } }),
  },
  {
    name: 'an empty message id as none',
    payload: withMessage({ id: '' }),
    stored: sent({ id: expect.stringMatching(/^msg_/) }),
  },
  {
    name: 'fields that nobody announced',
    payload: { ...text, labels: ['new'], message: { ...text.message, starred: true } },
    stored: content({ type: 'text', text: 'good morning' }),
  },
  {
    name: 'nothing from a direction that does not exist',
    payload: { ...text, direction: 'sideways' },
    quarantined: ['direction'],
  },
  { name: 'nothing from a body without a message', payload: { ...text, message: null }, quarantined: ['message'] },
  { name: 'nothing without a type', payload: withMessage({ type: undefined }), quarantined: ['message.type'] },
  {
    name: 'nothing where no chat can be told',
    payload: { direction: 'sent', message: { type: 'chat', text: 'Hi' } },
    quarantined: ['chat_id'],
  },
  { name: 'nothing from an empty list', payload: [], quarantined: [''] },
  { name: 'nothing from broken JSON', payload: '{"chat_id": }', quarantined: [''] },
  {
    name: 'nothing from the pseudo-JSON of the page',
    payload: '{chat_id: "a"; chat_type: "group"}',
    quarantined: [''],
  },
];

describeReading(cooby, [...deliveries, ...chats, ...olderShape, ...oddities]);
