import type { Clock } from '../ports.ts';

const STEP_MS = 200;

/**
 * Waits for the next full step of time since `since` (milliseconds) before a 404 is answered. A URL that was switched
 * off notes the attempt for its owner, an unknown one has nobody to note it for: whoever guesses tokens must not tell
 * the two apart by the time that an answer takes.
 */
export async function answerAlike(clock: Clock, since: number): Promise<void> {
  const elapsed = Math.max(0, clock.now() - since);
  await clock.sleep(STEP_MS - (elapsed % STEP_MS));
}
