import * as v from 'valibot';

/** A list of sends, as far as the demonstration reads it. */
export const Sends = v.object({
  items: v.array(v.object({ state: v.string(), position: v.optional(v.number()), etaAt: v.optional(v.string()) })),
});
type Sends = v.InferOutput<typeof Sends>['items'];

/** In the order in which a message goes through them. */
const STATES = ['queued', 'sending', 'sent', 'delivered', 'read', 'failed'];

/** Nothing more is to come of it while somebody watches: what is unknown stays so for a day. */
export const isOver = ({ state }: Sends[number]): boolean => ['read', 'failed', 'cancelled', 'unknown'].includes(state);

/** How many there are in each state: `2 queued, 1 sent, 1 failed`. */
export function countsOf(sends: Sends): string {
  const others = [...new Set(sends.map(({ state }) => state))].filter((state) => !STATES.includes(state));
  return [...STATES, ...others]
    .map((state) => ({ state, count: sends.filter((send) => send.state === state).length }))
    .filter(({ count }) => count > 0)
    .map(({ state, count }) => `${count} ${state}`)
    .join(', ');
}

/** The counts, and when the turn of the last one in the queue comes. `now` is in milliseconds since the epoch. */
export function lineOf(sends: Sends, now: number): string {
  const last = Math.max(0, ...sends.map(({ position }) => position ?? 0));
  const etaAt = sends.find(({ position }) => position === last)?.etaAt;
  if (last === 0 || etaAt === undefined) return countsOf(sends);
  const seconds = Math.max(0, Math.ceil((Date.parse(etaAt) - now) / 1000));
  return `${countsOf(sends)}; number ${last} goes in about ${seconds} s`;
}
