import fc from 'fast-check';
import { expect, it } from 'vitest';
import { recipientOf, whatsappChatOf } from '#lib/domain/send/recipient.ts';

it.each([
  [{ phone: '+12025550142' }, { kind: 'phone', phone: '+12025550142' }],
  [{ jid: '1@g.us' }, { kind: 'jid', jid: '1@g.us' }],
  [
    { chat_id: '48211', chat: 'chat_1' },
    { kind: 'chat_id', id: '48211' },
  ],
  [{ chat_name: 'Night shift' }, { kind: 'chat_name', name: 'Night shift' }],
  [{ phone: 'Ana' }, undefined],
  [{ phone: '+12025550142', chat_id: '48211' }, undefined],
  [{}, undefined],
])('%j is read as %j', (kept, recipient) => {
  expect(recipientOf(kept)).toEqual(recipient);
});

it('whatever is kept, a chat is a number, a group, or a hidden number that is known', () => {
  const jid = fc.tuple(fc.string(), fc.constantFrom('@c.us', '@s.whatsapp.net', '@g.us', '@lid', '@broadcast', ''));
  const text = fc.oneof(
    fc.string(),
    jid.map(([user, server]) => user + server),
    fc.bigInt({ min: 1n, max: 10n ** 20n }).map(String),
  );
  const kept = fc.oneof(
    ...['phone', 'jid', 'chat_id', 'chat_name'].map((form) => text.map((value) => ({ [form]: value }))),
  );
  fc.assert(
    fc.property(kept, (form) => {
      const recipient = recipientOf(form);
      const chat = recipient && whatsappChatOf(recipient);
      if (chat === undefined) return;
      expect(chat).toMatch(/^[1-9][\d-]{4,32}@(?:c\.us|g\.us|lid)$/);
      if (chat.endsWith('@lid')) expect(recipient?.kind).toBe('chat_id');
    }),
    { numRuns: 2000 },
  );
});
