import { expect, it } from 'vitest';
import { greenApi } from '#functions/green-api/provider.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { isProven } from '#lib/inbox/receive.ts';
import { incoming, instanceData, textData } from './payloads.ts';

const delivery = (authorization?: string) => ({
  headers: { ...(authorization !== undefined && { authorization }) },
  body: new Uint8Array(),
});
const isGenuine = (secret: string | undefined, authorization?: string, body: unknown = incoming(), instance?: string) =>
  isProven(greenApi.proofOf?.(delivery(authorization), body) ?? {}, {
    ...(secret !== undefined && { secretHash: sha256(secret) }),
    ...(instance !== undefined && { instance }),
  });
const from = (idInstance: unknown) => incoming(textData, { instanceData: { ...instanceData, idInstance } });

it('asks for no token where none is set', () => {
  expect(isGenuine(undefined)).toBe(true);
  expect(isGenuine(undefined, 'Bearer whatever')).toBe(true);
});

it.each([
  ['tok-123', 'Bearer tok-123'],
  ['a token with spaces', 'Bearer a token with spaces'],
  ['Basic dXNlcjpwYXNz', 'Basic dXNlcjpwYXNz'],
])('accepts the token %j as %j', (secret, header) => {
  expect(isGenuine(secret, header)).toBe(true);
  expect(isGenuine(secret, header, undefined)).toBe(true);
});

it.each([
  ['tok-123', undefined],
  ['tok-123', ''],
  ['tok-123', 'tok-123'],
  ['tok-123', 'Bearer'],
  ['tok-123', 'Bearer '],
  ['tok-123', 'Bearer tok-12'],
  ['tok-123', 'Bearer tok-1234'],
  ['tok-123', 'Bearer  tok-123'],
  ['tok-123', 'bearer tok-123'],
  ['tok-123', 'Basic tok-123'],
  ['tok-123', `Bearer ${sha256('tok-123')}`],
  ['Basic dXNlcjpwYXNz', 'Basic dXNlcjpwYXNzIQ'],
  ['Basic dXNlcjpwYXNz', 'Bearer dXNlcjpwYXNz'],
  ['Basic dXNlcjpwYXNz', 'Bearer Basic dXNlcjpwYXNz'],
  ['Token abc', 'Token abc'],
])('refuses, for the token %j, %j', (secret, header) => {
  expect(isGenuine(secret, header)).toBe(false);
});

it.each([7999000111, '7999000111', ' 7999000111', { low: -590934481, high: 1, unsigned: false }])(
  'accepts the instance that is expected, written as %j',
  (idInstance) => {
    expect(isGenuine(undefined, undefined, from(idInstance), '7999000111')).toBe(true);
  },
);

it('refuses another instance, with the right token, too, and in a wrapper', () => {
  expect(isGenuine(undefined, undefined, from(1101000001), '7999000111')).toBe(false);
  expect(isGenuine('tok-123', 'Bearer tok-123', from('1101000001'), '7999000111')).toBe(false);
  expect(isGenuine(undefined, undefined, { receiptId: 1, body: from(1101000001) }, '7999000111')).toBe(false);
});

it.each([
  undefined,
  null,
  'text',
  [],
  {},
  { instanceData: null },
  { instanceData: {} },
  from(null),
  from('abc'),
  from(true),
])('does not refuse a body that names no instance, since it is kept for a look: %j', (body) => {
  expect(isGenuine(undefined, undefined, body ?? null, '7999000111')).toBe(true);
  expect('issues' in greenApi.read(body)).toBe(true);
});
