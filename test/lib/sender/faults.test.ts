import { expect, test } from 'vitest';
import * as scenarios from './scenarios.ts';

const table: readonly (readonly [string, scenarios.Scenario])[] = [
  ['a run that dies before it has looked at the file is not blamed on it', scenarios.diesAfterClaim],
  ['a run that dies before its intent is not blamed on the file', scenarios.diesBeforeIntent],
  ['a file that ends every run that prepares it is given up', scenarios.poisonedFile],
  ['D01 two requests with one key at once make one message', scenarios.concurrentSameKey],
  ['D02 a key with another text is refused and changes nothing', scenarios.sameKeyOtherText],
  ['D03 a message of two credits is refused where one is left', scenarios.twoCreditsForOne],
  ['D04 ten requests at once get the five credits there are', scenarios.tenForFiveCredits],
  ['D05 an accept whose answer is lost charges once', scenarios.acceptAnswerLost],
  [
    'D06 a crash before the account has its tick delays a message by the grace and a watchdog at most',
    scenarios.crashBeforeTick,
  ],
  ['D07 a tick that comes twice calls once', scenarios.tickTwice],
  ['D08 a message that comes while the account goes to rest is sent without a watchdog', scenarios.acceptWhileIdling],
  ['D08 a message is sent without a watchdog if the account goes to rest meanwhile', scenarios.restsWhileAccepting],
  ['D09 a tick that comes early waits', scenarios.tickEarly],
  ['D10 a crash after the intent leaves it unknown, called never, and the distance kept', scenarios.crashAfterIntent],
  ['D11 a crash after the acceptance leaves it unknown until evidence makes it sent', scenarios.crashAfterAcceptance],
  ['D12 a stall after the intent takes it back', scenarios.stallAfterIntent],
  ['D12 a stall in the call ends by the deadline of the intent', scenarios.stallBeforeCall],
  ['an intent that nobody can confirm is taken back, and the message goes a little later', scenarios.intentUnheard],
  ['a stale tick is dropped', scenarios.staleTick],
  ['D13 a throttled message waits, first in its queue, and no other account does', scenarios.throttled],
  ['D14 a logged-out account is held, nothing fails, and a resume drains it in order', scenarios.loggedOut],
  ['D15 200 messages on one account keep their pace and do not delay another', scenarios.longQueueBesideShort],
  ['D16 statuses that come before the outcome, in the wrong order, end at read', scenarios.statusesFirst],
  ['D17 a failure told twice at once refunds once', scenarios.failedTwice],
  ['an id that comes while a message is to be sent again stops that', scenarios.namedWhileResending],
  ['a pause that was answered stops the call that was not begun', scenarios.pauseBeforeIntent],
  ['credentials that were changed count for the call that was not begun', scenarios.credentialsBeforeIntent],
  ['a number that was changed counts for the call that was not begun', scenarios.numberBeforeIntent],
  ['a run that comes back without its lease settles its part and nothing else', scenarios.lateOutcome],
  ['a run that dies in a call without its lease leaves the distance kept', scenarios.deadInCallWithoutLease],
  ['a run that was overtaken before its intent does not call', scenarios.overtakenBeforeIntent],
  ['a run that was overtaken does not put the account to rest', scenarios.lateIdling],
  ['hosts whose clocks are off delay an account and break no distance', scenarios.clocksThatAreOff],
  ['accepts while a call is under way start no second chain', scenarios.acceptsDuringCall],
  ['requests that come again while a call is under way start no second chain', scenarios.replaysDuringCall],
  ['an account that has rested again meanwhile is woken all the same', scenarios.restsAgainWhileAccepting],
  ['a request that comes again after a crash has its account going', scenarios.comesAgainAfterCrash],
  ['an account that is resumed meanwhile gets its message all the same', scenarios.resumedWhileAccepting],
  ['an account that is deleted meanwhile is charged for nothing', scenarios.deletedWhileAccepting],
  ['what an earlier release has queued and not set going goes out with the next', scenarios.besideEarlierRelease],
  ['a message cancelled between look and intent is not sent', scenarios.cancelBeforeIntent],
];

// D15 plays eight minutes on one account: alone it takes two seconds, among others more.
test.each(table)('%s', { timeout: 30_000 }, async (_, scenario) => {
  expect(await scenario()).toEqual([]);
});
