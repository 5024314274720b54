import * as v from 'valibot';
import { expect, it } from 'vitest';
import { coobyAccount } from '#functions/cooby/account.ts';

it('has accounts that cannot send and hold no credentials', () => {
  expect(coobyAccount).toMatchObject({ canSend: false, channels: ['whatsapp'] });
  expect(v.is(coobyAccount.credentials('whatsapp'), {})).toBe(true);
  expect(v.is(coobyAccount.credentials('whatsapp'), { token: 'x' })).toBe(false);
});
