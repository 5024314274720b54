import * as v from 'valibot';
import { BaseUrl } from '#lib/domain/base-url.ts';
import type { AccountProvider } from '#lib/tenants/account.ts';
import { lineOf, rootOf } from './outbound.ts';

const Credentials = v.object({
  // It goes into a header: one line, without blanks.
  apiToken: v.pipe(v.string(), v.regex(/^[\w.~+/=-]+$/), v.maxLength(4096)),
  // TimelinesAI answers a superfluous slash with an HTML page.
  baseUrl: v.exactOptional(v.pipe(BaseUrl, v.transform(rootOf))),
});

/** One token covers a whole workspace; which of its numbers sends is told by the account's own phone. */
export const timelinesAiAccount: AccountProvider = {
  name: 'timelinesai',
  channels: ['whatsapp'],
  canSend: true,
  credentials: () => Credentials,
  baseUrls: ['baseUrl'],
  lineOf,
  isNamedByPhone: true,
};
