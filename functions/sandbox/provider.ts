import type { Content } from '#lib/domain/content.ts';
import type { Chat, OwnAccount, Person } from '#lib/domain/event.ts';
import { kindOfFile } from '#lib/domain/file.ts';
import { parseJson } from '#lib/domain/json.ts';
import { chatKindOfJid, normaliseJid, phoneOfJid, toPhone } from '#lib/domain/person.ts';
import { anyKnown, type Issue, known } from '#lib/domain/schema.ts';
import { toInstant } from '#lib/domain/time.ts';
import { type Draft, type ReceivingProvider, readByName, reader } from '#lib/inbox/provider.ts';
import type { Provider } from '#lib/tenants/account.ts';
import { sandboxAccount } from './account.ts';
import { Call, Message, Reaction, Status } from './schema.ts';

/** A provider that exists nowhere: the newcomer's first, and the tests'. Its language is ours, described in README.md. */
export const sandbox: ReceivingProvider = {
  name: 'sandbox',
  parse: parseJson,
  read: readByName('event', {
    message: reader(Message, toMessage),
    status: reader(Status, toStatus),
    reaction: reader(Reaction, toReaction),
    call: reader(Call, toCall),
  }),
};

export const provider: Provider = { account: sandboxAccount, receiving: sandbox };

function toMessage(message: Message): Draft | Issue {
  const { account, direction, via, channel } = message;
  // Who writes to us alone is the chat.
  const address = message.chat ?? (direction === 'inbound' ? message.from : undefined);
  if (address === undefined) return { path: 'chat', message: 'is missing' };
  const chat = chatOf(address, message.title);
  const sender = personAt(message.from, message.name);
  return {
    identity: { type: 'message', chat: chat.id, id: message.id, ...known({ instance: account }) },
    ...known({ occurredAt: toInstant(message.at) }),
    payload: {
      kind: 'message',
      message: {
        id: message.id,
        chat,
        direction,
        via,
        channel,
        sender,
        account: { ...known({ phone: direction === 'outbound' ? sender.phone : undefined }), ...ownAccount(account) },
        content: contentOf(message),
        ...known({ recipient: direction === 'outbound' ? recipientOf(chat) : undefined }),
      },
    },
  };
}

function toStatus({ id, account, chat, status, detail, via, at }: Status): Draft {
  const chatId = chat === undefined ? undefined : normaliseJid(chat);
  const viaApi = via === 'unknown' ? undefined : via === 'api';
  return {
    identity: { type: 'status', id, status, ...known({ instance: account }) },
    ...known({ occurredAt: toInstant(at) }),
    payload: {
      kind: 'status',
      status: {
        messageId: id,
        state: status,
        ...known({ chatId, detail, viaApi }),
        ...(account !== undefined && { account: ownAccount(account) }),
      },
    },
  };
}

function toReaction({ id, account, from, name, emoji, at, ...reaction }: Reaction): Draft {
  const chat = chatOf(reaction.chat ?? from, undefined);
  const occurredAt = toInstant(at);
  // The same emoji may be given, taken back and given again.
  const edit = JSON.stringify([from, emoji, occurredAt]);
  return {
    identity: { type: 'reaction', chat: chat.id, id, edit, ...known({ instance: account }) },
    ...known({ occurredAt }),
    payload: {
      kind: 'reaction',
      reaction: {
        messageId: id,
        chat,
        sender: personAt(from, name),
        removed: emoji === undefined,
        ...known({ emoji }),
        ...(account !== undefined && { account: ownAccount(account) }),
      },
    },
  };
}

function toCall({ id, account, direction, from, name, status, at, ...call }: Call): Draft {
  const chat = chatOf(call.chat ?? from, undefined);
  return {
    identity: { type: 'call', chat: chat.id, id, status, ...known({ instance: account }) },
    ...known({ occurredAt: toInstant(at) }),
    payload: {
      kind: 'call',
      call: {
        direction,
        state: status,
        from: personAt(from, name),
        chat,
        messageId: id,
        ...(account !== undefined && { account: ownAccount(account) }),
      },
    },
  };
}

/** In any words; a number is known as one. */
const ownAccount = (account: string | undefined): OwnAccount => known({ instance: account, phone: toPhone(account) });

/** `address` is a number, or an id in WhatsApp's manner. */
function chatOf(address: string, title: string | undefined): Chat {
  const id = normaliseJid(address);
  const phone = toPhone(id) ?? phoneOfJid(id);
  return { id, kind: chatKindOfJid(id), ...known({ title, phone }) };
}

function personAt(address: string | undefined, name: string | undefined): Person {
  const phone = toPhone(address) ?? phoneOfJid(address);
  return known({ id: phone ? undefined : address, phone, name });
}

function recipientOf({ kind, id, title, phone }: Chat): Person | undefined {
  if (kind !== 'individual') return undefined;
  return known({ id: phone === undefined ? id : undefined, phone, contactName: title });
}

function contentOf({ text, file, edits, deletes }: Message): Content {
  if (deletes !== undefined) return { type: 'delete', of: deletes };
  if (edits !== undefined) return { type: 'edit', of: edits, ...known({ text }) };
  const kept = file && anyKnown({ url: file.url, name: file.name, mimeType: file.mimeType, size: file.size });
  if (file && kept) return { type: kindOfFile(file.mimeType), file: kept, ...(text && { caption: text }) };
  return text === undefined ? { type: 'unsupported', providerType: 'message' } : { type: 'text', text };
}
