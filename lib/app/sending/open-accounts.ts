import { known } from '#lib/domain/known.ts';
import type { Clock, Log } from '../ports.ts';
import { accountSecret, type Secrets } from '../secrets.ts';
import type { Account } from './items.ts';
import type { OpenAccount, OutboundProvider, OutboundTools } from './outbound.ts';

export interface OutboundPorts extends OutboundTools {
  readonly secrets: Pick<Secrets, 'get'>;
  readonly clock: Clock;
  readonly log: Log;
}

export type Opened =
  | { readonly kind: 'open'; readonly account: OpenAccount }
  /** The provider offers no way to send. */
  | { readonly kind: 'cannot send' }
  /** There are no credentials, or not those that the provider needs. */
  | { readonly kind: 'unusable' }
  /** The credentials could not be read just now. */
  | { readonly kind: 'unreadable' };

export interface OpenAccounts {
  open(account: Account): Promise<Opened>;
  /** Reads the credentials anew the next time: those in hand have been turned away. */
  forget(accountId: string): void;
}

/** Credentials are kept as long as that, so that not every message waits for them. */
const KEPT_MS = 300_000;

/** Joins accounts with their credentials and their provider. Cold starts and turned-away credentials read them anew. */
export function openAccounts(providers: readonly OutboundProvider[], ports: OutboundPorts): OpenAccounts {
  const byName = new Map(providers.map((provider) => [provider.name, provider]));
  const kept = new Map<string, { readonly credentials: string; readonly until: number }>();
  const credentialsOf = async (id: string) => {
    const { clock, secrets } = ports;
    const held = kept.get(id);
    if (held && clock.monotonic() < held.until) return held.credentials;
    const credentials = await secrets.get(accountSecret(id));
    if (credentials !== undefined) kept.set(id, { credentials, until: clock.monotonic() + KEPT_MS });
    return credentials;
  };
  return {
    forget: (accountId) => kept.delete(accountId),
    open: async (account) => {
      const provider = byName.get(account.provider);
      if (!provider) return { kind: 'cannot send' };
      try {
        const credentials = await credentialsOf(account.id);
        const { id, channel, phone } = account;
        const opened = provider.open(
          { id, provider: provider.name, channel, ...known({ phone }) },
          read(credentials),
          ports,
        );
        return opened ? { kind: 'open', account: opened } : { kind: 'unusable' };
      } catch (cause) {
        ports.log.error("an account's credentials could not be read", cause, { account: account.id });
        return { kind: 'unreadable' };
      }
    },
  };
}

/** What is no JSON is no credentials; the parser's own error would quote it. */
function read(credentials: string | undefined): unknown {
  try {
    return credentials === undefined ? undefined : JSON.parse(credentials);
  } catch {
    return undefined;
  }
}
