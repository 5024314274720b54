import { RE2JS } from '@bufbuild/re2';
import type { Matches } from '#lib/domain/reaction/condition.ts';

/*
 * RE2 takes time in proportion to the text, whatever the pattern. A JavaScript expression took 41 s for `^(a+)+$` on
 * thirty letters, and rules are written by somebody else.
 */

const MOST_KEPT = 500;

/** Tests a text against a pattern, compiled once. Throws on a pattern that is none: it was refused when it was saved. */
export function patternMatcher(): Matches {
  const compiled = new Map<string, RE2JS>();
  return (pattern, text, caseSensitive) => {
    const name = `${caseSensitive ? '' : '(?i)'}${pattern}`;
    const kept = compiled.get(name) ?? RE2JS.compile(name);
    if (compiled.size >= MOST_KEPT) compiled.clear();
    compiled.set(name, kept);
    return kept.test(text);
  };
}

/**
 * In steps of the program that it becomes: `[a-z]{500}` has 500. Times the characters of a text, that is what it takes at
 * worst. So many take tens of milliseconds; what a pattern of 200 characters could become at most took three seconds.
 */
const MOST_STEPS = 1000;

/** Why a pattern is none; undefined where it is one. */
export function patternFault(pattern: string): string | undefined {
  try {
    const steps = RE2JS.compile(`(?i)${pattern}`).re2().prog.numInst();
    return steps > MOST_STEPS ? 'is a pattern that takes too long: ask for fewer repetitions, as {1,50}' : undefined;
  } catch (error) {
    return `is no pattern of RE2: ${error instanceof Error ? error.message.split('\n')[0] : 'it cannot be read'}`;
  }
}
