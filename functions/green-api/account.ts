import * as v from 'valibot';
import { BaseUrl } from '#lib/domain/base-url.ts';
import type { AccountProvider } from '#lib/tenants/account.ts';
import { hostOf, lineOf } from './outbound.ts';
import { InstanceId } from './schema.ts';

const Host = v.pipe(BaseUrl, v.transform(hostOf));

const Credentials = v.strictObject({
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
