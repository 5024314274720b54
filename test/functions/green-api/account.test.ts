import * as v from 'valibot';
import { expect, it } from 'vitest';
import { greenApiAccount } from '#functions/green-api/account.ts';
import { issuesOf } from '#lib/domain/schema.ts';

const schema = greenApiAccount.credentials('whatsapp');
const credentials = {
  apiUrl: 'https://7105.api.greenapi.com',
  mediaUrl: 'https://7105.media.greenapi.com',
  idInstance: '7999000111',
  apiTokenInstance: 'd75b3a66374942c5b3c019c698abc2067e151558acbd412345',
};

it('takes the credentials of an instance as its console shows them', () => {
  expect(v.parse(schema, credentials)).toEqual(credentials);
  expect(
    v.parse(schema, { ...credentials, idInstance: 7999000111, apiUrl: ' https://7105.api.greenapi.com/ ' }),
  ).toEqual(credentials);
});

it.each(['07999000111', ' 7999000111\n', '7999 000 111', '7999\u00a0000\u200b111', 7999000111])(
  'takes %j for the same instance',
  (idInstance) => {
    expect(v.parse(schema, { ...credentials, idInstance })).toEqual(credentials);
  },
);

it('takes the host of an endpoint that was copied whole', () => {
  const apiUrl = `${credentials.apiUrl}/waInstance7999000111/sendMessage/${credentials.apiTokenInstance}`;
  const mediaUrl = `${credentials.mediaUrl}/waInstance7999000111`;
  expect(v.parse(schema, { ...credentials, apiUrl, mediaUrl })).toEqual(credentials);
});

it('takes an instance without a host for media', () => {
  const { mediaUrl: _, ...rest } = credentials;
  expect(v.parse(schema, rest)).toEqual(rest);
});

it.each([
  ['apiUrl', undefined],
  ['apiUrl', 'api.greenapi.com'],
  ['apiUrl', 'ftp://api.greenapi.com'],
  ['apiUrl', 'https://user:pass@api.greenapi.com'],
  ['apiUrl', 'https://api.greenapi.com/?x=1'],
  ['mediaUrl', ''],
  ['idInstance', undefined],
  ['idInstance', 'abc'],
  ['idInstance', 1.5],
  ['apiTokenInstance', ''],
  ['apiTokenInstance', '../../waInstance1'],
  ['apiTokenInstanse', 'a typing error'],
])('names %s as wrong where it is %j, and not its value', (key, value) => {
  const result = v.safeParse(schema, { ...credentials, [key]: value });
  const issues = issuesOf(result.issues ?? []);
  expect([...new Set(issues.map((issue) => issue.path))]).toEqual([key]);
  if (value) expect(JSON.stringify(issues)).not.toContain(`"${value}"`);
});

it('knows an account by the number of its instance', () => {
  expect(greenApiAccount.instanceOf?.(credentials)).toBe('7999000111');
  expect(greenApiAccount.instanceOf?.({ idInstance: 7999000111 })).toBe('7999000111');
  expect(greenApiAccount.instanceOf?.({})).toBeUndefined();
  expect(greenApiAccount.instanceOf?.(undefined)).toBeUndefined();
});
