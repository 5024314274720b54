import * as v from 'valibot';

/*
 * E-mail of rules. An address stands in a header: one that could end it, or begin a second address, is none. Letters
 * beyond ASCII are left out, since SES takes them neither before the @ nor, unless encoded as `xn--…`, behind it.
 */

const LONGEST_ADDRESS = 254;
const ADDRESS = /^[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.)+[a-z\d-]{2,63}$/i;

export const EmailAddress = v.pipe(
  v.string(),
  v.maxLength(LONGEST_ADDRESS),
  v.regex(ADDRESS, 'must be an e-mail address, as ana@example.com'),
);

/** Whether the address that the operator gave can be sent from. */
export const isEmailAddress = (text: string): boolean => v.is(EmailAddress, text);

const LONGEST_SUBJECT = 500;

/** Somebody else's words as the line of a header: whatever could end the line becomes a blank. Empty, it is `otherwise`. */
export const subjectOf = (rendered: string, otherwise: string): string => lineOf(rendered) || lineOf(otherwise);

function lineOf(text: string): string {
  const line = text.toWellFormed().replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ');
  return [...line.trim()].slice(0, LONGEST_SUBJECT).join('');
}

/** What SES takes is 10 MB when attachments are in base64; the text and its headers need some of it. */
export const LARGEST_ATTACHMENT = 7_000_000;
