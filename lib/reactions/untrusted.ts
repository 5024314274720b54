import { RE2JS } from '@bufbuild/re2';
import { Liquid } from 'liquidjs';
import { isRecord } from '#lib/domain/json.ts';
import type { Clock } from '#lib/domain/ports.ts';
import {
  type Condition,
  evaluate,
  type Facts,
  type Finding,
  fieldsOf,
  type Matches,
  type Told,
} from '#lib/domain/reaction/condition.ts';

/*
 * Conditions and texts are written by anybody who has a workspace, and what one of them takes, the others wait for. So
 * each condition has a bound, and so has each workspace. Nothing can be stopped half-way through a comparison: what a
 * single one may take is bounded where a pattern is saved.
 */

const MOST_OF_A_CONDITION_MS = 100;
/** Of one workspace at once, and how much of the time that goes by it gets back: the rest is for the others. */
const MOST_OF_A_WORKSPACE_MS = 3000;
const SHARE = 0.25;

export interface BudgetPorts {
  readonly matches: Matches;
  /** Milliseconds of the processor that this thread has used so far: no waiting, and nothing that others do at the same time. */
  readonly cpu: () => number;
}

interface Asked {
  readonly holds: boolean;
  readonly trace: readonly Finding[];
  /** It was not decided: the condition itself takes too long, or what was asked before it has used up the time. */
  readonly undecided?: 'too long' | 'no time left';
}

/** What conditions and texts may take together. */
export interface Budget {
  ask(condition: Condition, facts: Facts): Asked;
  /** Does what cannot be interrupted, and takes its time off the budget. */
  spend<Result>(work: () => Result): Result;
  isSpent(): boolean;
}

/** For each workspace a share of the time that goes by. */
export function sharedBudgets(
  ports: BudgetPorts & { readonly clock: Pick<Clock, 'monotonic'> },
): (workspace: string) => Budget {
  const workspaces = new Map<string, { ms: number; at: number }>();
  return (workspace) => {
    const now = ports.clock.monotonic();
    const spent = workspaces.get(workspace) ?? { ms: 0, at: now };
    spent.ms = Math.max(0, spent.ms - (now - spent.at) * SHARE);
    spent.at = now;
    workspaces.set(workspace, spent);
    return budgetOf(ports, MOST_OF_A_WORKSPACE_MS, spent);
  };
}

/** `most`: milliseconds. */
export function budgetOf({ matches, cpu }: BudgetPorts, most: number, spent = { ms: 0 }): Budget {
  const isSpent = () => spent.ms >= most;
  const spend = <Result>(work: () => Result): Result => {
    const began = cpu();
    try {
      return work();
    } finally {
      spent.ms += cpu() - began;
    }
  };
  return {
    isSpent,
    spend,
    ask: (condition, facts) => {
      if (isSpent()) return { holds: false, trace: [], undecided: 'no time left' };
      const end = cpu() + MOST_OF_A_CONDITION_MS;
      const { isCut, ...asked } = spend(() => evaluate(condition, facts, matches, () => cpu() < end));
      return isCut ? { ...asked, undecided: 'too long' } : asked;
    },
  };
}

/** For whoever reads the runs of a rule. */
export const NO_TIME = 'what was asked before it took all the time that its workspace has for now';
export const TOO_LONG = `its condition takes more than ${MOST_OF_A_CONDITION_MS} ms: whether it holds was not decided`;

/*
 * RE2 takes time in proportion to the text, whatever the pattern. A JavaScript expression took 41 s for `^(a+)+$` on
 * thirty letters, and rules are written by somebody else.
 */

/** Of all workspaces together: to compile one anew takes 0.04 ms, or 0.4 where it is as large as it may be. */
const MOST_KEPT = 200;
/** A pattern keeps 45 bytes for each character that it has not read before: after so many all are compiled anew. */
const MOST_READ = 100_000;
/**
 * While it reads, a pattern becomes an automaton, whose states are kept for the next text: a common one has a dozen, a
 * hostile one a new one for each character, of two kilobytes or more, and forty of them filled a function's memory. With so
 * many states it is read without an automaton.
 */
const MOST_STATES = 100;

/** Tests a text against a pattern, compiled once. Throws on a pattern that is none: it was refused when it was saved. */
export function patternMatcher(): Matches {
  const compiled = new Map<string, RE2JS>();
  let read = 0;
  return (pattern, text, caseSensitive) => {
    const name = `${caseSensitive ? '' : '(?i)'}${pattern}`;
    read += text.length;
    if (compiled.size >= MOST_KEPT || read > MOST_READ) {
      compiled.clear();
      read = 0;
    }
    const kept = compiled.get(name) ?? compile(name);
    compiled.set(name, kept);
    return kept.test(text);
  };
}

function compile(name: string): RE2JS {
  const pattern = RE2JS.compile(name);
  pattern.re2().dfa.stateLimit = MOST_STATES;
  return pattern;
}

/**
 * In steps of the program that it becomes: `[a-z]{500}` has 500. Times the characters of a text, that is what it takes at
 * worst. So many take 150 ms over the worst text; what a pattern of 200 characters could become took three seconds.
 */
const MOST_STEPS = 500;

/** Why a pattern is none; undefined where it is one. */
export function patternFault(pattern: string): string | undefined {
  try {
    const steps = RE2JS.compile(`(?i)${pattern}`).re2().prog.numInst();
    return steps > MOST_STEPS ? 'is a pattern that takes too long: ask for fewer repetitions, as {1,50}' : undefined;
  } catch (error) {
    return `is no pattern of RE2: ${error instanceof Error ? error.message.split('\n')[0] : 'it cannot be read'}`;
  }
}

/*
 * Texts of rules are Liquid, rendered over the event. Somebody else writes them and anybody's words go into them: what they
 * may take of time and memory has a bound, and they reach nothing but the event.
 */

const MOST_MS = 50;
const MOST_BYTES = 100_000;
/** A machine that is busy with something else makes every template slow: what is not rendered is given up. */
const RENDER_TRIES = 3;
const TOO_SLOW = /^template render limit exceeded/;

const liquid = new Liquid({
  ...{ parseLimit: 10_000, renderLimit: MOST_MS, memoryLimit: MOST_BYTES },
  ...{ ownPropertyOnly: true, strictFilters: true, strictVariables: false, cache: 500 },
  // Months and days have the same names on every machine. Without this the machine is asked, which takes 15 ms of each start.
  locale: 'en-US',
  // There are no files, and none of these names is one: a template that includes another is refused.
  templates: {},
});

function refuse(): never {
  throw new Error('a template includes no other');
}
// Refused when it is written, rather than by each run.
for (const tag of ['include', 'render', 'layout', 'block']) liquid.registerTag(tag, { parse: refuse, render: refuse });

/** Why a template is none; undefined where it is one. */
export function templateFault(template: string): string | undefined {
  try {
    liquid.parse(template);
    return undefined;
  } catch (error) {
    return `is no template: ${sentenceOf(error)}`;
  }
}

export type Rendered =
  | { readonly kind: 'rendered'; readonly text: string }
  | { readonly kind: 'failed'; readonly reason: string };

/** What an event can be asked by in a template: `{{ sender.name }}`, `{{ text }}`, and all of it under `event`. */
export function scopeOf(told: Told, now: number, timeZone: string): Readonly<Record<string, unknown>> {
  return { ...fieldsOf({ ...told, now, timeZone }), event: told.event };
}

export function render(template: string, scope: Readonly<Record<string, unknown>>, left = RENDER_TRIES - 1): Rendered {
  try {
    const text = String(liquid.parseAndRenderSync(template, { ...scope }));
    if (Buffer.byteLength(text) > MOST_BYTES) return { kind: 'failed', reason: 'it renders to more than 100 kB' };
    return { kind: 'rendered', text };
  } catch (error) {
    const reason = sentenceOf(error);
    return left > 0 && TOO_SLOW.test(reason) ? render(template, scope, left - 1) : { kind: 'failed', reason };
  }
}

/** Each string of a value, rendered by itself: what comes out is never taken for JSON. Throws where one cannot be. */
export function renderJson(value: unknown, scope: Readonly<Record<string, unknown>>, budget: Budget): unknown {
  if (typeof value === 'string') {
    if (budget.isSpent()) throw new Error('it takes more than a second to render');
    const rendered = budget.spend(() => render(value, scope));
    if (rendered.kind === 'failed') throw new Error(rendered.reason);
    return rendered.text;
  }
  if (Array.isArray(value)) return value.map((one) => renderJson(one, scope, budget));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, renderJson(one, scope, budget)]));
}

/** The first line of what the library says: the rest shows the template. */
const sentenceOf = (error: unknown): string =>
  error instanceof Error ? (error.message.split('\n')[0] ?? '').slice(0, 200) : 'it cannot be read';
