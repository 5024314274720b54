import * as v from 'valibot';
import { strictObject } from '#lib/domain/schema.ts';
import { BaseUrl } from '#lib/domain/url.ts';
import type { AccountProvider } from '#lib/tenants/account.ts';

const storedId = v.pipe(v.union([v.string(), v.number()]), v.transform(String), v.nonEmpty());
const storedHost = { baseUrl: v.string(), secret: v.pipe(v.string(), v.nonEmpty()) };

const Devices = v.looseObject({
  ...storedHost,
  mode: v.literal('devices'),
  device: storedId,
  sim: v.exactOptional(v.picklist([1, 2])),
});
const Credits = v.looseObject({ ...storedHost, mode: v.literal('credits'), gateway: storedId });
export const WhatsappCopy = v.looseObject({ ...storedHost, account: storedId, mode: v.exactOptional(v.undefined()) });

/** Accounts at one company's copy, as their credentials are stored; they were checked when the account was made. */
export const SmsCopy = v.union([Devices, Credits]);
const StoredCopy = v.union([SmsCopy, WhatsappCopy]);
export type Host = v.InferOutput<typeof StoredCopy>;

/** People paste what they find, with `/api` or a whole endpoint behind it. What is stored may be older than this. */
function rootOf(baseUrl: string): string {
  const { origin, pathname } = new URL(baseUrl);
  return `${origin}${pathname.replace(/\/api(?:\/.*)?$/i, '').replace(/\/+$/, '')}`;
}

export function apiUrl({ baseUrl }: Host, path: string): string {
  return `${rootOf(baseUrl)}/api/${path}`;
}

/** Whoever pays for it, and by whichever scheme it is reached. */
export function lineOf(credentials: unknown): readonly string[] | undefined {
  const read = v.safeParse(StoredCopy, credentials);
  if (!read.success) return undefined;
  const host = read.output;
  const { host: address, pathname } = new URL(rootOf(host.baseUrl));
  const at = `${address}${pathname.replace(/\/+$/, '')}`;
  if (host.mode === undefined) return [at, 'whatsapp', host.account];
  if (host.mode === 'credits') return [at, 'gateway', host.gateway];
  return [at, 'device', host.device, String(host.sim ?? 1)];
}

const filled = v.pipe(v.string(), v.trim(), v.nonEmpty());
/** Ids come as numbers as well. */
const id = v.pipe(v.union([v.string(), v.number()]), v.transform(String), v.trim(), v.nonEmpty());

/** There is no one Zender: each company hosts a copy of its own. */
const host = { baseUrl: v.pipe(BaseUrl, v.transform(rootOf)), secret: filled };

const Whatsapp = strictObject({ ...host, account: id });
const Sms = v.variant('mode', [
  strictObject({ ...host, mode: v.literal('devices'), device: id, sim: v.optional(v.picklist([1, 2])) }),
  strictObject({ ...host, mode: v.literal('credits'), gateway: id }),
]);

export const zenderAccount: AccountProvider = {
  name: 'zender',
  channels: ['whatsapp', 'sms'],
  canSend: true,
  credentials: (channel) => (channel === 'sms' ? Sms : Whatsapp),
  baseUrls: ['baseUrl'],
  lineOf,
  deviceOf: (credentials) => {
    const read = v.safeParse(Devices, credentials);
    return read.success ? { device: read.output.device, sim: read.output.sim ?? 1 } : undefined;
  },
};
