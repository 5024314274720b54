import { chatKindOfJid, normaliseJid, phoneOfJid } from '#lib/domain/jid.ts';
import { known } from '#lib/domain/known.ts';
import type { Chat, OwnAccount, Person } from '#lib/domain/message.ts';
import type { Envelope } from './schema.ts';

export function personOf(jid: string | undefined, names: { name?: string; contactName?: string } = {}): Person {
  return known({ id: jid === undefined ? undefined : normaliseJid(jid), phone: phoneOfJid(jid), ...names });
}

export function chatOf(jid: string, title?: string): Chat {
  return known({ id: normaliseJid(jid), kind: chatKindOfJid(jid), title });
}

/** `wid` is empty while the instance is not authorised. */
export function accountOf({ instanceData }: Envelope): OwnAccount {
  return known({ instance: instanceData.idInstance, phone: phoneOfJid(instanceData.wid) });
}
