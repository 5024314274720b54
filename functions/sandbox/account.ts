import { strictObject } from '#lib/domain/schema.ts';
import type { AccountProvider } from '#lib/tenants/account.ts';

const Credentials = strictObject({});

/** Needs no account anywhere, and so no credentials. */
export const sandboxAccount: AccountProvider = {
  name: 'sandbox',
  channels: ['whatsapp', 'sms'],
  canSend: true,
  credentials: () => Credentials,
};
