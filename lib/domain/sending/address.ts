import { parsePhoneNumberFromString } from 'libphonenumber-js/min';
import { normaliseJid } from '../jid.ts';
import { type Phone, toPhone } from '../phone.ts';

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
