import { BlockList, isIP } from 'node:net';

/** What IANA's registries say is not globally reachable, and what wraps an address of IPv4 in one of IPv6. */
const RESERVED = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.31.196.0/24', '192.52.193.0/24', '192.88.99.0/24', '192.168.0.0/16', '192.175.48.0/24'],
  ...['198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
  ...['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20'],
];
/** Of IPv6, all else is nobody's: `::/96` and `64:ff9b::/96` still reach IPv4 on some hosts. */
const ASSIGNED = ['2000::/3'];

const reserved = listOf(RESERVED);
const assigned = listOf(ASSIGNED);

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = '', bits] = range.split('/');
    list.addSubnet(network, Number(bits), network.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}

/** Whether this is one address of one host on the public internet. Addresses that wrap another are not unwrapped but refused. */
export function isPublicAddress(address: string): boolean {
  const version = isIP(address);
  // The zone of `fe80::1%eth0` is a name on this machine.
  if (version === 0 || address.includes('%')) return false;
  const family = version === 6 ? 'ipv6' : 'ipv4';
  return !reserved.check(address, family) && (version === 4 || assigned.check(address, family));
}

/** Whether a URL's host cannot be on the public internet. Of any other name only connecting shows where it leads. */
export function isPrivateHost(host: string): boolean {
  // The parser has written every spelling of an IPv4 address as four numbers.
  if (host.startsWith('[') || /^[\d.]+$/.test(host)) return !isPublicAddress(host.replace(/^\[|\]$/g, ''));
  const name = host.replace(/\.$/, '');
  return !name.includes('.') || /\.(?:localhost|local|internal)$/.test(name);
}
