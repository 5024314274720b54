import * as v from 'valibot';

/** One token covers a workspace. As it is stored; it was checked when the account was made. */
export const StoredWorkspace = v.looseObject({
  apiToken: v.pipe(v.string(), v.regex(/^[\w.~+/=-]+$/)),
  baseUrl: v.optional(v.string(), 'https://app.timelines.ai/integrations/api'),
});
export type Workspace = v.InferOutput<typeof StoredWorkspace>;

/** Without a slash at the end: with one, they answer with a page. */
export function apiUrl({ baseUrl }: Workspace, path: string): string {
  return `${baseUrl.replace(/\/+$/, '')}/${path}`;
}

export function authorization({ apiToken }: Workspace): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${apiToken}` };
}

/** All that the credentials tell: which of the workspace's numbers it is, the account's own phone says. */
export function lineOf(credentials: unknown): readonly string[] | undefined {
  const read = v.safeParse(StoredWorkspace, credentials);
  return read.success ? [apiUrl(read.output, ''), read.output.apiToken] : undefined;
}
