import type * as v from 'valibot';
import type { LineProvider } from './line.ts';

export type Channel = 'whatsapp' | 'sms';

/** What a provider's folder says about accounts. Credentials are checked here once, stored as a secret, never shown. */
export interface AccountProvider extends LineProvider {
  /** The channels that an account of this provider may have. */
  readonly channels: readonly Channel[];
  /** False where the provider offers no way to send: such an account only names what is received. */
  readonly canSend: boolean;
  /** What `credentials` of `POST /api/accounts` must hold, by channel. Its output is what is stored. */
  readonly credentials: (channel: Channel) => v.GenericSchema;
  /** The credentials that are base URLs: what the hub may not call is refused when they are given. */
  readonly baseUrls?: readonly string[];
  /** The account's own id at the provider, by which a foreign delivery is told; undefined where it has none. It is its line. */
  readonly instanceOf?: (credentials: unknown) => string | undefined;
}
