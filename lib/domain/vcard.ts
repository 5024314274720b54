import type { Contact } from './content.ts';
import { isInternational, type Phone, toPhone } from './person.ts';
import { known } from './schema.ts';

/** More than WhatsApp shares at once. */
const MOST_CARDS = 300;

/** The cards of a text, each by itself: one as a rule, though some put all that was shared into one text. */
export function cardsIn(text: string): readonly [Contact, ...Contact[]] {
  const pieces = text.split(/^(?=BEGIN:VCARD\b)/im, MOST_CARDS + 1).filter((piece) => /^BEGIN:VCARD\b/i.test(piece));
  const [first = text, ...others] = pieces.map((piece) => piece.trimEnd());
  // What is one card stays as it came, with what may stand around it.
  return others.length === 0 || others.length >= MOST_CARDS ? [cardOf(text)] : [cardOf(first), ...others.map(cardOf)];
}

function cardOf(vcard: string): Contact {
  return { ...known({ name: nameIn(vcard) }), phones: phonesIn(vcard), vcard };
}

interface Property {
  readonly name: string;
  /** What stands between the name and the value, as `;type=CELL`. */
  readonly parameters: string;
  readonly value: string;
}

const QUOTED = /;(?:ENCODING=)?QUOTED-PRINTABLE\b/i;

/** A line goes on where the next begins with a blank; in cards of old also where it ends in `=`. */
function propertiesIn(vcard: string): Property[] {
  const folded = vcard.replace(/\r?\n[ \t]/g, '');
  const lines = QUOTED.test(folded) ? folded.replace(/=\r?\n/g, '') : folded;
  return lines.split(/\r?\n/).flatMap((line) => {
    const [, name, parameters = '', value = ''] =
      /^(?:[\w-]+\.)?([\w-]+)((?:;(?:"[^"]*"|[^:"])*)?)(?::(.*))?$/.exec(line) ?? [];
    return name === undefined ? [] : [{ name: name.toUpperCase(), parameters, value: writtenAs(parameters, value) }];
  });
}

function writtenAs(parameters: string, value: string): string {
  if (!QUOTED.test(parameters)) return value;
  const bytes = value.replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** The name that the card gives itself; where it gives none to be shown, that of its parts: family name, given name, others. */
function nameIn(vcard: string): string | undefined {
  const properties = propertiesIn(vcard);
  const told = (name: string) => properties.find((property) => property.name === name)?.value.trim() || undefined;
  const shown = told('FN');
  if (shown !== undefined) return plain(shown);
  const [family = '', given = '', middle = ''] = told('N')?.split(/(?<!\\);/) ?? [];
  return (
    plain(
      [given, middle, family]
        .map((part) => part.trim())
        .filter((part) => part !== '')
        .join(' '),
    ) || undefined
  );
}

const plain = (text: string): string => text.replace(/\\([,;\\])/g, '$1').replace(/\\n/gi, ' ');

/** The international numbers of a card, each once: WhatsApp's own id of the number (`waid`) before what is written. */
function phonesIn(vcard: string): Phone[] {
  const phones = propertiesIn(vcard)
    .filter(({ name }) => name === 'TEL')
    .map(phoneIn);
  return [...new Set(phones.filter((phone) => phone !== undefined))];
}

/** A written number counts with its country code alone: without it nobody knows the country. An extension is no part of it. */
function phoneIn({ parameters, value }: Property): Phone | undefined {
  const whatsapp = toPhone(/;waid=(\d+)/i.exec(parameters)?.[1]);
  const [number = ''] = value.split(';');
  return whatsapp ?? (isInternational(number) ? toPhone(number) : undefined);
}
