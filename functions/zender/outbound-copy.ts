import * as v from 'valibot';

const id = v.pipe(v.union([v.string(), v.number()]), v.transform(String), v.nonEmpty());
const host = { baseUrl: v.string(), secret: v.pipe(v.string(), v.nonEmpty()) };

const Devices = v.looseObject({
  ...host,
  mode: v.literal('devices'),
  device: id,
  sim: v.exactOptional(v.picklist([1, 2])),
});
const Credits = v.looseObject({ ...host, mode: v.literal('credits'), gateway: id });
export const WhatsappCopy = v.looseObject({ ...host, account: id, mode: v.exactOptional(v.undefined()) });

/** Accounts at one company's copy, as their credentials are stored; they were checked when the account was made. */
export const SmsCopy = v.union([Devices, Credits]);
const StoredCopy = v.union([SmsCopy, WhatsappCopy]);
export type Copy = v.InferOutput<typeof StoredCopy>;

export function apiUrl({ baseUrl }: Copy, path: string): string {
  return `${baseUrl.replace(/\/+$/, '')}/api/${path}`;
}

/** Lists take the secret in their address: it is never to be shown. */
export function listUrl(copy: Copy, path: string, more: Readonly<Record<string, string>> = {}): string {
  return `${apiUrl(copy, path)}?${new URLSearchParams({ secret: copy.secret, ...more })}`;
}

/** Whoever pays for it, and by whichever scheme it is reached. */
export function lineOf(credentials: unknown): readonly string[] | undefined {
  const read = v.safeParse(StoredCopy, credentials);
  if (!read.success) return undefined;
  const copy = read.output;
  const { host, pathname } = new URL(copy.baseUrl);
  const at = `${host}${pathname.replace(/\/+$/, '')}`;
  if (copy.mode === undefined) return [at, 'whatsapp', copy.account];
  if (copy.mode === 'credits') return [at, 'gateway', copy.gateway];
  return [at, 'device', copy.device, String(copy.sim ?? 1)];
}
