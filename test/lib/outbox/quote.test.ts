import { beforeEach, describe, expect, it } from 'vitest';
import { empty } from '#lib/privacy/forget.ts';
import { readSend } from '#lib/sender/items.ts';
import { sendKey } from '#lib/store/keys.ts';
import { put } from '#lib/store/store.ts';
import { itemsOf, message } from '#test/functions/admin/admin-bench.ts';
import { Conversation } from '#test/support/conversation.ts';
import { ReactionBench } from '#test/support/reactions.ts';

const QUOTED = '3EB0C0FFEE00112233AA';
const SANDBOX = { provider: 'sandbox', channel: 'whatsapp', phone: '+15550199001', credentials: {} };
const ZENDER = {
  ...{ provider: 'zender', channel: 'sms', phone: '+15550199002' },
  credentials: { baseUrl: 'https://panel.example', secret: 's', mode: 'devices', device: 'd1' },
};

describe('a message that quotes another', () => {
  it('goes out so, once, and stands so in its chat', async () => {
    const conversation = await new Conversation('green-api').begin();
    await conversation.send({ phone: '+12025550142', quoted_message_id: QUOTED });
    const [request] = await conversation.deliver();
    expect(request?.body).toMatchObject({ value: { message: 'hello', quotedMessageId: QUOTED } });
    const [chat] = await conversation.chats();
    const { items } = await conversation.history(chat?.id ?? '');
    expect(items).toMatchObject([{ message: { direction: 'outbound', quoted: { id: QUOTED } } }]);
  });

  it('says nothing of it any more once it is emptied', async () => {
    const conversation = await new Conversation('green-api').begin();
    const id = await conversation.send({ phone: '+12025550142', quoted_message_id: QUOTED });
    await conversation.deliver();
    const { memory } = conversation.bench;
    const { random } = conversation.bench.ports();
    const item = await memory.get(sendKey(id));
    expect(JSON.stringify(item)).toContain(QUOTED);
    expect(await empty({ store: memory, random }, readSend(item ?? { pk: '', sk: '' }))).toBe(true);
    expect(JSON.stringify(await memory.get(sendKey(id)))).not.toContain(QUOTED);
  });

  it('is emptied also where both of its parts have one id at the provider', async () => {
    const conversation = await new Conversation('green-api').begin();
    const id = await conversation.send({ phone: '+12025550142', quoted_message_id: QUOTED });
    await conversation.deliver();
    const { memory } = conversation.bench;
    const item = (await memory.get(sendKey(id))) ?? { pk: '', sk: '' };
    const { parts } = readSend(item);
    await memory.write(put({ ...item, parts: [...parts, ...parts] }));
    const send = readSend((await memory.get(sendKey(id))) ?? item);
    expect(send.parts).toHaveLength(2);
    expect(await empty({ store: memory, random: conversation.bench.ports().random }, send)).toBe(true);
  });

  it('is not passed over where the field is spelt otherwise', async () => {
    const conversation = await new Conversation('green-api').begin();
    const body = { phone: '+12025550142', quotedMessageId: QUOTED };
    await expect(conversation.send(body)).rejects.toThrow('write it as quoted_message_id');
  });

  it('quotes by its file where it has a text as well', async () => {
    const { admin } = new ReactionBench();
    await admin.done('POST', '/api/accounts', { body: SANDBOX });
    const file = { file_url: 'https://files.example/a.pdf', file_name: 'a.pdf' };
    const body = { phone: '+15550100099', text: 'hello', ...file, quoted_message_id: ` ${QUOTED}` };
    const { messageId } = await admin.done('POST', '/api/sends', { body });
    const { parts } = await admin.done('GET', `/api/sends/${messageId}`);
    expect(parts).toMatchObject([{ kind: 'file', quotedMessageId: QUOTED }, { kind: 'text' }]);
    expect(JSON.stringify(parts).match(/quotedMessageId/g)).toHaveLength(1);
  });

  it.each([
    ['an SMS', ZENDER, QUOTED, 'cannot be quoted by the account that sends'],
    ['an id that the hub has made', SANDBOX, `msg_${'0'.repeat(32)}`, 'message.id'],
    ['the id of an event', SANDBOX, `evt_${'0'.repeat(32)}`, 'message.id'],
    ['what is no id', SANDBOX, 'two words', 'message.id'],
  ])('is refused as %s', async (_what, account, quoted_message_id, words) => {
    const { admin } = new ReactionBench();
    await admin.done('POST', '/api/accounts', { body: account });
    const body = { phone: '+15550100099', text: 'hello', quoted_message_id };
    const { status, json } = await admin.call('POST', '/api/sends', { body });
    expect([status, json.issues]).toEqual([
      422,
      [{ path: 'quoted_message_id', message: expect.stringContaining(words) }],
    ]);
    expect(await admin.done('GET', '/api/credits')).toMatchObject({ available: 1000 });
  });
});

describe('a rule that quotes', () => {
  const RULE = {
    ...{ name: 'Echo', on: ['message.received'], do: [{ action: 'reply', text: 'heard', quote: true }] },
    guard: { perContact: { max: 9, seconds: 1 } },
  };
  let bench: ReactionBench;
  beforeEach(() => {
    bench = new ReactionBench();
  });
  const account = async (body: object) => String((await bench.admin.done('POST', '/api/accounts', { body })).id);
  const ruled = async (more: object = {}) =>
    String((await bench.admin.done('POST', '/api/rules', { body: { ...RULE, ...more } })).id);
  async function receive(accountId: string, id: string) {
    const { url } = await bench.admin.webhook({ accountId });
    const at = new Date(bench.now).toISOString();
    await bench.admin.post(url, { ...message(1, { text: 'price', at, from: '+15550100' }), id });
    const stored = [...bench.stream];
    await bench.settle();
    return stored;
  }
  const parts = async () => itemsOf(await bench.admin.done('GET', '/api/sends')).map((send) => send.parts);
  const runs = async (id: string) => itemsOf(await bench.admin.done('GET', `/api/rules/${id}/runs`));

  it('quotes the message that it answers, whatever stands in its id, and shows so in a trial', async () => {
    const id = await ruled();
    await receive(await account(SANDBOX), '{{text}}');
    expect(await parts()).toMatchObject([[{ text: 'heard', quotedMessageId: '{{text}}' }]]);
    const [run] = await runs(id);
    expect(run).toMatchObject({ result: 'done', actions: [{ result: 'done' }] });
    expect(JSON.stringify(run)).not.toContain('why');
    expect(await bench.admin.done('POST', '/api/rules/try', { body: { rule: RULE, last: 1 } })).toMatchObject({
      items: [{ actions: [{ would: { quoted_message_id: '{{text}}' } }] }],
    });
  });

  it('answers without a quote where the account of the chat cannot, once, and its run says so', async () => {
    await account(SANDBOX);
    const sms = await account({ ...SANDBOX, channel: 'sms', phone: '+15550199003' });
    const id = await ruled();
    const stored = await receive(sms, 'm-1');
    const said = { result: 'done', actions: [{ result: 'done', why: expect.stringContaining('without the quote') }] };
    expect(await parts()).toEqual([[expect.not.objectContaining({ quotedMessageId: expect.anything() })]]);
    expect(await runs(id)).toMatchObject([said]);
    // As if it had died before it wrote its run down.
    await bench.forgetRuns(id);
    bench.stream.push(...stored);
    await bench.settle();
    expect(await parts()).toHaveLength(1);
    expect(await runs(id)).toMatchObject([said]);
  });
});
