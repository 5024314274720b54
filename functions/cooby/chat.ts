import { derivedId } from '#lib/domain/ids.ts';
import { type ChatKind, chatKindOfJid, normaliseJid } from '#lib/domain/jid.ts';
import { known } from '#lib/domain/known.ts';
import type { Chat } from '#lib/domain/message.ts';
import { otherPhone, userPhone } from './people.ts';
import type { Delivery } from './schema.ts';

/** Undefined where nothing tells which chat a message belongs to. */
export function chatOf(delivery: Delivery): Chat | undefined {
  const kind = kindOf(delivery);
  const id = delivery.chat_id === undefined ? inferredId(delivery, kind) : normaliseJid(delivery.chat_id);
  const phone = kind === 'individual' ? otherPhone(delivery) : undefined;
  return id === undefined ? undefined : { id, kind, ...known({ title: delivery.chat_title, phone }) };
}

function kindOf({ chat_id: id, chat_type: type, participants }: Delivery): ChatKind {
  const kind = id === undefined ? 'individual' : chatKindOfJid(id);
  if (kind !== 'individual') return kind;
  if (type === 'group') return 'group';
  return id === undefined && type === undefined && (participants ?? []).length > 2 ? 'group' : 'individual';
}

/**
 * Older deliveries do not name the chat. An individual one is named as Cooby's samples do today, so that old and new
 * messages meet in one chat; a group by its title, as members come and go, and per user, so that two groups of one
 * title never mix.
 */
function inferredId(delivery: Delivery, kind: ChatKind): string | undefined {
  const user = userPhone(delivery);
  const other = kind === 'individual' ? otherPhone(delivery) : undefined;
  if (other !== undefined)
    return `${[other, user ?? []]
      .flat()
      .map((phone) => phone.slice(1))
      .join('_')}@c.us`;
  return delivery.chat_title === undefined ? undefined : derivedId('chat', [kind, user, delivery.chat_title]);
}
