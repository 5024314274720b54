import type { Event } from '#lib/domain/event.ts';
import { chatId } from '../chats/chat.ts';
import { listed, type Stage } from '../lists/walk.ts';
import { type EventRecord, recordOf } from '../receiving/event-item.ts';
import { chatAccount } from '../receiving/records.ts';
import { type Item, isLive } from '../store.ts';
import { eraseEvent } from './erase-event.ts';
import type { Erasing } from './erasing.ts';
import { eraseThread, forgetChat } from './thread.ts';

/** Everything received that names the person, whoever wrote it: also quotes, cards, lists of participants, raw bodies. */
export function eventStage(erasing: Erasing): Stage {
  const { store, workspace } = erasing;
  return {
    name: '1-events',
    ...listed(store, (shard) => `WS#${workspace}#EVT#${shard}`),
    visit: (head) => visitEvent(erasing, head),
  };
}

/** What only this event leads to goes before it, so that the next call finds the way again after a crash. */
async function visitEvent(erasing: Erasing, head: Item): Promise<boolean> {
  const record = await read(erasing, head);
  if (record === 'half erased') await eraseEvent(erasing, head, false);
  if (typeof record === 'string' || !namesPerson(erasing, head, record)) return true;
  const chat = ownChat(record.event, erasing);
  if (chat !== undefined) {
    if (!(await eraseThread(erasing, chat, head.pk))) return false;
    await forgetChat(erasing, chat);
  }
  await eraseEvent(erasing, head, chat !== undefined);
  return true;
}

/** What cannot be read may be anybody's: somebody has to look. */
async function read(
  { store, log, left, nowSeconds }: Erasing,
  head: Item,
): Promise<EventRecord | 'half erased' | 'damaged'> {
  try {
    return await recordOf(store, head);
  } catch (cause) {
    // A chunk is missing.
    if (!(cause instanceof TypeError)) throw cause;
    const present = await store.get({ pk: head.pk, sk: head.sk }, { consistent: true });
    if (!present || !isLive(present, nowSeconds)) return 'half erased';
    const id = String(head.eventId);
    log.error('an event could not be searched for a person', cause, { correlationId: id });
    left.push({ kind: 'event', id, why: 'It is damaged and cannot be read' });
    return 'damaged';
  }
}

function namesPerson({ mentions }: Erasing, head: Item, { event, raw }: EventRecord): boolean {
  return [JSON.stringify(event), Buffer.from(raw).toString('utf8'), String(head.stateKey)].some(mentions);
}

/**
 * The person's own chat, of which every message is theirs, also one that has no number in it: some providers call a
 * chat by an id of their own.
 */
function ownChat(event: Event, { mentions }: Erasing): string | undefined {
  if (event.kind === 'message') {
    const { chat, direction, sender, recipient } = event.message;
    // Where the chat has a number, that counts and nothing else: a provider may call anybody its sender.
    const other = chat.phone === undefined && (direction === 'inbound' ? sender : recipient);
    return chat.kind === 'individual' && mentions(JSON.stringify([chat, other])) ? event.chatId : undefined;
  }
  if (event.kind !== 'chat' || event.chat.kind !== 'individual') return undefined;
  const { id, phone, aliases, account = {} } = event.chat;
  if (!mentions(JSON.stringify([id, phone, aliases]))) return undefined;
  const { workspace, provider } = event;
  return chatId({ workspace, provider, accountKey: chatAccount(event, account), providerChatId: id });
}
