import * as v from 'valibot';
import type { AccountProvider } from '#lib/app/accounts/provider.ts';
import { lineOf } from './outbound-workspace.ts';

// Paths are put behind it, and TimelinesAI answers a superfluous slash with an HTML page.
const BaseUrl = v.pipe(
  v.string(),
  v.url(),
  v.regex(/^https?:\/\/[^@?#]+$/i, 'must be an http or https URL, without anything behind its path'),
  v.transform((url) => url.replace(/\/+$/, '')),
);

const Credentials = v.object({
  // It goes into a header: one line, without blanks.
  apiToken: v.pipe(v.string(), v.regex(/^[\w.~+/=-]+$/), v.maxLength(4096)),
  baseUrl: v.exactOptional(BaseUrl),
});

/** One token covers a whole workspace; which of its numbers sends is told by the account's own phone. */
export const timelinesAiAccount: AccountProvider = {
  name: 'timelinesai',
  channels: ['whatsapp'],
  canSend: true,
  credentials: () => Credentials,
  lineOf,
  isNamedByPhone: true,
};
