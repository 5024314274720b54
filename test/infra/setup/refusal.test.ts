import { expect, test } from 'vitest';
import { refusal } from '#infra/setup/setup.ts';

const error = (name: string, message: string, more = {}) => Object.assign(new Error(message), { name, ...more });

test.each([
  ['no credentials', error('CredentialsProviderError', 'Could not load credentials from any providers')],
  ['a session that has ended', error('CredentialsProviderError', 'The SSO session has expired.\nRun aws sso login.')],
  ['a token that has expired', error('ExpiredToken', 'The security token included in the request is expired')],
  ['a key that is none', error('InvalidClientTokenId', 'The security token included in the request is invalid.')],
])('asks for signing in when there is %s', (_, cause) => {
  const sentence = refusal(cause, 'eu-west-1');
  expect(sentence).toMatch(/^Sign in first: docs\/operations\.md, First deploy, step 2 \([^.\n]+\)\.$/);
});

test('says what somebody may not do', () => {
  const said = refusal(error('AccessDenied', 'User x may not cloudformation:DescribeStacks'), 'eu-west-1');
  expect(said).toContain('may not cloudformation:DescribeStacks');
});

test('says when there is no such region', () => {
  const cause = error('Error', 'getaddrinfo ENOTFOUND cloudformation.eu-wst-1.amazonaws.com', { code: 'ENOTFOUND' });
  expect(refusal(cause, 'eu-wst-1')).toContain('no way to AWS in eu-wst-1');
});

test('leaves a fault of ours to be seen whole', () => {
  expect(refusal(new TypeError('undefined is not a function'), 'eu-west-1')).toBeUndefined();
});
