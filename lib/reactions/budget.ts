import type { Clock } from '#lib/domain/ports.ts';
import { type Condition, evaluate, type Facts, type Finding, type Matches } from '#lib/domain/reaction/condition.ts';

/*
 * Conditions and texts are written by anybody who has a workspace, and what one of them takes, the others wait for. So
 * each condition has a bound, and so have all of one event together. Nothing can be stopped half-way through a comparison:
 * what a single one may take is bounded where a pattern is saved.
 */

const MOST_OF_A_CONDITION_MS = 50;
const MOST_OF_AN_EVENT_MS = 1000;
/** Of one workspace at once, and how much of the time that goes by it gets back: the rest is for the others. */
const MOST_OF_A_WORKSPACE_MS = 3000;
const SHARE = 0.25;
/** The first pass has to compile patterns, which the second finds compiled. */
const TRIES = 2;

export interface BudgetPorts {
  readonly matches: Matches;
  /** Milliseconds of the processor that this thread has used so far: no waiting, and nothing that others do at the same time. */
  readonly cpu: () => number;
}

interface Asked {
  readonly holds: boolean;
  readonly trace: readonly Finding[];
  /**
   * It was not decided: the condition itself takes too long, those before it have used up the event's time, or those of
   * earlier events all that the workspace has for now.
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

/** For each event a budget of its own, and for all of a workspace a share of the time that goes by. */
export function sharedBudgets(
  ports: BudgetPorts & { readonly clock: Pick<Clock, 'monotonic'> },
): (workspace: string) => Budget {
  const workspaces = new Map<string, Spent>();
  return (workspace) => {
    const now = ports.clock.monotonic();
    const { ms, at } = workspaces.get(workspace) ?? { ms: 0, at: now };
    const spent = { ms: Math.max(0, ms - (now - at) * SHARE), at: now };
    workspaces.set(workspace, spent);
    return budgetOf(ports, MOST_OF_AN_EVENT_MS, spent);
  };
}

interface Spent {
  ms: number;
  readonly at: number;
}

/** `most`: milliseconds, where it is not for one event. */
export function budgetOf({ matches, cpu }: BudgetPorts, most = MOST_OF_AN_EVENT_MS, ofWorkspace?: Spent): Budget {
  let spent = 0;
  const isSpent = () => spent >= most || (ofWorkspace !== undefined && ofWorkspace.ms >= MOST_OF_A_WORKSPACE_MS);
  const spend = <Result>(work: () => Result): Result => {
    const began = cpu();
    try {
      return work();
    } finally {
      const ms = cpu() - began;
      spent += ms;
      if (ofWorkspace) ofWorkspace.ms += ms;
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

export const NO_TIME = 'what was asked before it took all the time that its event, or its workspace, has for now';

/** For whoever reads the runs of a rule. */
export const WHY_UNDECIDED = {
  'too long': `its condition takes more than ${MOST_OF_A_CONDITION_MS} ms: whether it holds was not decided`,
  'no time left': `${NO_TIME}: whether its condition holds was not decided`,
} as const;
