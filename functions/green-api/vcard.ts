import { type Phone, toPhone } from '#lib/domain/phone.ts';

/** The international numbers of a card, each once: WhatsApp's own id of the number (`waid`) before what is written. */
export function phonesIn(vcard: string): Phone[] {
  const lines = vcard.replaceAll(/\r?\n[ \t]/g, '').split(/\r?\n/); // a line goes on where the next begins with a blank
  const phones = lines.filter((line) => /^(?:[\w-]+\.)?TEL[;:]/i.test(line)).map(phoneIn);
  return [...new Set(phones.filter((phone) => phone !== undefined))];
}

function phoneIn(line: string): Phone | undefined {
  const whatsapp = toPhone(/;waid=(\d+)/i.exec(line)?.[1]);
  return whatsapp ?? internationalNumber(line.slice(line.indexOf(':') + 1));
}

/** Only with its `+`: without it nobody knows the country. */
function internationalNumber(written: string): Phone | undefined {
  const number = written
    .trim()
    .replace(/^tel:/i, '')
    .split(';')[0]
    ?.replace('(0)', '')
    .replaceAll(/[\s().-]/g, '');
  return number?.startsWith('+') ? toPhone(number) : undefined;
}

/** The name that the card gives itself. */
export function nameIn(vcard: string): string | undefined {
  return /^FN(?:;[^:\r\n]*)?:(.*)$/im.exec(vcard)?.[1]?.trim() || undefined;
}
