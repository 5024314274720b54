interface Guide {
  readonly title: string;
  readonly steps: readonly string[];
  readonly note?: string;
}

/**
 * Where at each provider the URL of a webhook goes, and what is to be ticked there; `send`: in an automation. Texts as
 * those of texts.ts, apart from them because one page alone shows them.
 */
export const guides: Readonly<Record<string, Guide>> = {
  cooby: {
    title: 'In Cooby',
    steps: [
      'Open the settings of the *Custom Webhook* integration. It belongs to the Custom plan, and to members who have its permission.',
      'Paste the URL into both fields: *when a message is received* and *when a message is sent*.',
      'Each member loads WhatsApp Web anew, and grants access when it asks.',
    ],
    note: 'Cooby posts from the browser: only while WhatsApp Web is open, some minutes late, and never twice. Nothing is sent through it.',
  },
  'green-api': {
    title: 'In the GREEN-API console',
    steps: [
      'Open your instance and its settings of notifications.',
      'Paste the URL as `webhookUrl`. Where you gave a secret here, paste that as `webhookUrlToken`.',
      'Switch on `incomingWebhook`, `outgoingMessageWebhook`, `outgoingAPIMessageWebhook`, `outgoingWebhook` (how far messages got) and `stateWebhook`.',
      'As you like: `incomingCallWebhook`, `outgoingCallWebhook`, `pollMessageWebhook`, `editedMessageWebhook`, `deletedMessageWebhook`.',
      'Save. A change takes up to five minutes. All of them are off at first.',
    ],
    note: 'What the hub cannot take GREEN-API posts again, each minute for a day.',
  },
  timelinesai: {
    title: 'In TimelinesAI',
    steps: [
      'Open *Integrations*, *Webhooks*, and add one webhook for each of these events, all with this URL:',
      '`message:new` (both directions; without the events for one direction, which would tell it twice), `message:reaction`',
      '`call:incoming:missed`, `call:incoming:ended`, `call:outgoing:ended`',
      '`whatsapp:account:connected`, `whatsapp:account:disconnected`, `whatsapp:account:suspended`, `whatsapp:account:resumed`',
    ],
    note: 'Ten webhooks a workspace are included. Links to files end after some minutes.',
  },
  zender: {
    title: 'In your Zender',
    steps: [
      'Open *Tools*, *Webhooks*, and add a webhook.',
      'Paste the URL, and tick all that is there: SMS, WhatsApp, USSD, notifications.',
      'Give the secret that is shown there to the webhook here, on its page: without it the URL alone is checked.',
    ],
    note: 'Zender tells what comes in, and nothing of what becomes of sends. It posts each event once.',
  },
  sandbox: {
    title: 'Nothing to paste',
    steps: ['The sandbox is no provider: send a sample, or post to the URL yourself.'],
  },
  send: {
    title: 'In your automation',
    steps: [
      'Add a step that posts to a URL: *Webhooks* in Zapier, *HTTP* in Make, *HTTP Request* in n8n.',
      'Paste the URL, choose POST and JSON, and give `action`, `phone` and `text`; for a file `file_url` and `file_name`.',
    ],
    note: 'Whoever knows the URL can send through it.',
  },
};
