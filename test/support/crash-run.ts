import { setTimeout as sleep } from 'node:timers/promises';
import { allEvents, createWebhook } from './hub-api.ts';
import { MortalHub } from './mortal-hub.ts';

export interface CrashPlan {
  /** The folder that outlives the crashes. */
  readonly data: string;
  readonly webhooks: number;
  readonly concurrency: number;
  readonly kills: readonly Kill[];
}

export interface Kill {
  /** The hub dies once so many webhooks were answered, and `delay` milliseconds more have passed. */
  readonly after: number;
  readonly delay: number;
  readonly whom: 'parent' | 'group';
}

export interface CrashReport {
  readonly answered: number;
  /** Posts that broke off, and were made again as a careful provider would. */
  readonly brokenOff: number;
  /** From each kill to the next ready line, milliseconds. */
  readonly restarts: readonly number[];
  /** What was answered 200 and is not there afterwards. */
  readonly lost: readonly string[];
  /** What is there twice, or was never posted. */
  readonly surplus: readonly string[];
}

/**
 * Posts distinct webhooks while the hub is killed and started again. Whoever got no answer posts again, so in the end
 * each was answered 200, and the events, read through the API, must be exactly those.
 */
export async function crashRun(plan: CrashPlan): Promise<CrashReport> {
  const hub = new MortalHub({ HOOKLINE_DATA: plan.data });
  try {
    const path = await createWebhook(await hub.api(), 'sandbox');
    const load = new Load(hub, path, plan);
    const [restarts] = await Promise.all([crashes(hub, load, plan.kills), load.run()]);
    const stored: string[] = [];
    for await (const event of allEvents(await hub.api())) stored.push(event.message?.id ?? event.id);
    const once = new Set(stored);
    return {
      answered: load.answered.size,
      brokenOff: load.brokenOff,
      restarts,
      lost: [...load.answered].filter((id) => !once.has(id)),
      surplus: stored.filter((id) => !load.answered.has(id) || !once.delete(id)),
    };
  } finally {
    await hub.end();
  }
}

async function crashes(hub: MortalHub, load: Load, kills: readonly Kill[]): Promise<number[]> {
  const restarts: number[] = [];
  for (const { after, delay, whom } of kills) {
    await load.reaches(after);
    await sleep(delay);
    const since = performance.now();
    await hub.crash(whom);
    restarts.push(performance.now() - since);
  }
  return restarts;
}

/** How long one webhook is posted again and again before the run counts as failed, milliseconds. */
const timeout = 30_000;

class Load {
  readonly answered = new Set<string>();
  brokenOff = 0;
  readonly #hub: MortalHub;
  readonly #path: string;
  readonly #plan: CrashPlan;
  readonly #waiting = new Map<number, () => void>();
  #next = 0;

  constructor(hub: MortalHub, path: string, plan: CrashPlan) {
    this.#hub = hub;
    this.#path = path;
    this.#plan = plan;
  }

  async reaches(count: number): Promise<void> {
    if (this.answered.size < count) await new Promise<void>((resolve) => this.#waiting.set(count, resolve));
  }

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: this.#plan.concurrency }, () => this.#work()));
  }

  async #work(): Promise<void> {
    while (this.#next < this.#plan.webhooks) {
      const id = `m-${this.#next++}`;
      await this.#postUntilAnswered(id);
      this.answered.add(id);
      this.#waiting.get(this.answered.size)?.();
    }
  }

  async #postUntilAnswered(id: string): Promise<void> {
    const body = JSON.stringify({ event: 'message', id, chat: `+1555010${id.slice(-2)}`, text: `number ${id}` });
    for (const giveUpAt = performance.now() + timeout; performance.now() < giveUpAt; await sleep(10)) {
      const status = await this.#post(body);
      if (status === 200) return;
      if (status !== undefined) throw new Error(`a webhook was answered ${status}`);
      this.brokenOff += 1;
    }
    throw new Error(`no answer to a webhook within ${timeout} ms`);
  }

  /** The status; nothing when the sender has to try again: no whole answer, or one that asks for it. */
  async #post(body: string): Promise<number | undefined> {
    const headers = { 'content-type': 'application/json' };
    const url = `${(await this.#hub.api()).url}${this.#path}`;
    try {
      const response = await fetch(url, { method: 'POST', headers, body });
      await response.text();
      return response.status === 503 ? undefined : response.status;
    } catch {
      return undefined;
    }
  }
}
