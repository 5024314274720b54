import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { timelinesAiAccount } from '#functions/timelinesai/account.ts';

const credentials = timelinesAiAccount.credentials('whatsapp');
const apiToken = '0b9d7a52-0000-4000-8000-0123456789ab';

describe('an account of TimelinesAI', () => {
  it.each([
    [{ apiToken }, { apiToken }],
    [{ apiToken: ` ${apiToken}\n` }, { apiToken }],
    [{ apiToken: `Bearer ${apiToken}` }, { apiToken }],
    [
      { apiToken, baseUrl: 'https://app.timelines.ai/integrations/api/' },
      { apiToken, baseUrl: 'https://app.timelines.ai/integrations/api' },
    ],
    [
      { apiToken, baseUrl: 'https://app.timelines.ai/integrations/api/messages/to_jid' },
      { apiToken, baseUrl: 'https://app.timelines.ai/integrations/api' },
    ],
    [
      { apiToken, baseUrl: 'http://127.0.0.1:8080', other: 1 },
      { apiToken, baseUrl: 'http://127.0.0.1:8080' },
    ],
  ])('keeps %j as %j', (given, kept) => {
    expect(v.parse(credentials, given)).toEqual(kept);
  });

  it.each([
    ['no token', {}],
    ['an empty token', { apiToken: '' }],
    ['a token that would end the header', { apiToken: 'a\r\nX-Other: b' }],
    ['an address that is none', { apiToken, baseUrl: 'app.timelines.ai' }],
    ['an address of another scheme', { apiToken, baseUrl: 'file:///etc/passwd' }],
    ['an address with a password', { apiToken, baseUrl: 'https://a:b@timelines.example' }],
    ['an address with a query', { apiToken, baseUrl: 'https://timelines.example?x=1' }],
  ])('is refused with %s', (_name, given) => {
    expect(v.safeParse(credentials, given).success).toBe(false);
  });
});
