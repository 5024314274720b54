import { describe, expect, test } from 'vitest';
import type { Item } from '#lib/store/store.ts';
import type { Mutant, Write } from '#test/support/simulation/faulty-store.ts';
import {
  both,
  changing,
  isCharge,
  isClaim,
  isCounting,
  isDeletion,
  isHandingOn,
  isIdling,
  isIntentOfAccount,
  isIntentOfPart,
  isMarkedCounted,
  isOpening,
  isQueueing,
  isRaised,
  isRefund,
  isResending,
  isWake,
  on,
  without,
} from '#test/support/simulation/landmarks.ts';
import type { WorldOptions } from '#test/support/simulation/world.ts';
import * as credits from './credit-scenarios.ts';
import * as evidence from './evidence-scenarios.ts';
import * as scenarios from './scenarios.ts';

/** Every guard of the protocol, taken out: the scenario that it is there for must notice. */
const anyOf =
  (...conditions: readonly ReturnType<typeof on>[]) =>
  (condition: Parameters<ReturnType<typeof on>>[0]) =>
    conditions.some((matches) => matches(condition));

const leaseTest = without(on('leaseId'), isClaim);
const leaseOfIntent = without(on('leaseId'), isIntentOfAccount);
const leaseOfOutcome = without(on('leaseId'), isHandingOn);
const leaseOfIdling = without(on('leaseId'), isIdling);
const emptyAtIdling = without(on('pending'), isIdling);

const noPessimism = changing(isIntentOfAccount, (write: Write) =>
  write.kind === 'update' ? { ...write, changes: [] } : write,
);
const resendsSending: Mutant = {
  ...without(anyOf(on('.state'), on('.intentAt')), isIntentOfPart),
  read: (item) =>
    item.kind === 'send' && Array.isArray(item.parts)
      ? { ...item, parts: item.parts.map((part) => (part.state === 'sending' ? { ...part, state: 'queued' } : part)) }
      : item,
};
const more = changing(isCharge, (write) =>
  JSON.parse(JSON.stringify(write), (key, value) => (key === 'op' && value === '>=' ? '>' : value)),
);

/** Writes that say nothing of this; with a minus before it, writes that never take it away. */
const silentOn = (...names: readonly string[]): Mutant =>
  changing(
    () => true,
    (write) =>
      write.kind === 'update'
        ? {
            ...write,
            changes: write.changes.filter(
              ({ kind, path }) => !names.includes(`${path}`) && !(kind === 'remove' && names.includes(`-${path}`)),
            ),
          }
        : write,
  );

/** Whoever looks for evidence does not see these. */
const blindTo = (isIt: (item: Item) => boolean): Mutant => ({
  sees: (item, by) => !(['echo', 'watchdog'].includes(by) && isIt(item)),
});
const isPointer = ({ pk, sk }: Item) => pk.startsWith('ACC#') && sk.startsWith('Q#');
const isEchoMark = ({ pk, sk }: Item) => pk.startsWith('ECHO#') && sk.startsWith('E#');
const isUnknownMark = ({ pk, sk }: Item) => pk.startsWith('ECHO#') && sk.startsWith('U#');
const notKept = (isIt: (item: Item) => boolean): Mutant => ({
  writes: (writes) => writes.filter((write) => write.kind !== 'put' || !isIt(write.item)),
});
const staleUnder = (prefix: string): Mutant => ({
  inconsistent: ({ pk, by }) => pk.startsWith(prefix) && ['echo', 'watchdog'].includes(by),
});
const unlimited: Mutant = {
  read: (item) => (item.pk.startsWith('ECHO#') ? { ...item, expiresAt: 9_999_999_999 } : item),
};
/** Only the unknown mark that was written first is there. */
const firstUnknownAlone = (): Mutant => {
  let first: string | undefined;
  return notKept((item) => {
    if (!isUnknownMark(item)) return false;
    first ??= String(item.send);
    return item.send !== first;
  });
};
/** Nothing is kept of what has expired, as if its mark had been deleted with it. */
const forgetsExpired: Mutant = {
  sees: (item) => !isUnknownMark(item) || Number(item.expiresAt) < Date.UTC(2026, 10, 23) / 1000,
};

type Case = readonly [guard: string, Pick<WorldOptions, 'mutant' | 'watchdog'>, scenarios.Scenario];

const carryingWeight: readonly Case[] = [
  ['the pessimistic nextSendAt', { mutant: noPessimism }, scenarios.deadInCallWithoutLease],
  [
    'the deadline anchored at the intent',
    { mutant: { deadline: (_, now) => now + 10_000 } },
    scenarios.stallBeforeCall,
  ],
  ['never sending what is being sent', { mutant: resendsSending }, scenarios.crashAfterAcceptance],
  ['the watchdog', { watchdog: false }, scenarios.crashBeforeTick],
  ['the time gate', { mutant: without(on('nextSendAt'), isClaim) }, scenarios.tickEarly],
  ['the backoff gate', { mutant: without(on('backoffUntil'), isClaim) }, scenarios.throttled],
  [
    'not blocked, in the intent',
    { mutant: without(anyOf(on('paused'), on('held')), isIntentOfAccount) },
    scenarios.pauseBeforeIntent,
  ],
  [
    'the credentials as read, in the intent',
    { mutant: without(on('credentialsVersion'), isIntentOfAccount) },
    scenarios.credentialsBeforeIntent,
  ],
  [
    'the scope as read, in the intent',
    { mutant: without(on('scope'), isIntentOfAccount) },
    scenarios.numberBeforeIntent,
  ],
  ['part queued, in the intent', { mutant: without(on('.state'), isIntentOfPart) }, scenarios.cancelBeforeIntent],
  ['leaseId = me, in the intent', { mutant: leaseOfIntent }, scenarios.overtakenBeforeIntent],
  ['leaseId = me, in the outcome', { mutant: leaseOfOutcome }, scenarios.lateOutcome],
  ['nothing pending, when going to rest', { mutant: emptyAtIdling }, scenarios.acceptWhileIdling],
  [
    'RUNNING, in an accept that need not wake it',
    { mutant: without(on('chain'), isQueueing) },
    scenarios.restsWhileAccepting,
  ],
  ['the generation, in the claim', { mutant: without(on('gen'), isClaim) }, scenarios.staleTick],
  [
    'the generation, in an accept that wakes it',
    { mutant: without(on('gen'), isWake) },
    scenarios.restsAgainWhileAccepting,
  ],
  ['IDLE, in what wakes it', { mutant: without(on('chain'), isWake) }, scenarios.replaysDuringCall],
  ['enough credits, and not more than enough', { mutant: more }, scenarios.tenForFiveCredits],
  [
    'the state and the credit as read, in a refund',
    { mutant: without(anyOf(on('.state'), on('.creditState'), on('.counted')), isRefund) },
    scenarios.failedTwice,
  ],
  ['the count of unknown outcomes in a row', { mutant: silentOn('unknownRunning') }, scenarios.downForAnHour],
  ['the count of unknown outcomes in an hour', { mutant: silentOn('unknownTimes') }, scenarios.halfDownForAnHour],
  ['the count of holds in a row', { mutant: silentOn('holdsRunning', 'unknownTimes') }, scenarios.downForAnHour],
  [
    'the state and no id, in a resend',
    { mutant: without(anyOf(on('.state'), on('.providerId')), isResending) },
    scenarios.namedWhileResending,
  ],
  ['the mark on a file that is being prepared', { mutant: silentOn('parts,0,crashes') }, scenarios.poisonedFile],
  ['the end of that mark', { mutant: silentOn('-parts,0,crashes') }, scenarios.diesBeforeIntent],
  [
    'the consistent read after an outcome',
    { mutant: { inconsistent: ({ pk }) => pk.startsWith('PID#') } },
    scenarios.statusesFirst,
  ],
  [
    'the opening as read, in the raise of a quota',
    { mutant: without(on('opening'), isRaised) },
    credits.quotaRaisedTwice,
  ],
  ['a month that is not open, in its opening', { mutant: without(on('pk'), isOpening) }, credits.monthOpenedTwice],
  [
    'what was counted as read, in a deletion',
    { mutant: without(on('countings'), isDeletion) },
    credits.spentWhileDeleted,
  ],
  [
    'an account that is there, in what it counts',
    { mutant: without(on('pk'), isCounting) },
    credits.spentAfterDeletion,
  ],
  ['counted or not as read, in a refund', { mutant: without(on('.counted'), isRefund) }, credits.failedWhileCounted],
  ['not counted yet, in a count', { mutant: without(on('.counted'), isMarkedCounted) }, credits.countedTwice],
  ['what is being sent, for an echo', { mutant: blindTo(isPointer) }, evidence.echoOfWhatIsUnderWay],
  ['what is being sent, for a list', { mutant: blindTo(isPointer) }, evidence.listingOfWhatIsUnderWay],
  ['the consistent read of the queue', { mutant: staleUnder('ACC#') }, evidence.echoOfWhatIsUnderWay],
  ['the mark of each unknown part', { mutant: firstUnknownAlone() }, evidence.echoThatFitsTwo],
  ['the consistent read of the marks', { mutant: staleUnder('ECHO#') }, evidence.echoOfTheNext],
  ['the mark of an echo', { mutant: notKept(isEchoMark) }, evidence.echoBeforeNoAnswer],
  ['the mark of what has expired', { mutant: forgetsExpired }, evidence.echoOfWhatHasExpired],
  ['the end of a mark', { mutant: unlimited }, evidence.echoThatHasRunOut],
  ['still spent, in a count', { mutant: without(on('.creditState'), isMarkedCounted) }, credits.failedBeforeCounted],
];

describe('a guard carries weight', () => {
  test.each(carryingWeight)('%s: without it, a promise is broken', async (_, options, scenario) => {
    expect(await scenario()).toEqual([]);
    expect(await scenario(options)).not.toEqual([]);
  });
});

const isTaking = (write: Write): boolean => write.kind === 'update' && write.key.pk.startsWith('PID#');

const pairs: readonly (readonly [string, Mutant, Mutant, scenarios.Scenario])[] = [
  ['the lease test of the claim and the leaseId of the intent', leaseTest, leaseOfIntent, scenarios.tickTwice],
  [
    'IDLE and the generation, in an accept that wakes it',
    without(on('chain'), isWake),
    without(on('gen'), isWake),
    scenarios.acceptsDuringCall,
  ],
  ['the leaseId and nothing pending, when going to rest', leaseOfIdling, emptyAtIdling, scenarios.lateIdling],
  [
    'the id that is another’s, in the look and in the taking',
    blindTo(({ pk }) => pk.startsWith('PID#')),
    without(on('send'), isTaking),
    evidence.echoOfWhatIsKnown,
  ],
];

describe('two guards protect as a pair, each of them enough', () => {
  test.each(pairs)('%s: without both, a promise is broken', async (_, one, other, scenario) => {
    expect(await scenario({ mutant: one })).toEqual([]);
    expect(await scenario({ mutant: other })).toEqual([]);
    expect(await scenario({ mutant: both(one, other) })).not.toEqual([]);
  });
});
