import { sandbox } from '#functions/sandbox/provider.ts';
import { sha256, shardOf } from '#lib/domain/ids.ts';
import { isRecord } from '#lib/domain/json.ts';
import type { Item } from '#lib/store/store.ts';
import { MemoryStore } from './memory-store.ts';
import { ReceivingBench } from './receiving.ts';

const LATEST = Date.parse('2026-03-01T11:00:59.000Z');
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

/**
 * A table of so many chats with a message each, and one of them with so many more. Messages are so many milliseconds
 * apart, so that no two stand at one place of a list.
 */
export async function largeTable(chats: number, messages: number, apartMs = 1_000): Promise<Large> {
  const timeOf = (n: number) => new Date(LATEST - n * apartMs).toISOString();
  const one = await pattern(timeOf(0));
  const chatIds = Array.from({ length: chats }, (_, n) => idOf('chat', n));
  const [big = ''] = chatIds;
  const singles = chatIds.flatMap((chat, n) =>
    [one.chat, one.event, ...one.rows].map((item) => like(item, one, chat, idOf('evt', n), timeOf(n))),
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

/** What one message leaves in the table: its chat, what that is found by, and its event. */
async function pattern(at: string) {
  const store = new MemoryStore();
  const bench = new ReceivingBench(sandbox, store);
  await bench.addWebhook(sandbox.name);
  const chat = '+12025550100';
  const message = { event: 'message', id: 'm1', chat, from: chat, title: 'Chat', text: 'text 1', at };
  const { body } = await bench.post(JSON.stringify(message));
  const [known] = store.all().filter(({ pk }) => pk.startsWith('CHAT#'));
  const [event] = store.all().filter(({ pk }) => pk.startsWith('EVT#'));
  if (!known || !event) throw new Error('a message leaves a chat and an event');
  const rows = store.all().filter(({ pk }) => pk.startsWith('FIND#'));
  return { at, chat: known, event, rows, chatId: String(known.chatId), eventId: String(body.id) };
}
type Pattern = Awaited<ReturnType<typeof pattern>>;

/** The same with other ids and at another time, in lists where it belongs. */
function like(item: Item, { at: was, chatId, eventId }: Pattern, chat: string, event: string, at: string): Item {
  const swapped = (text: string) =>
    text
      .replaceAll(chatId, chat)
      .replaceAll(eventId, event)
      .replaceAll(was, at)
      .replaceAll(was.slice(0, 16), at.slice(0, 16));
  const copy = Object.entries(item).map(([name, value]) => {
    if (typeof value === 'string') return [name, swapped(value)];
    if (!isRecord(value) || !(value.bytes instanceof Uint8Array)) return [name, value];
    return [name, { ...value, bytes: Buffer.from(swapped(Buffer.from(value.bytes).toString())) }];
  });
  const moved: Item = Object.assign({ pk: '', sk: '' }, Object.fromEntries(copy));
  if (item.gsi1pk === undefined) return moved;
  const id = item.pk.startsWith('CHAT#') ? chat : event;
  return { ...moved, gsi1pk: String(moved.gsi1pk).replace(/#\d+$/, `#${shardOf(id)}`) };
}
