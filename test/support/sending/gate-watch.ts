import { setTimeout as sleep } from 'node:timers/promises';
import { allAccounts, type HubApi } from '../hub-api.ts';

const PERIOD_MS = 400;

/** An account was seen to be free again from then on. Milliseconds since the epoch. */
export interface Gate {
  readonly seenAt: number;
  readonly opensAt: number;
}

/**
 * Looks, while messages go out, at when each account may send again: so soon after a call that is the gap that was
 * drawn, told by the hub itself.
 */
export class GateWatch {
  readonly #gates = new Map<string, Gate[]>();
  readonly #stop = new AbortController();
  readonly #watching: Promise<void>;

  constructor(api: HubApi) {
    this.#watching = this.#watch(api);
  }

  /** Ends the watch, and answers what was seen of an account. */
  async end(): Promise<(account: string) => readonly Gate[]> {
    this.#stop.abort();
    await this.#watching;
    return (account) => this.#gates.get(account) ?? [];
  }

  async #watch(api: HubApi): Promise<void> {
    while (!this.#stop.signal.aborted) {
      for await (const { id, nextSendAt } of allAccounts(api)) {
        if (nextSendAt === undefined) continue;
        const gates = this.#gates.get(id) ?? [];
        gates.push({ seenAt: performance.timeOrigin + performance.now(), opensAt: Date.parse(nextSendAt) });
        this.#gates.set(id, gates);
      }
      await sleep(PERIOD_MS);
    }
  }
}
