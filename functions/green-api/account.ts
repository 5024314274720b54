import * as v from 'valibot';
import type { AccountProvider } from '#lib/app/accounts/provider.ts';
import { lineOf } from './outbound-instance.ts';
import { InstanceId } from './values.ts';

/** Hosts are per instance and shown in GREEN-API's console; methods are added to them. */
const Host = v.pipe(
  v.string(),
  v.trim(),
  v.url(),
  v.regex(/^https?:\/\/[^\s?#@]+$/i, 'must be an http or https URL, without anything behind its path'),
  v.transform((url) => url.replace(/\/+$/, '')),
);

const Credentials = v.strictObject({
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
  lineOf,
  instanceOf: (credentials) => {
    const read = v.safeParse(v.looseObject({ idInstance: InstanceId }), credentials);
    return read.success ? read.output.idInstance : undefined;
  },
};
