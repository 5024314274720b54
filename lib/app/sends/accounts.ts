import * as v from 'valibot';
import type { Channel } from '../accounts/provider.ts';
import { queryAll } from '../query-all.ts';
import { itemReader } from '../read-item.ts';
import { accountKey } from '../sending/keys.ts';
import type { OutboundProvider } from '../sending/outbound.ts';
import type { Store } from '../store.ts';

/** What choosing needs of an account's item; the rest is the queue's. */
const Candidate = v.object({
  id: v.string(),
  workspace: v.string(),
  provider: v.string(),
  channel: v.picklist(['whatsapp', 'sms']),
  phone: v.exactOptional(v.string()),
  /** The account's id at the provider, where it has one. */
  instance: v.exactOptional(v.string()),
  paused: v.boolean(),
  connectedAt: v.string(),
});
export type Candidate = v.InferOutput<typeof Candidate>;
const readCandidate = itemReader(Candidate);

/** What can be sent through a provider, and to whom. */
export type Reach = Pick<OutboundProvider, 'longestText' | 'recipients' | 'takesFiles' | 'chatOf'>;

/** By the provider's name; a provider without an entry cannot send. */
export type Reaches = ReadonlyMap<string, Reach>;

const PREFIX = 'ACCOUNT#';
const READ_AT_ONCE = 100;

/** All accounts of a workspace, read consistently: one that was made a moment ago can send at once. */
export async function accountsOf(store: Store, workspace: string): Promise<readonly Candidate[]> {
  const entries = await queryAll(store, { pk: `WS#${workspace}`, prefix: PREFIX, limit: 1_000, consistent: true });
  const ids = entries.map(({ sk }) => sk.slice(PREFIX.length));
  const accounts: Candidate[] = [];
  for (let start = 0; start < ids.length; start += READ_AT_ONCE) {
    accounts.push(...(await accountsNamed(store, workspace, ids.slice(start, start + READ_AT_ONCE))));
  }
  return accounts;
}

/** At most a hundred; those that there are in this workspace. */
export async function accountsNamed(
  store: Store,
  workspace: string,
  ids: readonly string[],
): Promise<readonly Candidate[]> {
  const items = await store.getMany(ids.map(accountKey), { consistent: true });
  return items.filter((item) => item.workspace === workspace).map(readCandidate);
}

/** In the order in which they are to be preferred: WhatsApp before SMS, then those connected last. */
export function byPreference(accounts: readonly Candidate[]): readonly Candidate[] {
  return [...accounts].sort((a, b) => rank(a.channel) - rank(b.channel) || (a.connectedAt < b.connectedAt ? 1 : -1));
}

const rank = (channel: Channel) => (channel === 'whatsapp' ? 0 : 1);
