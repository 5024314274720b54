import { beforeEach, expect, test } from 'vitest';
import { names, pretendInternet } from '#test/support/pretend-internet.ts';
import { eachWithPublicHost, fetchFrom, PUBLIC_ADDRESS } from '#test/support/public-host.ts';

const notPublic = { kind: 'refused', reason: 'file_url leads to an address that is not on the public internet' };
const current = eachWithPublicHost();

beforeEach(() => pretendInternet(current().host.port));

test('the same name, private on the next hop, is refused there', async () => {
  current().redirects['/start'] = '/file';
  const rebinding = names({ 'files.example.com': [[PUBLIC_ADDRESS], ['169.254.169.254']] });
  expect(await fetchFrom('http://files.example.com/start', rebinding)).toEqual(notPublic);
  expect(current().visits).toEqual(['files.example.com/start']);
});

const elsewhere = 'a URL that file_url redirects to leads to an address that is not on the public internet';

test.each([
  { location: 'http://169.254.169.254/latest/meta-data', reason: elsewhere },
  { location: 'http://[::1]/', reason: elsewhere },
  { location: '//127.0.0.1/', reason: elsewhere },
  {
    location: 'http://files.example.com:9001/',
    reason: 'a URL that file_url redirects to must be on port 80 or 443',
  },
  { location: 'http://a:b@files.example.com/', reason: 'a URL that file_url redirects to must not hold credentials' },
  { location: 'file:///etc/passwd', reason: 'a URL that file_url redirects to must be an http or https URL' },
  { location: 'http://', reason: 'a URL that file_url redirects to is not a URL' },
])('a redirect to $location goes nowhere', async ({ location, reason }) => {
  current().redirects['/start'] = location;
  expect(await fetchFrom('http://files.example.com/start')).toEqual({ kind: 'refused', reason });
  expect(current().host.connections()).toBe(1);
});

test('a redirect from https to http is not followed, one from http to https is', async () => {
  current().redirects['/down'] = 'http://files.example.com/file';
  current().redirects['/up'] = 'https://files.example.com/file';
  expect(await fetchFrom('https://files.example.com/down')).toEqual({
    kind: 'refused',
    reason: 'file_url redirects from https to http',
  });
  expect(await fetchFrom('http://files.example.com/up')).toMatchObject({ kind: 'ok' });
});

test('three redirects are followed, a fourth is not', async () => {
  Object.assign(current().redirects, { '/4': '/3', '/3': '/2', '/2': '/1', '/1': '/file' });
  expect(await fetchFrom('http://files.example.com/3')).toMatchObject({ kind: 'ok' });
  expect(await fetchFrom('http://files.example.com/4')).toEqual({
    kind: 'refused',
    reason: 'file_url redirects more than 3 times',
  });
  expect(current().visits.at(-1)).toBe('files.example.com/1');
});
