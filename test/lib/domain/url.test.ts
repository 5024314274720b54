import * as v from 'valibot';
import { describe, expect, it, test } from 'vitest';
import { issuesOf } from '#lib/domain/schema.ts';
import { BaseUrl, readBaseUrl, readProviderUrl } from '#lib/domain/url.ts';

const DEPLOYED = { anyPort: false, privateHosts: false };
const LOCAL = { anyPort: true, privateHosts: false };
const ANYWHERE = { anyPort: true, privateHosts: true };

const NO_URL = 'must be a URL, as https://example.com';
const CREDENTIALS = 'must not hold credentials';
const QUERY = 'must not have a query or fragment';
const HTTPS = 'must begin with https://';
const PORT = 'must be on port 443: leave the port out';
const PUBLIC = 'must be on the public internet';
const OPENED = `${PUBLIC}: a hub on your own machine calls others if it is started with HOOKLINE_ALLOW_PRIVATE_HOSTS=1`;

describe('a base URL', () => {
  test.each([
    ['https://7105.api.greenapi.com', 'https://7105.api.greenapi.com'],
    ['https://GW.example:443/zender/', 'https://gw.example/zender'],
    ['https://gw.example///', 'https://gw.example'],
    ['https://bücher.example/ä', 'https://xn--bcher-kva.example/%C3%A4'],
    ['https://gw.example/a/../b', 'https://gw.example/b'],
    ['https://93.184.215.14', 'https://93.184.215.14'],
    ['https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]', 'https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]'],
  ])('%s is kept as %s, and called', (raw, kept) => {
    expect(readBaseUrl(raw, DEPLOYED).kind).toBe('ok');
    expect(v.parse(BaseUrl, raw)).toBe(kept);
    expect(readProviderUrl(`${kept}/path?secret=x`, DEPLOYED).kind).toBe('ok');
  });

  test.each([
    ...['', 'gw.example', '//gw.example', 'https:gw.example', 'https:/gw.example', 'https:///gw.example'].map((raw) => [
      raw,
      NO_URL,
    ]),
    ...['https://', 'https://1.2.3.400', 'https://gw .example', 'https://gw\texample', 'https:\\\\gw.example'].map(
      (raw) => [raw, NO_URL],
    ),
    ...['ftp://gw.example', 'file:///etc/passwd', 'data:,x'].map((raw) => [raw, NO_URL]),
    ...['https://ann:pa55@gw.example', 'https://ann@gw.example', 'https://:pa55@gw.example'].map((raw) => [
      raw,
      CREDENTIALS,
    ]),
    ...['https://gw.example?x=1', 'https://gw.example/?', 'https://gw.example#', 'https://gw.example/#x'].map((raw) => [
      raw,
      QUERY,
    ]),
  ])('%j is none anywhere: it %s', (raw = '', reason = '') => {
    for (const reach of [DEPLOYED, LOCAL, ANYWHERE])
      expect(readBaseUrl(raw, reach)).toEqual({ kind: 'refused', reason });
    expect(issuesOf(v.safeParse(BaseUrl, raw).issues ?? [])).toEqual([{ path: '', message: reason }]);
  });

  const hosts = [
    '127.0.0.1',
    '2130706433',
    '0x7f.1',
    '10.0.0.1',
    '169.254.169.254',
    '[::1]',
    '[fd00::1]',
    '[::ffff:10.0.0.1]',
  ];
  const names = ['localhost', 'gateway', 'a.localhost', 'db.internal', 'printer.local.'];
  test.each([
    ['http://gw.example', HTTPS, 'ok', 'ok'],
    ['https://gw.example:8443', PORT, 'ok', 'ok'],
    ['http://gw.example:443', HTTPS, 'ok', 'ok'],
    ['https://gw.example:80', PORT, 'ok', 'ok'],
    ...[...hosts, ...names].map((host) => [`https://${host}`, PUBLIC, OPENED, 'ok']),
    ['http://127.0.0.1:8080', HTTPS, OPENED, 'ok'],
  ])('%s, deployed: %s; on one machine: %s; with private hosts: %s', (raw = '', deployed, local, anywhere) => {
    const said = [DEPLOYED, LOCAL, ANYWHERE].map((reach) => {
      const read = readBaseUrl(raw, reach);
      // Accepted means callable, and refused means not.
      expect(readProviderUrl(`${raw.replace(/\/$/, '')}/api`, reach).kind).toBe(read.kind);
      return read.kind === 'ok' ? 'ok' : read.reason;
    });
    expect(said).toEqual([deployed, local, anywhere]);
    // What this hub refuses, another may have stored.
    expect(v.is(BaseUrl, raw)).toBe(true);
  });

  it('is no longer than an address can be', () => {
    expect(v.is(BaseUrl, `https://gw.example/${'x'.repeat(2048)}`)).toBe(false);
  });
});
