import * as v from 'valibot';
import { findChat, KnownChat, listChats } from '#lib/chats/list.ts';
import { known, optional } from '#lib/domain/schema.ts';
import { json, missing } from '../answers.ts';
import { route, takesNothing } from '../route.ts';
import { Id, listOf, pageRequest, paging, WithId } from '../schemas.ts';

const NO_CHAT = missing('chat');
const shared = { ...takesNothing, method: 'get', tag: 'Chats', access: 'workspace' } as const;

const Filter = v.strictObject({
  ...paging,
  account: optional(Id, "An account's id"),
  title: optional(v.string(), 'The whole title, exactly'),
});

export const chatRoutes = [
  route({
    ...shared,
    path: '/api/chats',
    summary: 'Chats, last active first',
    description:
      'Every chat that a message came from or went to. To write to one, hand in a message with its id as `chat_id`.',
    query: Filter,
    answers: { 200: { description: 'A page', schema: listOf(KnownChat) } },
    run: async ({ query: { account, title, ...page } }, { ports, workspace }) => {
      const filter = known({ title, accountId: account });
      return json(200, await listChats(ports.store, workspace, filter, pageRequest(page)));
    },
  }),
  route({
    ...shared,
    path: '/api/chats/{id}',
    summary: 'Show a chat',
    description: "The id is the hub's own, as messages name it in `chatId`.",
    params: WithId,
    answers: { 200: { description: 'The chat', schema: KnownChat } },
    run: async ({ params }, { ports, workspace }) => {
      const chat = await findChat(ports.store, workspace, params.id);
      return chat ? json(200, chat) : NO_CHAT;
    },
  }),
];
