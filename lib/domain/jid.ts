import { type Phone, toPhone } from './phone.ts';

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
