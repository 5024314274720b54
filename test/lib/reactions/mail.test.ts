import { beforeEach, describe, expect, it, test } from 'vitest';
import { type EmailAction, mailOf } from '#lib/reactions/target.ts';
import { AdminBench, itemsOf, message } from '#test/functions/admin/admin-bench.ts';
import { messageEvent } from '#test/lib/domain/reaction/events.ts';
import { ReactionBench } from '#test/support/reactions.ts';

const EMAIL = {
  action: 'email',
  to: ['ana@example.com', 'ops+hub@mail.example.org'],
  subject: 'From {{ sender.phone }}: {{ text }}',
  text: '{{ text }}\n-- \nat {{ event.occurredAt }}',
};
const RULE = { name: 'Tell the office', on: ['message.received'], do: [EMAIL] };

let bench: ReactionBench;
let hook: string;
let n: number;
beforeEach(async () => {
  bench = new ReactionBench();
  hook = (await bench.admin.webhook()).url;
  n = 0;
});

const rule = async (more: object = {}) =>
  String((await bench.admin.done('POST', '/api/rules', { body: { ...RULE, ...more } })).id);
const mailing = (more: object) => rule({ do: [{ ...EMAIL, ...more }] });
async function receive(text: string, more: object = {}): Promise<string> {
  bench.now += 10;
  const at = new Date(bench.now).toISOString();
  const { body } = await bench.admin.post(hook, message(++n, { text, at, from: '+15550100', ...more }));
  await bench.settle();
  return String(body.id);
}
const runs = async (id: string) => itemsOf(await bench.admin.done('GET', `/api/rules/${id}/runs`));
async function deliveryOf(id: string) {
  const [run] = await runs(id);
  const [action] = itemsOf({ items: run?.actions });
  return bench.admin.done('GET', `/api/deliveries/${action?.delivery}`);
}

describe('a rule that sends e-mail', () => {
  it('sends it, rendered, once, and its run names the delivery', async () => {
    const id = await rule();
    const event = await receive('hello');
    const at = new Date(bench.now).toISOString();
    expect(bench.mails).toEqual([
      {
        from: 'hub@example.com',
        to: EMAIL.to,
        subject: 'From +15550100: hello',
        text: `hello\n-- \nat ${at}`,
        id: `${event}_0`,
      },
    ]);
    expect(await runs(id)).toMatchObject([{ result: 'done', actions: [{ action: 'email', result: 'done' }] }]);
    expect(await deliveryOf(id)).toMatchObject({
      endpoint: id,
      event,
      state: 'delivered',
      attempts: [{ status: 200 }],
    });
  });

  it.each([
    ['a line end', 'hello\r\nBcc: eve@example.net', 'hello Bcc: eve@example.net'],
    ['other ends of lines', 'one\u2028two\u0000three\u0085four', 'one two three four'],
    ['nothing', ' ', 'Tell the office'],
    ['letters beyond ASCII', 'Grüße 👋', 'Grüße 👋'],
    ['more than a line', 'long '.repeat(200), 'long '.repeat(100).trim()],
  ])('lets no words of others end the line of the subject: %s', async (_what, text, subject) => {
    await mailing({ subject: '{{ text }}' });
    await receive(text);
    expect(bench.mails.map((mail) => mail.subject.trim())).toEqual([subject]);
  });

  it('attaches the event as the API shows it', async () => {
    await mailing({ attach: 'event' });
    const event = await receive('hello');
    const [mail] = bench.mails;
    expect(mail?.attachment).toMatchObject({ name: `${event}.json`, contentType: 'application/json' });
    const shown = await bench.admin.done('GET', `/api/events/${event}`);
    expect(JSON.parse(Buffer.from(mail?.attachment?.content ?? '').toString())).toEqual(shown);
  });

  it('attaches the body as it came, byte for byte, however long', async () => {
    await mailing({ subject: 'Long', text: 'See the attachment', attach: 'raw' });
    const text = Array.from({ length: 40_000 }, (_, i) => i * 7919 * 104_729).join(' ');
    const sent = JSON.stringify(message(++n, { text, at: new Date(bench.now).toISOString() }));
    const { body } = await bench.admin.post(hook, sent);
    await bench.settle();
    const [mail] = bench.mails;
    expect(mail?.attachment).toMatchObject({ name: `${body.id}.json`, contentType: 'application/json' });
    expect(Buffer.from(mail?.attachment?.content ?? '').toString()).toBe(sent);
  });

  it('tries again by the schedule while it is refused, and then gives up', async () => {
    const id = await rule();
    bench.mailed = { result: { kind: 'answered', status: 400 }, answer: 'MessageRejected: not verified' };
    await receive('hello');
    expect(await deliveryOf(id)).toMatchObject({
      state: 'waiting',
      attempts: [{ status: 400, answer: 'MessageRejected: not verified' }],
    });
    await bench.wait(7);
    expect(bench.mails).toHaveLength(2);
    bench.mailed = { result: { kind: 'failed', reason: 'timeout' }, answer: '' };
    for (let hour = 0; hour < 110; hour++) {
      await bench.wait(3600);
      await bench.watch();
    }
    expect(bench.mails).toHaveLength(10);
    expect(await deliveryOf(id)).toMatchObject({ state: 'dead' });
    bench.mailed = { result: { kind: 'answered', status: 200 }, answer: 'm-1' };
    const { id: delivery } = await deliveryOf(id);
    await bench.admin.call('POST', `/api/deliveries/${delivery}/retry`);
    await bench.settle();
    expect(await deliveryOf(id)).toMatchObject({ state: 'delivered' });
  });

  it('sends nothing once it is deleted', async () => {
    const id = await rule();
    bench.mailed = { result: { kind: 'failed', reason: 'connection' }, answer: '' };
    await receive('hello');
    await bench.admin.call('DELETE', `/api/rules/${id}`);
    await bench.wait(600);
    expect(bench.mails).toHaveLength(1);
  });

  it('sends a hundred mails in an hour and no more, and says so', async () => {
    const id = await rule();
    // Not over the turn of an hour.
    bench.now = Math.ceil(bench.now / 3_600_000) * 3_600_000;
    for (let i = 0; i < 101; i++) await receive(`hello ${i}`);
    expect(bench.mails).toHaveLength(100);
    expect(await runs(id).then(([newest]) => newest)).toMatchObject({
      result: 'guarded',
      actions: [{ action: 'email', result: 'guarded', why: 'it has sent 100 mails in this hour' }],
    });
    const other = await rule({ name: 'Another' });
    await receive('of another rule');
    expect(await runs(other)).toMatchObject([{ result: 'done' }]);
    bench.now += 3_600_000;
    await receive('an hour later');
    expect(await runs(id).then(([newest]) => newest)).toMatchObject({ result: 'done' });
  });

  it('that was written while there was an address to send from waits until there is one again', async () => {
    const id = await rule();
    const { delivering } = bench;
    bench.delivering = { ...delivering, mailFrom: undefined };
    await receive('hello');
    expect(bench.mails).toEqual([]);
    expect(await deliveryOf(id)).toMatchObject({
      state: 'waiting',
      attempts: [{ failure: 'refused', answer: expect.stringContaining('mailFrom') }],
    });
    bench.delivering = delivering;
    await bench.wait(600);
    expect(bench.mails).toHaveLength(1);
  });

  it('shows in a trial the mail as it would go out, and sends none', async () => {
    const body = { rule: { ...RULE, do: [{ ...EMAIL, attach: 'raw' }] }, last: 1 };
    const event = await receive('hello');
    expect(await bench.admin.done('POST', '/api/rules/try', { body })).toMatchObject({
      items: [
        {
          matched: true,
          actions: [
            {
              action: 'email',
              would: {
                from: 'hub@example.com',
                to: EMAIL.to,
                subject: 'From +15550100: hello',
                text: expect.stringMatching(/^hello\n-- \nat /),
                attachment: { name: `${event}.json`, contentType: 'application/json', bytes: expect.any(Number) },
              },
            },
          ],
        },
      ],
    });
    await bench.settle();
    expect(bench.mails).toEqual([]);
  });
});

test('a run names the deliveries of calls and of endpoints too', async () => {
  const { id: endpoint } = await bench.endpoint({ types: ['ussd.answered'] });
  const id = await rule({
    do: [
      { action: 'call', url: 'https://crm.example/one' },
      { action: 'forward', endpoint },
      { action: 'call', url: 'https://crm.example/two' },
    ],
  });
  const event = await receive('hello');
  const [run] = await runs(id);
  const shown = await Promise.all(
    itemsOf({ items: run?.actions }).map(({ delivery }) => bench.admin.done('GET', `/api/deliveries/${delivery}`)),
  );
  expect(shown).toMatchObject([id, endpoint, id].map((of) => ({ endpoint: of, event, state: 'delivered' })));
  expect(new Set(shown.map((delivery) => delivery.id)).size).toBe(3);
});

test('an attachment that no mail can carry is left out, and the mail says so', async () => {
  const rule = { name: 'r', timeZone: 'UTC' };
  const action: EmailAction = { action: 'email', to: ['ana@example.com'], subject: 's', text: 't', attach: 'event' };
  const mail = (length: number) => {
    const event = messageEvent({ content: { type: 'text', text: 'x'.repeat(length) } });
    return mailOf(bench.store, rule, action, 0, { event }, { from: 'hub@example.com', now: 0 });
  };
  expect(await mail(6_900_000)).toMatchObject({ text: 't', attachment: { contentType: 'application/json' } });
  const large = await mail(7_000_000);
  expect(large).toMatchObject({
    text: expect.stringMatching(/^t\n\nThe attachment is left out: it has 70\d{5} bytes/),
  });
  expect(large).not.toHaveProperty('attachment');
});

test.each([
  ['application/json; charset=utf-8', '{"a":1}', 'json', 'application/json'],
  ['application/x-www-form-urlencoded', 'a=1', 'txt', 'text/plain'],
  ['text/html', '<script>', 'txt', 'text/plain'],
  ['application/x-msdownload', 'MZ', 'raw', 'application/octet-stream'],
])('a body that calls itself %s is attached as what opens harmlessly', async (contentType, raw, ending, shown) => {
  await rule({
    on: ['event.quarantined', 'message.received'],
    do: [{ ...EMAIL, subject: 's', text: 't', attach: 'raw' }],
  });
  const { body } = await bench.admin.post(hook, raw, contentType);
  await bench.settle();
  expect(bench.mails).toMatchObject([{ attachment: { name: `${body.id}.${ending}`, contentType: shown } }]);
});

test.each([
  [{ to: [] }, 'do.0.to'],
  [{ to: Array.from({ length: 6 }, (_, i) => `ana${i}@example.com`) }, 'do.0.to'],
  [{ to: ['ana@example.com', 'ana@example.com\r\nBcc: eve@example.net'] }, 'do.0.to.1'],
  [{ to: ['ana@example.com, eve@example.net'] }, 'do.0.to.0'],
  [{ to: ['Ana <ana@example.com>'] }, 'do.0.to.0'],
  [{ to: ['änne@example.com'] }, 'do.0.to.0'],
  [{ subject: '{{ text | shout }}' }, 'do.0.subject'],
  [{ text: '{% if %}' }, 'do.0.text'],
  [{ attach: 'all' }, 'do.0.attach'],
  [{ cc: ['ana@example.com'] }, 'do.0.cc'],
])('what is no mail is refused with the path of the field: %j', async (more, path) => {
  const { status, json } = await bench.admin.call('POST', '/api/rules', {
    body: { ...RULE, do: [{ ...EMAIL, ...more }] },
  });
  expect([status, json.issues]).toMatchObject([422, [{ path }]]);
});

test.each([undefined, 'no address'])(
  'without an address to send from no rule may send e-mail: %s',
  async (mailFrom) => {
    const admin = new AdminBench({ mailFrom });
    const refused = await admin.call('POST', '/api/rules', { body: RULE });
    expect([refused.status, refused.json.issues]).toEqual([
      422,
      [{ path: 'do.0.action', message: expect.stringContaining('the parameter mailFrom') }],
    ]);
  },
);
