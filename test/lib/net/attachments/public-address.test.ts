import { expect, test } from 'vitest';
import { isPublicAddress } from '#lib/domain/url.ts';
import { notPublic } from './not-public.ts';

test.each(notPublic)('$address is not public ($family)', ({ address }) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each([
  '1.1.1.1',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.0',
  '169.253.255.255',
  '169.255.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.0.1.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2a00:1450:4001:81b::200e',
])('%s is public', (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test.each(['', 'localhost', 'example.com', '1.2.3.4.5', '1.2.3.4/8'])('%j is no address at all', (text) => {
  expect(isPublicAddress(text)).toBe(false);
});
