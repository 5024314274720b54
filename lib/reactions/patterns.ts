import { RE2JS } from '@bufbuild/re2';
import type { Matches } from '#lib/domain/reaction/condition.ts';

/*
 * RE2 takes time in proportion to the text, whatever the pattern. A JavaScript expression took 41 s for `^(a+)+$` on
 * thirty letters, and rules are written by somebody else.
 */

const MOST_KEPT = 200;
/**
 * While it reads, a pattern becomes an automaton, whose states are kept for the next text: a common one has a dozen, a
 * hostile one a new one for each character, of two kilobytes or more, and forty of them filled a function's memory. With so
 * many states it is read without an automaton.
 */
const MOST_STATES = 100;

/** Tests a text against a pattern, compiled once. Throws on a pattern that is none: it was refused when it was saved. */
export function patternMatcher(): Matches {
  const compiled = new Map<string, RE2JS>();
  return (pattern, text, caseSensitive) => {
    const name = `${caseSensitive ? '' : '(?i)'}${pattern}`;
    const kept = compiled.get(name);
    if (kept) return kept.test(text);
    if (compiled.size >= MOST_KEPT) compiled.clear();
    const fresh = compile(name);
    compiled.set(name, fresh);
    return fresh.test(text);
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
