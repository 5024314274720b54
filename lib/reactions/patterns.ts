import { RE2JS } from '@bufbuild/re2';
import type { Matches } from '#lib/domain/reaction/condition.ts';

/*
 * RE2 takes time in proportion to the text, whatever the pattern. A JavaScript expression took 41 s for `^(a+)+$` on
 * thirty letters, and rules are written by somebody else.
 */

/** Of all workspaces together: to compile one anew takes 0.04 ms, or 0.4 where it is as large as it may be. */
const MOST_KEPT = 200;
/**
 * While it reads, a pattern becomes an automaton, whose states are kept for the next text: a common one has a dozen, a
 * hostile one a new one for each character, of two kilobytes or more, and forty of them filled a function's memory. With so
 * many states it is read without an automaton.
 */
const MOST_STATES = 100;
/**
 * A state also keeps where each character leads, 45 bytes for one: a text of all there are would be megabytes in each
 * pattern. One that has read so much is compiled anew.
 */
const MOST_READ = 8000;

/** Tests a text against a pattern, compiled once. Throws on a pattern that is none: it was refused when it was saved. */
export function patternMatcher(): Matches {
  const compiled = new Map<string, { readonly pattern: RE2JS; read: number }>();
  return (pattern, text, caseSensitive) => {
    const name = `${caseSensitive ? '' : '(?i)'}${pattern}`;
    let kept = compiled.get(name);
    if (!kept || kept.read >= MOST_READ) {
      if (!kept && compiled.size >= MOST_KEPT) compiled.clear();
      kept = { pattern: compile(name), read: 0 };
      compiled.set(name, kept);
    }
    kept.read += text.length;
    return kept.pattern.test(text);
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
