import { known } from '#lib/domain/known.ts';
import { adopt, claimOf, isOtherLine, lineIn } from '../accounts/line.ts';
import type { Log, Random } from '../ports.ts';
import { accountSecret, type Secrets } from '../secrets.ts';
import type { Store } from '../store.ts';
import type { Account } from './items.ts';
import type { OpenAccount, OutboundProvider, OutboundTools } from './outbound.ts';

export interface OutboundPorts extends OutboundTools {
  readonly secrets: Pick<Secrets, 'get'>;
  readonly store: Store;
  readonly random: Random;
  readonly log: Log;
}

export type Opened =
  /** `takenBy`: it must not send, for another account of the workspace has its line. */
  | { readonly kind: 'open'; readonly account: OpenAccount; readonly takenBy?: string }
  /** The provider offers no way to send. */
  | { readonly kind: 'cannot send' }
  /** There are no credentials, or not those that the provider needs. */
  | { readonly kind: 'unusable' }
  /** The credentials are those of another line than the account's: they are being changed. */
  | { readonly kind: 'changing' }
  /** The credentials could not be read just now. */
  | { readonly kind: 'unreadable' };

export interface OpenAccounts {
  open(account: Account): Promise<Opened>;
}

/**
 * Joins accounts with their provider and with their credentials, of the version that stands on the item which decides
 * about the attempt: so a message never leaves on another line than the one under which it is filed.
 */
export function openAccounts(providers: readonly OutboundProvider[], ports: OutboundPorts): OpenAccounts {
  const byName = new Map(providers.map((provider) => [provider.name, provider]));
  return {
    open: async (account) => {
      const provider = byName.get(account.provider);
      if (!provider) return { kind: 'cannot send' };
      try {
        const credentials = read(await ports.secrets.get(accountSecret(account.id), account.credentialsVersion));
        const { id, channel, phone } = account;
        const opened = provider.open({ id, provider: provider.name, channel, ...known({ phone }) }, credentials, ports);
        if (!opened) return { kind: 'unusable' };
        const line = lineIn(provider, credentials);
        if (isOtherLine(provider, account, line)) return { kind: 'changing' };
        const claim = claimOf(provider, { line, phone });
        if (line === undefined || claim === undefined || account.claim !== undefined)
          return { kind: 'open', account: opened };
        const adopted = await adopt(ports.store, ports.random, account, { line, claim });
        if (adopted === 'changed') return { kind: 'changing' };
        return { kind: 'open', account: opened, ...(adopted !== 'claimed' && adopted) };
      } catch (cause) {
        ports.log.error("an account's credentials could not be read, or its line not claimed", cause, {
          account: account.id,
        });
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
