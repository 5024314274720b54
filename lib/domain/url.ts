import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import * as v from 'valibot';

/** Of IPv6, all else is nobody's, though some hosts still reach IPv4 by it. */
const ASSIGNED = ipaddr.IPv6.parseCIDR('2000::/3');

/** Whether this is one address of one host on the public internet. Addresses that wrap another are not unwrapped but refused. */
export function isPublicAddress(address: string): boolean {
  // The zone of `fe80::1%eth0` is a name on this machine.
  if (isIP(address) === 0 || address.includes('%')) return false;
  const parsed = ipaddr.parse(address);
  return parsed.range() === 'unicast' && (parsed instanceof ipaddr.IPv4 || parsed.match(ASSIGNED));
}

/** Whether a URL's host cannot be on the public internet. Of any other name only connecting shows where it leads. */
function isPrivateHost(host: string): boolean {
  // The parser has written every spelling of an IPv4 address as four numbers.
  if (host.startsWith('[') || /^[\d.]+$/.test(host)) return !isPublicAddress(host.replace(/^\[|\]$/g, ''));
  const name = host.replace(/\.$/, '');
  return !name.includes('.') || /\.(?:localhost|local|internal)$/.test(name);
}

/** What may be called. Deployed, neither is true: https on port 443 of a public host. */
export interface Reach {
  /** Any port, and http: on a hub on one's own machine. */
  readonly anyPort: boolean;
  /** Hosts and addresses that are not on the public internet. */
  readonly privateHosts: boolean;
  /** The machine that the hub runs on, and nothing else beside it. */
  readonly ownMachine?: boolean;
}

/** Whether an address may be called, once a name has led to it. */
export function isReachable(address: string, { privateHosts, ownMachine }: Reach): boolean {
  if (privateHosts || isPublicAddress(address)) return true;
  return ownMachine === true && ipaddr.process(address).range() === 'loopback';
}

/** Whether a URL's host is a name or an address of this very machine. */
export function isOwnMachine(host: string): boolean {
  const name = host.replace(/^\[|\]$|\.$/g, '');
  return (
    /(?:^|\.)localhost$/.test(name) ||
    (isIP(name) !== 0 && isReachable(name, { anyPort: true, privateHosts: false, ownMachine: true }))
  );
}

const PUBLIC = 'must be on the public internet';
const OPENED = ': a hub on your own machine calls others if it is started with HOOKLINE_ALLOW_PRIVATE_HOSTS=1';

type UrlRead = { readonly kind: 'ok'; readonly url: URL } | { readonly kind: 'refused'; readonly reason: string };

/**
 * The one rule for the URLs of providers: asked when an account is created or changed, and again at each call. A name
 * that leads to a private address shows only in connecting.
 */
export function readProviderUrl(raw: string, { anyPort, privateHosts, ownMachine }: Reach): UrlRead {
  const url = URL.parse(raw);
  if (!url || !/^https?:$/.test(url.protocol)) return refused('must be a URL, as https://example.com');
  if (url.username !== '' || url.password !== '') return refused('must not hold credentials');
  if (!anyPort && url.protocol !== 'https:') return refused('must begin with https://');
  // The parser empties a port that is the scheme's own.
  if (!anyPort && url.port !== '') return refused('must be on port 443: leave the port out');
  const isOwn = ownMachine === true && isOwnMachine(url.hostname);
  if (!privateHosts && !isOwn && isPrivateHost(url.hostname)) return refused(anyPort ? `${PUBLIC}${OPENED}` : PUBLIC);
  return { kind: 'ok', url };
}

/** The same, of a URL that paths are put behind. */
export function readBaseUrl(raw: string, reach: Reach): UrlRead {
  // The parser drops some of what it is given without a word.
  if (/[\s\\]|^https?:(?!\/\/[^/])/i.test(raw)) return refused('must be a URL, as https://example.com');
  const read = readProviderUrl(raw, reach);
  return read.kind === 'ok' && /[?#]/.test(raw) ? refused('must not have a query or fragment') : read;
}

// The parser empties a port that is the scheme's own.
const FILE_PORTS = ['', '80', '443'];

/**
 * The form of a `file_url`, checked when a send is accepted and again on every redirect. Whether a name leads to a public
 * address shows only in connecting.
 */
export function readFileUrl(raw: string, allowPrivateHosts: boolean): UrlRead {
  const url = URL.parse(raw);
  if (url === null) return refused('is not a URL');
  if (!/^https?:$/.test(url.protocol)) return refused('must be an http or https URL');
  if (url.username !== '' || url.password !== '') return refused('must not hold credentials');
  if (!allowPrivateHosts && !FILE_PORTS.includes(url.port)) return refused('must be on port 80 or 443');
  if (!allowPrivateHosts && isPrivateHost(url.hostname))
    return refused('leads to an address that is not on the public internet');
  return { kind: 'ok', url };
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
