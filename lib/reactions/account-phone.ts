import type { Event } from '#lib/domain/event.ts';
import { saidPhoneOf, type Told } from '#lib/domain/reaction/condition.ts';
import { known } from '#lib/domain/schema.ts';
import { accountKey } from '#lib/store/keys.ts';
import type { Store } from '#lib/store/store.ts';

/*
 * Not every provider says to which number something came. Where a webhook is tied to an account the hub knows it: it is
 * looked up for those alone who ask, since each event would take one more read.
 */

const ASKS = /\baccount\b/;

/** Whether somewhere in a rule, an action or a condition something of an account is asked for. */
export const asksAccount = (written: unknown): boolean => ASKS.test(JSON.stringify(written) ?? '');

/** The number of the event's account, where the provider has not said it. */
export async function accountPhoneOf(store: Store, event: Event): Promise<string | undefined> {
  const { accountId, workspace } = event;
  if (accountId === undefined || saidPhoneOf(event) !== undefined) return undefined;
  const item = await store.get(accountKey(accountId));
  return item?.workspace === workspace && typeof item.phone === 'string' ? item.phone : undefined;
}

/** What something that is written is asked about, or rendered over. */
export async function toldOf(store: Store, written: unknown, event: Event): Promise<Told> {
  const accountPhone = asksAccount(written) ? await accountPhoneOf(store, event) : undefined;
  return { event, ...known({ accountPhone }) };
}
