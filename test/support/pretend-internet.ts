import http from 'node:http';
import https from 'node:https';
import net, { type LookupFunction, type Socket } from 'node:net';
import { vi } from 'vitest';
import type { Lookup } from '#lib/net/provider-call.ts';

interface Dial {
  readonly host?: string | null | undefined;
  readonly lookup?: LookupFunction | undefined;
}

/**
 * Leads every connection that Node's agents are asked for to one port of this machine, whatever its address, and has
 * the socket bear the address it was meant for. A guard that fails is seen there as a connection. TLS is left out.
 */
export function pretendInternet(port: number): void {
  const dial = (options: Dial) => dialled(options, port);
  vi.spyOn(http.Agent.prototype, 'createConnection').mockImplementation(dial);
  vi.spyOn(https.Agent.prototype, 'createConnection').mockImplementation(dial);
}

function dialled({ host, lookup }: Dial, port: number): Socket {
  const name = host ?? 'localhost';
  let meant = name;
  const here: LookupFunction = (hostname, options, callback) => {
    lookup?.(hostname, options, (error, addresses, family) => {
      const [first] = Array.isArray(addresses) ? addresses : [{ address: addresses, family: family ?? 4 }];
      meant = first?.address ?? '';
      callback(error, error ? [] : [{ address: '127.0.0.1', family: 4 }]);
    });
  };
  const socket = net.connect({ host: net.isIP(name) ? '127.0.0.1' : name, port, lookup: here });
  Object.defineProperty(socket, 'remoteAddress', { get: () => meant });
  return socket;
}

/** A resolver that knows these names, one answer after the other, the last for ever; and notes what it was asked. */
export function names(known: Readonly<Record<string, readonly (readonly string[])[]>>) {
  const asked: string[] = [];
  const lookup: Lookup = (host, answer) => {
    const times = asked.filter((name) => name === host).length;
    asked.push(host);
    const addresses = known[host]?.[times] ?? known[host]?.at(-1);
    setImmediate(() => {
      if (!addresses) answer(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }));
      else
        answer(
          null,
          addresses.map((address) => ({ address, family: net.isIP(address) })),
        );
    });
  };
  return { asked, lookup };
}
