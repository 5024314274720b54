import { derivedId } from '#lib/domain/ids.ts';
import { wholeDirectory } from '../directory.ts';
import { getAll } from '../get-all.ts';
import type { Random } from '../ports.ts';
import { type Account, readAccount } from '../sending/items.ts';
import { accountKey } from '../sending/keys.ts';
import {
  absent,
  all,
  any,
  type Delete,
  del,
  equal,
  exists,
  type Key,
  type Put,
  put,
  type Store,
  set,
  unchanged,
  update,
} from '../store.ts';
import { newTransaction } from '../transaction.ts';

/**
 * The line that an account sends on, as its provider tells lines apart: an instance, a number, a device. Two accounts
 * on one line would send side by side, without a gap between them, so a workspace gives each line to one of them.
 */
export interface LineProvider {
  readonly name: string;
  /** What the credentials say of it, whatever else in them changes; left out where a provider has no lines. */
  readonly lineOf?: (credentials: unknown) => readonly string[] | undefined;
  /** True where it is the number that names an account: of several on one set of credentials, and in deliveries. */
  readonly isNamedByPhone?: boolean;
}

/** As an account's item tells it. */
interface OnLine {
  readonly line?: string | undefined;
  readonly instance?: string | undefined;
  readonly phone?: string | undefined;
}

/** The line's name here. A token may be a part of what it is made from, and cannot be read out of it. */
export function lineIn({ name, lineOf }: LineProvider, credentials: unknown): string | undefined {
  const parts = lineOf?.(credentials);
  return parts && derivedId('line', [name, ...parts]);
}

/** An earlier release kept the instance alone. */
const lineByInstance = ({ name }: LineProvider, { instance }: OnLine): string | undefined =>
  instance === undefined ? undefined : derivedId('line', [name, instance]);

/** Whether credentials with this line are not those that the account's item speaks of. */
export function isOtherLine(provider: LineProvider, account: OnLine, found: string | undefined): boolean {
  const own = [account.line, lineByInstance(provider, account)];
  return own.some((expected) => expected !== undefined && expected !== found);
}

/** What an account must have to itself. Undefined: nothing, or its item does not tell. */
export function claimOf(provider: LineProvider, account: OnLine): string | undefined {
  const { name, isNamedByPhone } = provider;
  if (isNamedByPhone && account.phone !== undefined) return derivedId('line', [name, account.phone]);
  return account.line ?? lineByInstance(provider, account);
}

const claimKey = (workspace: string, claim: string): Key => ({ pk: `WS#${workspace}`, sk: `LINE#${claim}` });

/** Refused where another account has the claim, unless an earlier release has deleted that account and left it behind. */
export async function claiming(store: Store, workspace: string, claim: string, account: string): Promise<Put> {
  const found = await store.get(claimKey(workspace, claim), { consistent: true });
  const owner = typeof found?.account === 'string' ? found.account : account;
  const isLeft = owner !== account && (await store.get(accountKey(owner), { consistent: true })) === undefined;
  return claimingFrom(workspace, claim, account, isLeft ? [account, owner] : [account]);
}

function claimingFrom(workspace: string, claim: string, account: string, owners: readonly string[]): Put {
  const isOneOf = owners.map((owner) => equal('account', owner));
  return put({ ...claimKey(workspace, claim), account }, any(absent(), ...isOneOf));
}

/** Goes with whatever takes the line away from its account. */
export const releasing = (workspace: string, claim: string | undefined, account: string): Delete[] =>
  claim === undefined ? [] : [del(claimKey(workspace, claim), any(absent(), equal('account', account)))];

/** The id of another account that has it, which one of an earlier release may have without a claim. */
export async function holderOf(
  store: Store,
  workspace: string,
  provider: LineProvider,
  claim: string,
  except: string,
): Promise<string | undefined> {
  const entries = await wholeDirectory(store, workspace, 'ACCOUNT');
  const keys = entries.map(({ sk }) => accountKey(sk.slice('ACCOUNT#'.length)));
  const accounts = (await getAll(store, keys, { consistent: true })).map(readAccount);
  const others = accounts.filter((account) => account.provider === provider.name && account.id !== except);
  return others.find((account) => (account.claim ?? claimOf(provider, account)) === claim)?.id;
}

/** An account that was read for sending. */
type Adopted = Pick<Account, 'id' | 'workspace' | 'phone' | 'credentialsVersion'>;

/**
 * Claims the line of an account that an earlier release made, which can only be told with its credentials in hand.
 * `changed`: it has become another meanwhile; look at it again.
 */
export async function adopt(
  store: Store,
  random: Random,
  account: Adopted,
  { line, claim }: { readonly line: string; readonly claim: string },
): Promise<'claimed' | 'changed' | { readonly takenBy: string }> {
  const { id, workspace, phone, credentialsVersion } = account;
  const writes = [
    update(
      accountKey(id),
      [set('line', line), set('claim', claim)],
      all(exists(), unchanged({ claim: undefined, phone, credentialsVersion })),
    ),
    claimingFrom(workspace, claim, id, [id]),
  ];
  const transacted = await store.transact(writes, newTransaction(random));
  if (transacted.done) return 'claimed';
  const owner = transacted.refused[1]?.item?.account;
  return typeof owner === 'string' ? { takenBy: owner } : 'changed';
}
