import { chatKey } from '../chats/chat.ts';
import { getAll } from '../get-all.ts';
import { queryAll } from '../query-all.ts';
import { del } from '../store.ts';
import { eraseEvent } from './erase-event.ts';
import type { Erasing } from './erasing.ts';

/** Deletes a chat's registry, other ids first: they are found only through it. */
export async function forgetChat({ store, counts }: Erasing, id: string): Promise<void> {
  const key = chatKey(id);
  const items = await queryAll(store, { pk: key.pk, limit: 100, consistent: true });
  const aliases = items.filter(({ sk }) => sk !== key.sk);
  if (items.length === 0) return;
  if (aliases.length > 0) await store.writeMany(aliases.map(({ pk, sk }) => del({ pk, sk })));
  await store.write(del(key));
  counts.chats += 1;
}

/** Every message of a chat, but for the event at `except`, which led here. False: time was up before the end. */
export async function eraseThread(erasing: Erasing, id: string, except?: string): Promise<boolean> {
  const { store, workspace, isTimeUp } = erasing;
  const found = await queryAll(store, { index: 'gsi2', pk: `CHAT#${id}`, limit: 1000 });
  const keys = found.filter(({ pk }) => pk !== except).map(({ pk, sk }) => ({ pk, sk }));
  for (let start = 0; start < keys.length; start += 100) {
    for (const head of await getAll(store, keys.slice(start, start + 100), { consistent: true })) {
      if (head.workspace === workspace) await eraseEvent(erasing, head, true);
      if (isTimeUp()) return false;
    }
  }
  return true;
}
