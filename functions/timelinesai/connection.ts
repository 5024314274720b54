import type * as v from 'valibot';
import { type Draft, type EventReader, reader } from '#lib/app/receiving/provider.ts';
import type { Payload } from '#lib/domain/event.ts';
import type { Issue } from '#lib/domain/issue.ts';
import { known } from '#lib/domain/known.ts';
import { toAccount, whereabouts } from './parties.ts';
import { AccountBody } from './schema.ts';
import { instantOf, isoOf } from './timestamp.ts';

type State = Extract<Payload, { kind: 'connection' }>['connection']['state'];

/** Reads what happened to one of our accounts. `at` is the field that tells when, where there is one. */
export function connection(state: State, at?: 'connected_on' | 'disconnected_on'): EventReader {
  return reader(AccountBody, (body, type) => connectionDraft(body, type, state, at));
}

function connectionDraft(
  { whatsapp_account: theirs }: v.InferOutput<typeof AccountBody>,
  type: string,
  state: State,
  at: 'connected_on' | 'disconnected_on' | undefined,
): Draft | Issue {
  const account = toAccount(theirs);
  const identity = { type, ...whereabouts(account) };
  if (identity.instance === undefined) return { path: 'whatsapp_account.phone', message: 'is missing' };
  return {
    identity,
    payload: {
      kind: 'connection',
      connection: {
        state,
        account,
        // The event's own last word is all that tells a suspension from other restrictions.
        detail: theirs.status ?? type.slice(type.lastIndexOf(':') + 1),
        ...known({ connectedAt: isoOf(theirs.connected_on), disconnectedAt: isoOf(theirs.disconnected_on) }),
      },
    },
    ...known({ occurredAt: at && instantOf(theirs[at]) }),
  };
}
