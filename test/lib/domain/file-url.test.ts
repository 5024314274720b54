import { describe, expect, test } from 'vitest';
import { readFileUrl } from '#lib/domain/url.ts';

test.each([
  'https://files.example.com/a.pdf',
  'http://files.example.com/a.pdf?token=1#page=2',
  'https://files.example.com:443/a.pdf',
  'http://files.example.com:80/a.pdf',
  'https://files.example.com:80/a.pdf',
  'https://bücher.example/ä.pdf',
])('accepts %s', (raw) => {
  expect(readFileUrl(raw, false).kind).toBe('ok');
});

const faults = [
  { raw: 'report.pdf', reason: 'is not a URL' },
  { raw: '', reason: 'is not a URL' },
  { raw: '//files.example.com/a.pdf', reason: 'is not a URL' },
  { raw: 'https://', reason: 'is not a URL' },
  { raw: 'https://1.2.3.400/', reason: 'is not a URL' },
  { raw: 'ftp://files.example.com/a.pdf', reason: 'must be an http or https URL' },
  { raw: 'file:///etc/passwd', reason: 'must be an http or https URL' },
  { raw: 'data:text/plain,hello', reason: 'must be an http or https URL' },
  { raw: 'https://me:secret@files.example.com/a.pdf', reason: 'must not hold credentials' },
  { raw: 'https://me@files.example.com/a.pdf', reason: 'must not hold credentials' },
  { raw: 'https://files.example.com:8443/a.pdf', reason: 'must be on port 80 or 443' },
  { raw: 'http://files.example.com:22/', reason: 'must be on port 80 or 443' },
  ...[
    '127.0.0.1',
    '2130706433',
    '0x7f.1',
    '169.254.169.254',
    '10.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    'localhost',
    'db.internal',
  ].map((host) => ({ raw: `http://${host}/a`, reason: 'leads to an address that is not on the public internet' })),
];

test.each(faults)('refuses $raw: it $reason', ({ raw, reason }) => {
  expect(readFileUrl(raw, false)).toEqual({ kind: 'refused', reason });
});

describe('where private hosts are allowed', () => {
  test.each(['http://127.0.0.1:9000/a', 'http://localhost/a', 'http://[::1]/a'])('%s is fine', (raw) => {
    expect(readFileUrl(raw, true).kind).toBe('ok');
  });

  test.each(faults.filter(({ reason }) => !reason.includes('port') && !reason.includes('public')))(
    'still refuses $raw',
    ({ raw, reason }) => {
      expect(readFileUrl(raw, true)).toEqual({ kind: 'refused', reason });
    },
  );
});
