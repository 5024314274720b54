import type { MessageEvent } from '../event.ts';
import type { Guard } from './rule.ts';

/*
 * Whether a rule may say something into a chat by itself. Two machines that answer each other would go on for ever and
 * at somebody's cost: everything here is asked before a word is accepted for sending. Times in milliseconds.
 */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const MOST_AN_HOUR = 5;
const MOST_A_DAY = 20;
const OWN_WORDS_MS = 10 * MINUTE;
const SAME_WORDS_MS = 10 * MINUTE;
const SAME_WORDS_TIMES = 3;
/** An answer as quick as this was written by a machine, if it happens several times in a row. */
const QUICK_MS = 4 * SECOND;
const QUICK_TIMES = 3;
export const MUTED_MS = DAY;

const NO_ANSWER: readonly string[] = ['system', 'unsupported', 'edit', 'delete', 'poll_vote'];

/** What a chat remembers of the answers that rules gave in it: one item, changed under a condition before anything is sent. */
export interface AutoState {
  /** When, and by which rule; nothing older than the longest budget. */
  readonly answers: readonly { readonly rule: string; readonly event: string; readonly at: number }[];
  readonly mutedUntil?: number;
  /** The event at which it was muted. */
  readonly mutedBy?: string;
}

/** What was said in the chat of late, newest first or not. */
export interface Said {
  readonly at: number;
  readonly isOurs: boolean;
  /** A hash of the words as people read them; absent where there are none. */
  readonly words?: string;
  /** Ours by a rule, ours by somebody (on the phone or through the API), or theirs. */
  readonly byRule?: boolean;
}

export interface Question {
  readonly event: MessageEvent;
  readonly rule: string;
  readonly guard: Guard;
  readonly state: AutoState;
  readonly said: readonly Said[];
  /** A hash of the words of the event, made like those of `said`. */
  readonly words?: string;
  readonly isReplay: boolean;
  /** Whoever wrote is an account of the same workspace. */
  readonly isOwnAccount: boolean;
  readonly now: number;
}

export type Verdict =
  /** With what the chat is to remember, if the words are accepted. */
  | { readonly may: true; readonly state: AutoState }
  | { readonly may: false; readonly why: string; readonly mute?: AutoState };

/** Asked before `reply`, and before a `send` to whoever wrote. */
export function mayAnswer(question: Question): Verdict {
  const { id: event } = question.event;
  // Its run died before it was told that the chat is muted.
  if (question.state.mutedBy === event) return { may: false, why: MACHINE, mute: question.state };
  // It was allowed before, and the run died: what it accepted meanwhile is not accepted again. Too late is too late.
  if (!isTooOld(question) && question.state.answers.some((one) => one.event === event && one.rule === question.rule)) {
    return { may: true, state: question.state };
  }
  const why = (REASONS.find(([, holds]) => holds(question)) ?? [])[0];
  if (why !== undefined) return { may: false, why };
  if (isMachine(question)) {
    const mute = { ...question.state, mutedUntil: question.now + MUTED_MS, mutedBy: event };
    return { may: false, why: MACHINE, mute };
  }
  const { state, rule, now } = question;
  const answers = [...state.answers.filter(({ at }) => at > now - longestOf(question)), { rule, event, at: now }];
  return { may: true, state: { ...state, answers } };
}

export const OWN_ACCOUNT = 'whoever wrote is an account of this workspace';
/** Of what is told of a message of theirs, as a reaction. */
export const NO_MESSAGE = 'only a message that came in is answered';
const MACHINE = 'a machine seems to answer there: the chat is muted for a day';

const isTooOld = ({ event, guard, now }: Question): boolean =>
  now - Date.parse(event.occurredAt) > guard.maxAgeSeconds * SECOND;

const longestOf = ({ guard }: Question) => Math.max(DAY, guard.perContact.seconds * SECOND);

const REASONS: readonly (readonly [why: string, holds: (question: Question) => boolean])[] = [
  [NO_MESSAGE, ({ event }) => event.message.direction !== 'inbound'],
  [
    'it is no message that a person expects an answer to',
    ({ event }) => NO_ANSWER.includes(event.message.content.type),
  ],
  ['it contradicts an earlier message of the same id', ({ event }) => event.conflict === true],
  [
    'stories, lists and channels are not answered',
    // What came through a list stands in the chat with its sender.
    ({ event: { message } }) =>
      !['individual', 'group'].includes(message.chat.kind) || message.broadcastList !== undefined,
  ],
  ['the rule does not answer groups', ({ event, guard }) => event.message.chat.kind === 'group' && !guard.groups],
  ['it was replayed', ({ isReplay }) => isReplay],
  ['it is too old', isTooOld],
  [OWN_ACCOUNT, ({ isOwnAccount }) => isOwnAccount],
  ['the chat is muted', ({ state, now }) => state.mutedUntil !== undefined && state.mutedUntil > now],
  [
    'it is what we sent into this chat ourselves',
    ({ said, words, now }) =>
      words !== undefined && said.some((one) => one.isOurs && one.words === words && one.at > now - OWN_WORDS_MS),
  ],
  [
    'a person has answered in this chat',
    ({ said, guard, now }) =>
      said.some((one) => one.isOurs && one.byRule !== true && one.at > now - guard.quietAfterHumanSeconds * SECOND),
  ],
  [
    'the rule has answered this chat often enough for now',
    ({ state, rule, guard, now }) =>
      state.answers.filter((one) => one.rule === rule && one.at > now - guard.perContact.seconds * SECOND).length >=
      guard.perContact.max,
  ],
  [
    'rules have answered this chat often enough for an hour',
    (question) => answersSince(question, HOUR) >= MOST_AN_HOUR,
  ],
  ['rules have answered this chat often enough for a day', (question) => answersSince(question, DAY) >= MOST_A_DAY],
];

function answersSince({ state, now }: Question, ms: number): number {
  return state.answers.filter(({ at }) => at > now - ms).length;
}

/** The same words three times within ten minutes, or three answers in a row as quick as no person writes. */
function isMachine({ said, words, now }: Question): boolean {
  const theirs = said.filter((one) => !one.isOurs);
  const same = theirs.filter((one) => words !== undefined && one.words === words && one.at > now - SAME_WORDS_MS);
  return same.length >= SAME_WORDS_TIMES || quickInARow(said) >= QUICK_TIMES;
}

/** Counted back from the newest: how many of their messages came right after one of ours, without a slow one between. */
function quickInARow(said: readonly Said[]): number {
  const ordered = said.toSorted((a, b) => a.at - b.at);
  let quick = 0;
  for (const [i, one] of ordered.entries()) {
    const before = ordered[i - 1];
    if (one.isOurs || before === undefined || !before.isOurs) continue;
    quick = before.byRule === true && one.at - before.at <= QUICK_MS ? quick + 1 : 0;
  }
  return quick;
}
