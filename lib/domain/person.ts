import { parsePhoneNumberFromString } from 'libphonenumber-js/min';

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

export type ChatKind = 'individual' | 'group' | 'status' | 'broadcast';

/**
 * WhatsApp's own spelling of a chat or person: device suffix dropped (`123:4@c.us`), `@s.whatsapp.net` folded to
 * `@c.us`, the part after `@` in lower case. Ids of another form come back as they are.
 */
export function normaliseJid(raw: string): string {
  const at = raw.lastIndexOf('@');
  if (at < 0) return raw;
  const server = raw.slice(at + 1).toLowerCase();
  const user = raw.slice(0, at).replace(/:\d+$/, '');
  return `${user}@${server === 's.whatsapp.net' ? 'c.us' : server}`;
}

/** The number behind a person's id. A LID hides the number, whatever its digits look like; a group has none. */
export function phoneOfJid(jid: string | undefined): Phone | undefined {
  if (jid === undefined) return undefined;
  const normal = normaliseJid(jid);
  return normal.endsWith('@c.us') ? toPhone(normal.slice(0, -'@c.us'.length)) : undefined;
}

export function chatKindOfJid(jid: string): ChatKind {
  const normal = normaliseJid(jid);
  if (normal === 'status@broadcast') return 'status';
  if (normal.endsWith('@broadcast')) return 'broadcast';
  return normal.endsWith('@g.us') ? 'group' : 'individual';
}

const FORMATTING = /[\s().-]/g;

/**
 * A number in E.164, `+` optional, as people write them. Refuses only what no numbering plan allows: whether a possible
 * number is in use is known to the provider alone.
 */
export function readPhone(written: string): Phone | undefined {
  const phone = toPhone(written.replace(FORMATTING, ''));
  return phone !== undefined && parsePhoneNumberFromString(phone)?.isPossible() ? phone : undefined;
}

// A person by number, a person by the id that hides the number, a group of either age.
const JID = /^(?:\d{5,15}(?::\d+)?@(?:c\.us|s\.whatsapp\.net)|\d{5,20}(?::\d+)?@lid|\d{5,25}(?:-\d{5,15})?@g\.us)$/i;

/** WhatsApp's id of a person or group, in one spelling. Nothing but these ever goes into a provider's request. */
export function readJid(written: string): string | undefined {
  const jid = written.trim();
  return JID.test(jid) ? normaliseJid(jid) : undefined;
}
