import { strictObject } from '#lib/domain/schema.ts';
import type { AccountProvider } from '#lib/tenants/account.ts';

/** Cooby has no public way to send: an account only gives a name to what it reports. */
export const coobyAccount: AccountProvider = {
  name: 'cooby',
  channels: ['whatsapp'],
  canSend: false,
  credentials: () => strictObject({}),
};
