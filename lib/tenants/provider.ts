import type { ReceivingProvider } from '#lib/inbox/provider.ts';
import type { AccountProvider } from './account.ts';

/** A provider as its folder in `functions/` offers it. */
export interface Provider {
  readonly account: AccountProvider;
  readonly receiving: ReceivingProvider;
}
