import * as v from 'valibot';
import { strictObject } from '#lib/domain/schema.ts';
import { BaseUrl } from '#lib/domain/url.ts';
import type { AccountProvider } from '#lib/tenants/account.ts';
import { InstanceId } from './values.ts';

/** An instance as its credentials are stored; they were checked when the account was made. */
export const StoredInstance = v.looseObject({
  apiUrl: v.string(),
  mediaUrl: v.exactOptional(v.string()),
  idInstance: v.pipe(v.union([v.string(), v.number()]), v.transform(String), v.regex(/^\d+$/)),
  apiTokenInstance: v.pipe(v.string(), v.regex(/^[\w-]+$/)),
});
export type Instance = v.InferOutput<typeof StoredInstance>;

/** The console shows whole endpoints as well, and those are what people paste. What is stored may be older than this. */
export function hostOf(url: string): string {
  return url.replace(/\/waInstance.*$/i, '').replace(/\/+$/, '');
}

/** Their number of it is the line, whichever token opens it. */
export function lineOf(credentials: unknown): readonly string[] | undefined {
  const read = v.safeParse(StoredInstance, credentials);
  return read.success ? [read.output.idInstance] : undefined;
}

const Host = v.pipe(BaseUrl, v.transform(hostOf));

const Credentials = strictObject({
  // Hosts are per instance and shown in GREEN-API's console; methods are added to them.
  apiUrl: Host,
  mediaUrl: v.exactOptional(Host),
  idInstance: InstanceId,
  // It becomes a part of each request's path.
  apiTokenInstance: v.pipe(
    v.string(),
    v.trim(),
    v.regex(/^[\w-]+$/, 'must be letters, digits, - and _, as their console shows it'),
  ),
});

export const greenApiAccount: AccountProvider = {
  name: 'green-api',
  channels: ['whatsapp'],
  canSend: true,
  credentials: () => Credentials,
  baseUrls: ['apiUrl', 'mediaUrl'],
  lineOf,
  instanceOf: (credentials) => {
    const read = v.safeParse(v.looseObject({ idInstance: InstanceId }), credentials);
    return read.success ? read.output.idInstance : undefined;
  },
};
