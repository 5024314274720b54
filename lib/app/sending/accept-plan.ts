import type { Epoch } from '#lib/domain/sending/credits.ts';
import {
  absent,
  absentOrExpired,
  add,
  all,
  type Check,
  compare,
  type Delete,
  equal,
  exists,
  type Put,
  put,
  set,
  type Update,
  update,
} from '../store.ts';
import type { NewPart, SendRequest } from './accept.ts';
import { field } from './change-parts.ts';
import { setDueIfNone } from './due.ts';
import type { Account, Part, Send } from './items.ts';
import {
  accountKey,
  idempotencyKey,
  ledgerKey,
  pointerKey,
  quotaKey,
  reservedListKey,
  reservedSortKey,
  sendKey,
  sendListing,
} from './keys.ts';

const KEEPS_KEY_S = 86_400;

export interface AcceptPlan {
  readonly writes: readonly (Put | Update | Delete | Check)[];
  /** Which of the writes is which, to read a refusal by. */
  readonly places: {
    readonly quota: number;
    readonly account: number;
    readonly idempotency?: number;
    readonly original?: number;
  };
}

interface Facts {
  readonly messageId: string;
  /** As it was when the send took its number. */
  readonly account: Account;
  readonly epoch: Epoch;
  readonly now: number;
  /** The account's chain runs, and must still run when the send is queued: then no kick is needed. */
  readonly runs: boolean;
  readonly limit: number;
}

/** All of it or nothing: the charge, its entry in the ledger, the send, its place in the queue, the key's mark. */
export function acceptPlan(request: SendRequest, facts: Facts): AcceptPlan {
  const { messageId, account, epoch, now, runs, limit } = facts;
  const credits = request.parts.length;
  const common = [
    update(
      quotaKey(request.workspace, epoch),
      [add('available', -credits)],
      all(exists(), compare('available', '>=', credits)),
    ),
    update(
      accountKey(account.id),
      [add('pending', credits), setDueIfNone(now)],
      all(exists(), compare('pending', '<=', limit - credits), ...(runs ? [equal('chain', 'RUNNING')] : [])),
    ),
    put(newSend(request, facts), absent()),
    ledgerReserve(request.workspace, messageId, epoch, credits, now),
    ...request.parts.map((_, part) =>
      put({ ...pointerKey(account.id, account.tailSeq, part), kind: 'pointer', send: messageId, part }, absent()),
    ),
  ];
  const mark = idempotencyMark(request, facts);
  const original = request.resendOf === undefined ? [] : [resent(request.resendOf, messageId)];
  return {
    writes: [...common, ...mark, ...original],
    places: {
      quota: 0,
      account: 1,
      ...(mark.length > 0 ? { idempotency: common.length } : {}),
      ...(original.length > 0 ? { original: common.length + mark.length } : {}),
    },
  };
}

function newSend(request: SendRequest, { messageId, account, epoch, now }: Facts) {
  const { workspace, webhook, recipient, parts, resendOf } = request;
  return {
    ...sendKey(messageId),
    ...sendListing(workspace, messageId, now),
    gsi2pk: reservedListKey(workspace, epoch),
    gsi2sk: reservedSortKey(parts.length, messageId),
    kind: 'send',
    messageId,
    workspace,
    ...(webhook === undefined ? {} : { webhook }),
    accountId: account.id,
    provider: account.provider,
    channel: account.channel,
    scope: account.scope,
    recipient,
    epoch,
    seq: account.tailSeq,
    createdAt: now,
    parts: parts.map(newPart),
    history: [{ at: now, state: 'queued' }],
    ...(resendOf === undefined ? {} : { resendOf: resendOf.messageId }),
  };
}

const newPart = (part: NewPart): Part => ({ ...part, state: 'queued', creditState: 'reserved', attempts: 0 });

function ledgerReserve(workspace: string, send: string, epoch: Epoch, credits: number, at: number): Put {
  return put(
    { ...ledgerKey(workspace, at, `${send}#reserve`), kind: 'ledger', entry: 'reserve', at, credits, epoch, send },
    absent(),
  );
}

function idempotencyMark({ workspace, idempotency }: SendRequest, { messageId, account, now }: Facts): Put[] {
  if (!idempotency) return [];
  const nowSeconds = Math.floor(now / 1000);
  const mark = {
    ...idempotencyKey(workspace, idempotency.webhook, idempotency.key),
    kind: 'idempotency',
    requestHash: idempotency.requestHash,
    send: messageId,
    account: account.id,
    expiresAt: nowSeconds + KEEPS_KEY_S,
  };
  return [put(mark, absentOrExpired(nowSeconds))];
}

/** One resend per send, and only of what is still as it was seen: what has got an id meanwhile has gone out. */
function resent(original: Send, as: string): Update {
  const asSeen = original.parts.flatMap(({ state, providerId }, index) => [
    equal(field(index, 'state'), state),
    ...(providerId === undefined ? [absent(field(index, 'providerId'))] : []),
  ]);
  return update(sendKey(original.messageId), [set('resentAs', as)], all(exists(), absent('resentAs'), ...asSeen));
}
