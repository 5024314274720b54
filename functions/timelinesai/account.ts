import * as v from 'valibot';
import { BaseUrl } from '#lib/domain/url.ts';
import type { AccountProvider } from '#lib/tenants/account.ts';

/** One token covers a workspace. As it is stored; it was checked when the account was made. */
export const StoredWorkspace = v.looseObject({
  apiToken: v.pipe(v.string(), v.regex(/^[\w.~+/=-]+$/)),
  baseUrl: v.optional(v.string(), 'https://app.timelines.ai/integrations/api'),
});
export type Workspace = v.InferOutput<typeof StoredWorkspace>;

/** Without an endpoint that was pasted with it, nor a slash at its end: with that, they answer with a page. */
function rootOf(baseUrl: string): string {
  return baseUrl.replace(/(\/integrations\/api)\/.*$/i, '$1').replace(/\/+$/, '');
}

export function apiUrl({ baseUrl }: Workspace, path: string): string {
  return `${rootOf(baseUrl)}/${path}`;
}

/** All that the credentials tell: which of the workspace's numbers it is, the account's own phone says. */
export function lineOf(credentials: unknown): readonly string[] | undefined {
  const read = v.safeParse(StoredWorkspace, credentials);
  return read.success ? [apiUrl(read.output, ''), read.output.apiToken] : undefined;
}

const Credentials = v.object({
  // It goes into a header: one line, without blanks.
  // And it is often copied with the word that stands before it there.
  apiToken: v.pipe(
    v.string(),
    v.transform((token) => token.trim().replace(/^Bearer\s+/i, '')),
    v.regex(/^[\w.~+/=-]+$/, 'must be the token alone, as TimelinesAI shows it'),
    v.maxLength(4096),
  ),
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
