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
  /** Which of the made-up people writes it. */
  readonly person: number;
  readonly secret?: string | undefined;
}

const OURS = '15550100001';
/** One of 88 people who do not exist, by a number that is counted on. */
const personOf = (of: number) => ({ phone: `155501000${(of % 88) + 10}`, name: `Visitor ${(of % 88) + 1}` });

const json = (body: object): Sample => ({ body: JSON.stringify(body), contentType: 'application/json' });

type Person = ReturnType<typeof personOf>;

interface Known {
  /** It proves itself by a secret of its own, which deliveries may be checked by. */
  readonly hasSecret?: true;
  /** In its words. */
  readonly sample: (told: Omit<Told, 'person'> & { readonly person: Person }) => Sample;
}

/** What the console knows of each provider that posts. A test asks for all. */
const PROVIDERS = {
  cooby: {
    sample: ({ id, text, now, person: { phone, name } }) =>
      json({
        chat_id: `${phone}_${OURS}@c.us`,
        chat_type: 'individual',
        chat_title: name,
        user_phone: OURS,
        direction: 'received',
        message: { id, type: 'chat', text },
        timestamp: String(Math.floor(now / 1000)),
        participants: [{ phone, wa_name: name }],
        sender: { phone, wa_name: name },
      }),
  },
  'green-api': {
    hasSecret: true,
    sample: ({ id, text, now, secret, person: { phone, name } }) => ({
      ...json({
        typeWebhook: 'incomingMessageReceived',
        instanceData: { idInstance: 7_999_000_111, wid: `${OURS}@c.us`, typeInstance: 'whatsapp' },
        timestamp: Math.floor(now / 1000),
        idMessage: id,
        senderData: { chatId: `${phone}@c.us`, sender: `${phone}@c.us`, chatName: name, senderName: name },
        messageData: { typeMessage: 'textMessage', textMessageData: { textMessage: text } },
      }),
      ...(secret !== undefined && { headers: { authorization: `Bearer ${secret}` } }),
    }),
  },
  sandbox: {
    sample: ({ id, text, person: { phone, name } }) =>
      json({ event: 'message', id, from: `+${phone}`, name, title: name, text }),
  },
  timelinesai: {
    sample: ({ id, text, now, person: { phone, name } }) =>
      json({
        event_type: 'message:received:new',
        chat: { chat_id: 510_200 + Number(phone.slice(-2)), full_name: name, is_group: false, phone: `+${phone}` },
        whatsapp_account: { full_name: 'Lee', email: 'lee@example.com', phone: `+${OURS}` },
        message: {
          text,
          direction: 'received',
          origin: 'WhatsApp',
          timestamp: new Date(now).toISOString(),
          message_uid: id,
          sender: { full_name: name, phone: `+${phone}` },
          recipient: { full_name: 'Lee', phone: `+${OURS}` },
        },
      }),
  },
  zender: {
    hasSecret: true,
    sample: ({ id, text, now, secret = '', person: { phone } }) => ({
      body: new URLSearchParams({
        secret,
        type: 'whatsapp',
        'data[id]': id,
        'data[wid]': `+${OURS}`,
        'data[phone]': `+${phone}`,
        'data[message]': text,
        'data[timestamp]': String(Math.floor(now / 1000)),
      }).toString(),
      contentType: 'application/x-www-form-urlencoded',
    }),
  },
} satisfies Readonly<Record<string, Known>>;
export const providerNames: readonly string[] = Object.keys(PROVIDERS);
export const isProvider = (text: string): text is keyof typeof PROVIDERS => Object.hasOwn(PROVIDERS, text);

const knownOf = (provider: string): Known | undefined => (isProvider(provider) ? PROVIDERS[provider] : undefined);

/** Whether deliveries of a provider may be checked by a secret of its own. */
export const hasSecretOfItsOwn = (provider: string | undefined): boolean =>
  provider !== undefined && knownOf(provider)?.hasSecret === true;

/** Undefined of a provider that is not known here. */
export const sampleOf = (provider: string, told: Told): Sample | undefined =>
  knownOf(provider)?.sample({ ...told, person: personOf(told.person) });
