/** A made-up payload of a provider, as it would post it. */
export interface Sample {
  readonly body: string;
  readonly contentType: string;
  /** By which it proves itself where a secret is checked. */
  readonly headers?: Readonly<Record<string, string>>;
}

interface Told {
  /** Milliseconds. */
  readonly now: number;
  /** What makes this one another message than the one before. */
  readonly id: string;
  readonly text: string;
  readonly secret?: string | undefined;
}

const PERSON = '15550100099';
const OURS = '15550100001';
const json = (body: object): Sample => ({ body: JSON.stringify(body), contentType: 'application/json' });

/** From somebody who does not exist, in the words of each provider. */
const SAMPLES: Readonly<Record<string, (told: Told) => Sample>> = {
  sandbox: ({ id, text }) => json({ event: 'message', id, from: `+${PERSON}`, name: 'Ana', text }),
  cooby: ({ id, text, now }) =>
    json({
      chat_id: `${PERSON}_${OURS}@c.us`,
      chat_type: 'individual',
      chat_title: 'Ana Ruiz',
      user_phone: OURS,
      direction: 'received',
      message: { id, type: 'chat', text },
      timestamp: String(Math.floor(now / 1000)),
      participants: [{ phone: PERSON, wa_name: 'Ana Ruiz' }],
      sender: { phone: PERSON, wa_name: 'Ana Ruiz' },
    }),
  'green-api': ({ id, text, now, secret }) => ({
    ...json({
      typeWebhook: 'incomingMessageReceived',
      instanceData: { idInstance: 7_999_000_111, wid: `${OURS}@c.us`, typeInstance: 'whatsapp' },
      timestamp: Math.floor(now / 1000),
      idMessage: id,
      senderData: { chatId: `${PERSON}@c.us`, sender: `${PERSON}@c.us`, chatName: 'Ana Ruiz', senderName: 'Ana Ruiz' },
      messageData: { typeMessage: 'textMessage', textMessageData: { textMessage: text } },
    }),
    ...(secret !== undefined && { headers: { authorization: `Bearer ${secret}` } }),
  }),
  timelinesai: ({ id, text, now }) =>
    json({
      event_type: 'message:received:new',
      chat: { chat_id: 510_234, full_name: 'Ana Ruiz', is_group: false, phone: `+${PERSON}` },
      whatsapp_account: { full_name: 'Lee', email: 'lee@example.com', phone: `+${OURS}` },
      message: {
        text,
        direction: 'received',
        origin: 'WhatsApp',
        timestamp: new Date(now).toISOString(),
        message_uid: id,
        sender: { full_name: 'Ana Ruiz', phone: `+${PERSON}` },
        recipient: { full_name: 'Lee', phone: `+${OURS}` },
      },
    }),
  zender: ({ id, text, now, secret = '' }) => ({
    body: new URLSearchParams({
      secret,
      type: 'whatsapp',
      'data[id]': id,
      'data[wid]': `+${OURS}`,
      'data[phone]': `+${PERSON}`,
      'data[message]': text,
      'data[timestamp]': String(Math.floor(now / 1000)),
    }).toString(),
    contentType: 'application/x-www-form-urlencoded',
  }),
};

/** Undefined of a provider that is not known here. */
export const sampleOf = (provider: string, told: Told): Sample | undefined =>
  Object.hasOwn(SAMPLES, provider) ? SAMPLES[provider]?.(told) : undefined;
