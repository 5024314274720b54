import ipaddr from 'ipaddr.js';

// The library calls all of IPv6 that nobody has put to a use unicast: `::/96` still reaches IPv4 on some hosts.
const ASSIGNED = ipaddr.IPv6.parseCIDR('2000::/3');

/** Whether this is one address of one host on the public internet. Addresses that wrap another are not unwrapped but refused. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast') return false;
  return parsed instanceof ipaddr.IPv4 || parsed.match(ASSIGNED);
}

/** Whether a URL's host cannot be on the public internet. Of any other name only connecting shows where it leads. */
export function isPrivateHost(host: string): boolean {
  // The parser has written every spelling of an IPv4 address as four numbers.
  if (host.startsWith('[') || /^[\d.]+$/.test(host)) return !isPublicAddress(host.replace(/^\[|\]$/g, ''));
  const name = host.replace(/\.$/, '');
  return !name.includes('.') || /\.(?:localhost|local|internal)$/.test(name);
}
