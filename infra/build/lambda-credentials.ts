/**
 * Takes the place of `@aws-sdk/credential-provider-node` in each bundle: a Lambda has the keys of its role in its
 * environment, and never a profile, a single sign-on or an instance to ask.
 */
export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';
