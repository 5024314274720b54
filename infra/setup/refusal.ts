/** By these names AWS and its library say that there are no credentials, or none that are valid now. */
const NOT_SIGNED_IN = [
  'CredentialsProviderError',
  'TokenProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidClientTokenId',
  'UnrecognizedClientException',
  'SignatureDoesNotMatch',
  'InvalidSignatureException',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'RequestExpired',
];

/** What whoever runs the set-up can mend, in one sentence; undefined for any other fault. */
export function refusal(error: unknown, region: string): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const [first = ''] = error.message.trim().split('\n');
  const said = first.replace(/\.$/, '');
  if (NOT_SIGNED_IN.includes(error.name)) {
    return `Sign in first: docs/operations.md, First deploy, step 2 (${said}).`;
  }
  if (error.name.startsWith('AccessDenied')) {
    return `Sign in as somebody who is allowed to: docs/operations.md, First deploy, step 2 (${said}).`;
  }
  return 'code' in error && error.code === 'ENOTFOUND'
    ? `There is no way to AWS in ${region}: check the region's name and the network (${said}).`
    : undefined;
}
