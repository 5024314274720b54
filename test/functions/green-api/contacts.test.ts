import { describe, expect, it } from 'vitest';
import { nameIn, phonesIn } from '#functions/green-api/content.ts';
import { greenApi } from '#functions/green-api/provider.ts';
import { describeReading } from '#test/support/describe-reading.ts';
import { incoming } from './payloads.ts';

const ada = {
  displayName: 'Ada Sample',
  vcard:
    'BEGIN:VCARD\nVERSION:3.0\nN:Sample;Ada;;;\nFN:Ada Sample\nTEL;type=CELL;waid=12025550123:+1 202-555-0123\nEND:VCARD',
};
const bo = { displayName: 'Bo Sample', vcard: 'BEGIN:VCARD\nVERSION:3.0\nFN:Bo Sample\nEND:VCARD' };
const readAda = { name: 'Ada Sample', phones: ['+12025550123'], vcard: ada.vcard };
const readBo = { name: 'Bo Sample', phones: [], vcard: bo.vcard };
const content = (contacts: object[]) => ({ message: { content: { type: 'contacts', contacts } } });

describeReading(greenApi, [
  {
    name: 'a contact with its card and phone',
    payload: incoming({
      typeMessage: 'contactMessage',
      contactMessageData: { ...ada, forwardingScore: 1, isForwarded: true },
    }),
    stored: { message: { content: { type: 'contacts', contacts: [readAda] }, forwarded: { score: 1 } } },
  },
  {
    name: 'several contacts, under a second key of the same name',
    payload: incoming({
      typeMessage: 'contactsArrayMessage',
      messageData: { contacts: [ada, bo], forwardingScore: 5, isForwarded: true },
    }),
    stored: { message: { content: { type: 'contacts', contacts: [readAda, readBo] }, forwarded: { score: 5 } } },
  },
  {
    name: 'several contacts, where the docs say that they are',
    payload: incoming({ typeMessage: 'contactsArrayMessage', contacts: [ada, bo], isForwarded: true }),
    stored: { message: { content: { type: 'contacts', contacts: [readAda, readBo] }, forwarded: {} } },
  },
  {
    name: 'contacts beside one that cannot be read',
    payload: incoming({ typeMessage: 'contactsArrayMessage', messageData: { contacts: [null, {}, 5, bo] } }),
    stored: content([readBo]),
  },
  {
    name: "a contact by its card's name where it has no other",
    payload: incoming({ typeMessage: 'contactMessage', contactMessageData: { displayName: '', vcard: ada.vcard } }),
    stored: content([readAda]),
  },
  {
    name: 'a contact without a card',
    payload: incoming({ typeMessage: 'contactMessage', contactMessageData: { displayName: 'Ada Sample' } }),
    stored: content([{ name: 'Ada Sample', phones: [] }]),
  },
  {
    name: 'a contact of which nothing is told as unsupported',
    payload: incoming({ typeMessage: 'contactMessage', contactMessageData: { displayName: '', vcard: '' } }),
    stored: { message: { content: { type: 'unsupported', providerType: 'contactMessage' } } },
  },
]);

describe('the phones of a card', () => {
  it.each([
    ["are WhatsApp's own id before what is written", 'TEL;waid=12025550123:0123', ['+12025550123']],
    ['may lack a written number', 'item1.TEL;waid=79001230000', ['+79001230000']],
    ['are read without their spaces and signs', 'TEL;TYPE=CELL:+44 (0)20 7946-0958', ['+442079460958']],
    ['are read from links', 'TEL;VALUE=uri:tel:+1-202-555-0123;ext=5', ['+12025550123']],
    ['are read in any case and with parameters in any order', 'tel;TYPE=x;WAID=12025550123;pref=1:x', ['+12025550123']],
    ['are read in every spelling', 'TEL;TYPE=CELL:\u200e+44\u00a0[0]20\u20117946 ٠٩٥٨', ['+442079460958']],
    [
      'are read with 00, and without what is dialled within the country',
      'TEL:00 7 (8) 926 123-45-67',
      ['+79261234567'],
    ],
    ['are left out without a country', 'TEL:020 7946 0958', []],
    [
      'are each named once',
      'TEL;waid=12025550123:x\r\nTEL:+12025550123\r\nTEL:+12025550124',
      ['+12025550123', '+12025550124'],
    ],
    ['are read over folded lines', 'TEL;type=CELL;wai\r\n d=12025550123:+1 202', ['+12025550123']],
    ['are not read from other lines', 'NOTE:TEL:+12025550123\nX-TEL:+12025550123\nORG:+12025550123', []],
    ['are none in no card', 'hello', []],
  ])('%s', (_, lines, phones) => {
    expect(phonesIn(`BEGIN:VCARD\n${lines}\nEND:VCARD`)).toEqual(phones);
  });
});

describe('the name of a card', () => {
  it.each([
    ['FN:Ada Sample', 'Ada Sample'],
    ['FN;CHARSET=UTF-8:Ada Sample\r', 'Ada Sample'],
    ['N:Sample;Ada', undefined],
    ['FN: ', undefined],
  ])('of %j is %j', (line, name) => {
    expect(nameIn(`BEGIN:VCARD\n${line}\nEND:VCARD`)).toBe(name);
  });
});
