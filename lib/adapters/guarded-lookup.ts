import dns, { type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';

/** All addresses of a name, as `dns.lookup` gives them: with an error come none at all. */
export type Lookup = (
  host: string,
  answer: (error: Error | null, addresses?: readonly LookupAddress[]) => void,
) => void;

export const systemLookup: Lookup = (host, answer) => dns.lookup(host, { all: true }, answer);

export interface Guard {
  readonly isAllowed: (address: string) => boolean;
  /** Of a name with an address that is not allowed; one condemns it, for it has no business beside a public one. */
  readonly forbidden: () => Error;
  /** Of a name without any address. */
  readonly nowhere: () => Error;
}

/** Hands on the very addresses that were checked: a name that changes its mind before the connection finds no gap. */
export function guardedLookup(lookup: Lookup, { isAllowed, forbidden, nowhere }: Guard): LookupFunction {
  return (host, options, callback) => {
    lookup(host, (error, addresses = []) => {
      const [first] = addresses;
      if (error) callback(error, []);
      else if (!first) callback(nowhere(), []);
      else if (!addresses.every(({ address }) => isAllowed(address))) callback(forbidden(), []);
      // Node asks for all addresses where it may try several at once, and for one elsewhere.
      else if (options.all) callback(null, [...addresses]);
      else callback(null, first.address, first.family);
    });
  };
}
