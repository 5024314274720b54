import * as v from 'valibot';
import { findChat, listChats } from '#lib/chats/list.ts';
import { known, optional } from '#lib/domain/schema.ts';
import { ShownChat, withLastMessages } from '#lib/inbox/last-messages.ts';
import { peopleFill } from '#lib/outbox/fill-people.ts';
import { isFilled } from '#lib/store/fill.ts';
import { json, missing } from '../answers.ts';
import { nowSeconds, route, takesNothing } from '../route.ts';
import { Id, listOf, pageRequest, paging, WithId } from '../schemas.ts';

const NO_CHAT = missing('chat');
const shared = { ...takesNothing, method: 'get', tag: 'Chats', access: 'workspace' } as const;

const Filter = v.strictObject({
  ...paging,
  account: optional(Id, "An account's id"),
  title: optional(v.string(), 'The whole title, exactly'),
  titlePrefix: optional(
    v.pipe(v.string(), v.minLength(1)),
    'How the title begins, in capitals or not. All chats are looked through: a page may hold fewer than `limit`',
  ),
  phone: optional(v.string(), 'Of the person, in whichever spelling'),
  jid: optional(v.string(), "WhatsApp's id of the person or group, or the provider's id of the chat"),
});

const Chats = v.object({
  ...listOf(ShownChat).entries,
  complete: optional(
    v.literal(false),
    'With `phone` or `jid`: chats of an earlier release are still being gone through for who they are with',
  ),
});

export const chatRoutes = [
  route({
    ...shared,
    path: '/api/chats',
    summary: 'Chats, last active first',
    description:
      'Every chat that a message came from or went to. To write to one, hand in a message with its id as `chat_id`.',
    query: Filter,
    answers: { 200: { description: 'A page', schema: Chats } },
    run: async ({ query: { account, title, titlePrefix, phone, jid, ...page } }, { ports, workspace }) => {
      const filter = known({ title, titlePrefix, accountId: account, person: phone ?? jid });
      const { items, ...rest } = await listChats(ports.store, workspace, filter, pageRequest(page));
      const chats = await withLastMessages(ports.store, items, nowSeconds(ports));
      const isPartial = filter.person !== undefined && !(await isFilled(ports.store, peopleFill));
      return json(200, { items: chats, ...rest, ...(isPartial && { complete: false as const }) });
    },
  }),
  route({
    ...shared,
    path: '/api/chats/{id}',
    summary: 'Show a chat',
    description: "The id is the hub's own, as messages name it in `chatId`.",
    params: WithId,
    answers: { 200: { description: 'The chat', schema: ShownChat } },
    run: async ({ params }, { ports, workspace }) => {
      const chat = await findChat(ports.store, workspace, params.id);
      if (!chat) return NO_CHAT;
      const [shown] = await withLastMessages(ports.store, [chat], nowSeconds(ports));
      return shown ? json(200, shown) : NO_CHAT;
    },
  }),
];
