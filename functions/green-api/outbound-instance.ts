import * as v from 'valibot';

/** An instance as its credentials are stored; they were checked when the account was made. */
export const StoredInstance = v.looseObject({
  apiUrl: v.string(),
  mediaUrl: v.exactOptional(v.string()),
  idInstance: v.pipe(v.union([v.string(), v.number()]), v.transform(String), v.regex(/^\d+$/)),
  apiTokenInstance: v.pipe(v.string(), v.regex(/^[\w-]+$/)),
});
export type Instance = v.InferOutput<typeof StoredInstance>;

/** The URL is a secret: the token is a part of its path. */
export function methodUrl(instance: Instance, method: string, host: 'api' | 'media' = 'api'): string {
  const base = host === 'media' ? (instance.mediaUrl ?? instance.apiUrl) : instance.apiUrl;
  return `${base.replace(/\/+$/, '')}/waInstance${instance.idInstance}/${method}/${instance.apiTokenInstance}`;
}

/** Their number of it is the line, whichever token opens it. */
export function lineOf(credentials: unknown): readonly string[] | undefined {
  const read = v.safeParse(StoredInstance, credentials);
  return read.success ? [read.output.idInstance] : undefined;
}
