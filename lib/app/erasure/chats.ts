import { listed, type Stage } from '../lists/walk.ts';
import { queryAll } from '../query-all.ts';
import type { Item } from '../store.ts';
import type { Erasing } from './erasing.ts';
import { eraseThread, forgetChat } from './thread.ts';

/** The registry of chats: a person's own chat with all that was said in it; of a group, what names the person. */
export function chatStage(erasing: Erasing): Stage {
  const { store, workspace } = erasing;
  return {
    name: '2-chats',
    ...listed(store, (shard) => `WS#${workspace}#CHAT#${shard}`),
    visit: (chat) => visitChat(erasing, chat),
  };
}

async function visitChat(erasing: Erasing, chat: Item): Promise<boolean> {
  const { store, mentions, mentionsOrFounded, left } = erasing;
  const items = await queryAll(store, { pk: chat.pk, limit: 100, consistent: true });
  const text = JSON.stringify(items);
  const id = String(chat.chatId);
  if (mentions(text)) {
    if (chat.kind === 'individual' && !(await eraseThread(erasing, id))) return false;
    await forgetChat(erasing, id);
  } else if (mentionsOrFounded(text)) {
    left.push({ kind: 'group', id, why: "The number in the group's id tells who founded it" });
  }
  return true;
}
