import { describe, expect, it } from 'vitest';
import { cooby } from '#functions/cooby/provider.ts';
import { identified } from '#test/support/identity.ts';
import { groupImage, older, text, withMessage } from './payloads.ts';

const of = (payload: unknown) => identified(cooby, payload);

describe('an event of cooby is the same', () => {
  it.each([
    { name: 'when delivered again', first: text, second: structuredClone(text) },
    {
      name: 'when its keys come in another order',
      first: text,
      second: Object.fromEntries(Object.entries(text).reverse()),
    },
    { name: 'when the timestamp is a number', first: text, second: { ...text, timestamp: 1767225600 } },
    { name: 'when posted as the older shape again', first: older, second: structuredClone(older) },
  ])('$name', ({ first, second }) => {
    expect(of(second)).toEqual(of(first));
  });
});

describe('an event of cooby is another', () => {
  const olderWith = (fields: object) => ({ ...older, message: { ...older.message, ...fields } });
  it.each([
    { name: 'for another user who sees the same message', first: text, second: { ...text, user_phone: '15550100002' } },
    { name: 'for another message id', first: text, second: withMessage({ id: '3EB0AA11BB22CC33DD99' }) },
    { name: 'for the same message id in another chat', first: text, second: { ...text, chat_id: groupImage.chat_id } },
    { name: 'when the message was taken back', first: text, second: withMessage({ type: 'revoked', text: undefined }) },
    { name: 'in the older shape for another time', first: older, second: { ...older, timestamp: '1767226301' } },
    { name: 'in the older shape for another text', first: older, second: olderWith({ text: 'Ho' }) },
    { name: 'in the older shape for another type', first: older, second: olderWith({ type: 'video' }) },
    {
      name: 'in the older shape for another file',
      first: older,
      second: olderWith({ file_url: 'https://x.example/2' }),
    },
    { name: 'in the older shape for another user', first: older, second: { ...older, user_phone: '15550100002' } },
    {
      name: 'in the older shape for another sender',
      first: older,
      second: { ...older, sender: { phone: '15550100099' } },
    },
  ])('$name', ({ first, second }) => {
    expect(of(second).id).not.toBe(of(first).id);
  });
});
