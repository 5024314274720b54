import type { Tick, Ticks } from './ports.ts';

/** The longest that the queue can hold a message back. */
const LONGEST_DELAY_S = 900;

/** Rounded down: the tick waits for the rest of a second itself, and its gates stay shut until it is over. */
export async function scheduleTick(ticks: Ticks, tick: Tick, now: number): Promise<void> {
  const seconds = Math.floor(Math.max(0, tick.at - now) / 1000);
  await ticks.send(tick, Math.min(LONGEST_DELAY_S, seconds));
}
