import type { SendOutcome } from '#lib/domain/sending/outcome.ts';
import type { Clock } from '../ports.ts';
import type { Account } from './items.ts';
import type { OpenAccounts } from './open-accounts.ts';
import type { Outgoing, ProbeResult, Prober, Sender } from './ports.ts';

/** Nobody waits for a probe's answer. */
const PROBE_MS = 8_000;

/** Sends through whichever provider the account is at. */
export function providerSender(accounts: OpenAccounts): Sender {
  return {
    send: async (message, account, deadline) => {
      const outcome = await send(accounts, message, account, deadline);
      // An operator may be putting other credentials in their place.
      if (outcome.kind === 'hold') accounts.forget(account.id);
      return outcome;
    },
  };
}

async function send(
  accounts: OpenAccounts,
  message: Outgoing,
  account: Account,
  deadline: number,
): Promise<SendOutcome> {
  const opened = await accounts.open(account);
  switch (opened.kind) {
    case 'open':
      return opened.account.send(message, deadline);
    case 'cannot send':
      return { kind: 'rejected', reason: `${account.provider} offers no way to send` };
    case 'unusable':
      return { kind: 'hold', reason: 'the credentials of the account are missing or incomplete' };
    case 'unreadable':
      return { kind: 'retry', reason: 'the credentials of the account could not be read' };
  }
}

export function providerProber(accounts: OpenAccounts, clock: Clock): Prober {
  return {
    probe: async (account): Promise<ProbeResult> => {
      accounts.forget(account.id);
      const opened = await accounts.open(account);
      if (opened.kind === 'open') return opened.account.probe(clock.monotonic() + PROBE_MS);
      if (opened.kind === 'unreadable') return { kind: 'unknown' };
      return { kind: 'held', reason: 'the credentials of the account are missing or incomplete' };
    },
  };
}
