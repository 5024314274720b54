import type { Verdict } from '#lib/domain/sending/verdict.ts';
import { add, type Change, type Delete, del, type Put, remove, set, setIfAbsent, type Update } from '../store.ts';
import { changeParts, field } from './change-parts.ts';
import type { SendingConfig } from './config.ts';
import type { Ends } from './ends.ts';
import { becomesUnknown } from './head.ts';
import { holding } from './hold.ts';
import type { Account, Part, Send } from './items.ts';
import { pointerKey } from './keys.ts';
import { failingWith, settling } from './settle.ts';
import { onAccount } from './spent.ts';
import type { Head } from './turn.ts';

/** What an outcome changes beside generation, lease and spacing, which every outcome changes alike. */
export interface OutcomePlan {
  readonly account: readonly Change[];
  readonly writes: readonly (Update | Put | Delete)[];
  /** How many parts leave the account's queue. */
  readonly leaving: number;
  /** When the next tick is due. Left out: none follows. */
  readonly due?: number;
  readonly ends?: Ends;
}

export interface When {
  readonly now: number;
  readonly nextSendAt: number;
}

const calm = set('failuresRunning', 0);

/** What an outcome is judged by, beside itself. */
export interface Setting {
  readonly account: Account;
  readonly when: When;
  readonly config: SendingConfig;
}

export function planOutcome(head: Head, verdict: Verdict, setting: Setting): OutcomePlan {
  const { account, when } = setting;
  switch (verdict.kind) {
    case 'sent':
      return withSuccess(account, settled(head, [head.index], verdict, when));
    case 'failed':
      return settled(head, failingWith(head.send, head.index), verdict, when);
    case 'unknown':
      return unsure(head, verdict, setting);
    case 'again':
      return tryAgain(head, verdict, when);
    case 'held':
      return holdAccount(head, verdict.reason, setting);
  }
}

function settled(
  head: Head,
  parts: readonly number[],
  ending: Extract<Verdict, { kind: 'sent' | 'failed' }>,
  { now, nextSendAt }: When,
): OutcomePlan {
  const { spending, ...settled } = settling(head.send, parts, ending, now);
  return { account: [calm, ...onAccount(head.send.epoch, spending)], ...settled, due: nextSendAt };
}

/** Whatever was counted against the account or its provider is forgotten, and with it how late the next probe would be. */
function withSuccess(account: Account, plan: OutcomePlan): OutcomePlan {
  const counted = (['holdsRunning', 'unknownRunning'] as const).filter((name) => account[name] !== undefined);
  return { ...plan, account: [...plan.account, ...counted.map((name) => remove(name))] };
}

/** The credit is held, the part leaves the queue, and those behind it go on, unless the provider is silent. */
function unsure(head: Head, verdict: Extract<Verdict, { kind: 'unknown' }>, setting: Setting): OutcomePlan {
  const { account, when, config } = setting;
  const { reason, silence, holdReason } = verdict;
  const { accountId, seq } = head.send;
  const counted = [calm, set('unknownRunning', silence.running), set('unknownTimes', silence.times)];
  const unknown = becomesUnknown(head, when.now, reason, config, verdict.providerId);
  const writes = [...unknown, del(pointerKey(accountId, seq, head.index))];
  if (holdReason === undefined) return { account: counted, writes, leaving: 1, due: when.nextSendAt };
  const { changes, probe } = holding(account, holdReason, when.now, config, true);
  return { account: [...counted, ...changes], writes: [...writes, probe], leaving: 1 };
}

/** First in the queue still: the order within the account holds, so the others wait. */
function tryAgain({ send, index, part }: Head, verdict: Extract<Verdict, { kind: 'again' }>, when: When): OutcomePlan {
  const backoffUntil = when.now + verdict.waitMs;
  const due = Math.max(when.nextSendAt, backoffUntil);
  const detail = verdict.reason;
  const also = [add(field(index, 'retries'), 1), setIfAbsent(field(index, 'retryingSince'), when.now)];
  const silent = repeats(send, part, detail);
  return {
    account: [set('failuresRunning', verdict.failuresRunning), set('backoffUntil', backoffUntil)],
    writes: [changeParts(send, [{ index, to: 'queued', detail, also, silent }], when.now)],
    leaving: 0,
    due,
  };
}

/** What was said of the attempt before is not said again. */
const repeats = (send: Send, { attempts }: Part, detail: string): boolean =>
  attempts > 0 && send.history.at(-1)?.detail === detail;

/** The account is at fault and not the message, whose own tries start anew. No tick follows until the hold ends. */
function holdAccount({ send, index, part }: Head, detail: string, { account, when, config }: Setting): OutcomePlan {
  const also = [remove(field(index, 'retries')), remove(field(index, 'retryingSince'))];
  const { changes, probe } = holding(account, detail, when.now, config);
  return {
    account: [calm, ...changes],
    writes: [
      changeParts(send, [{ index, to: 'queued', detail, also, silent: repeats(send, part, detail) }], when.now),
      probe,
    ],
    leaving: 0,
  };
}
