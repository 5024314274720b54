import { SHORTEST_GAP_MS } from '#lib/domain/send/outcome.ts';
import type { CreditState, PartState } from '#lib/domain/send/part.ts';
import { creditsIn } from '#lib/domain/send/part.ts';
import type { Account, Send } from '#lib/sender/items.ts';
import * as items from '#lib/sender/items.ts';
import type { Item } from '#lib/store/store.ts';
import type { Commit, MemoryStore } from '../memory-store.ts';
import type { Call, FakeProvider, Taken } from './fake-provider.ts';

/** Every step that a part may take. A step that is not here is a violation. */
const STEPS: Readonly<Record<PartState, readonly PartState[]>> = {
  queued: ['sending', 'failed', 'cancelled'],
  sending: ['sent', 'failed', 'queued', 'unknown'],
  unknown: ['sent', 'failed', 'expired'],
  sent: ['delivered', 'read', 'failed'],
  failed: ['sent', 'delivered', 'read'],
  delivered: ['read'],
  read: [],
  cancelled: [],
  expired: ['sent', 'failed'],
};
const CREDIT_STEPS: Readonly<Record<CreditState, readonly CreditState[]>> = {
  reserved: ['spent', 'refunded'],
  spent: ['refunded'],
  refunded: [],
};

/** What was asked of `accept`, and when it was answered. */
export interface Acceptance {
  readonly messageId: string;
  readonly account: string;
  readonly begunAt: number;
  readonly answeredAt: number;
}

/** Items never change in place, so each is read once, however often it is looked at. */
function cached<Read>(read: (item: Item) => Read): (item: Item) => Read {
  const known = new WeakMap<Item, Read>();
  return (item) => {
    const found = known.get(item);
    if (found !== undefined) return found;
    const fresh = read(item);
    known.set(item, fresh);
    return fresh;
  };
}
const readAccount = cached(items.readAccount);
const readLedgerEntry = cached(items.readLedgerEntry);
const readQuota = cached(items.readQuota);
const readSend = cached(items.readSend);

const total = (numbers: readonly number[]) => numbers.reduce((sum, n) => sum + n, 0);

/** The promises of the sender, checked after each step on the table as it is and on the provider's log. */
export class Invariants {
  readonly violations: string[] = [];
  readonly acceptances: Acceptance[] = [];
  /** False in a world so large that balancing its books after each step would take minutes: do it at the end. */
  balancing = true;
  readonly #store: () => MemoryStore;
  readonly #declaredWith = new Map<string, number | undefined>();
  readonly #calls: readonly Call[];
  readonly #taken: readonly Taken[];

  constructor(store: () => MemoryStore, { calls, taken }: Pick<FakeProvider, 'calls' | 'taken'>) {
    this.#store = store;
    this.#calls = calls;
    this.#taken = taken;
  }

  violate(what: string): void {
    this.violations.push(what);
  }

  onCommit(commits: readonly Commit[]): void {
    this.#intents(commits);
    this.#rotation(commits);
    for (const { before, after } of commits) {
      if (before?.pk.startsWith('MSG#') && after) {
        this.#stepsOf(readSend(before), readSend(after));
        this.#resent(readSend(before), readSend(after));
      }
      if (before?.pk.startsWith('ACC#') && before.kind === 'account' && after)
        this.#generation(readAccount(before), readAccount(after));
      if (!before && after?.pk.startsWith('ACC#') && after.kind === 'account' && after.workspace === undefined)
        this.violate(`${after.pk} came back`);
    }
    if (this.balancing) this.books();
  }

  /** 1, 2, 3, 9: the books balance. */
  books(): void {
    const items = this.#store().all();
    const sends = items.filter(({ pk }) => pk.startsWith('MSG#')).map(readSend);
    for (const item of items) {
      if (item.kind === 'quota') this.#quota(item, sends, items);
      if (item.kind === 'account' && item.pk.startsWith('ACC#')) this.#pending(readAccount(item), sends, items);
    }
    for (const send of sends) this.#credits(send);
    const tags = sends.flatMap(({ recipient, resendOf }) => (resendOf === undefined ? (recipient.key ?? []) : []));
    if (new Set(tags).size !== tags.length) this.violate('9: two messages for one idempotency key');
  }

  #quota(item: Item, sends: readonly Send[], items: readonly Item[]): void {
    const { epoch, granted, available } = readQuota(item);
    const parts = sends
      .filter((send) => send.workspace === item.workspace && send.epoch === epoch)
      .flatMap((send) => send.parts);
    const count = (state: CreditState) => creditsIn(parts.filter((part) => part.creditState === state));
    if (available < 0) this.violate(`1: ${available} credits available`);
    if (granted !== available + count('reserved') + count('spent')) {
      this.violate(`1: granted ${granted} <> ${available} + ${count('reserved')} + ${count('spent')}`);
    }
    const counted = this.#countedSpent(item, epoch, items);
    if (counted !== count('spent')) this.violate(`1: ${counted} counted as spent, the sends ${count('spent')}`);
    const entries = items.filter((i) => i.kind === 'ledger' && i.pk === item.pk).map(readLedgerEntry);
    const sum = (entry: string) =>
      total(entries.filter((e) => e.epoch === epoch && e.entry === entry).map(({ credits }) => credits));
    if (sum('grant') !== granted) this.violate(`1: the ledger grants ${sum('grant')}, the quota ${granted}`);
    const left = sum('grant') - sum('reserve') + sum('refund');
    if (left !== available) this.violate(`1: the ledger leaves ${left}, the quota ${available}`);
    const indexed = items.filter((i) => i.gsi2pk === `WS#${item.workspace}#RESERVED#${epoch}`);
    const reserved = total(indexed.map((i) => Number(String(i.gsi2sk).split('#')[0])));
    if (reserved !== count('reserved'))
      this.violate(`1: the index has ${reserved} reserved, the sends ${count('reserved')}`);
  }

  /** On the accounts that there are, and on the quota for those that are gone. */
  #countedSpent(quota: Item, epoch: string, items: readonly Item[]): number {
    const accounts = items.filter(
      (i) => i.kind === 'account' && i.pk.startsWith('ACC#') && i.workspace === quota.workspace,
    );
    const of = (item: Item, name: string) => Number(item[name] ?? 0);
    return (
      of(quota, 'spent') -
      of(quota, 'unspent') +
      total(accounts.map((item) => of(item, `spent_${epoch}`) - of(item, `unspent_${epoch}`)))
    );
  }

  #credits(send: Send): void {
    for (const { state, creditState } of send.parts) {
      const unsettled = state === 'queued' || state === 'sending' || state === 'unknown';
      if (unsettled !== (creditState === 'reserved')) this.violate(`2: a part ${state} with its credit ${creditState}`);
    }
  }

  #pending(account: Account, sends: readonly Send[], items: readonly Item[]): void {
    const pointers = items.filter((i) => i.kind === 'pointer' && i.pk === `ACC#${account.id}`).length;
    const waiting = sends
      .filter((send) => send.accountId === account.id)
      .flatMap((send) => send.parts)
      .filter(({ state }) => state === 'queued' || state === 'sending').length;
    if (account.pending !== pointers || pointers !== waiting) {
      this.violate(`3: pending ${account.pending}, pointers ${pointers}, parts ${waiting} of ${account.id}`);
    }
    if (account.pending < 0) this.violate(`8: pending ${account.pending}`);
    const probe = items.some((i) => i.kind === 'probe' && i.pk === `ACC#${account.id}`);
    if (probe !== account.held) this.violate(`a hold without its probe, or the other way round, on ${account.id}`);
  }

  /** 4: what has an id at the provider is not sent again. */
  #resent(before: Send, after: Send): void {
    if (before.resentAs !== undefined || after.resentAs === undefined) return;
    const isInVain = ({ state, providerId }: Send['parts'][number]) =>
      state === 'failed' || ((state === 'unknown' || state === 'expired') && providerId === undefined);
    if (!before.parts.some(isInVain)) this.violate(`4: ${after.messageId} was sent again although it has its id`);
  }

  /** 7: states only go forward, and credits never come back out of a refund. */
  #stepsOf(before: Send, after: Send): void {
    for (const [i, part] of after.parts.entries()) {
      const from = before.parts[i];
      if (!from) continue;
      if (from.providerId !== part.providerId) this.#identity(after.messageId, i, part.providerId);
      if (from.state !== part.state && !STEPS[from.state].includes(part.state)) {
        this.violate(`7: ${after.messageId} ${i} went from ${from.state} to ${part.state}`);
      }
      if (from.creditState !== part.creditState && !CREDIT_STEPS[from.creditState].includes(part.creditState)) {
        this.violate(`7: a credit went from ${from.creditState} to ${part.creditState}`);
      }
    }
  }

  /** A part takes the name of its own message at the provider, and of no other. */
  #identity(messageId: string, part: number, providerId: string | undefined): void {
    const taken = this.#taken.find((one) => one.providerId === providerId);
    if (taken && (taken.messageId !== messageId || taken.part !== part) && !this.#isErased(taken)) {
      this.violate(`${messageId} ${part} took the name of ${taken.messageId} ${taken.part}`);
    }
  }

  /** Then nothing is left by which its message could be told from another of the same words. */
  #isErased({ messageId }: Taken): boolean {
    const item = this.#store().peek({ pk: `MSG#${messageId}`, sk: 'META' });
    return item?.erased === true;
  }

  /** What the account's credentials were when a call of it was declared. */
  #intents(commits: readonly Commit[]): void {
    const account = commits.find(({ after }) => after?.kind === 'account' && after.pk.startsWith('ACC#'))?.after;
    for (const { after } of commits) {
      if (!account || !after?.pk.startsWith('MSG#')) continue;
      const { messageId, parts } = readSend(after);
      const declared = parts.findIndex(({ state }) => state === 'sending');
      if (declared >= 0) this.#declaredWith.set(`${messageId} ${declared}`, readAccount(account).credentialsVersion);
    }
  }

  /** A webhook's new row says what the old one said: what is switched off stays off. */
  #rotation(commits: readonly Commit[]): void {
    const rows = commits.filter(({ after }) => after?.pk.startsWith('HOOK#'));
    const old = rows.find(({ before, after }) => before?.rotated === false && after?.rotated === true)?.before;
    const fresh = rows.find(({ before }) => before === undefined)?.after;
    if (!old || !fresh) return;
    for (const name of ['enabled', 'instance', 'retentionDays', 'accountId'])
      if (old[name] !== fresh[name]) this.violate(`a rotated webhook has changed its ${name}`);
  }

  #generation(before: Account, after: Account): void {
    if (after.gen < before.gen) this.violate(`8: gen fell from ${before.gen} to ${after.gen}`);
  }

  /** 4, 5, 6: looked at the moment a call begins. */
  onCall(call: Call): void {
    if (call.credentials !== this.#declaredWith.get(`${call.messageId} ${call.part}`)) {
      this.violate(`${call.messageId} was called with credentials that had been changed`);
    }
    const item = this.#store().peek({ pk: `MSG#${call.messageId}`, sk: 'META' });
    if (item && readSend(item).scope !== call.scope) this.violate(`${call.messageId} is filed under another name`);
    const earlier = this.#calls.filter((other) => other !== call && other.account === call.account);
    for (const other of earlier) {
      const end = other.endedAt ?? other.deadline;
      if (call.startedAt - end < SHORTEST_GAP_MS) {
        this.violate(`5: a call ${Math.round(call.startedAt - end)} ms after the end of the one before`);
      }
      const same = other.messageId === call.messageId && other.part === call.part;
      const unsent = other.outcome?.kind === 'retry' || other.outcome?.kind === 'hold';
      if (same && !unsent) this.violate(`4: ${call.messageId} ${call.part} was called again`);
    }
    this.#order(call);
  }

  #order(call: Call): void {
    const mine = this.acceptances.find(({ messageId }) => messageId === call.messageId);
    if (!mine) return;
    for (const { messageId, account, answeredAt } of this.acceptances) {
      if (account !== mine.account || answeredAt >= mine.begunAt) continue;
      const item = this.#store().peek({ pk: `MSG#${messageId}`, sk: 'META' });
      if (item && readSend(item).parts.some((part) => part.state === 'queued')) {
        this.violate(`6: ${call.messageId} overtook ${messageId}`);
      }
    }
  }

  /** 8: once nothing goes wrong any more, nothing is left lying. */
  atRest(): void {
    const items = this.#store().all();
    const sends = items.filter(({ pk }) => pk.startsWith('MSG#')).map(readSend);
    for (const { accountId, instance } of items.filter(({ pk, rotated }) => pk.startsWith('HOOK#') && !rotated)) {
      const account = items.find(({ pk, sk }) => pk === `ACC#${accountId}` && sk === 'META');
      if (account && account.instance !== instance) this.violate(`the webhook of ${accountId} expects another line`);
    }
    for (const send of sends) {
      const account = items.find((i) => i.pk === `ACC#${send.accountId}` && i.sk === 'META');
      const blocked = account?.paused === true || account?.held === true;
      for (const { state } of send.parts) {
        if (state === 'sending') this.violate(`8: ${send.messageId} is still being sent`);
        if (state === 'queued' && !blocked) this.violate(`8: ${send.messageId} still waits`);
      }
    }
  }
}
