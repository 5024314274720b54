import * as v from 'valibot';
import { isPrivateHost } from './public-address.ts';

/** What may be called. Deployed, neither is true: https on port 443 of a public host. */
export interface Reach {
  /** Any port, and http: on a hub on one's own machine. */
  readonly anyPort: boolean;
  /** Hosts and addresses that are not on the public internet. */
  readonly privateHosts: boolean;
}

export type UrlRead =
  | { readonly kind: 'ok'; readonly url: URL }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * The one rule for the URLs of providers: asked when an account is created or changed, and again at each call. A name
 * that leads to a private address shows only in connecting.
 */
export function readProviderUrl(raw: string, { anyPort, privateHosts }: Reach): UrlRead {
  const url = URL.parse(raw);
  if (!url || !/^https?:$/.test(url.protocol)) return refused('must be a URL, as https://example.com');
  if (url.username !== '' || url.password !== '') return refused('must not hold credentials');
  if (!anyPort && url.protocol !== 'https:') return refused('must begin with https://');
  // The parser empties a port that is the scheme's own.
  if (!anyPort && url.port !== '') return refused('must be on port 443: leave the port out');
  if (!privateHosts && isPrivateHost(url.hostname)) return refused('must be on the public internet');
  return { kind: 'ok', url };
}

/** The same, of a URL that paths are put behind. */
export function readBaseUrl(raw: string, reach: Reach): UrlRead {
  // The parser drops some of what it is given without a word.
  if (/[\s\\]|^https?:(?!\/\/[^/])/i.test(raw)) return refused('must be a URL, as https://example.com');
  const read = readProviderUrl(raw, reach);
  return read.kind === 'ok' && /[?#]/.test(raw) ? refused('must not have a query or fragment') : read;
}

function refused(reason: string): UrlRead {
  return { kind: 'refused', reason };
}

/** What some hub may call. Whether this one may is asked where the hub is known: stored credentials stay readable. */
const ANYWHERE: Reach = { anyPort: true, privateHosts: true };

const reasonOf = (raw: string): string => {
  const read = readBaseUrl(raw, ANYWHERE);
  return read.kind === 'refused' ? read.reason : '';
};

/** A field of credentials: as the parser writes it, without a slash at its end. */
export const BaseUrl = v.pipe(
  v.string(),
  v.trim(),
  v.maxLength(2048),
  v.check(
    (raw) => reasonOf(raw) === '',
    (issue) => reasonOf(issue.input),
  ),
  v.transform((raw) => new URL(raw).href.replace(/\/+$/, '')),
);
