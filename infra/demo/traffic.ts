/** What the providers of a small shop might send on a morning. Each run has ids of its own, so that each is news. */

export interface Delivery {
  readonly what: string;
  readonly body: string;
  readonly contentType?: string;
}

export interface Traffic {
  readonly provider: string;
  /** The secret of the provider's webhook, where it has one, and the header that proves a sender. */
  readonly secret?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly deliveries: readonly Delivery[];
}

const SECRET = 'demo-secret';
const ours = '15550100001';
const ana = '15550100099';

/** `run` tells one demonstration from another; `now` is in milliseconds since the epoch. */
export function trafficOf(run: string, now: number): readonly Traffic[] {
  const seconds = Math.floor(now / 1000);
  return [cooby(run, seconds), greenApi(run, seconds), sandbox(run, seconds), timelinesAi(run, now), zender(seconds)];
}

const json = (what: string, body: object): Delivery => ({ what, body: JSON.stringify(body) });

function cooby(run: string, seconds: number): Traffic {
  const people = [
    { phone: ana, wa_name: 'Ana' },
    { phone: ours, wa_name: 'Lee' },
  ];
  const message = {
    id: `3EB0C0${run}`,
    type: 'chat',
    text: 'Good morning! Is the blue one still there?',
    is_error: false,
  };
  return {
    provider: 'cooby',
    deliveries: [
      json('a message that came in', {
        chat_id: `${ana}_${ours}@c.us`,
        chat_type: 'individual',
        chat_title: 'Ana Ruiz',
        user_phone: ours,
        user_email: 'lee@example.com',
        direction: 'received',
        message,
        timestamp: String(seconds),
        participants: people,
        sender: people[0],
      }),
    ],
  };
}

function greenApi(run: string, seconds: number): Traffic {
  const envelope = {
    instanceData: { idInstance: 7999000111, wid: `${ours}@c.us`, typeInstance: 'whatsapp' },
    timestamp: seconds,
    idMessage: `BAE5${run}`,
  };
  const outgoing = {
    ...envelope,
    typeWebhook: 'outgoingMessageReceived',
    senderData: { chatId: `${ana}@c.us`, chatName: 'Ana Ruiz', sender: `${ours}@c.us`, senderName: 'Corner Shop' },
    messageData: {
      typeMessage: 'extendedTextMessage',
      extendedTextMessageData: {
        text: 'Yes: https://shop.example/blue',
        title: 'The blue one',
        description: 'Two left',
        forwardingScore: 0,
        isForwarded: false,
      },
    },
  };
  const status = (word: string, later: number) => ({
    ...envelope,
    typeWebhook: 'outgoingMessageStatus',
    timestamp: seconds + later,
    chatId: `${ana}@c.us`,
    status: word,
    sendByApi: false,
  });
  return {
    provider: 'green-api',
    secret: SECRET,
    headers: { authorization: `Bearer ${SECRET}` },
    deliveries: [
      json('its status, before the message itself', status('read', 2)),
      json('a message written on the phone, with a link', outgoing),
      json('the same once more', outgoing),
      json('an earlier status, late', status('delivered', 1)),
      json('an event of a kind that nobody knows yet', { ...envelope, typeWebhook: `somethingNew${run}` }),
    ],
  };
}

function sandbox(run: string, seconds: number): Traffic {
  return {
    provider: 'sandbox',
    deliveries: [
      json('a message that came in', {
        event: 'message',
        id: `demo-${run}`,
        from: `+${ana}`,
        name: 'Ana',
        text: 'Hello, sandbox!',
        at: seconds,
      }),
    ],
  };
}

function timelinesAi(run: string, now: number): Traffic {
  const timestamp = new Date(now).toISOString().replace('T', ' ').replace(/\..*/, ' +0000');
  const account = { full_name: 'Lee', email: 'lee@example.com', phone: `+${ours}` };
  const people = {
    sender: { full_name: 'Ana Ruiz', phone: `+${ana}` },
    recipient: { full_name: 'Lee', phone: `+${ours}` },
  };
  const attachment = {
    temporary_download_url: 'https://files.example/form.pdf?sig=demo',
    filename: 'form.pdf',
    size: 84211,
    mimetype: 'application/pdf',
  };
  const message = {
    text: 'The signed form',
    direction: 'received',
    origin: 'WhatsApp',
    timestamp,
    message_uid: `00000000-0000-4000-8000-${run.padStart(12, '0').slice(-12)}`,
    ...people,
    attachments: [attachment],
  };
  const chat = { chat_id: 510234, full_name: 'Ana Ruiz', is_group: false, phone: `+${ana}` };
  const body = { chat, whatsapp_account: account, message };
  return {
    provider: 'timelinesai',
    deliveries: [
      json('a document that came in', { event_type: 'message:received:new', ...body }),
      json('the same under its other name', { event_type: 'message:new', ...body }),
    ],
  };
}

function zender(seconds: number): Traffic {
  const sms = {
    'data[id]': String(seconds % 1_000_000),
    'data[rid]': '10021',
    'data[sim]': '1',
    'data[device]': '00000000-0000-0000-aaaa-bbbbccccdddd',
    'data[phone]': `+${ana}`,
    'data[message]': 'Is the shop open today?',
    'data[timestamp]': String(seconds),
  };
  const body = new URLSearchParams({ secret: SECRET, type: 'sms', ...sms }).toString();
  return {
    provider: 'zender',
    secret: SECRET,
    deliveries: [{ what: 'an SMS, as a form', body, contentType: 'application/x-www-form-urlencoded' }],
  };
}
