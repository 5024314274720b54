import { beforeEach, describe, expect, it } from 'vitest';
import { put } from '#lib/store/store.ts';
import { SendBench } from '#test/support/send-bench.ts';

const text = { action: 'send', text: 'hello' };
const phone = '+14151231234';

let bench: SendBench;
beforeEach(async () => {
  bench = new SendBench();
  await bench.addWebhook();
  await bench.addCredits(100);
});

/** The account that sends, or what was answered instead. */
async function chosen(body: object): Promise<unknown> {
  const answer = await bench.post({ ...text, ...body });
  return answer.status === 200 ? bench.send(answer.body.data.message_id).accountId : answer.body;
}

const refusal = (status: number, message: string) => ({ status, data: {}, message });

describe('the account', () => {
  it('is the WhatsApp account connected last, if none is named', async () => {
    await bench.addAccount('old', { connectedAt: '2026-01-01T00:00:00.000Z' });
    await bench.addAccount('new', { connectedAt: '2026-02-02T00:00:00.000Z' });
    await bench.addAccount('sms', { channel: 'sms', connectedAt: '2026-02-03T00:00:00.000Z' });
    await bench.addAccount('mute', { provider: 'mute', connectedAt: '2026-02-04T00:00:00.000Z' });
    await bench.addAccount('sandbox', { provider: 'sandbox', connectedAt: '2026-02-06T00:00:00.000Z' });
    expect(await chosen({ phone })).toBe('new');
  });

  it('keeps what is meant for it while it is paused or held', async () => {
    await bench.addAccount('old', { connectedAt: '2026-01-01T00:00:00.000Z' });
    await bench.addAccount('sms', { channel: 'sms', connectedAt: '2026-02-03T00:00:00.000Z' });
    await bench.addAccount('paused', { paused: true, connectedAt: '2026-02-05T00:00:00.000Z' });
    expect(await chosen({ phone })).toBe('paused');
    await bench.addAccount('held', { held: true, connectedAt: '2026-02-06T00:00:00.000Z' });
    expect(await chosen({ phone })).toBe('held');
  });

  it('is the SMS account if there is no other, and one of the sandbox if there is not even that', async () => {
    await bench.addAccount('sandbox', { provider: 'sandbox', connectedAt: '2026-02-06T00:00:00.000Z' });
    expect(await chosen({ phone })).toBe('sandbox');
    await bench.addAccount('sms', { channel: 'sms', paused: true });
    expect(await chosen({ phone })).toBe('sms');
    await bench.addAccount('whatsapp', { paused: true });
    expect(await chosen({ phone })).toBe('whatsapp');
  });

  it('is missing', async () => {
    await bench.addAccount('theirs', { workspace: 'ws_other' });
    expect(await chosen({ phone })).toEqual(refusal(404, 'There is no account to send from: connect one first'));
  });

  it.each(['whatsapp_account_phone', 'whatsapp account phone'])(
    'is the one of the phone in %s, WhatsApp first',
    async (key) => {
      await bench.addAccount('sms', { channel: 'sms', phone: '+15105566777', connectedAt: '2026-02-03T00:00:00.000Z' });
      await bench.addAccount('whatsapp', { phone: '+15105566777', connectedAt: '2026-01-01T00:00:00.000Z' });
      await bench.addAccount('last', { connectedAt: '2026-02-05T00:00:00.000Z' });
      expect(await chosen({ phone, [key]: '15105566777' })).toBe('whatsapp');
    },
  );

  it.each(['whatsapp_account_phone', 'whatsapp account phone'])(
    'is told by the field %s, as it was given',
    async (key) => {
      await bench.addAccount('last');
      expect(await chosen({ phone, [key]: '+15105566777' })).toEqual(
        refusal(404, `${key} matches no account to send from: give the number or id of one that is connected here`),
      );
    },
  );

  it.each([
    ['chat_id', 'chat_id'],
    ['chat_name', 'chat_name'],
  ])('cannot reach the chat of %s, which is the field that is told', async (key, field) => {
    await bench.addAccount('sms', { channel: 'sms' });
    const id = await bench.addChat('1@g.us', { accountId: 'sms', title: 'Night shift' });
    expect(await chosen({ [key]: key === 'chat_id' ? id : 'Night shift' })).toEqual(
      refusal(400, `${field} is no recipient that the account can reach: give a phone number as phone`),
    );
  });

  it.each([
    ['+5215550000001', '+525550000001'],
    ['+555187654321', '+5551987654321'],
    ['+541123456789', '+5491123456789'],
  ])('with the phone %s is the one of %s', async (own, asked) => {
    await bench.addAccount('twin', { phone: own });
    await bench.addAccount('last', { connectedAt: '2026-02-05T00:00:00.000Z' });
    expect(await chosen({ phone, whatsapp_account_phone: asked })).toBe('twin');
  });

  it('may be paused if it is named: what it takes waits', async () => {
    await bench.addAccount('paused', { phone: '+15105566777', paused: true });
    expect(await chosen({ phone, whatsapp_account_phone: '+15105566777' })).toBe('paused');
    expect(await chosen({ phone, account_id: 'paused' })).toBe('paused');
  });

  it('is the default one of those that share the phone', async () => {
    const shared = { phone: '+15105566777' };
    await bench.addAccount('sandbox', { ...shared, provider: 'sandbox', connectedAt: '2026-02-09T00:00:00.000Z' });
    await bench.addAccount('sms', { ...shared, channel: 'sms', connectedAt: '2026-02-08T00:00:00.000Z' });
    await bench.addAccount('old', { ...shared, connectedAt: '2026-02-01T00:00:00.000Z' });
    await bench.addAccount('new', { ...shared, paused: true, connectedAt: '2026-02-02T00:00:00.000Z' });
    expect(await chosen({ phone, whatsapp_account_phone: '+15105566777' })).toBe('new');
  });

  it('is the one to which the webhook is tied, unless the request says another', async () => {
    await bench.addWebhook({ accountId: 'tied' });
    await bench.addAccount('tied', { connectedAt: '2026-01-01T00:00:00.000Z', paused: true });
    await bench.addAccount('last', { phone: '+15105566777', connectedAt: '2026-02-05T00:00:00.000Z' });
    expect(await chosen({ phone })).toBe('tied');
    expect(await chosen({ phone, account_id: 'last' })).toBe('last');
    expect(await chosen({ phone, whatsapp_account_phone: '+15105566777' })).toBe('last');
    const chat = await bench.addChat('1@g.us', { accountId: 'last' });
    expect(await chosen({ chat_id: chat })).toBe('last');
  });

  it('is none where the one to which the webhook is tied is gone: no other number takes its place', async () => {
    await bench.addWebhook({ accountId: 'gone' });
    await bench.addAccount('last');
    expect(await chosen({ phone })).toEqual(
      refusal(
        404,
        "The webhook's accountId matches no account to send from: give the number or id of one that is connected here",
      ),
    );
  });

  it('is the default one of the workspace, before the one connected last and after the webhook’s own', async () => {
    await bench.addAccount('default', { connectedAt: '2026-01-01T00:00:00.000Z', paused: true });
    await bench.addAccount('last', { connectedAt: '2026-02-05T00:00:00.000Z' });
    const workspace = { pk: 'WORKSPACES', sk: 'main', id: 'main', name: 'main' };
    await bench.memory.write(put({ ...workspace, defaultAccountId: 'default' }));
    expect(await chosen({ phone })).toBe('default');
    expect(await chosen({ phone, account_id: 'last' })).toBe('last');
    await bench.addWebhook({ accountId: 'last' });
    expect(await chosen({ phone })).toBe('last');
    await bench.addWebhook();
    await bench.memory.write(put({ ...workspace, defaultAccountId: 'gone' }));
    expect(await chosen({ phone })).toEqual(
      refusal(
        404,
        "The workspace's defaultAccountId matches no account to send from: give the number or id of one that is connected here",
      ),
    );
  });

  it('to which the webhook is tied tells chats of one name apart', async () => {
    await bench.addWebhook({ accountId: 'b' });
    await bench.addAccount('a', { connectedAt: '2026-02-05T00:00:00.000Z' });
    await bench.addAccount('b');
    await bench.addChat('1@g.us', { accountId: 'a', title: 'Ana' });
    expect(await chosen({ chat_name: 'Ana' })).toBe('a');
    await bench.addChat('2@g.us', { accountId: 'b', title: 'Ana' });
    expect(await chosen({ chat_name: 'Ana' })).toBe('b');
    await bench.addChat('3@g.us', { accountId: 'b', title: 'Ana' });
    expect(await bench.post({ ...text, chat_name: 'Ana' })).toMatchObject({ status: 409 });
  });

  it('is not there, or cannot send', async () => {
    await bench.addAccount('mute', { provider: 'mute', phone: '+15105566777' });
    await bench.addAccount('theirs', { workspace: 'ws_other', phone: '+15105566778' });
    expect(await chosen({ phone, whatsapp_account_phone: '+15105566777' })).toEqual(
      refusal(404, 'The account of whatsapp_account_phone cannot send: its provider offers no way to'),
    );
    const none = refusal(
      404,
      'whatsapp_account_phone matches no account to send from: give the number or id of one that is connected here',
    );
    expect(await chosen({ phone, whatsapp_account_phone: '+15105566778' })).toEqual(none);
    expect(await chosen({ phone, whatsapp_account_phone: '+15105566779' })).toEqual(none);
    expect(await chosen({ phone, account_id: 'theirs' })).toEqual(
      refusal(404, 'account_id matches no account to send from: give the number or id of one that is connected here'),
    );
  });

  it('carries what the request holds, or the field is named', async () => {
    await bench.addAccount('sms', { channel: 'sms' });
    expect(await chosen({ jid: '14151231234@c.us' })).toEqual(
      refusal(400, 'jid is no recipient that the account can reach: give a phone number as phone'),
    );
    expect(await chosen({ phone, file_url: 'https://files.example/a.pdf', file_name: 'a.pdf' })).toEqual(
      refusal(400, 'file_url is nothing that the account can send: it carries text alone'),
    );
  });
});

describe('a chat by its id', () => {
  beforeEach(async () => {
    await bench.addAccount('a', { phone: '+15105566777' });
    await bench.addAccount('b', { instance: '1234', connectedAt: '2026-02-05T00:00:00.000Z' });
  });

  it('is found by the hub’s id and by the provider’s, and its own account sends', async () => {
    const chat = await bench.addChat('77234', { accountId: 'a' });
    const others = { whatsapp_account_phone: 'nonsense', account_id: 'b' };
    for (const id of [chat, '77234', 77234]) {
      const answer = await bench.post({ ...text, chat_id: id, ...others });
      expect(bench.send(answer.body.data.message_id)).toMatchObject({
        accountId: 'a',
        recipient: { chat_id: '77234', chat },
      });
    }
  });

  it('is found by another spelling or an alias of its id', async () => {
    await bench.addChat('14151231234@c.us', { accountId: 'a', aliases: ['99@lid'] });
    expect(await chosen({ chat_id: '14151231234@s.whatsapp.net' })).toBe('a');
    expect(await chosen({ chat_id: '99@lid' })).toBe('a');
  });

  it('belongs to the account that its provider names, where its webhook names none', async () => {
    await bench.addChat('1@g.us', { accountKey: '1234' });
    await bench.addChat('2@g.us', { accountKey: '+15105566777' });
    expect(await chosen({ chat_id: '1@g.us' })).toBe('b');
    expect(await chosen({ chat_id: '2@g.us' })).toBe('a');
  });

  it('belongs to the account whose number is told in another spelling, and is written to from it by either', async () => {
    await bench.addAccount('mexico', { phone: '+5215550000001', connectedAt: '2026-01-01T00:00:00.000Z' });
    await bench.addChat('4@g.us', { accountKey: '+525550000001' });
    expect(await chosen({ chat_id: '4@g.us' })).toBe('mexico');
    expect(await chosen({ phone, whatsapp_account_phone: '+525550000001' })).toBe('mexico');
  });

  it('belongs to the account that the caller names, where nothing else tells', async () => {
    await bench.addChat('3@g.us', { accountKey: 'wh_1' });
    expect(await chosen({ chat_id: '3@g.us', account_id: 'b' })).toBe('b');
    expect(await chosen({ chat_id: '3@g.us' })).toEqual(
      refusal(
        404,
        'The chat of chat_id has no account to send from: say which with account_id, or give the webhook that it came through an accountId',
      ),
    );
  });

  it('is one of two accounts’ chats: the caller has to say which', async () => {
    const ids = [await bench.addChat('5@g.us', { accountId: 'a' }), await bench.addChat('5@g.us', { accountId: 'b' })];
    expect(await chosen({ chat_id: '5@g.us', account_id: 'b' })).toBe('b');
    const answer = await bench.post({ ...text, chat_id: '5@g.us' });
    expect([answer.status, answer.body.message]).toEqual([409, expect.stringMatching(/^chat_id matches several/)]);
    for (const id of ids) expect(answer.body.message).toContain(id);
  });

  it('is unknown: to nobody, to this workspace, or nothing that one can write to', async () => {
    const theirs = await bench.addChat('6@g.us', { workspace: 'ws_other', accountId: 'a' });
    const unknown = refusal(
      404,
      'chat_id matches no chat: it must be the id of one that the hub shows, or that the provider has told',
    );
    expect(await chosen({ chat_id: '77234' })).toEqual(unknown);
    expect(await chosen({ chat_id: '6@g.us' })).toEqual(unknown);
    expect(await chosen({ chat_id: theirs })).toEqual(unknown);
  });

  it.each([
    ['14155550123@c.us', 'give a WhatsApp id as jid'],
    ['+1 415 555 0123', 'give a phone number as phone'],
  ])('or name, that is none but %s, is told to stand elsewhere', async (given, remedy) => {
    for (const field of ['chat_id', 'chat_name']) {
      expect(await chosen({ [field]: given })).toEqual(refusal(404, `${field} matches no chat: ${remedy}`));
    }
  });

  it.each([
    ['status@broadcast', 'status', 'status'],
    ['1668000000@broadcast', 'broadcast', 'broadcast'],
    ['120363000000000099@newsletter', 'channel', 'channel'],
    // As earlier releases have kept it.
    ['120363000000000099@newsletter', 'individual', 'channel'],
    ['867051314767696@bot', 'individual', 'bot'],
  ] as const)('is %s, kept as %s: nobody can write to it', async (id, kind, told) => {
    await bench.addAccount('a');
    const chat = await bench.addChat(id, { accountId: 'a', kind });
    for (const chat_id of [id, chat]) {
      expect(await chosen({ chat_id })).toEqual(
        refusal(404, `chat_id names a chat of the kind ${told}: nobody can write to it`),
      );
    }
  });

  it('is known by an id of its own beside that of a channel: nobody can write to it', async () => {
    await bench.addAccount('a');
    await bench.addChat('510234', { accountId: 'a', aliases: ['120363000000000099@newsletter'] });
    for (const chat_id of ['510234', '120363000000000099@newsletter']) {
      expect(await chosen({ chat_id })).toEqual(
        refusal(404, 'chat_id names a chat of the kind channel: nobody can write to it'),
      );
    }
  });

  it('has an account that is gone', async () => {
    await bench.addChat('8@g.us', { accountId: 'gone' });
    for (const named of [{}, { account_id: 'a' }]) {
      expect(await chosen({ chat_id: '8@g.us', ...named })).toEqual(
        refusal(404, 'The account of the chat of chat_id is gone, or cannot send: give a phone or jid in its place'),
      );
    }
  });
});

describe('a chat by its name', () => {
  beforeEach(async () => {
    await bench.addAccount('a', { phone: '+15105566777' });
    await bench.addAccount('b', { connectedAt: '2026-02-05T00:00:00.000Z' });
  });

  it('is found by its exact title, and its own account sends', async () => {
    await bench.addChat('1@g.us', { accountId: 'a', title: 'Night shift' });
    expect(await chosen({ chat_name: 'Night shift' })).toBe('a');
    expect(await chosen({ chat_name: 'night shift' })).toEqual(
      refusal(404, 'chat_name matches no chat: it must be the whole title of one, to the letter'),
    );
  });

  it('is unknown to this workspace', async () => {
    await bench.addChat('1@g.us', { workspace: 'ws_other', accountId: 'a', title: 'Night shift' });
    expect(await chosen({ chat_name: 'Night shift' })).toEqual(
      refusal(404, 'chat_name matches no chat: it must be the whole title of one, to the letter'),
    );
  });

  it('is the old title of a chat that has another one now', async () => {
    await bench.addChat('1@g.us', { accountId: 'a', title: 'Night shift' });
    await bench.addChat('1@g.us', { accountId: 'a', title: 'Day shift', at: Date.parse('2026-03-02T00:00:00.000Z') });
    expect(await chosen({ chat_name: 'Night shift' })).toEqual(
      refusal(404, 'chat_name matches no chat: it must be the whole title of one, to the letter'),
    );
  });

  it('fits several chats, of which the ids are told, unless the account tells them apart', async () => {
    const ids = [
      await bench.addChat('1@g.us', { accountId: 'a', title: 'Ana' }),
      await bench.addChat('2@g.us', { accountId: 'b', title: 'Ana' }),
    ];
    const answer = await bench.post({ ...text, chat_name: 'Ana' });
    expect([answer.status, answer.body.message]).toEqual([409, expect.stringMatching(/^chat_name matches several/)]);
    for (const id of ids) expect(answer.body.message).toContain(id);
    expect(await chosen({ chat_name: 'Ana', whatsapp_account_phone: '+15105566777' })).toBe('a');
    expect(await chosen({ chat_name: 'Ana', account_id: 'b' })).toBe('b');
  });

  it('counts no chat that nobody can write from: its account is gone, or its provider sends nothing', async () => {
    await bench.addAccount('mute', { provider: 'mute' });
    await bench.addChat('1@g.us', { accountId: 'gone', title: 'Ana' });
    await bench.addChat('2@g.us', { accountId: 'mute', provider: 'mute', title: 'Ana' });
    await bench.addChat('3@g.us', { accountKey: 'wh_9', provider: 'mute', title: 'Ana' });
    await bench.addChat('1@g.us', { accountId: 'a', title: 'Ana' });
    expect(await chosen({ chat_name: 'Ana' })).toBe('a');
    expect(await chosen({ chat_id: '1@g.us' })).toBe('a');
  });

  it('counts only chats that can be written to', async () => {
    await bench.addChat('status@broadcast', { accountId: 'a', kind: 'status', title: 'Ana' });
    expect(await chosen({ chat_name: 'Ana' })).toEqual(
      refusal(404, 'chat_name names a chat of the kind status: nobody can write to it'),
    );
    await bench.addChat('15550100099@c.us', { accountId: 'a', title: 'Ana' });
    expect(await chosen({ chat_name: 'Ana' })).toBe('a');
  });
});

describe('a number without its country', () => {
  const recipient = async (body: object) => {
    const answer = await bench.post({ ...text, ...body });
    return answer.status === 200 ? bench.send(answer.body.data.message_id).recipient.phone : answer.body.message;
  };
  const inWorkspace = (defaultCountry: string) =>
    bench.memory.write(put({ pk: 'WORKSPACES', sk: 'main', id: 'main', name: 'main', defaultCountry }));

  it('is of the webhook’s country, else of the workspace’s, else refused', async () => {
    await bench.addAccount('a');
    const unread = 'phone does not tell its country: write it with + and its country code, as +14155550123';
    expect(await recipient({ phone: '0812-0000-0099' })).toBe(unread);
    await inWorkspace('ID');
    expect(await recipient({ phone: '0812-0000-0099' })).toBe('+6281200000099');
    await bench.addWebhook({ defaultCountry: 'GB' });
    expect(await recipient({ phone: '020 7946 0958' })).toBe('+442079460958');
    expect(await recipient({ phone: 2079460958 })).toBe('+442079460958');
    expect(await recipient({ phone: '+62 812-0000-0099' })).toBe('+6281200000099');
    expect(await recipient({ phone: '0812-0000' })).toBe(
      'phone is no number of GB: write it with + and its country code, as +14155550123',
    );
  });

  it('names our own account as well', async () => {
    await inWorkspace('GB');
    await bench.addAccount('london', { phone: '+442079460958' });
    await bench.addAccount('last', { connectedAt: '2026-02-05T00:00:00.000Z' });
    for (const spelling of ['020 7946 0958', '442079460958', '0044 20 7946 0958', '+44 (0)20 7946 0958']) {
      expect(await chosen({ phone, whatsapp_account_phone: spelling })).toBe('london');
    }
  });
});
