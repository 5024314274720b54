import { sha256, shardOf } from '#lib/domain/ids.ts';
import { isRecord } from '#lib/domain/json.ts';
import type { Item } from '#lib/store/store.ts';
import { AdminBench, message } from '#test/functions/admin/admin-bench.ts';
import { MemoryStore } from './memory-store.ts';

/** Messages are a second apart, so that no two stand at one place of a list. */
const NOW = Date.parse('2026-03-01T11:00:01.000Z');
const timeOf = (n: number) => new Date(NOW - n * 1000).toISOString();
const idOf = (kind: 'chat' | 'evt', n: number) => `${kind}_${sha256(`${kind} ${n}`).slice(0, 32)}`;

interface Large {
  readonly items: readonly Item[];
  /** Newest first. */
  readonly chats: readonly string[];
  /** The chat that has most messages, which is the newest one; and these, newest first. */
  readonly messages: readonly string[];
  /** When the `n`-th newest message of that chat was written. */
  readonly at: (n: number) => string;
}

/** A table of so many chats with a message each, and one of them with so many more. */
export async function largeTable(chats: number, messages: number): Promise<Large> {
  const one = await pattern();
  const chatIds = Array.from({ length: chats }, (_, n) => idOf('chat', n));
  const [big = ''] = chatIds;
  const singles = chatIds.flatMap((chat, n) =>
    [one.chat, one.event].map((item) => like(item, one, chat, idOf('evt', n), timeOf(n))),
  );
  const place = (n: number) => (n === 0 ? 0 : chats + n - 1);
  const many = Array.from({ length: messages - 1 }, (_, n) =>
    like(one.event, one, big, idOf('evt', chats + n), timeOf(chats + n)),
  );
  return {
    items: [...singles, ...many],
    chats: chatIds,
    messages: Array.from({ length: messages }, (_, n) => idOf('evt', place(n))),
    at: (n) => timeOf(place(n)),
  };
}

/** What one message leaves in the table: its chat and its event. */
async function pattern() {
  const store = new MemoryStore();
  const bench = new AdminBench({ store });
  const { url } = await bench.webhook();
  const { body } = await bench.post(url, message(1, { title: 'Chat', chat: '+12025550100' }));
  const [chat] = store.all().filter(({ pk }) => pk.startsWith('CHAT#'));
  const [event] = store.all().filter(({ pk }) => pk.startsWith('EVT#'));
  if (!chat || !event) throw new Error('a message leaves a chat and an event');
  return { chat, event, chatId: String(chat.chatId), eventId: String(body.id) };
}
type Pattern = Awaited<ReturnType<typeof pattern>>;

/** The same with other ids and at another time, in lists where it belongs. */
function like(item: Item, { chatId, eventId }: Pattern, chat: string, event: string, at: string): Item {
  const swapped = (text: string) =>
    text
      .replaceAll(chatId, chat)
      .replaceAll(eventId, event)
      .replaceAll(timeOf(0), at)
      .replaceAll(timeOf(0).slice(0, 16), at.slice(0, 16));
  const copy = Object.entries(item).map(([name, value]) => {
    if (typeof value === 'string') return [name, swapped(value)];
    if (!isRecord(value) || !(value.bytes instanceof Uint8Array)) return [name, value];
    return [name, { ...value, bytes: Buffer.from(swapped(Buffer.from(value.bytes).toString())) }];
  });
  const moved: Item = Object.assign({ pk: '', sk: '' }, Object.fromEntries(copy));
  const id = item.pk.startsWith('CHAT#') ? chat : event;
  return { ...moved, gsi1pk: String(moved.gsi1pk).replace(/#\d+$/, `#${shardOf(id)}`) };
}
