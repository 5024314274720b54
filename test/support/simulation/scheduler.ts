import { setImmediate } from 'node:timers/promises';
import type { Seeded } from './seeded.ts';

/** A run of a function. Once killed it never comes back from the await it is in: as on a real host, nothing cleans up. */
export interface Process {
  readonly name: string;
  /** The workspace it works for; undefined for those that work for all. */
  readonly workspace: string | undefined;
  /** What the host's clock is off by. */
  readonly skewMs: number;
  alive: boolean;
}

/** A place at which a process can be killed or stalled: before the effect of a call, or after it. */
export interface Point {
  readonly call: string;
  readonly moment: 'before' | 'after';
  readonly detail?: unknown;
}

export type Accident = 'kill' | { readonly stallMs: number } | undefined;

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Virtual time. Whatever happens, happens in one order that follows from the seed. */
export class Scheduler {
  now: number;
  /** Asked at each point; directed tests replace it. */
  accident: (process: Process, point: Point) => Accident = () => undefined;
  readonly #seeded: Seeded;
  readonly #events: Event[] = [];
  #order = 0;

  constructor(seeded: Seeded, start: number) {
    this.#seeded = seeded;
    this.now = start;
  }

  at(time: number, run: () => void): void {
    const event = { at: Math.max(time, this.now), order: this.#order++, run };
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#events[middle];
      // Sorted latest first, so that the next event is taken off the end.
      if (other && (other.at > event.at || (other.at === event.at && other.order > event.order))) low = middle + 1;
      else high = middle;
    }
    this.#events.splice(low, 0, event);
  }

  /** Lets others go first: a network's worth of time, with the accidents that can happen in it. */
  async pass(process: Process, point: Point): Promise<void> {
    const accident = this.accident(process, point);
    if (accident === 'kill') process.alive = false;
    const stall = typeof accident === 'object' ? accident.stallMs : 0;
    await this.wait(process, this.#seeded.between(1, 12) + stall);
  }

  wait(process: Process, milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.at(this.now + milliseconds, () => {
        if (process.alive) resolve();
      });
    });
  }

  /** Runs what is due until then, or until nothing is left. */
  async runUntil(time: number): Promise<void> {
    await setImmediate();
    for (let event = this.#events.at(-1); event && event.at <= time; event = this.#events.at(-1)) {
      this.#events.pop();
      this.now = event.at;
      event.run();
      await setImmediate();
    }
    this.now = Math.max(this.now, time);
  }
}
