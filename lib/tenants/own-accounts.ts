import type { OwnAccount } from '#lib/domain/event.ts';
import { isSamePhone } from '#lib/domain/person.ts';
import type { Clock } from '#lib/domain/ports.ts';
import type { Account } from '#lib/sender/items.ts';
import type { Store } from '#lib/store/store.ts';
import { accountsOf } from './directory.ts';

/** What of an account tells that an event is its. */
export type NamedAccount = Pick<
  Account,
  | 'id'
  | 'workspace'
  | 'provider'
  | 'channel'
  | 'phone'
  | 'instance'
  | 'device'
  | 'sim'
  | 'connectedAt'
  | 'scope'
  | 'formerScopes'
>;

/**
 * The account that an event means: by the provider's id of it, by its phone and SIM card, or else by its number. Of two with one number, WhatsApp
 * counts before SMS, and the one connected last. Undefined where the event names none of them.
 */
export function accountMeant(
  accounts: readonly NamedAccount[],
  provider: string,
  { instance, phone, device, sim }: OwnAccount,
): string | undefined {
  const own = accounts.filter((account) => account.provider === provider);
  const byInstance =
    instance === undefined ? [] : own.filter((one) => one.instance === instance || one.id === instance);
  const byPhone = phone === undefined ? [] : own.filter((one) => isSamePhone(one.phone, phone) && mayBe(one, instance));
  const onDevice = device === undefined ? [] : own.filter((one) => one.device === device);
  const bySim = onDevice.filter((one) => sim === undefined || one.sim === sim);
  const named = [byInstance, bySim, onDevice.length === 1 ? onDevice : [], byPhone].find((some) => some.length > 0);
  const [first] = [...(named ?? [])].sort((a, b) => rank(a) - rank(b) || (a.connectedAt < b.connectedAt ? 1 : -1));
  return first?.id;
}

const rank = ({ channel }: NamedAccount) => (channel === 'whatsapp' ? 0 : 1);

/** A number moves from one instance to another: what names another instance is not of this one. */
const mayBe = (account: NamedAccount, instance: string | undefined): boolean =>
  account.instance === undefined || instance === undefined;

export type AccountFinder = (
  store: Store,
  workspace: string,
  provider: string,
  named: readonly OwnAccount[],
) => Promise<readonly NamedAccount[]>;

/** How long what was read may serve to find an account; and how long, to say that there is none. */
const FOUND_MS = 30_000;
const MISSED_MS = 50;
const REMEMBERED = 200;

/**
 * Remembers the accounts of workspaces, so that a delivery needs no look at them. An account that was just connected is
 * found at once, since a name that is not among the remembered ones is looked up again; one that was deleted or that
 * gave its number to another may be taken for the old one for half a minute.
 */
export function accountFinder(clock: Clock): AccountFinder {
  const remembered = new Map<string, { readonly at: number; readonly accounts: readonly NamedAccount[] }>();
  return async (store, workspace, provider, named) => {
    const last = remembered.get(workspace);
    const age = last ? clock.monotonic() - last.at : Number.POSITIVE_INFINITY;
    const isWhole = last && named.every((own) => accountMeant(last.accounts, provider, own) !== undefined);
    if (last && age < (isWhole ? FOUND_MS : MISSED_MS)) return last.accounts;
    const at = clock.monotonic();
    const accounts = await accountsOf(store, workspace);
    remembered.delete(workspace);
    const [oldest] = remembered.keys();
    if (oldest !== undefined && remembered.size >= REMEMBERED) remembered.delete(oldest);
    remembered.set(workspace, { at, accounts });
    return accounts;
  };
}
