import * as v from 'valibot';
import { BaseUrl } from '#lib/domain/base-url.ts';
import type { AccountProvider } from '#lib/tenants/account.ts';
import { lineOf, rootOf } from './outbound.ts';

const filled = v.pipe(v.string(), v.trim(), v.nonEmpty());
/** Ids come as numbers as well. */
const id = v.pipe(v.union([v.string(), v.number()]), v.transform(String), v.trim(), v.nonEmpty());

/** There is no one Zender: each company hosts a copy of its own. */
const host = { baseUrl: v.pipe(BaseUrl, v.transform(rootOf)), secret: filled };

const Whatsapp = v.strictObject({ ...host, account: id });
const Sms = v.variant('mode', [
  v.strictObject({ ...host, mode: v.literal('devices'), device: id, sim: v.optional(v.picklist([1, 2])) }),
  v.strictObject({ ...host, mode: v.literal('credits'), gateway: id }),
]);

export const zenderAccount: AccountProvider = {
  name: 'zender',
  channels: ['whatsapp', 'sms'],
  canSend: true,
  credentials: (channel) => (channel === 'sms' ? Sms : Whatsapp),
  baseUrls: ['baseUrl'],
  lineOf,
};
