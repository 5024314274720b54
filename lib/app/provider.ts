import type { AccountProvider } from './accounts/provider.ts';
import type { ReceivingProvider } from './receiving/provider.ts';
import type { OutboundProvider } from './sending/outbound.ts';

/** A provider as its folder in `functions/` offers it. */
export interface Provider {
  readonly account: AccountProvider;
  readonly receiving: ReceivingProvider;
  /** Left out where the provider has no way to send. */
  readonly outbound?: OutboundProvider;
}
