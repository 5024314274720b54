import * as v from 'valibot';
import { isSamePhone } from '#lib/domain/person.ts';
import { accountSecret, type Clock, type Log, type Secrets } from '#lib/domain/ports.ts';
import { known, optional } from '#lib/domain/schema.ts';
import type { SendOutcome } from '#lib/domain/send/outcome.ts';
import { lineIn } from '#lib/tenants/account.ts';
import type { Account } from './items.ts';
import type {
  OpenAccount,
  OutboundAccount,
  OutboundProvider,
  OutboundTools,
  ProbeResult,
  Prober,
  Sender,
} from './provider.ts';

interface OutboundPorts extends OutboundTools {
  readonly secrets: Pick<Secrets, 'get'>;
  readonly log: Log;
}

type Opened =
  | { readonly kind: 'open'; readonly account: OpenAccount }
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

export interface TestableAccounts extends OpenAccounts {
  /** With credentials that are kept nowhere, of an account that is not there yet. */
  openWith(account: OutboundAccount, credentials: unknown): Opened;
}

/**
 * Joins accounts with their provider and with their credentials, of the version that stands on the item which decides
 * about the attempt: so a message never leaves on another line than the one under which it is filed.
 */
export function openAccounts(providers: readonly OutboundProvider[], ports: OutboundPorts): TestableAccounts {
  const byName = new Map(providers.map((provider) => [provider.name, provider]));
  const openWith = (account: OutboundAccount, credentials: unknown): Opened => {
    const provider = byName.get(account.provider);
    if (!provider) return { kind: 'cannot send' };
    const { id, channel, phone } = account;
    const opened = provider.open({ id, provider: provider.name, channel, ...known({ phone }) }, credentials, ports);
    return opened ? { kind: 'open', account: opened } : { kind: 'unusable' };
  };
  return {
    openWith,
    open: async (account) => {
      const provider = byName.get(account.provider);
      if (!provider) return { kind: 'cannot send' };
      try {
        const credentials = read(await ports.secrets.get(accountSecret(account.id), account.credentialsVersion));
        const opened = openWith(account, credentials);
        const isOther = account.line !== undefined && account.line !== lineIn(provider, credentials);
        return opened.kind === 'open' && isOther ? { kind: 'changing' } : opened;
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

/** Nobody waits for a probe's answer. */
const PROBE_MS = 8_000;

/** So often in a row the credentials may be those of another line, before somebody has to give them anew. */
const CHANGES_RUNNING = 5;
const CHANGING = 'the credentials are not those of the line that the account says; give them again';

const MISSING = 'the credentials of the account are missing or incomplete: give them again';

/** Sends through whichever provider the account is at. */
export function providerSender(accounts: OpenAccounts): Sender {
  return {
    send: async (message, account, deadline): Promise<SendOutcome> => {
      const opened = await accounts.open(account);
      switch (opened.kind) {
        case 'open':
          return opened.account.send(message, deadline);
        case 'cannot send':
          return { kind: 'rejected', reason: `${account.provider} offers no way to send` };
        case 'unusable':
          return { kind: 'hold', reason: MISSING };
        case 'changing':
          return { kind: 'retry', reason: CHANGING, holdAfter: CHANGES_RUNNING };
        case 'unreadable':
          return { kind: 'retry', reason: 'the credentials of the account could not be read' };
      }
    },
  };
}

export function providerProber(accounts: OpenAccounts, clock: Clock): Prober {
  return {
    probe: async (account) => {
      const opened = await accounts.open(account);
      return opened.kind === 'open' ? opened.account.probe(clock.monotonic() + PROBE_MS) : closed(opened.kind);
    },
  };
}

function closed(why: Exclude<Opened['kind'], 'open'>): ProbeResult {
  if (why === 'unreadable') return { kind: 'unknown' };
  return { kind: 'held', reason: why === 'changing' ? CHANGING : MISSING };
}

/** What a provider says of an account when somebody asks, rather than the watchdog. */
export const TestedAccount = v.object({
  ok: v.pipe(v.boolean(), v.description('The provider says that the account can send')),
  state: optional(v.string(), "How the account is, in the provider's own word"),
  phone: optional(v.string(), 'The number that the provider sends from, E.164 with +'),
  message: optional(v.string(), 'What to do, where there is something to do'),
});
export type TestedAccount = v.InferOutput<typeof TestedAccount>;

interface TestPorts {
  readonly openAccounts: OpenAccounts;
  readonly clock: Clock;
}

/** Asks the provider once and changes nothing: a hold is ended by the watchdog's probe. `milliseconds`: for the provider. */
export async function testAccount(
  { openAccounts: accounts, clock }: TestPorts,
  account: Account,
  milliseconds: number,
): Promise<TestedAccount> {
  const deadline = clock.monotonic() + milliseconds;
  return ask(account, await accounts.open(account), deadline);
}

/** The same of credentials that are kept nowhere, before there is an account. */
export async function testCredentials(
  { openAccounts: accounts, clock }: TestPorts & { readonly openAccounts: TestableAccounts },
  account: OutboundAccount,
  credentials: unknown,
  milliseconds: number,
): Promise<TestedAccount> {
  return ask(account, accounts.openWith(account, credentials), clock.monotonic() + milliseconds);
}

async function ask(account: OutboundAccount, opened: Opened, deadline: number): Promise<TestedAccount> {
  if (opened.kind === 'cannot send') return { ok: false, message: NOTHING_TO_ASK };
  if (opened.kind !== 'open') return tested(account, closed(opened.kind));
  const result = await opened.account.probe(deadline);
  if (result.kind !== 'ok' || result.phone !== undefined) return tested(account, result);
  return tested(account, { ...result, ...known({ phone: await opened.account.phone?.(deadline) }) });
}

const NOTHING_TO_ASK =
  'The provider offers no way to send, so there is nothing to ask it: what its webhook receives is all there is';

function tested(account: OutboundAccount, result: ProbeResult): TestedAccount {
  const { state, phone } = result;
  return { ok: result.kind === 'ok', ...known({ state, phone, message: remarkOn(account, result) }) };
}

function remarkOn({ provider, phone: own }: OutboundAccount, result: ProbeResult): string | undefined {
  const { kind, state, phone } = result;
  if (kind === 'held') return `It cannot send: ${result.reason}`;
  if (kind === 'ok') {
    const isOther = own !== undefined && phone !== undefined && !isSamePhone(own, phone);
    return isOther ? "The account's phone is another than the one that it sends from: change it" : undefined;
  }
  if (state !== undefined) return `${provider} says "${state}": test again in a minute`;
  const first = result.answers ? 'does not say how the account is' : 'could not be reached, or did not answer in time';
  return `${provider} ${first}: check the address in the credentials, or test again later`;
}
