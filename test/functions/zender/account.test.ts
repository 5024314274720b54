import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { zenderAccount } from '#functions/zender/account.ts';
import type { Channel } from '#lib/tenants/account.ts';

const host = { baseUrl: 'https://gw.example', secret: 's3cret' };
const check = (channel: Channel, credentials: unknown) => v.safeParse(zenderAccount.credentials(channel), credentials);

describe('credentials of zender', () => {
  it.each([
    ['whatsapp', { ...host, account: 'abc' }, { ...host, account: 'abc' }],
    [
      'whatsapp',
      { ...host, baseUrl: 'https://gw.example/zender/', account: 12 },
      { ...host, baseUrl: 'https://gw.example/zender', account: '12' },
    ],
    ...['/api', '/api/', '/API/send/whatsapp', '/api/get/wa.accounts', '//api', '/api/api/'].map(
      (path) =>
        [
          'whatsapp',
          { ...host, baseUrl: `https://gw.example${path}`, account: 'abc' },
          { ...host, account: 'abc' },
        ] as const,
    ),
    ...['https://api.gw.example', 'http://api'].flatMap((baseUrl) =>
      ['', '/api', '/api/send/sms'].map(
        (path) =>
          [
            'whatsapp',
            { ...host, baseUrl: `${baseUrl}${path}`, account: 'abc' },
            { ...host, baseUrl, account: 'abc' },
          ] as const,
      ),
    ),
    [
      'whatsapp',
      { ...host, baseUrl: 'https://gw.example/zender/api/send/sms', account: 'abc' },
      { ...host, baseUrl: 'https://gw.example/zender', account: 'abc' },
    ],
    [
      'whatsapp',
      { ...host, baseUrl: 'https://gw.example/apiary', account: 'abc' },
      { ...host, baseUrl: 'https://gw.example/apiary', account: 'abc' },
    ],
    ['sms', { ...host, mode: 'devices', device: 'd-1', sim: 2 }, { ...host, mode: 'devices', device: 'd-1', sim: 2 }],
    ['sms', { ...host, mode: 'credits', gateway: 7 }, { ...host, mode: 'credits', gateway: '7' }],
  ] as const)('for %s are accepted: %j', (channel, credentials, stored) => {
    expect(check(channel, credentials)).toMatchObject({ success: true, output: stored });
  });

  it.each([
    ['whatsapp', {}],
    ['whatsapp', { ...host }],
    ['whatsapp', { ...host, account: '' }],
    ['whatsapp', { ...host, account: 'abc', secret: '' }],
    ['whatsapp', { ...host, account: 'abc', baseUrl: 'ftp://gw.example' }],
    ['whatsapp', { ...host, account: 'abc', baseUrl: 'https://user:word@gw.example' }],
    ['whatsapp', { ...host, account: 'abc', baseUrl: 'https://gw.example/?a=1' }],
    ['sms', { ...host, account: 'abc' }],
    ['sms', { ...host, mode: 'devices' }],
    ['sms', { ...host, mode: 'devices', device: 'd-1', sim: 3 }],
    ['sms', { ...host, mode: 'credits', device: 'd-1' }],
  ] as const)('for %s are refused: %j', (channel, credentials) => {
    expect(check(channel, credentials).success).toBe(false);
  });
});
