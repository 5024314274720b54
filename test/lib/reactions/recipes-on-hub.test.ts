import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import * as v from 'valibot';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Hub, startHub } from '#infra/local/hub.ts';
import { RECIPES, ruleOf } from '#lib/reactions/recipes.ts';
import { form, sample } from '#test/functions/zender/payloads.ts';
import { hubClient, postJson } from '#test/support/hub-client.ts';
import { answer, FakeHttp } from '#test/support/providers/fake-http.ts';
import { FakeZender } from '#test/support/providers/fake-zender.ts';

/** What Zender's page prints. */
const SECRET = 'my-webhook-secret';
const OURS = '+639760713666';

const zender = new FakeZender('api-secret');
const program = new FakeHttp(() => answer(204));
let hub: Hub;
let api: ReturnType<typeof hubClient>['api'];
let until: ReturnType<typeof hubClient>['until'];
const faults: string[] = [];
const accounts = { whatsapp: '', sms: '' };
const hooks = { whatsapp: '', sms: '', zender: '' };
/** Ids of the rules, and the secrets of those that call. */
const rules: Record<string, { readonly id: string; readonly secret: string }> = {};

async function make(name: string, recipe: string, given: Record<string, unknown>, more: object = {}) {
  const found = RECIPES.find(({ id }) => id === recipe);
  if (!found) throw new Error(`there is no recipe ${recipe}`);
  rules[name] = await api('POST', '/api/rules', { ...ruleOf(found, given), enabled: true, ...more });
}

const account = async (body: object): Promise<string> => (await api('POST', '/api/accounts', body)).id;
const idOf = (name: string) => rules[name]?.id ?? '';

/** Hours in which it is not now. */
function hoursAway(): readonly [string, string] {
  const hour = (later: number) => `${String((new Date().getUTCHours() + later) % 24).padStart(2, '0')}:00`;
  return [hour(3), hour(5)];
}

beforeAll(async () => {
  await Promise.all([zender.http.start(), program.start()]);
  hub = await startHub({
    environment: {
      ...{ PORT: '0', HOOKLINE_DATA: ':memory:', HOOKLINE_WATCHDOG_MS: '500' },
      // The copy of Zender stands on this machine.
      HOOKLINE_ALLOW_PRIVATE_HOSTS: '1',
    },
    report: (name, error) => faults.push(`${name}: ${error}`),
  });
  ({ api, until } = hubClient(hub));
  const receiving = async (body: object) => (await api('POST', '/api/webhooks', { kind: 'receive', ...body })).url;
  for (const channel of ['whatsapp', 'sms'] as const) {
    accounts[channel] = await account({ provider: 'sandbox', channel, phone: '+15550199001', credentials: {} });
    hooks[channel] = await receiving({ provider: 'sandbox', accountId: accounts[channel] });
  }
  const sms = await account({ provider: 'zender', channel: 'sms', credentials: zender.sms() });
  // An SMS names no account.
  hooks.zender = await receiving({ provider: 'zender', secret: SECRET, accountId: sms });
  await make('words', 'auto-reply', { 'when.words': ['price', 'hello'] });
  await make(
    'hours',
    'out-of-hours',
    { 'when.any.1.not.between': hoursAway(), timeZone: 'UTC', 'do.0.text': 'We are here again at nine.' },
    { accounts: [accounts.whatsapp] },
  );
  const phone = { 'do.0.to.phone': '+15550100077' };
  await make('facebook by SMS', 'facebook-to-message', { ...phone, 'do.0.accountId': accounts.sms });
  await make('facebook in a chat', 'facebook-to-message', { ...phone, 'do.0.accountId': accounts.whatsapp });
  const url = (path: string) => `${program.url}/${path}`;
  await make('program', 'notification-to-program', {
    'when.in': ['com.facebook.katana'],
    'do.0.url': url('notified'),
  });
  await make('mail', 'payload-to-email', { 'do.0.to': ['ana@example.com', 'ben@example.com'] });
  await make('ussd', 'ussd-answers', { 'do.0.url': url('ussd') });
}, 60_000);

afterAll(async () => {
  await hub?.stop();
  await Promise.all([zender.http.stop(), program.stop()]);
});

/** As Zender posts it, but a moment ago. */
async function post(name: Parameters<typeof sample>[0]): Promise<string> {
  const body = new URLSearchParams(sample(name).form);
  body.set('data[timestamp]', String(Math.floor(Date.now() / 1000)));
  const response = await fetch(hooks.zender, { method: 'POST', headers: { 'content-type': form }, body: `${body}` });
  expect(response.status).toBe(200);
  const answered = v.parse(v.object({ id: v.string() }), await response.json());
  return answered.id;
}

async function write(hook: string, from: string, text: string, channel: 'whatsapp' | 'sms'): Promise<string> {
  const message = { event: 'message', id: `from-${from}`, channel, from, name: 'Ana', text };
  const { status, body } = await postJson(hook, message);
  expect(status).toBe(200);
  return JSON.parse(body).id;
}

const Mail = v.object({
  Destination: v.object({ ToAddresses: v.array(v.string()) }),
  Content: v.object({
    Simple: v.object({
      Subject: v.object({ Data: v.string() }),
      Body: v.object({ Text: v.object({ Data: v.string() }) }),
      Attachments: v.optional(v.array(v.object({ RawContent: v.string() })), []),
    }),
  }),
});
const mails = () =>
  readdirSync(hub.outbox)
    .filter((name) => name.endsWith('.json'))
    .map((name) => v.parse(Mail, JSON.parse(readFileSync(join(hub.outbox, name), 'utf8'))));

const ran = (rule: string, event: string) =>
  vi.waitFor(async () => {
    const { items } = await api('GET', `/api/rules/${idOf(rule)}/runs`);
    const run = items.find((one: { event: string }) => one.event === event);
    expect(run).toMatchObject({ result: 'done' });
    return run.actions[0];
  }, 10_000);

/** The send that a rule made of an event, once it went out. */
async function sentBy(rule: string, event: string) {
  const { send } = await ran(rule, event);
  return until(`/api/sends/${send}`, ({ state = '' }) => ['sent', 'delivered', 'read'].includes(state));
}

/** What the program was told of an event, its signature verified. */
const toldOf = (rule: string, event: string, path: string) =>
  vi.waitFor(() => {
    const call = program.seen.find((one) => one.path === path && one.headers['webhook-id'] === `${event}_0`);
    expect(call).toBeDefined();
    const headers = Object.entries(call?.headers ?? {}).map(([name, value]) => [name, String(value)]);
    return new Webhook(rules[rule]?.secret ?? '').verify(String(call?.raw), Object.fromEntries(headers));
  }, 10_000);

it.each([
  ['whatsapp', '+15550100071'],
  ['sms', '+15550100072'],
] as const)(
  'answers a question that came by %s, and leaves another alone',
  async (channel, from) => {
    const event = await write(hooks[channel], from, 'What is the PRICE?', channel);
    const other = await write(hooks[channel], `${from}0`, 'Good morning', channel);
    const sent = await sentBy('words', event);
    expect(sent).toMatchObject({
      accountId: accounts[channel],
      parts: [{ text: 'Hi Ana, our prices: https://example.com/prices' }],
    });
    const { items } = await api('GET', `/api/messages?chat=${sent.recipient.chatId}`);
    expect(items.map(({ message }: { message: { direction: string } }) => message.direction)).toContain('outbound');
    const { items: runs } = await api('GET', `/api/rules/${idOf('words')}/runs`);
    expect(runs.filter((run: { event: string }) => run.event === other)).toEqual([]);
  },
  20_000,
);

it('answers what Zender posts by SMS and by WhatsApp, through the account that it came to', async () => {
  await sentBy('words', await post('sms'));
  // It names its account. In the samples the SMS is from the number of that account, so it is made only now.
  await account({ provider: 'zender', channel: 'whatsapp', phone: OURS, credentials: zender.whatsapp() });
  await sentBy('words', await post('whatsapp'));
  expect(zender.taken.map(({ path, fields }) => [path, fields.phone ?? fields.recipient, fields.message])).toEqual([
    ['send/sms', '+639760713666', 'Hi there, our prices: https://example.com/prices'],
    ['send/whatsapp', '+639760666713', 'Hi there, our prices: https://example.com/prices'],
  ]);
}, 20_000);

it('mails the payload of what came in to each address', async () => {
  const event = await write(hooks.sms, '+15550100074', 'Do you have a blue one?', 'sms');
  const mail = await vi.waitFor(() => {
    const found = mails().find(({ Content }) => Content.Simple.Body.Text.Data.startsWith('Do you have a blue one?'));
    expect(found).toBeDefined();
    return found;
  }, 10_000);
  expect(mail).toMatchObject({
    Destination: { ToAddresses: ['ana@example.com', 'ben@example.com'] },
    Content: { Simple: { Subject: { Data: 'sandbox: Ana' } } },
  });
  const [attached] = mail?.Content.Simple.Attachments ?? [];
  expect(JSON.parse(Buffer.from(attached?.RawContent ?? '', 'base64').toString())).toEqual({
    ...{ event: 'message', id: 'from-+15550100074', channel: 'sms', from: '+15550100074', name: 'Ana' },
    text: 'Do you have a blue one?',
  });
  await ran('mail', event);
}, 20_000);

it('says out of hours when somebody will answer', async () => {
  const event = await write(hooks.whatsapp, '+15550100073', 'Is anybody there?', 'whatsapp');
  expect(await sentBy('hours', event)).toMatchObject({ parts: [{ text: 'We are here again at nine.' }] });
}, 20_000);

it('sends by SMS and into a chat what Facebook shows, and tells a program', async () => {
  const event = await post('notification');
  const message = { parts: [{ text: 'Facebook: Someone commented on your post!' }] };
  const recipient = { phone: '+15550100077' };
  expect(await sentBy('facebook by SMS', event)).toMatchObject({ ...message, recipient, accountId: accounts.sms });
  expect(await sentBy('facebook in a chat', event)).toMatchObject({ ...message, accountId: accounts.whatsapp });
  expect(await toldOf('program', event, '/notified')).toEqual({
    app: 'com.facebook.katana',
    title: 'Someone commented on your post!',
    text: 'Someone commented on your post!',
    device: '00000000-0000-0000-d57d-f30cb6a89289',
    at: expect.stringMatching(/Z$/),
  });
}, 20_000);

it('collects the answer to a USSD code', async () => {
  const event = await post('ussd');
  expect(await toldOf('ussd', event, '/ussd')).toMatchObject({
    code: '*143#',
    answer: 'Sorry! You are not allowed to use this service.',
    sim: '1',
  });
}, 20_000);

it('every recipe ran, no function failed meanwhile, and the books balance', async () => {
  expect(faults).toEqual([]);
  expect(await api('GET', '/api/credits/audit')).toMatchObject({ ok: true, differences: [] });
});
