import { describe, expect, it } from 'vitest';
import { cardsIn } from '#lib/domain/content.ts';

describe('the phones of a card', () => {
  it.each([
    ["are WhatsApp's own id before what is written", 'TEL;waid=12025550123:0123', ['+12025550123']],
    ['may lack a written number', 'item1.TEL;waid=79001230000', ['+79001230000']],
    ['are read without their spaces and signs', 'TEL;TYPE=CELL:+44 (0)20 7946-0958', ['+442079460958']],
    ['are read from links', 'TEL;VALUE=uri:tel:+1-202-555-0123;ext=5', ['+12025550123']],
    ['are read in any case and with parameters in any order', 'tel;TYPE=x;WAID=12025550123;pref=1:x', ['+12025550123']],
    ['are read in every spelling', 'TEL;TYPE=CELL:\u200e+44\u00a0[0]20\u20117946 ٠٩٥٨', ['+442079460958']],
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
    expect(cardsIn(`BEGIN:VCARD\n${lines}\nEND:VCARD`)[0].phones).toEqual(phones);
  });
});

describe('the name of a card', () => {
  it.each([
    ['FN:Ada Sample', 'Ada Sample'],
    ['FN;CHARSET=UTF-8:Ada Sample\r', 'Ada Sample'],
    ['FN:Sample\\, Ada', 'Sample, Ada'],
    ['item1.FN:Ada', 'Ada'],
    ['FN: ', undefined],
  ])('of %j is %j', (line, name) => {
    expect(cardsIn(`BEGIN:VCARD\n${line}\nEND:VCARD`)[0].name).toBe(name);
  });
});

describe('the cards of a text', () => {
  const card = (name: string) => `BEGIN:VCARD\r\nFN:${name}\r\nEND:VCARD`;

  it('are told each by itself', () => {
    const cards = cardsIn(`${card('Ada')}\r\n\r\n${card('Bo')}\r\n`);
    expect(cards).toEqual([
      { name: 'Ada', phones: [], vcard: card('Ada') },
      { name: 'Bo', phones: [], vcard: card('Bo') },
    ]);
  });

  it.each([card('Ada'), `${card('Ada')}\n`, 'BEGIN:VCARD\nFN:Ada', 'hello'])('are one as it came: %j', (text) => {
    const [{ vcard }, ...others] = cardsIn(text);
    expect({ vcard, others }).toEqual({ vcard: text, others: [] });
  });

  it.each([
    'BEGIN:VCARD\n'.repeat(80_000),
    `BEGIN:VCARD\nTEL${';a="b'.repeat(200_000)}\nEND:VCARD`,
    `BEGIN:VCARD\n${'N;'.repeat(400_000)}`,
  ])('are read in a time that grows with the text alone: %#', (text) => {
    const since = performance.now();
    cardsIn(text);
    expect(performance.now() - since).toBeLessThan(2000);
  });
});
