import { describe, expect, it } from 'vitest';
import { cardsIn } from '#lib/domain/vcard.ts';

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
    expect(cardsIn(`BEGIN:VCARD\n${lines}\nEND:VCARD`)[0].phones).toEqual(phones);
  });
});

describe('the name of a card', () => {
  it.each([
    ['FN:Ada Sample', 'Ada Sample'],
    ['FN;CHARSET=UTF-8:Ada Sample\r', 'Ada Sample'],
    ['N:Sample;Ada', 'Ada Sample'],
    ['N:Sample;Ada;Bo;Dr.;', 'Ada Bo Sample'],
    ['FN:\nN:;Ada;;;', 'Ada'],
    ['N:;;;;', undefined],
    ['FN:Sample\\, Ada', 'Sample, Ada'],
    ['FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=41=6E=C3=A9', 'Ané'],
    ['FN;QUOTED-PRINTABLE:=41=\n=6E', 'An'],
    ['item1.FN:Ada', 'Ada'],
    ['fn;x="a:b":Ada', 'Ada'],
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

  it('are one where they are more than anybody shares', () => {
    const text = `${card('Ada')}\n`.repeat(302);
    expect(cardsIn(text.slice(0, text.length / 302) + card('Bo'))).toHaveLength(2);
    expect(cardsIn(text)).toEqual([{ name: 'Ada', phones: [], vcard: text }]);
  });

  it.each([
    'BEGIN:VCARD\n'.repeat(80_000),
    `BEGIN:VCARD\nTEL${';a="b'.repeat(200_000)}\nEND:VCARD`,
    `BEGIN:VCARD\n${'N;'.repeat(400_000)}`,
    `BEGIN:VCARD\nFN;QUOTED-PRINTABLE:${'=\n'.repeat(300_000)}`,
  ])('are read in a time that grows with the text alone: %#', (text) => {
    const since = performance.now();
    cardsIn(text);
    expect(performance.now() - since).toBeLessThan(2000);
  });
});
