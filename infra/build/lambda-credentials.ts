import { fromEnv } from '@aws-sdk/credential-provider-env';
import { doesIdentityRequireRefresh, isIdentityExpired, memoizeIdentityProvider } from '@smithy/core';

/**
 * Takes the place of `@aws-sdk/credential-provider-node` in each bundle: a Lambda has the keys of its role in its
 * environment, and never a profile, a single sign-on or an instance to ask. They are read once, as by the SDK's own.
 */
export const defaultProvider = () => memoizeIdentityProvider(fromEnv(), isIdentityExpired, doesIdentityRequireRefresh);
