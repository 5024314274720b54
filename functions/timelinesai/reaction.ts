import type * as v from 'valibot';
import type { Draft } from '#lib/app/receiving/provider.ts';
import type { Issue } from '#lib/domain/issue.ts';
import { anyKnown, known } from '#lib/domain/known.ts';
import { chatIdOf, toAccount, toChat, toPerson, whereabouts } from './parties.ts';
import type { ReactionBody } from './schema.ts';
import { instantOf } from './timestamp.ts';

/** One person may set, clear and set again: who, what and when belong to the identity. */
export function toReaction(body: v.InferOutput<typeof ReactionBody>, type: string): Draft | Issue {
  const { chat = {}, reaction } = body;
  const chatId = chatIdOf(chat);
  if (chatId === undefined) return { path: 'chat.chat_id', message: 'is missing' };
  const messageId = reaction.message_uid;
  if (messageId === undefined) return { path: 'reaction.message_uid', message: 'is missing' };
  const account = toAccount(body.whatsapp_account, chat);
  const sender = toPerson(reaction.reactor ?? {});
  const occurredAt = instantOf(reaction.timestamp);
  const removed = reaction.action === 'clear' || (reaction.action !== 'set' && reaction.emoji === undefined);
  return {
    identity: {
      type,
      ...whereabouts(account, chatId),
      id: messageId,
      status: removed ? 'clear' : 'set',
      edit: JSON.stringify([sender.phone ?? sender.id ?? sender.name, reaction.emoji, occurredAt]),
    },
    payload: {
      kind: 'reaction',
      reaction: {
        messageId,
        chat: toChat(chatId, chat),
        sender,
        removed,
        ...known({ emoji: reaction.emoji, account: anyKnown(account), tally: tallyOf(reaction.reactions) }),
      },
    },
    ...known({ occurredAt }),
  };
}

function tallyOf(reactions: Readonly<Record<string, number | undefined>> | undefined) {
  const counted = Object.entries(reactions ?? {});
  const tally = counted.flatMap(([emoji, count]) => (count === undefined ? [] : [{ emoji, count }]));
  return reactions === undefined ? undefined : tally;
}
