import type { Content } from '#lib/domain/content.ts';
import type { Chat, OwnAccount, Payload, Person } from '#lib/domain/event.ts';
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

/** An event of its account at its time. */
function toDraft(
  { account, at }: Pick<Status, 'account' | 'at'>,
  payload: Payload,
  identity: Omit<Draft['identity'], 'instance'>,
): Draft {
  return {
    identity: { ...identity, ...known({ instance: account }) },
    ...known({ occurredAt: toInstant(at) }),
    payload,
  };
}

function toMessage(event: Message): Draft | Issue {
  const { id, account, direction, via, channel } = event;
  // Who writes to us alone is the chat.
  const address = event.chat ?? (direction === 'inbound' ? event.from : undefined);
  if (address === undefined) return { path: 'chat', message: 'is missing' };
  const chat = chatOf(address, event.title);
  const sender = personAt(event.from, event.name);
  const own = direction === 'outbound' ? sender.phone : undefined;
  const message = known({
    id,
    chat,
    direction,
    via,
    channel,
    sender,
    account: { ...known({ phone: own }), ...ownAccount(account) },
    content: contentOf(event),
    recipient: direction === 'outbound' ? recipientOf(chat) : undefined,
  });
  return toDraft(event, { kind: 'message', message }, { type: 'message', chat: chat.id, id });
}

function toStatus(event: Status): Draft {
  const { id, account, chat, status: state, detail, via } = event;
  const status = known({
    messageId: id,
    state,
    chatId: chat && normaliseJid(chat),
    detail,
    viaApi: via === 'unknown' ? undefined : via === 'api',
    account: anyKnown(ownAccount(account)),
  });
  return toDraft(event, { kind: 'status', status }, { type: 'status', id, status: state });
}

function toReaction(event: Reaction): Draft {
  const { id, account, from, name, emoji } = event;
  const chat = chatOf(event.chat ?? from, undefined);
  const reaction = known({
    messageId: id,
    chat,
    sender: personAt(from, name),
    removed: emoji === undefined,
    emoji,
    account: anyKnown(ownAccount(account)),
  });
  // The same emoji may be given, taken back and given again.
  const edit = JSON.stringify([from, emoji, toInstant(event.at)]);
  return toDraft(event, { kind: 'reaction', reaction }, { type: 'reaction', chat: chat.id, id, edit });
}

function toCall(event: Call): Draft {
  const { id, account, direction, from, name, status: state } = event;
  const chat = chatOf(event.chat ?? from, undefined);
  const call = known({
    direction,
    state,
    from: personAt(from, name),
    chat,
    messageId: id,
    account: anyKnown(ownAccount(account)),
  });
  return toDraft(event, { kind: 'call', call }, { type: 'call', chat: chat.id, id, status: state });
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
