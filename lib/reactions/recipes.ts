import * as v from 'valibot';

/*
 * Rules that people ask for, to begin with. Each is whole but for what only its user knows: those places are empty, so that
 * a rule which nobody filled in is refused, with the path of the place. All are switched off: they are tried first.
 */

const AnyRule = v.record(v.string(), v.unknown());
const Fill = v.object({
  path: v.pipe(v.string(), v.description('Where it stands in the rule, as `do.0.text`')),
  label: v.pipe(v.string(), v.description('What belongs there')),
  example: v.pipe(v.unknown(), v.description('As it is written there')),
  optional: v.exactOptional(v.pipe(v.literal(true), v.description('It may be left out, and is'))),
});

export const Recipe = v.object({
  id: v.string(),
  title: v.string(),
  text: v.pipe(v.string(), v.description('What it does, and what to know about it')),
  rule: v.pipe(AnyRule, v.description('As `POST /api/rules` takes it once its empty places are filled in')),
  fill: v.pipe(v.array(Fill), v.readonly(), v.description('Its empty places')),
});
export type Recipe = v.InferOutput<typeof Recipe>;

const PROGRAM = 'https://example.com/hookline';

export const RECIPES: readonly Recipe[] = [
  {
    id: 'auto-reply',
    title: 'Answer a question by itself',
    text: 'Answers every SMS and WhatsApp message in which one of some words stands, from the number that it came to: once in ten minutes and conversation, never into a group, and not within an hour after a person has answered there. An SMS may not name the account that it came to: tie the webhook to the one for SMS.',
    rule: {
      name: 'Answer a question by itself',
      enabled: false,
      on: ['message.received'],
      when: { field: 'text', words: [] },
      do: [{ action: 'reply', text: '' }],
    },
    fill: [
      { path: 'when.words', label: 'The words to look for', example: ['price', 'preis', 'precio'] },
      {
        path: 'do.0.text',
        label: 'The answer',
        example: "Hi {{ sender.name | default: 'there' }}, our prices: https://example.com/prices",
      },
    ],
  },
  {
    id: 'out-of-hours',
    title: 'Out of hours',
    text: 'Says in the evening, at night and on Saturday and Sunday when somebody will answer: once in eight hours and conversation.',
    rule: {
      name: 'Out of hours',
      enabled: false,
      on: ['message.received'],
      when: {
        any: [{ field: 'now.weekday', in: ['sat', 'sun'] }, { not: { field: 'now.time', between: ['', ''] } }],
      },
      timeZone: '',
      do: [{ action: 'reply', text: '' }],
      guard: { perContact: { max: 1, seconds: 28_800 } },
    },
    fill: [
      { path: 'when.any.1.not.between', label: 'From when to when you are there', example: ['09:00', '18:00'] },
      { path: 'timeZone', label: 'Whose clock counts', example: 'Europe/Berlin' },
      {
        path: 'do.0.text',
        label: 'The answer',
        example: 'Thank you for writing. We are here again from 9 in the morning, Monday to Friday.',
      },
    ],
  },
  {
    id: 'payload-to-email',
    title: 'The payload to e-mail addresses',
    text: 'Mails each message that comes in to one to five addresses: what was written and by whom, and the body of the webhook, as it came, attached. A hub on AWS needs an address to send from; on your own machine each mail is a file in a folder.',
    rule: {
      name: 'Messages by e-mail',
      enabled: false,
      on: ['message.received'],
      do: [
        {
          action: 'email',
          to: [],
          subject: '{{ provider }}: {{ sender.name | default: sender.phone | default: chat.title }}',
          text: '{{ text | default: content }}\n\nFrom {{ sender.name }} {{ sender.phone }} at {{ event.occurredAt }}',
          attach: 'raw',
        },
      ],
    },
    fill: [{ path: 'do.0.to', label: 'The addresses', example: ['ana@example.com', 'ben@example.com'] }],
  },
  {
    id: 'facebook-to-message',
    title: 'A message when Facebook shows a notification',
    text: 'What the Facebook app on a phone with a gateway’s app shows goes to a number of yours: by the account that sends by default, or by the one that you name, which may be one for SMS. `com.facebook.orca` is Messenger.',
    rule: {
      name: 'Facebook notifications to my phone',
      enabled: false,
      on: ['notification.received'],
      when: { field: 'notification.package', in: ['com.facebook.katana', 'com.facebook.lite'] },
      do: [
        {
          action: 'send',
          to: { phone: '' },
          text: 'Facebook: {{ notification.title }}{% if notification.content and notification.content != notification.title %}\n{{ notification.content }}{% endif %}',
        },
      ],
    },
    fill: [
      { path: 'do.0.to.phone', label: 'The number that is told', example: '+15550100099' },
      {
        path: 'do.0.accountId',
        label: 'The account that sends: one for SMS or one for WhatsApp',
        example: 'acc_019ca8d5c0000a2b3c4d5e6f708192a3',
        optional: true,
      },
    ],
  },
  {
    id: 'notification-to-program',
    title: 'A program runs when an app shows a notification',
    text: 'Posts what an app on a phone with a gateway’s app shows, as a bank tells of a payment, to a URL of yours: signed, and tried again until it is taken. Android tells apps apart by their package, and so does the event that came in.',
    rule: {
      name: 'Notifications to my program',
      enabled: false,
      on: ['notification.received'],
      when: { field: 'notification.package', in: [] },
      do: [
        {
          action: 'call',
          url: '',
          json: {
            app: '{{ notification.package }}',
            title: '{{ notification.title }}',
            text: '{{ notification.content }}',
            device: '{{ event.notification.device }}',
            at: '{{ event.occurredAt }}',
          },
        },
      ],
    },
    fill: [
      { path: 'when.in', label: 'The apps, by their packages', example: ['com.example.bank'] },
      { path: 'do.0.url', label: 'The URL of the program', example: PROGRAM },
    ],
  },
  {
    id: 'ussd-answers',
    title: 'USSD answers are collected',
    text: 'Posts each answer to a USSD code, with the code and the SIM, to a URL of yours, as a table or a monitor takes it. All of them can also be read at `GET /api/events?kind=ussd`.',
    rule: {
      name: 'USSD answers',
      enabled: false,
      on: ['ussd.answered'],
      do: [
        {
          action: 'call',
          url: '',
          json: {
            code: '{{ ussd.code }}',
            answer: '{{ ussd.response }}',
            device: '{{ event.ussd.device }}',
            sim: '{{ event.ussd.sim }}',
            at: '{{ event.occurredAt }}',
          },
        },
      ],
    },
    fill: [{ path: 'do.0.url', label: 'The URL that collects them', example: PROGRAM }],
  },
];

/** The rule of a recipe with its empty places filled in: by what is given for their paths, else by the example. */
export function ruleOf({ rule, fill }: Recipe, given: Readonly<Record<string, unknown>> = {}): Recipe['rule'] {
  return fill.reduce(
    (filled, { path, example, optional: isOptional }) =>
      path in given || !isOptional ? withAt(filled, path.split('.'), given[path] ?? example) : filled,
    rule,
  );
}

function withAt(within: Recipe['rule'], path: readonly string[], value: unknown): Recipe['rule'] {
  const [key = '', ...rest] = path;
  return { ...within, [key]: valueWith(within[key], rest, value) };
}

function valueWith(at: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(at)) return at.map((one, i) => (String(i) === key ? valueWith(one, rest, value) : one));
  return withAt(v.is(AnyRule, at) ? at : {}, path, value);
}
