import { type Condition, evaluate, type Facts, type Finding, type Matches } from '#lib/domain/reaction/condition.ts';

/*
 * Conditions and texts are written by anybody who has a workspace, and what one of them takes, the others wait for. So
 * each condition has a bound, and so have all of one event together. Nothing can be stopped half-way through a comparison:
 * what a single one may take is bounded where a pattern is saved.
 */

const MOST_OF_A_CONDITION_MS = 50;
const MOST_OF_AN_EVENT_MS = 1000;
/** The first pass has to compile patterns, which the second finds compiled. */
const TRIES = 2;

export interface BudgetPorts {
  readonly matches: Matches;
  /** Milliseconds of the processor that this process has used so far: no waiting, and nothing that other processes do. */
  readonly cpu: () => number;
}

interface Asked {
  readonly holds: boolean;
  readonly trace: readonly Finding[];
  /** It was not decided: the condition itself takes too long, or those before it have used up the event's time. */
  readonly undecided?: 'too long' | 'no time left';
}

/** What the conditions and texts may take that one event is asked by. */
export interface Budget {
  ask(condition: Condition, facts: Facts): Asked;
  /** Does what cannot be interrupted, and takes its time off the budget. */
  spend<Result>(work: () => Result): Result;
  isSpent(): boolean;
}

/** `most`: milliseconds, where it is not for one event. */
export function budgetOf({ matches, cpu }: BudgetPorts, most = MOST_OF_AN_EVENT_MS): Budget {
  let spent = 0;
  const isSpent = () => spent >= most;
  const spend = <Result>(work: () => Result): Result => {
    const began = cpu();
    try {
      return work();
    } finally {
      spent += cpu() - began;
    }
  };
  return {
    isSpent,
    spend,
    ask: (condition, facts) => {
      for (let left = TRIES; !isSpent(); left -= 1) {
        const end = cpu() + Math.min(MOST_OF_A_CONDITION_MS, most - spent);
        const { isCut, ...asked } = spend(() => evaluate(condition, facts, matches, () => cpu() < end));
        if (!isCut) return asked;
        if (left === 1) return { ...asked, undecided: 'too long' };
      }
      return { holds: false, trace: [], undecided: 'no time left' };
    },
  };
}

/** For whoever reads the runs of a rule. */
export const WHY_UNDECIDED: Readonly<Record<NonNullable<Asked['undecided']>, string>> = {
  'too long': `its condition takes more than ${MOST_OF_A_CONDITION_MS} ms: whether it holds was not decided`,
  'no time left':
    'the rules before it took all the time that an event has: whether its condition holds was not decided',
};

export const NO_TIME = 'the rules before it took all the time that an event has';
