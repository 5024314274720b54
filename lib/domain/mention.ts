import type { Phone } from './phone.ts';

/** Whether a text names a certain person. */
export type Mentions = (text: string) => boolean;

// What people and address books put between the digits of a number; a form writes `+` for a space.
const BETWEEN = '[\\s().+\\-\\u00a0]{0,2}';
/** WhatsApp's old group ids begin with the founder's number: `79876543210-1581234048@g.us`. */
const FOUNDED_GROUP = '(?!-\\d{6,}@g\\.us)';

/**
 * Finds a number in whatever spelling a provider may write it: bare, with `+` or `00`, as an id of WhatsApp with or
 * without a device (`79876543210:3@s.whatsapp.net`), with spaces and brackets after a `+`, percent-encoded, escaped.
 * Not in a longer number, and not in a LID, whose digits are nobody's number.
 *
 * `founder`: also where the number only tells who once founded a group.
 */
export function mentionsOf(phone: Phone, options: { readonly founder: boolean }): Mentions {
  const digits = phone.slice(1);
  const end = `(?!\\d)(?!(?::\\d+)?@lid)${options.founder ? '' : FOUNDED_GROUP}`;
  // `+1 79876543210` is another, longer number.
  const bare = `(?<!\\d)(?<!\\+\\d{1,3}[ ().\\-\\u00a0]{1,2})(?:00)?${digits}${end}`;
  const written = `\\+${BETWEEN}${[...digits].join(BETWEEN)}${end}`;
  const pattern = new RegExp(`${bare}|${written}`, 'i');
  return (text) => forms(text).some((form) => pattern.test(form));
}

const ESCAPE = /%([0-7][0-9a-f])|\\u00([0-7][0-9a-f])/gi;
/** A form that holds JSON is encoded twice, and its log once more. */
const DEEPEST = 3;

/** The text as it is, and with the escapes of forms and of JSON undone: a digit of an escape is none of a number. */
function forms(text: string): string[] {
  const found = [text];
  for (let depth = 0; depth < DEEPEST; depth++) {
    const last = found.at(-1) ?? '';
    const plain = last.replace(ESCAPE, (_all, percent: string | undefined, unicode: string | undefined) =>
      String.fromCharCode(Number.parseInt(percent ?? unicode ?? '', 16)),
    );
    if (plain === last) break;
    found.push(plain);
  }
  return found;
}
