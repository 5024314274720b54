import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cooby } from '#functions/cooby/provider.ts';
import { sandbox } from '#functions/sandbox/provider.ts';
import { timelinesAi } from '#functions/timelinesai/provider.ts';
import { zender } from '#functions/zender/provider.ts';
import type { ReceivingProvider } from '#lib/inbox/provider.ts';

const fixture = (path: string) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
const fromCooby = fixture('./cooby/fixtures/lid-as-phone.json');
const fromTimelines = fixture('./timelinesai/fixtures/phone-with-blanks.json');

/** The phones of chat and sender, as one message tells them. */
function phonesIn(provider: ReceivingProvider, body: unknown): (string | undefined)[] {
  const read = provider.read(body);
  const [draft] = 'drafts' in read ? read.drafts : [];
  if (draft?.payload.kind !== 'message') throw new Error('no message');
  const { chat, sender } = draft.payload.message;
  return [chat.phone, sender.phone];
}

const viaCooby = (phone: string, chat = 'Bo') =>
  phonesIn(cooby, { ...fromCooby, chat_id: undefined, chat_title: chat, sender: { phone, wa_name: 'Bo' } });
const viaTimelines = (phone: string) =>
  phonesIn(timelinesAi, {
    ...fromTimelines,
    chat: { ...fromTimelines.chat, phone },
    message: { ...fromTimelines.message, sender: { full_name: 'Budi', phone } },
  });
const viaZender = (phone: string) =>
  phonesIn(zender, {
    type: 'whatsapp',
    data: { id: 1, wid: '+15550100001', phone, message: 'hi', timestamp: 1795650000 },
  });
const viaSandbox = (chat: string) =>
  phonesIn(sandbox, {
    event: 'message',
    id: 'm1',
    chat,
    from: chat,
    direction: 'inbound',
    text: 'hi',
    at: '2026-11-26T08:00:00.000Z',
  });

const ways = [
  ['Cooby', viaCooby],
  ['TimelinesAI', viaTimelines],
  ['Zender', viaZender],
  ['the sandbox', viaSandbox],
] as const;

describe.each(ways)('through %s', (_, via) => {
  it.each([
    ['+62 812-0000-0099', '+6281200000099'],
    ['62 812 0000 0099', '+6281200000099'],
    ['+62 (0)812-0000-0099', '+6281200000099'],
    ['\u200e+62\u00a0812\u20110000\u20110099', '+6281200000099'],
    ['0062 812 0000 0099', '+6281200000099'],
    ['6281200000099', '+6281200000099'],
    ['62081200000099', '+6281200000099'],
    ['353 087 123 4567', '+353871234567'],
    ['+5215550000099', '+5215550000099'],
  ])('%s is %s', (told, phone) => expect(via(told)).toEqual([phone, phone]));

  it.each([
    '190000000000042',
    '+190000000000042',
    '00190000000000042',
    '272000000000042',
    '+27200000000004',
    '491234567890123',
    '081200000099',
  ])('%s is no phone', (told) => {
    expect(via(told)).toEqual([undefined, undefined]);
  });
});

it('the digits of a hidden number are no phone of chat or sender', () => {
  expect(phonesIn(cooby, fromCooby)).toEqual([undefined, undefined]);
});

it('blanks and dashes do not hide a phone', () => {
  expect(phonesIn(timelinesAi, fromTimelines)).toEqual(['+6281200000099', '+6281200000099']);
});
