import type { Issue } from '#lib/domain/issue.ts';
import type { Phone } from '#lib/domain/phone.ts';
import { readJid, readPhone } from '#lib/domain/sending/address.ts';
import type { SendBody } from './schema.ts';

/** Whom the caller means. A chat has yet to be found. */
export type Target =
  | { readonly kind: 'phone'; readonly phone: Phone }
  | { readonly kind: 'jid'; readonly jid: string }
  /** The hub's id of a chat, or the provider's. */
  | { readonly kind: 'chat'; readonly id: string }
  /** Its exact title. */
  | { readonly kind: 'name'; readonly name: string };

const KEYS = ['chat_id', 'jid', 'phone', 'chat_name'] as const;
const LONGEST = 1_000;

/** Exactly one of the four: a guess about the others could reach the wrong person. */
export function readTarget(body: SendBody, issues: Issue[]): Target | undefined {
  const given = KEYS.filter((key) => body[key] != null);
  const [key, ...others] = given;
  if (key === undefined || others.length > 0) {
    const found = key === undefined ? 'none is given' : `${given.join(', ')} are given`;
    issues.push({ path: '', message: `exactly one of ${KEYS.join(', ')} must be given; ${found}` });
    return undefined;
  }
  const target = targetIn(key, String(body[key]));
  if (!target) issues.push({ path: key, message: FAULTS[key] });
  return target;
}

const FAULTS = {
  chat_id: 'is empty or too long',
  jid: 'must be a number or group id that ends in @c.us, @g.us, @s.whatsapp.net or @lid',
  phone: 'is not a possible phone number: country code, area code, local number',
  chat_name: 'is empty or too long',
};

function targetIn(key: (typeof KEYS)[number], value: string): Target | undefined {
  switch (key) {
    case 'phone': {
      const phone = readPhone(value);
      return phone && { kind: 'phone', phone };
    }
    case 'jid': {
      const jid = readJid(value);
      return jid === undefined ? undefined : { kind: 'jid', jid };
    }
    case 'chat_id':
      return isUsable(value) ? { kind: 'chat', id: value.trim() } : undefined;
    case 'chat_name':
      return isUsable(value) ? { kind: 'name', name: value } : undefined;
  }
}

const isUsable = (value: string): boolean => value.trim() !== '' && value.length <= LONGEST && value.isWellFormed();
