/**
 * What providers post, in the words of each: true shapes, invented people. Times are told in minutes before now, so that
 * whenever it is played, the morning was just now.
 */

export interface Delivery {
  readonly provider: string;
  readonly minutesAgo: number;
  readonly what: string;
  readonly body: string;
  readonly contentType?: string;
}

export interface Person {
  readonly name: string;
  /** Digits alone. */
  readonly phone: string;
}

export interface Group {
  readonly title: string;
  readonly jid: string;
}

/** When it is played, and what tells one demonstration from another. */
export interface Run {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly id: string;
}

const secondsAt = ({ now }: Run, minutesAgo: number) => Math.round(now / 1000 - minutesAgo * 60);

function posted(provider: string, minutesAgo: number, what: string, body: object): Delivery {
  return { provider, minutesAgo, what, body: JSON.stringify(body) };
}

const isGroup = (chat: Person | Group): chat is Group => 'jid' in chat;
const titleOf = (chat: Person | Group) => (isGroup(chat) ? chat.title : chat.name);
const jidOf = (chat: Person | Group) => (isGroup(chat) ? chat.jid : `${chat.phone}@c.us`);
const said = (who: string, content: string) => `${who}: ${content}`;

interface Said {
  readonly text?: string;
  readonly file?: { readonly url: string; readonly name: string; readonly mimeType: string };
}

/** The sandbox: its `account` is the one that its webhook is tied to. */
export function sandboxWords(run: Run, ours: Person) {
  const idOf = (key: string) => `demo-${run.id}-${key}`;
  const message = (key: string, minutesAgo: number, chat: Person | Group, from: Person, content: Said) => {
    const isOurs = from === ours;
    return posted('sandbox', minutesAgo, said(from.name, content.text ?? content.file?.name ?? ''), {
      event: 'message',
      id: idOf(key),
      direction: isOurs ? 'outbound' : 'inbound',
      ...(isOurs && { via: 'phone' }),
      chat: isGroup(chat) ? chat.jid : `+${chat.phone}`,
      title: titleOf(chat),
      from: `+${from.phone}`,
      name: from.name,
      ...content,
      at: secondsAt(run, minutesAgo),
    });
  };
  const status = (key: string, minutesAgo: number, chat: Person, word: string) =>
    posted('sandbox', minutesAgo, `what ${ours.name} wrote was ${word}`, {
      ...{ event: 'status', id: idOf(key), chat: `+${chat.phone}`, status: word, via: 'phone' },
      at: secondsAt(run, minutesAgo),
    });
  return { message, status };
}

/** GREEN-API: `content` is the `messageData` of a message. */
export function greenApiWords(run: Run, ours: Person, idInstance: number) {
  const idOf = (key: string) => `3EB0${run.id}${key}`.toUpperCase();
  const envelope = (minutesAgo: number) => ({
    instanceData: { idInstance, wid: `${ours.phone}@c.us`, typeInstance: 'whatsapp' },
    timestamp: secondsAt(run, minutesAgo),
  });
  const message = (
    key: string,
    minutesAgo: number,
    chat: Person | Group,
    from: Person,
    { what, content }: GreenApiContent,
  ) =>
    posted('green-api', minutesAgo, said(from.name, what), {
      typeWebhook: from === ours ? 'outgoingMessageReceived' : 'incomingMessageReceived',
      ...envelope(minutesAgo),
      idMessage: idOf(key),
      senderData: {
        chatId: jidOf(chat),
        chatName: titleOf(chat),
        sender: `${from.phone}@c.us`,
        senderName: from.name,
      },
      messageData: content,
    });
  const status = (key: string, minutesAgo: number, chat: Person, word: string) =>
    posted('green-api', minutesAgo, `what ${ours.name} wrote was ${word}`, {
      typeWebhook: 'outgoingMessageStatus',
      ...envelope(minutesAgo),
      ...{ chatId: jidOf(chat), idMessage: idOf(key), status: word, sendByApi: false },
    });
  const call = (key: string, minutesAgo: number, from: Person, word: 'offer' | 'missed' | 'pickUp') =>
    posted('green-api', minutesAgo, said(from.name, word === 'offer' ? 'a call rings' : `the call: ${word}`), {
      typeWebhook: 'incomingCall',
      ...envelope(minutesAgo),
      ...{ from: jidOf(from), status: word, idMessage: idOf(key), isVideo: false },
    });
  const report = (minutesAgo: number, what: string, typeWebhook: string, rest: object) =>
    posted('green-api', minutesAgo, what, { typeWebhook, ...envelope(minutesAgo), ...rest });
  return { idOf, message, status, call, report };
}

export interface GreenApiContent {
  readonly what: string;
  readonly content: object;
}

export const text = (words: string): GreenApiContent => ({
  what: words,
  content: { typeMessage: 'textMessage', textMessageData: { textMessage: words } },
});

export const withLink = (words: string, title: string, description: string): GreenApiContent => ({
  what: words,
  content: {
    typeMessage: 'extendedTextMessage',
    extendedTextMessageData: { text: words, title, description, forwardingScore: 0, isForwarded: false },
  },
});

/** `of`: the id of the message that is answered; `by`: who wrote it. */
export const quoting = (words: string, of: string, by: Person, quoted: string): GreenApiContent => ({
  what: `${words} (in answer to a message)`,
  content: {
    typeMessage: 'quotedMessage',
    extendedTextMessageData: { text: words, stanzaId: of, participant: jidOf(by) },
    quotedMessage: { stanzaId: of, participant: jidOf(by), typeMessage: 'textMessage', textMessage: quoted },
  },
});

export const reaction = (emoji: string, of: string, by: Person): GreenApiContent => ({
  what: `${emoji} on a message`,
  content: {
    typeMessage: 'reactionMessage',
    extendedTextMessageData: { text: emoji },
    quotedMessage: { stanzaId: of, participant: jidOf(by) },
  },
});

type FileKind = 'image' | 'video' | 'document' | 'audio' | 'sticker';

export const file = (kind: FileKind, fileName: string, mimeType: string, caption = ''): GreenApiContent => ({
  what: [`a file, ${fileName}`, caption].filter(Boolean).join(': '),
  content: {
    typeMessage: `${kind}Message`,
    fileMessageData: { downloadUrl: `https://files.example/${fileName}`, caption, fileName, mimeType },
  },
});

export const place = (nameLocation: string, address: string, latitude: number, longitude: number) => ({
  what: `a place, ${nameLocation}`,
  content: { typeMessage: 'locationMessage', locationMessageData: { nameLocation, address, latitude, longitude } },
});

export const card = ({ name, phone }: Person): GreenApiContent => ({
  what: `a contact, ${name}`,
  content: {
    typeMessage: 'contactMessage',
    contactMessageData: {
      displayName: name,
      vcard: `BEGIN:VCARD\nVERSION:3.0\nFN:${name}\nTEL;waid=${phone}:+${phone}\nEND:VCARD`,
    },
  },
});

export const edit = (words: string, of: string): GreenApiContent => ({
  what: `changes a message to "${words}"`,
  content: { typeMessage: 'editedMessage', editedMessageData: { textMessage: words, stanzaId: of } },
});

export const deletion = (of: string): GreenApiContent => ({
  what: 'takes a message back',
  content: { typeMessage: 'deletedMessage', deletedMessageData: { stanzaId: of } },
});

const options = (names: readonly string[]) => names.map((optionName) => ({ optionName }));

export const poll = (name: string, names: readonly string[]): GreenApiContent => ({
  what: `asks "${name}"`,
  content: { typeMessage: 'pollMessage', pollMessageData: { name, options: options(names), multipleAnswers: false } },
});

export const vote = (
  of: string,
  name: string,
  votes: Readonly<Record<string, readonly Person[]>>,
): GreenApiContent => ({
  what: `votes on "${name}"`,
  content: {
    typeMessage: 'pollUpdateMessage',
    pollMessageData: {
      ...{ stanzaId: of, name, multipleAnswers: false },
      votes: Object.entries(votes).map(([optionName, voters]) => ({ optionName, optionVoters: voters.map(jidOf) })),
    },
  },
});

const partyOf = ({ name, phone }: Person) => ({ full_name: name, phone: `+${phone}` });

/** TimelinesAI: a chat is known by a number of theirs. */
export function timelinesAiWords(run: Run, ours: Person) {
  const idOf = (key: string) => `00000000-0000-4000-8000-${(run.id + key).padStart(12, '0').slice(-12)}`;
  const timeOf = (minutesAgo: number) =>
    `${new Date(secondsAt(run, minutesAgo) * 1000).toISOString().slice(0, 19).replace('T', ' ')} +0000`;
  const account = { full_name: ours.name, email: 'lee@example.com', phone: `+${ours.phone}` };
  const chatOf = (id: number, { name, phone }: Person) => ({
    ...{ chat_id: id, full_name: name, is_group: false, phone: `+${phone}` },
    chat_url: `https://app.timelines.ai/chat/${id}/messages/`,
  });
  const message = (
    key: string,
    minutesAgo: number,
    id: number,
    from: Person,
    to: Person,
    content: object,
    what = '',
  ) => {
    const direction = from === ours ? 'sent' : 'received';
    const told = 'text' in content && typeof content.text === 'string' ? content.text : what;
    return posted('timelinesai', minutesAgo, said(from.name, told), {
      event_type: `message:${direction}:new`,
      chat: chatOf(id, from === ours ? to : from),
      whatsapp_account: account,
      message: {
        ...{ direction, origin: 'WhatsApp', timestamp: timeOf(minutesAgo), message_uid: idOf(key) },
        ...{ sender: partyOf(from), recipient: partyOf(to) },
        ...content,
      },
    });
  };
  const reacted = (key: string, minutesAgo: number, id: number, from: Person, emoji: string) =>
    posted('timelinesai', minutesAgo, said(from.name, `${emoji} on a message`), {
      event_type: 'message:reaction',
      chat: chatOf(id, from),
      whatsapp_account: account,
      reaction: {
        ...{ message_uid: idOf(key), action: 'set', emoji, timestamp: timeOf(minutesAgo) },
        ...{ reactor: partyOf(from), reactions: { [emoji]: 1 } },
      },
    });
  const assigned = (minutesAgo: number, id: number, to: Person) =>
    posted('timelinesai', minutesAgo, `the chat with ${to.name} is given to ${ours.name}`, {
      event_type: 'chat:responsible:assigned',
      chat: { id, name: to.name, phone: `+${to.phone}`, responsible_name: ours.name },
      whatsapp_account: account,
    });
  return { message, reacted, assigned };
}

/** The provider has changed something: what it says cannot be told from this alone. */
export const withoutChat = (run: Run, minutesAgo: number): Delivery =>
  posted('timelinesai', minutesAgo, 'a message that does not say of which chat', {
    event_type: 'message:received:new',
    message: { text: 'Hello?', direction: 'received', message_uid: `00000000-0000-4000-9000-0${run.id}` },
  });

/** Cooby: one user's view of a chat. */
export function coobyWords(run: Run, ours: Person) {
  return (key: string, minutesAgo: number, other: Person, from: Person, content: Said): Delivery => {
    const member = ({ name, phone }: Person) => ({ phone, wa_name: name });
    const { text: words, file: sent } = content;
    return posted('cooby', minutesAgo, said(from.name, words ?? sent?.name ?? ''), {
      chat_id: `${other.phone}_${ours.phone}@c.us`,
      chat_type: 'individual',
      chat_title: other.name,
      user_phone: ours.phone,
      user_email: 'lee@example.com',
      direction: from === ours ? 'sent' : 'received',
      message: {
        id: `3EB0C0${run.id}${key}`,
        type: sent ? 'image' : 'chat',
        ...(words !== undefined && { text: words }),
        ...(sent && { file_name: sent.name, file_url: sent.url, caption: words }),
        is_error: false,
      },
      timestamp: String(secondsAt(run, minutesAgo)),
      participants: [member(other), member(ours)],
      sender: member(from),
    });
  };
}

/** Zender posts forms. */
export function zenderWords(run: Run, secret: string) {
  const device = '00000000-0000-0000-aaaa-bbbbccccdddd';
  return (type: string, key: number, minutesAgo: number, what: string, data: object): Delivery => {
    const fields = {
      ...{ id: `${run.id}${key}`, device, ...data },
      timestamp: secondsAt(run, minutesAgo),
    };
    const form = Object.entries(fields).map(([name, value]): [string, string] => [`data[${name}]`, String(value)]);
    return {
      ...{ provider: 'zender', minutesAgo, what, contentType: 'application/x-www-form-urlencoded' },
      body: new URLSearchParams([['secret', secret], ['type', type], ...form]).toString(),
    };
  };
}
