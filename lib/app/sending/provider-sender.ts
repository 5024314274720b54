import type { SendOutcome } from '#lib/domain/sending/outcome.ts';
import type { Clock } from '../ports.ts';
import type { Account } from './items.ts';
import type { OpenAccounts } from './open-accounts.ts';
import type { Outgoing, ProbeResult, Prober, Sender } from './ports.ts';

/** Nobody waits for a probe's answer. */
const PROBE_MS = 8_000;

/** So often in a row the credentials may be those of another line, before somebody has to give them anew. */
const CHANGES_RUNNING = 5;
const CHANGING = 'the credentials are not those of the line that the account says; give them again';

const taken = (by: string) => `${by} sends on the same line: delete one of the two, or give it other credentials`;

/** Sends through whichever provider the account is at. */
export function providerSender(accounts: OpenAccounts): Sender {
  return { send: (message, account, deadline) => send(accounts, message, account, deadline) };
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
      if (opened.takenBy !== undefined) return { kind: 'hold', reason: taken(opened.takenBy) };
      return opened.account.send(message, deadline);
    case 'cannot send':
      return { kind: 'rejected', reason: `${account.provider} offers no way to send` };
    case 'unusable':
      return { kind: 'hold', reason: 'the credentials of the account are missing or incomplete' };
    case 'changing':
      return { kind: 'retry', reason: CHANGING, holdAfter: CHANGES_RUNNING };
    case 'unreadable':
      return { kind: 'retry', reason: 'the credentials of the account could not be read' };
  }
}

export function providerProber(accounts: OpenAccounts, clock: Clock): Prober {
  return {
    probe: async (account): Promise<ProbeResult> => {
      const opened = await accounts.open(account);
      if (opened.kind === 'open' && opened.takenBy !== undefined)
        return { kind: 'held', reason: taken(opened.takenBy) };
      if (opened.kind === 'open') return opened.account.probe(clock.monotonic() + PROBE_MS);
      if (opened.kind === 'unreadable') return { kind: 'unknown' };
      if (opened.kind === 'changing') return { kind: 'held', reason: CHANGING };
      return { kind: 'held', reason: 'the credentials of the account are missing or incomplete' };
    },
  };
}
