import { safeFileName } from '#lib/domain/file-name.ts';
import { known } from '#lib/domain/known.ts';
import type { Sighting } from '#lib/domain/sending/evidence.ts';
import type { Clock } from '../ports.ts';
import type { Store } from '../store.ts';
import type { SendingConfig } from './config.ts';
import { lookFor } from './evidence.ts';
import { type Part, readAccount, type Send } from './items.ts';
import { accountKey } from './keys.ts';
import { fileOfPart, marksUnder, tracesOfPart } from './marks.ts';
import type { OpenAccounts } from './open-accounts.ts';
import type { Attempted, Candidate } from './outbound.ts';
import type { Evidence, Finding } from './ports.ts';

const LOOK_MS = 8_000;
const NOTHING: Finding = { kind: 'none' };

/**
 * What became of an attempt: by what webhooks have told already, which may have been while it still counted as being
 * sent; and where that says nothing, by what the account's provider lists.
 */
export function evidence(accounts: OpenAccounts, store: Store, clock: Clock, config: SendingConfig): Evidence {
  return {
    find: async (send, index) => {
      const part = send.parts[index];
      if (part?.intentAt === undefined) return NOTHING;
      const wanted = { send, index, part, since: part.intentAt };
      // It has an id: then no other message is this one, whatever that says.
      if (part.providerId !== undefined) {
        const own = await listedFor(accounts, store, clock, wanted);
        return findingOf(own.find(({ providerId }) => providerId === part.providerId));
      }
      const { workspace, provider, accountId: account, scope } = send;
      const traces = tracesOfPart(send, part);
      const ofThis = async (sightings: readonly Sighting[]): Promise<string | undefined> => {
        if (sightings.length === 0) return undefined;
        const asking = { send: send.messageId, part: index };
        const look = { workspace, provider, account, scopes: [scope], traces, sightings, asking };
        const found = await lookFor(store, look, clock.now(), config);
        const mine = found.filter(
          ({ attempt }) => attempt.send.messageId === send.messageId && attempt.index === index,
        );
        return mine[0]?.sighting.providerId;
      };
      const { echoes } = await marksUnder(store, account, traces, clock.now());
      const echoed = await ofThis(echoes);
      if (echoed !== undefined) return { kind: 'accepted', providerId: echoed };
      const listed = await listedFor(accounts, store, clock, wanted);
      const file = fileOfPart(send, part);
      const only = await ofThis(listed.map((one) => sightingOf(one, traces, file)));
      return findingOf(listed.find(({ providerId }) => providerId === only));
    },
  };
}

interface Wanted {
  readonly send: Send;
  readonly index: number;
  readonly part: Part;
  readonly since: number;
}

async function listedFor(accounts: OpenAccounts, store: Store, clock: Clock, wanted: Wanted) {
  const { send } = wanted;
  const item = await store.get(accountKey(send.accountId), { consistent: true });
  if (!item) return [];
  const account = readAccount(item);
  // It has another name at the provider by now, where nobody knows of this attempt.
  if (account.scope !== send.scope) return [];
  const opened = await accounts.open(account);
  if (opened.kind !== 'open') return [];
  return opened.account.find(attempted(wanted), clock.monotonic() + LOOK_MS);
}

function attempted({ send: { messageId, recipient }, index, part, since }: Wanted): Attempted {
  const { kind, text, name, providerId } = part;
  // Files go out under a cleaned name.
  const content = kind === 'text' ? { kind, text: text ?? '' } : { kind, name: safeFileName(name ?? '') };
  return { messageId, part: index, recipient, content, since, ...known({ providerId }) };
}

const sightingOf = ({ providerId, isNameless }: Candidate, traces: readonly string[], file: string | undefined) => ({
  providerId,
  traces,
  file: isNameless ? undefined : file,
  at: undefined,
});

function findingOf(found: Candidate | undefined): Finding {
  if (!found) return NOTHING;
  const { providerId, failed } = found;
  return failed === undefined ? { kind: 'accepted', providerId } : { kind: 'rejected', reason: failed, providerId };
}
