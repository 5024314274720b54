import { safeFileName } from '#lib/domain/file-name.ts';
import type { Clock } from '../ports.ts';
import type { Store } from '../store.ts';
import { findHead } from './head.ts';
import { type Part, readAccount, type Send } from './items.ts';
import { accountKey } from './keys.ts';
import { isClaimed } from './late.ts';
import type { OpenAccounts } from './open-accounts.ts';
import type { Attempted, Candidate } from './outbound.ts';
import type { Evidence, Finding } from './ports.ts';

const LOOK_MS = 8_000;
const NOTHING: Finding = { kind: 'none' };

/**
 * Asks the account's provider what became of an attempt. What the provider lists counts only where exactly one of its
 * messages fits and no other send of ours is known to be that message.
 */
export function providerEvidence(accounts: OpenAccounts, store: Store, clock: Clock): Evidence {
  return {
    find: async (send, index) => {
      const part = send.parts[index];
      const since = part?.intentAt;
      const item = await store.get(accountKey(send.accountId), { consistent: true });
      if (!part || since === undefined || !item) return NOTHING;
      const account = readAccount(item);
      // It has another name at the provider by now, where nobody knows of this attempt.
      if (account.scope !== send.scope) return NOTHING;
      const opened = await accounts.open(account);
      if (opened.kind !== 'open') return NOTHING;
      const found = await opened.account.find(attempted(send, index, part, since), clock.monotonic() + LOOK_MS);
      // In this order: what is no longer under way by then has its name.
      if (await isUnderWay(store, send, part)) return NOTHING;
      const free = await unclaimed(store, send, found);
      const [only] = free;
      return only && free.length === 1 ? findingOf(only) : NOTHING;
    },
  };
}

function attempted({ messageId, recipient }: Send, part: number, { kind, text, name }: Part, since: number): Attempted {
  // Files go out under a cleaned name.
  const content = kind === 'text' ? { kind, text: text ?? '' } : { kind, name: safeFileName(name ?? '') };
  return { messageId, part, recipient, content, since };
}

const findingOf = ({ providerId, failed }: Candidate): Finding =>
  failed === undefined ? { kind: 'accepted', providerId } : { kind: 'rejected', reason: failed };

async function unclaimed(store: Store, send: Send, found: readonly Candidate[]): Promise<readonly Candidate[]> {
  const claims = await Promise.all(found.map(({ providerId }) => isClaimed(store, send, providerId)));
  return found.filter((_, at) => claims[at] === false);
}

/** The same words to the same person may be on their way right now: then what the provider lists can be theirs. */
async function isUnderWay(store: Store, send: Send, part: Part): Promise<boolean> {
  const head = await findHead(store, send.accountId);
  if (head?.part.state !== 'sending') return false;
  const { kind, text, name } = head.part;
  const isAlike = kind === part.kind && (kind === 'text' ? text === part.text : name === part.name);
  const names = new Set(Object.values(send.recipient));
  return isAlike && Object.values(head.send.recipient).some((address) => names.has(address));
}
