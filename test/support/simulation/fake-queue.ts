import type { Tick } from '#lib/sender/provider.ts';
import type { TickResult } from '#lib/sender/tick.ts';
import type { Scheduler } from './scheduler.ts';
import type { Seeded } from './seeded.ts';

export interface QueueFaults {
  readonly tickLost: number;
  readonly tickDoubled: number;
  /** The delay is ignored: the tick comes at once. */
  readonly tickEarly: number;
}

interface Message {
  readonly tick: Tick;
  receives: number;
  firstAt: number;
  deleted: boolean;
}

/** A run of the tick function: `ended` is called when it returns or throws, never if it is killed. */
export type Deliver = (
  tick: Tick,
  received: { readonly times: number; readonly firstAt: number },
  ended: (result: TickResult | 'threw') => void,
) => void;

const HANDOVER_MS = 15;

/** A standard queue with a function behind it: no order, now and then twice or not at all. */
export class FakeQueue {
  readonly messages: Message[] = [];
  readonly #scheduler: Scheduler;
  readonly #seeded: Seeded;
  readonly #faults: () => QueueFaults;
  readonly #visibilityMs: number;
  readonly #deliver: Deliver;
  sent = 0;

  constructor(scheduler: Scheduler, seeded: Seeded, faults: () => QueueFaults, visibilityMs: number, deliver: Deliver) {
    this.#scheduler = scheduler;
    this.#seeded = seeded;
    this.#faults = faults;
    this.#visibilityMs = visibilityMs;
    this.#deliver = deliver;
  }

  send(tick: Tick, delaySeconds: number): void {
    if (!Number.isInteger(delaySeconds) || delaySeconds < 0 || delaySeconds > 900) {
      throw new Error(`not a delay that the queue takes: ${delaySeconds}`);
    }
    this.sent += 1;
    const { tickLost, tickDoubled, tickEarly } = this.#faults();
    if (this.#seeded.chance(tickLost)) return;
    const message: Message = { tick, receives: 0, firstAt: 0, deleted: false };
    this.messages.push(message);
    const delay = this.#seeded.chance(tickEarly) ? 0 : delaySeconds * 1000;
    const visibleAt = this.#scheduler.now + delay + this.#seeded.between(1, HANDOVER_MS);
    this.#show(message, visibleAt);
    if (this.#seeded.chance(tickDoubled)) this.#show(message, visibleAt + this.#seeded.between(0, 30));
  }

  #show(message: Message, at: number): void {
    this.#scheduler.at(at, () => {
      if (message.deleted) return;
      if (message.receives === 0) message.firstAt = this.#scheduler.now;
      message.receives += 1;
      const receive = message.receives;
      this.#show(message, this.#scheduler.now + this.#visibilityMs);
      this.#deliver(message.tick, { times: receive, firstAt: message.firstAt }, (result) => {
        if (result === 'threw' || message.deleted || receive !== message.receives) return;
        if (result.kind === 'later') this.#show(message, this.#scheduler.now + result.seconds * 1000);
        else this.#delete(message);
      });
    });
  }

  #delete(message: Message): void {
    message.deleted = true;
    this.messages.splice(this.messages.indexOf(message), 1);
  }
}
