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
