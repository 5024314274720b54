import * as v from 'valibot';
import { readUpTo } from '#lib/chats/chat.ts';
import { chatOf, findChat, listChats } from '#lib/chats/list.ts';
import { known, optional, strictObject } from '#lib/domain/schema.ts';
import { ShownChat, withLastMessages } from '#lib/inbox/events.ts';
import { chatsFill } from '#lib/outbox/fill-chats.ts';
import { isFilled } from '#lib/store/walk.ts';
import { invalid, json, missing } from '../answers.ts';
import { nowSeconds, routesOn } from '../route.ts';
import { flag, Id, listOf, pageRequest, paging, Sought, time } from '../schemas.ts';

const NO_CHAT = missing('chat');
const route = routesOn({ tag: 'Chats', access: 'workspace' });

const Filter = strictObject({
  ...paging('chats'),
  account: optional(Id, "An account's id"),
  provider: optional(Sought, 'Through whom its messages come'),
  title: optional(Sought, 'The whole title, exactly'),
  titlePrefix: optional(v.pipe(v.string(), v.minLength(1)), 'How the title begins, in capitals or not'),
  q: optional(
    v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(100)),
    'What somebody types to find a chat: words of the title by their beginnings, or the end or the whole of the number. ' +
      'What more than 500 chats may fit is looked for through all of them: a page may hold fewer than `limit` then',
  ),
  unread: flag('Whether something came in since it was read'),
  phone: optional(Sought, 'Of the person, in whichever spelling'),
  jid: optional(Sought, "WhatsApp's id of the person or group, or the provider's id of the chat"),
  brief: flag('Without `lastMessage`, for which events are read'),
});

const Chats = v.object({
  ...listOf(ShownChat).entries,
  complete: optional(
    v.literal(false),
    'With `phone` or `jid`: chats of an earlier release are still being gone through for who they are with',
  ),
});

const ReadAt = time('The time of the last message that was seen, ISO 8601');
/** As far as the time of a message may be ahead of ours. */
const FARTHEST_MS = 48 * 3_600_000;
const TOO_LATE = { path: 'readAt', message: 'must not be later than 48 hours from now' };

export const chatRoutes = [
  route('GET /api/chats', {
    summary: 'Chats, last active first',
    description:
      'Every chat that a message came from or went to. To write to one, hand in a message with its id as `chat_id`. With a filter ' +
      'a page may hold fewer than `limit`; the last one has no `cursor`.',
    query: Filter,
    answers: { 200: { description: 'A page', schema: Chats } },
    run: async (
      { query: { account, provider, title, titlePrefix, q, unread, phone, jid, brief, ...page } },
      { ports, workspace },
    ) => {
      const filter = known({
        title,
        titlePrefix,
        words: q,
        unread,
        provider,
        accountId: account,
        people: phone === undefined && jid === undefined ? undefined : [phone, jid].filter((id) => id !== undefined),
      });
      const [{ items, heads, ...rest }, isWhole] = await Promise.all([
        listChats(ports.store, workspace, filter, pageRequest(page)),
        filter.people === undefined || isFilled(ports.store, chatsFill),
      ]);
      // A search is there after two round trips: it shows of last messages what has come along.
      const mayRead = !brief && (q ?? titlePrefix) === undefined;
      const chats = await withLastMessages(ports.store, items, nowSeconds(ports), brief ? [] : heads, mayRead);
      return json(200, { items: chats, ...rest, ...(!isWhole && { complete: false as const }) });
    },
  }),
  route('GET /api/chats/{id}', {
    summary: 'Show a chat',
    description: "The id is the hub's own, as messages name it in `chatId`.",
    answers: { 200: { description: 'The chat', schema: ShownChat } },
    run: async ({ params }, { ports, workspace }) => {
      const chat = await findChat(ports.store, workspace, params.id);
      if (!chat) return NO_CHAT;
      const [shown] = await withLastMessages(ports.store, [chat], nowSeconds(ports));
      return shown ? json(200, shown) : NO_CHAT;
    },
  }),
  route('PATCH /api/chats/{id}', {
    summary: 'Say up to when a chat was read',
    description:
      'It is unread again once something later comes in. An earlier time than the one that it has changes nothing; a message written on the phone itself does the same. Nothing is told to the provider.',
    body: strictObject({ readAt: ReadAt }),
    example: { readAt: '2026-03-01T12:00:00.000Z' },
    answers: { 200: { description: 'The chat', schema: ShownChat } },
    run: async ({ params, body }, { ports, workspace }) => {
      if (body.readAt > ports.clock.now() + FARTHEST_MS) return invalid([TOO_LATE]);
      const chat = await readUpTo(ports.store, workspace, params.id, body.readAt);
      const [shown] = chat ? await withLastMessages(ports.store, [chatOf(chat)], nowSeconds(ports)) : [];
      return shown ? json(200, shown) : NO_CHAT;
    },
  }),
];
