import { type Condition, evaluate, type Facts, type Finding, type Matches } from '#lib/domain/reaction/condition.ts';

/*
 * Conditions and texts are written by anybody who has a workspace, and what one of them takes, the others wait for. So
 * each condition has a bound, and so have all of one event together. Nothing can be stopped half-way through a comparison:
 * what a single one may take is bounded where a pattern is saved.
 */

const MOST_OF_A_CONDITION_MS = 50;
const MOST_OF_AN_EVENT_MS = 1000;
/** Of one workspace, while others wait for their turn in the same batch of the stream. */
const MOST_OF_A_BATCH_MS = 3000;
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
  /**
   * It was not decided: the condition itself takes too long, those before it have used up the event's time, or those of
   * earlier events all that the workspace has in this batch.
   */
  readonly undecided?: 'too long' | 'no time left' | 'not asked';
}

/** What the conditions and texts may take that one event is asked by. */
export interface Budget {
  ask(condition: Condition, facts: Facts): Asked;
  /** Does what cannot be interrupted, and takes its time off the budget. */
  spend<Result>(work: () => Result): Result;
  isSpent(): boolean;
}

/** For each event a budget of its own, and all of a workspace together have one for the batch. */
export function budgetsOfBatch(ports: BudgetPorts): (workspace: string) => Budget {
  const workspaces = new Map<string, Spent>();
  return (workspace) => {
    const spent = workspaces.get(workspace) ?? { ms: 0 };
    workspaces.set(workspace, spent);
    return budgetOf(ports, MOST_OF_AN_EVENT_MS, spent);
  };
}

interface Spent {
  ms: number;
}

/** `most`: milliseconds, where it is not for one event. */
export function budgetOf({ matches, cpu }: BudgetPorts, most = MOST_OF_AN_EVENT_MS, ofBatch?: Spent): Budget {
  let spent = 0;
  const isSpent = () => spent >= most || (ofBatch !== undefined && ofBatch.ms >= MOST_OF_A_BATCH_MS);
  const spend = <Result>(work: () => Result): Result => {
    const began = cpu();
    try {
      return work();
    } finally {
      const ms = cpu() - began;
      spent += ms;
      if (ofBatch) ofBatch.ms += ms;
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
      // An event that began with time left tells each rule that it got none.
      return { holds: false, trace: [], undecided: spent > 0 ? 'no time left' : 'not asked' };
    },
  };
}

/** For whoever reads the runs of a rule. */
export const WHY_UNDECIDED = {
  'too long': `its condition takes more than ${MOST_OF_A_CONDITION_MS} ms: whether it holds was not decided`,
  'no time left':
    'the rules before it took all the time that an event has: whether its condition holds was not decided',
  'not asked':
    'earlier events took all the time that the workspace has for now: whether its condition holds was not asked',
} as const satisfies Readonly<Record<NonNullable<Asked['undecided']>, string>>;

export const NO_TIME = 'the rules before it took all the time that an event has';
