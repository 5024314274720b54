import { expect, it } from 'vitest';
import { cooby } from '#functions/cooby/provider.ts';
import { describeReading, type Row } from '#test/support/describe-reading.ts';
import { tooBig, withMessage } from './payloads.ts';

const url = 'https://api.cooby.co/v2/files/made-up';
const file = { url };

const says = (type: string, stored: object, fields: object = {}): Row => ({
  name: `${type} as ${Object.values(stored)[0]}`,
  payload: withMessage({ text: undefined, ...fields, type }),
  exactly: {
    kind: 'message',
    message: {
      id: '3EB0AA11BB22CC33DD44',
      chat: { id: '15550100099_15550100001@c.us', kind: 'individual', title: 'Ana Ruiz', phone: '+15550100099' },
      direction: 'inbound',
      via: 'unknown',
      channel: 'whatsapp',
      sender: { phone: '+15550100099', name: 'Ana', contactName: 'Ana Ruiz' },
      account: { phone: '+15550100001', user: 'lee@example.com' },
      participants: [
        { phone: '+15550100099', name: 'Ana' },
        { phone: '+15550100001', name: 'Lee' },
      ],
      content: stored,
    },
  },
});
const unsupported = (type: string) => says(type, { type: 'unsupported', providerType: type });
const system = (type: string) => says(type, { type: 'system', event: type });

/** Every type of Cooby's list. */
const types: Row[] = [
  says('chat', { type: 'text', text: 'Hi' }, { text: 'Hi' }),
  says('image', { type: 'image', file }, { file_url: url }),
  says('video', { type: 'video', file }, { file_url: url }),
  says('audio', { type: 'audio', file }, { file_url: url }),
  says('sticker', { type: 'sticker', file }, { file_url: url }),
  says('document', { type: 'document', file }, { file_url: url }),
  says('payment', { type: 'payment' }),
  says('product', { type: 'product' }),
  says('order', { type: 'order' }),
  says('buttons_response', { type: 'reply', source: 'button' }),
  says('list_response', { type: 'reply', source: 'list' }),
  says('template_button_reply', { type: 'reply', source: 'template' }),
  says('revoked', { type: 'delete' }),
  ...['call_log', 'keep_in_chat', 'pin_message', 'request_phone_number', 'biz-cover-photo'].map(system),
  ...['location', 'vcard', 'multi_vcard', 'ciphertext', 'oversized', 'groups_v4_invite', 'debug'].map(unsupported),
  ...['status_v3', 'list', 'interactive', 'interactive_response', 'reaction', 'reaction_enc'].map(unsupported),
  ...['poll_creation', 'poll_update', 'native_flow', 'unknown'].map(unsupported),
];

const beyondTheList: Row[] = [
  unsupported('hologram'),
  unsupported('constructor'),
  ...['pdf', 'csv', 'doc', 'PDF'].map((type) => says(type, { type: 'document', file }, { file_url: url })),
  says(
    'xlsx',
    { type: 'document', file: { name: 'Plan.XLSX', url }, caption: 'see this' },
    { file_name: 'Plan.XLSX', file_url: url, text: 'see this', caption: 'see this' },
  ),
  says(
    'hologram',
    { type: 'unsupported', providerType: 'hologram', text: 'wave', file },
    { text: 'wave', file_url: url, caption: 'wave' },
  ),
  says('image', { type: 'unsupported', providerType: 'image', text: 'where is it' }, { text: 'where is it' }),
  says('chat', { type: 'text', text: '' }),
  says('chat', { type: 'text', text: 'only here' }, { text: '', caption: 'only here' }),
  says('chat', { type: 'text', text: 'Hi', file: { name: 'a.pdf' } }, { text: 'Hi', file_name: 'a.pdf' }),
  says('document', { type: 'document', file }, { text: '', caption: '', file_url: url }),
  says('image', { type: 'image', file, caption: 'Hi' }, { text: 'Hi', caption: 'Hi', file_url: url }),
  says('image', { type: 'image', file, caption: 'Hi' }, { caption: 'Hi', file_url: url }),
];

const named = (name: string, isGenerated: boolean): Row => ({
  name: `the name "${name}" as ${isGenerated ? 'made up' : 'original'}`,
  payload: withMessage({ type: 'document', text: '', file_name: name }),
  stored: {
    kind: 'message',
    message: { content: { file: isGenerated ? { name, nameGenerated: true } : { name } } },
  },
});
const names: Row[] = [
  named('Cooby Sticker 2023-07-12 at 11.13.32 AM', true),
  named('Cooby Video 2023-07-12 at 1.03.32 PM', true),
  named('Cooby Audio 2023-07-12 unter 23.13.32', true),
  named('Cooby invoice 2023-07.pdf', false),
  named('report.csv', false),
];

const errors: readonly [code: string, message: string][] = [
  ['file_size_out_of_limit', '[File size out of limit. Max file size supported by Cooby is 15MB.]'],
  ['file_not_found', '[File not found.]'],
  ['file_expired', '[File has expired.]'],
  ['file_unsupported', '[File type unsupported.]'],
  ['invalid_file_type', '[Invalid file type.]'],
  ['unknown_error', '[Unknown error.]'],
];
const fileErrors: Row[] = errors.map(([code, message]) => ({
  name: `the error ${code}: the rest of the message stands`,
  payload: withMessage({
    type: 'image',
    text: 'plan',
    caption: 'plan',
    is_error: true,
    error_code: code,
    error_message: message,
  }),
  stored: {
    kind: 'message',
    message: { content: { type: 'image', file: {}, caption: 'plan' }, error: { code, message } },
  },
}));
const oddErrors: Row[] = [
  {
    name: "an error's message under its other spelling",
    payload: withMessage({
      is_error: true,
      error_code: 'file_expired',
      error_message: undefined,
      error_messages: '[File has expired.]',
    }),
    stored: { kind: 'message', message: { error: { code: 'file_expired', message: '[File has expired.]' } } },
  },
  {
    name: 'an error without code and message',
    payload: withMessage({ is_error: true }),
    stored: {
      kind: 'message',
      message: { content: { text: 'good morning' }, error: { code: 'unknown_error', message: 'unknown_error' } },
    },
  },
];

const card = (name: string) => `BEGIN:VCARD\nVERSION:3.0\nFN:${name}\nTEL:+15550100123\nEND:VCARD`;
const contact = (name: string) => ({ name, phones: ['+15550100123'], vcard: card(name) });

/** Where it tells the cards: no page says that it does, or does not. */
const cards: Row[] = [
  says('vcard', { type: 'contacts', contacts: [contact('Ada')] }, { text: card('Ada') }),
  says(
    'multi_vcard',
    { type: 'contacts', contacts: [contact('Ada'), contact('Bo')] },
    { text: `${card('Ada')}\n${card('Bo')}` },
  ),
  says('vcard', { type: 'unsupported', providerType: 'vcard', text: 'Ada' }, { text: 'Ada' }),
];

describeReading(cooby, [...types, ...cards, ...beyondTheList, ...names, ...fileErrors, ...oddErrors]);

it('leaves nameGenerated out of an original name', () => {
  const reading = cooby.read(tooBig);
  expect('drafts' in reading && reading.drafts[0].payload).not.toHaveProperty('message.content.file.nameGenerated');
});
