/** A phone number that is really known, in E.164 with `+`. */
export type Phone = string & { readonly phone: unique symbol };

// E.164: at most 15 digits, no leading zero. Shorter than 7 is a service number, which has no country.
const INTERNATIONAL = /^\+[1-9]\d{6,14}$/;

/**
 * Reads an international number with or without `+`, as providers write them. Undefined for short codes, sender names,
 * chat ids and local numbers: what is not certain to be a phone is not one.
 */
export function toPhone(raw: string | undefined): Phone | undefined {
  const written = raw?.trim() ?? '';
  const phone = written.startsWith('+') ? written : `+${written}`;
  return isPhone(phone) ? phone : undefined;
}

function isPhone(text: string): text is Phone {
  return INTERNATIONAL.test(text);
}
