import type { ReceivingProvider } from '#lib/inbox/provider.ts';
import type { OutboundProvider } from '#lib/sender/provider.ts';
import type { AccountProvider } from './account.ts';

/** A provider as its folder in `functions/` offers it. */
export interface Provider {
  readonly account: AccountProvider;
  readonly receiving: ReceivingProvider;
  /** Left out where the provider has no way to send. */
  readonly outbound?: OutboundProvider;
}
