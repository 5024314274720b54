import { isPrivateHost } from './public-address.ts';

const SCHEMES = new Set(['http:', 'https:']);
// The parser empties a port that is the scheme's own.
const PORTS = new Set(['', '80', '443']);

export type FileUrl =
  | { readonly kind: 'ok'; readonly url: URL }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * The form of a `file_url`, checked when a send is accepted and again on every redirect. Whether a name leads to a public
 * address shows only in connecting.
 */
export function readFileUrl(raw: string, allowPrivateHosts: boolean): FileUrl {
  const url = URL.parse(raw);
  if (url === null) return refused('is not a URL');
  if (!SCHEMES.has(url.protocol)) return refused('must be an http or https URL');
  if (url.username !== '' || url.password !== '') return refused('must not hold credentials');
  if (!allowPrivateHosts && !PORTS.has(url.port)) return refused('must be on port 80 or 443');
  if (!allowPrivateHosts && isPrivateHost(url.hostname))
    return refused('leads to an address that is not on the public internet');
  return { kind: 'ok', url };
}

function refused(reason: string): FileUrl {
  return { kind: 'refused', reason };
}
